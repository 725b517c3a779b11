"""Processes of root's that lend themselves to uids, as Samba's do: never ended by a signal, whoever leaves."""

import ctypes
import os
import shutil
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel.open_files import HeldFile
from agent.offboard import proof
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.guardrails import Process, Rails, Reach, ends, lends, mixed
from agent.offboard.guardrails import reach as reach_of
from agent.offboard.steps import holders, raised, signals, sweeping, tasks
from tests import needs
from tests.offboard.host import Child, chain, child, context, end, reach
from tests.offboard.steps.test_rails import PERSONS, RAILS, THEIRS
from tests.offboard.steps.test_threads import _SETRESUID, become, laws, threaded, threads
from tests.sentences import en

pytestmark = needs.root
KEEP = -1


def borrow(uid: int) -> None:
    """Take *uid* for the calling thread alone, and keep root's as the saved one, as smbd does."""
    assert ctypes.CDLL(None).syscall(_SETRESUID, uid, uid, KEEP) == 0


@contextmanager
def lending(uid: int) -> Iterator[Child]:
    """A process of root's whose first thread works for *uid*."""
    with threaded(lambda: borrow(uid), lambda: None) as one:
        assert lends(tasks.leader(one.pid) or Process(0, 1, 1, 1, 1, None))
        yield one


@contextmanager
def set_uid_program(folder: Path, uid: int) -> Iterator[Child]:
    """A program that root made set-uid, started by *uid*."""
    program = folder / "sleep"
    folder.chmod(0o755)
    shutil.copy("/bin/sleep", program)
    program.chmod(0o4755)
    fd = os.open(program, os.O_PATH)  # the folders above are root's alone

    def act() -> None:
        os.execv(f"/proc/self/fd/{fd}", ["sleep", "60"])

    try:
        with child(uid, act=act) as one:
            deadline = time.monotonic() + 30
            proc = Path(f"/proc/{one.pid}")
            # the kernel writes its notes a moment after the program is there
            while (proc / "exe").readlink() != program or raised.started_by((proc / "auxv").read_bytes()) is None:
                assert time.monotonic() < deadline
            yield one
    finally:
        os.close(fd)


def test_a_server_that_works_for_the_leaver_survives_and_what_is_theirs_does_not(uid: int) -> None:
    with lending(uid) as server, child(uid) as one:
        ended = end(uid)
        assert ended.sure
        assert set(ended.killed) == {one.pid}
        assert server.alive
        reach(server.pid, "S")  # nor was it left stopped


def test_another_thread_that_works_for_the_leaver_ends_no_server(uid: int, other: int) -> None:
    """Pool threads keep the uid of whom they worked for last."""
    with (
        threaded(lambda: None, lambda: borrow(uid)) as idle,
        threaded(lambda: borrow(other), lambda: borrow(uid)) as one,
    ):
        found = tasks.read(one.pid)
        assert found is not None
        assert reach_of(found, {uid}, Rails()) is Reach.ACTING
        ended = end(uid, holders=lambda: frozenset({one.pid, idle.pid}))
        assert ended.sure
        assert not ended.killed
        assert one.alive
        assert idle.alive


def test_while_a_server_lends_itself_a_chain_ends_all_the_same(uid: int) -> None:
    with lending(uid) as server, child(uid, act=chain):
        ended = end(uid)
        assert ended.sure
        assert not ended.unswept
        assert not [one for one in tasks.scan([uid]) if one.pid != server.pid]
        assert server.alive
        reach(server.pid, "S")


