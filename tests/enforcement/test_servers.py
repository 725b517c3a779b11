"""Servers that act for several people in one process: who opened a file counts, not the thread that uses it (C4).

The server is a real process whose threads take identities as smbd does, or an NFS server in user space; pool threads
keep the identity of whoever was current when they were made.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.demo.actors import attempt
from tests.enforcement.scene import BYSTANDER, CLEARED, TOO_LOW, Area, Scene, scene, until, write
from tests.enforcement.servers import CHUNK, Server, server

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-servers")]

ALICE, BOB, NOBODY = CLEARED.uid, BYSTANDER.uid, TOO_LOW.uid


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene() as made:
        made.settled()
        yield made


@pytest.fixture(params=["smbd", "setfsuid"])
def served(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server(request.param) as made:
        yield made


def _uses(site: Scene, server: Server) -> list[tuple[str, str, str, int, str]]:
    """Return the entries of what *server* did: action, verdict, name of the file, whose, by which identity."""
    return [
        (entry["action"], entry["verdict"], Path(entry["path"]).name, entry["fsuid"], entry["identity"])
        for entry in site.accesses()
        if entry.get("pid") == server.pid
    ]


@contextmanager
def _others_change(site: Scene) -> Iterator[None]:
    """Have somebody else's rights change: then every read is asked about again."""
    site.site.shoumi("person", "set", "E2", "--level", "state=confidential")
    try:
        yield
    finally:
        site.site.shoumi("person", "set", "E2", "--level", "state=internal")


def test_a_read_is_recorded_under_whoever_opened_the_file(site: Scene, served: Server) -> None:
    """The pool thread is made while bob is current, and reads alice's file."""
    hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc1.txt", BOB)
    assert served.read(his, uid=BOB) == CHUNK
    with _others_change(site):
        site.mark()
        assert served.read(hers) == CHUNK
        assert served.read(his) == CHUNK
    assert _uses(site, served) == [
        ("access", "allow", "doc.txt", ALICE, "opener"),
        ("access", "allow", "doc1.txt", BOB, "opener"),
    ]


def test_an_open_is_recorded_under_the_thread_that_opens(site: Scene, served: Server) -> None:
    served.open(site.plans / "doc.txt", ALICE)
    assert served.open(site.plans / "doc1.txt", NOBODY) == "EPERM"
    assert _uses(site, served) == [
        ("open", "allow", "doc.txt", ALICE, "thread"),
        ("open", "deny", "doc1.txt", NOBODY, "thread"),
    ]


def test_whose_rights_end_reads_nothing_more_and_nobody_else_notices(site: Scene, served: Server) -> None:
    hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc1.txt", BOB)
    for thread, uid in (("of bob", BOB), ("of alice", ALICE), ("of root", 0)):
        assert served.read(his, thread, uid=uid) == CHUNK
    site.mark()
    with site.below("E1"):
        for thread in ("of bob", "of alice", "of root"):
            assert served.read(hers, thread) == "EPERM"
            assert served.read(his, thread) == CHUNK
            assert served.ask("write", thread=thread, fd=hers) == "EPERM"
    assert {(verdict, name, uid) for _, verdict, name, uid, _ in _uses(site, served)} == {
        ("deny", "doc.txt", ALICE),
        ("allow", "doc1.txt", BOB),
    }
    assert served.read(hers) == CHUNK  # and it is hers again when she has them back


def test_what_opens_by_a_grant_that_runs_out_is_refused_then(site: Scene, served: Server) -> None:
    """An instant that nobody acts at: silence ends with it, and who opened the file is asked about again."""
    with site.asking() as agent:
        agent.call("grant.end", grant="E1", area="plans", reason="测试")
        soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        agent.call("grant.add", person="E1", area="plans", reason="测试", until=soon)
    try:
        hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc1.txt", BOB)
        assert {served.read(fd, uid=BOB) for fd in (hers, his)} == {CHUNK}
        until(lambda: served.read(hers) == "EPERM", 20)
        assert served.read(his) == CHUNK
    finally:
        with site.asking() as agent:
            agent.call("grant.add", person="E1", area="plans", reason="测试")


def test_what_several_have_open_is_refused_to_all_until_one_has_let_go(site: Scene, served: Server) -> None:
    hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc.txt", BOB)
    assert {served.read(fd) for fd in (hers, his)} == {CHUNK}
    site.mark()
    with site.below("E1"):
        assert {served.read(fd) for fd in (hers, his)} == {"EPERM"}
        assert {(verdict, uid, how) for _, verdict, _, uid, how in _uses(site, served)} == {
            ("deny", ALICE, "shared"),
            ("deny", BOB, "shared"),
        }
        served.close(hers)
        until(lambda: served.read(his) == CHUNK, 5)
        again = served.open(site.plans / "doc.txt", BOB)
        assert served.read(again) == CHUNK
        assert served.open(site.plans / "doc.txt", ALICE) == "EPERM"  # and that takes nothing from bob
        assert served.read(again) == CHUNK


def test_the_number_of_a_closed_descriptor_means_nobody_later(site: Scene, served: Server) -> None:
    """bob's descriptor gets the number that alice's had."""
    hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc.txt", BOB)
    served.close(hers)
    assert served.open(site.plans / "doc.txt", BOB) == hers
    with site.below("E1"):
        until(lambda: served.read(his) == CHUNK, 5)
        assert served.read(hers) == CHUNK
    with site.below("E3"):
        assert {served.read(fd) for fd in (hers, his)} == {"EPERM"}


def test_no_silence_hides_a_server_behind_somebody_elses_read(site: Scene, served: Server) -> None:
    """An inode grows silent for everybody at once: not while alice has it open in a server and may not use it."""
    hers = served.open(site.plans / "doc.txt", ALICE)
    with site.below("E1"), server("smbd") as other:
        his = other.open(site.plans / "doc.txt", BOB)
        site.grown_quiet()
        assert other.read(his) == CHUNK
        assert other.read(his) == CHUNK
        assert served.read(hers) == "EPERM"


def test_what_a_server_reads_with_everybodys_right_grows_silent(site: Scene, served: Server) -> None:
    hers = served.open(site.plans / "doc.txt", ALICE)
    site.grown_quiet()

    def silent() -> bool:
        before = site.stats()["accesses"]
        assert {served.read(hers) for _ in range(20)} == {CHUNK}
        return bool(site.stats()["accesses"] - before < 20)

    until(silent)  # somebody who had it open before was forgotten: two looks say that nobody has it now


def test_a_new_decider_knows_who_opened_what(site: Scene, served: Server) -> None:
    hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc1.txt", BOB)
    shared = [served.open(site.plans / "doc2.txt", uid) for uid in (ALICE, BOB)]
    site.replace_decider()
    site.serving()
    site.mark()
    with site.below("E1"):
        assert served.read(hers) == "EPERM"
        assert served.read(his) == CHUNK
        assert {served.read(fd) for fd in shared} == {"EPERM"}
        served.close(shared[0])
        assert served.read(shared[1]) == "EPERM"  # whose it is was not kept: both may be behind it
    assert served.read(shared[1]) == CHUNK


def test_when_the_holder_has_ended_files_are_opened_again() -> None:
    with scene() as site, server("smbd") as served:
        hers = served.open(site.plans / "doc.txt", ALICE)
        assert served.read(hers) == CHUNK
        site.site.stop()
        site.site.start()
        site.serving()
        assert served.read(hers, uid=ALICE) == "EPERM"
        assert served.read(served.open(site.plans / "doc.txt", ALICE)) == CHUNK


def test_what_nobody_known_has_opened_is_refused_to_a_server(site: Scene, served: Server) -> None:
    """A file that was open before it came into the area: for whom, nobody was asked."""
    before = site.public / f"before-{served.pid}.txt"
    fd = served.open(before, ALICE, flags=os.O_CREAT)
    site.mark()
    before.rename(site.plans / before.name)
    assert served.read(fd, uid=ALICE) == "EPERM"
    [entry] = [entry for entry in site.accesses() if entry.get("pid") == served.pid]
    assert (entry["rule"], entry["identity"], entry["person"]) == ("no-opener", "unknown", None)
    again = served.open(site.plans / before.name, ALICE)
    assert served.read(again) == 0


def test_no_silence_hides_what_nobody_known_has_opened(site: Scene, served: Server) -> None:
    late = site.site.root / f"late-{served.pid}"
    late.mkdir()
    late.chmod(0o777)
    write(late / "doc.txt")
    fd = served.open(late / "doc.txt", ALICE)
    assert served.read(fd) == CHUNK
    site.area(Area(late.name), late)
    site.grown_quiet()
    with server("smbd") as other:
        his = other.open(late / "doc.txt", BOB)
        for _ in range(3):
            assert other.read(his) == CHUNK
        assert served.read(fd, uid=ALICE) == "EPERM"