def test_a_server_that_takes_the_uid_between_question_and_signal_survives(
    uid: int, other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: it works for somebody else when it is looked at, and for the leaver when the call is made."""
    told, telling = os.pipe()
    heard, saying = os.pipe()

    def late(of: int, number: signal.Signals) -> None:
        os.write(telling, b"!")
        assert os.read(heard, 1)
        send(of, number)

    send = signals.sweep
    monkeypatch.setattr(signals, "sweep", late)

    def serve() -> None:
        borrow(other)
        os.write(saying, b".")
        assert os.read(told, 1)
        assert ctypes.CDLL(None).syscall(_SETRESUID, KEEP, 0, KEEP) == 0
        borrow(uid)
        os.write(saying, b"!")
        signal.pause()

    with child(0, None, serve) as server, child(uid) as one:
        assert os.read(heard, 1) == b"."
        assert sweeping.sweep({uid}, signal.SIGKILL, Rails(frozenset({os.getpid()}))) == frozenset()
        deadline = time.monotonic() + 30
        while one.alive:
            assert time.monotonic() < deadline
        assert server.alive
        reach(server.pid, "S")


def test_a_server_that_somebody_left_stopped_goes_on_with_the_next_run(uid: int) -> None:
    with lending(uid) as server:
        os.kill(server.pid, signal.SIGSTOP)
        reach(server.pid, "T")
        assert end(uid).sure
        reach(server.pid, "S")


def test_a_set_uid_program_that_the_leaver_started_ends(tmp_path: Path, uid: int) -> None:
    with set_uid_program(tmp_path, uid) as one:
        found = tasks.read(one.pid)
        assert found is not None
        assert (found.ruid, found.suid, found.raised) == (uid, 0, True)
        ended = end(uid)
        assert set(ended.killed) == {one.pid}
        assert not one.alive


def test_one_that_was_replaced_since_ends_as_well(tmp_path: Path, uid: int) -> None:
    """dpkg takes the bit from the old file before it removes it."""
    with set_uid_program(tmp_path, uid) as one:
        (tmp_path / "sleep").chmod(0o600)
        (tmp_path / "sleep").unlink()
        assert raised.raised(one.pid)
        assert end(uid).killed
        assert not one.alive


def test_a_hold_ends_no_server_either(tmp_path: Path, uid: int) -> None:
    who = RevocationSubject("E1001", (Account(uid),))
    with lending(uid) as server, child(uid) as one:
        here = context(
            tmp_path,
            held=lambda _devices, **_of: [HeldFile(pid, 1, 1, "fd", "") for pid in (server.pid, one.pid)],
            area_of=lambda _found: "plans",
            devices=lambda: frozenset({1}),
        )
        [target] = holders.find_targets(who, here)
        assert str(one.pid) in en(target.label)
        holders.run(who, here, "H1")
        assert server.alive
        assert not one.alive


def test_the_proof_says_that_something_acts_as_the_person(tmp_path: Path, uid: int) -> None:
    with lending(uid) as server:
        [told] = proof.scan(RevocationSubject("E1001", (Account(uid),)), context(tmp_path)).to_json()["found"]
        assert (told["pid"], told["reach"]) == (server.pid, "acting")


def test_what_a_thread_became_for_good_is_theirs(uid: int) -> None:
    with threaded(lambda: become(uid), lambda: become(uid)) as one:
        assert set(end(uid).killed) == {one.pid}
        assert not one.alive


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        (struct.pack("=4Q", 11, 1000, 0, 0), 1000),
        (struct.pack("=6Q", 12, 0, 11, 0, 0, 0), 0),
        (struct.pack("=6I", 12, 0, 11, 1000, 0, 0), 1000),  # a 32-bit program
        (b"", None),
        (b"\x0b\0\0", None),
    ],
)
def test_who_started_a_program_is_what_the_kernel_noted(notes: bytes, said: int | None) -> None:
    assert raised.started_by(notes) == said


def test_our_own_notes_say_who_we_are() -> None:
    assert raised.started_by(Path("/proc/self/auxv").read_bytes()) == os.getuid()


# --- as laws --------------------------------------------------------------------------------------


@laws
@given(threads(), PERSONS, RAILS, st.booleans())
def test_what_only_borrows_is_never_ended(process: Process, uids: frozenset[int], rails: Rails, holds: bool) -> None:
    theirs = [one for one in process.identities if {one.ruid, one.suid} & uids]
    logins = {one.login for one in process.identities} & uids
    if not process.raised and not logins and all(mixed(one) for one in theirs):
        assert not ends(process, uids, rails, holds=holds)


@laws
@given(threads(), RAILS, st.booleans())
def test_what_was_raised_by_its_program_borrows_nothing(process: Process, rails: Rails, holds: bool) -> None:
    started = process._replace(ruid=THEIRS, suid=0, raised=True)
    if not rails.protects(process.pid):
        assert ends(started, {THEIRS}, rails, holds=holds)
        assert not lends(started)