@pytest.mark.parametrize("ends", ["it ends", "it closes the file, and bob opens it there"])
def test_no_silence_hides_what_was_passed_to_another_server(site: Scene, tmp_path: Path, ends: str) -> None:
    """alice may not read any more; the first server has her handle, gives it to a second one, and is forgotten."""
    at = str(tmp_path / "s")
    with server("smbd") as third, server("smbd") as second, server("smbd") as first:
        hers = first.open(site.plans / "doc2.txt", ALICE)
        with site.below("E1"):
            site.grown_quiet()
            assert first.read(hers, uid=BOB) == "EPERM"
            assert second.ask("take", thread="taking", at=at) == "listens"
            assert first.ask("pass", 0, fd=hers, at=at) is None
            taken = second.next()
            if ends != "it ends":
                first.close(hers)
                again = first.open(site.plans / "doc2.txt", BOB)
                assert first.read(again) == CHUNK
            else:
                first.end()
            his = third.open(site.plans / "doc2.txt", BOB)
            until_then = time.monotonic() + 8
            while time.monotonic() < until_then:
                assert third.read(his) == CHUNK
                assert second.read(taken, uid=ALICE) == "EPERM"
                time.sleep(0.05)


def test_a_worker_of_an_io_uring_opens_nothing_and_reads_as_whoever_opened(site: Scene, served: Server) -> None:
    assert served.ask("ring-open", ALICE, path=str(site.plans / "doc3.txt")) == "EPERM"
    [entry] = [entry for entry in site.accesses() if entry.get("pid") == served.pid]
    assert (entry["rule"], entry["person"]) == ("io-worker", None)
    hers, his = served.open(site.plans / "doc.txt", ALICE), served.open(site.plans / "doc1.txt", BOB)
    assert served.ask("ring-read", thread="ring", uid=BOB, fd=hers) == CHUNK
    with site.below("E1"):
        assert served.ask("ring-read", thread="ring", fd=hers) == "EPERM"
        assert served.ask("ring-read", thread="ring", fd=his) == CHUNK


def test_an_open_under_a_personality_of_a_ring_is_judged_as_the_thread_as_the_limits_say(
    site: Scene, served: Server
) -> None:
    for uid, other, expected in ((ALICE, NOBODY, "allow"), (NOBODY, ALICE, "deny")):
        site.mark()
        served.ask("ring-open-as", uid, other=other, path=str(site.plans / "doc3.txt"))
        assert _uses(site, served) == [("open", expected, "doc3.txt", uid, "thread")]


def test_a_program_that_a_server_becomes_is_judged_as_well_as_who_opened(site: Scene, served: Server) -> None:
    """It keeps the descriptor of alice, and is somebody without clearance by then."""
    hers = served.open(site.plans / "doc.txt", ALICE)
    program = (
        "import json, os, sys\n"
        f"os.setresuid({NOBODY}, {NOBODY}, {NOBODY})\n"
        "try: said = {'value': len(os.pread(int(sys.argv[1]), 512, 0))}\n"
        "except OSError as error: said = {'error': 'E%d' % error.errno}\n"
        "print(json.dumps(said), flush=True); sys.stdin.read()"
    )
    with _others_change(site):
        assert served.ask("exec", 0, fd=hers, program=program) == "E1"


def test_a_refused_create_leaves_no_empty_file(site: Scene, served: Server) -> None:
    new = site.plans / f"new-{served.pid}.txt"
    assert served.open(new, NOBODY, flags=os.O_CREAT | os.O_EXCL) == "EPERM"
    until(lambda: new.name not in _names(site.plans), 5)
    assert not [name for name in _names(site.plans) if name.startswith(".refused")]


def test_what_was_empty_before_a_refused_open_stays(site: Scene, served: Server) -> None:
    old = site.plans / f"old-{served.pid}.txt"
    fd = served.open(old, ALICE, flags=os.O_CREAT)
    served.close(fd)
    assert served.open(old, NOBODY, flags=os.O_CREAT) == "EPERM"
    assert served.open(site.plans / f"gone-{served.pid}.txt", NOBODY, flags=os.O_CREAT) == "EPERM"
    until(lambda: f"gone-{served.pid}.txt" not in _names(site.plans), 5)
    assert old.name in _names(site.plans)


def _names(folder: Path) -> list[str]:
    """List *folder* without opening it as anybody: the test's own process has no rights there."""
    return list(attempt(CLEARED, lambda: os.listdir(folder)).value)


def test_a_servers_writes_are_of_whoever_opened(site: Scene, served: Server) -> None:
    hers = served.open(site.plans / "doc3.txt", ALICE)
    assert served.ask("write", thread="pool", uid=BOB, fd=hers) == 1
    with site.below("E3"):
        assert served.ask("write", thread="pool", fd=hers) == 1
    with site.below("E1"):
        assert served.ask("write", thread="pool", fd=hers) == "EPERM"
