"""Threads with uids of their own, on real processes: the exit looks at each one, as the gate does."""

import ctypes
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel import process_sight, task_identity
from agent.kernel.open_files import HeldFile
from agent.kernel.task_identity import TaskIdentity
from agent.offboard import proof
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.guardrails import Process, Rails, Reach, ends, sweepable
from agent.offboard.guardrails import reach as reach_of
from agent.offboard.steps import holders, processes, tasks
from agent.offboard.steps.step import StepState
from tests import needs
from tests.examples import examples
from tests.offboard.host import Child, child, context, end, reach
from tests.offboard.steps.test_rails import PERSONS, RAILS, THEIRS, UIDS
from tests.offboard.steps.test_rails import processes as some_processes
from tests.sentences import en

pytestmark = needs.root

_SETRESUID = {"x86_64": 117}.get(platform.machine(), 147)
_EXIT = {"x86_64": 60}.get(platform.machine(), 93)  # exit(2): of this thread alone
laws = examples(200)


def become(uid: int) -> None:
    """Take *uid* for the calling thread alone, real, effective and saved."""
    assert ctypes.CDLL(None).syscall(_SETRESUID, uid, uid, uid) == 0


def leave() -> None:
    """End the calling thread alone, and leave the others."""
    ctypes.CDLL(None).syscall(_EXIT, 0)


@contextmanager
def threaded(first: Callable[[], object], second: Callable[[], object]) -> Iterator[Child]:
    """A process of root: another thread does *second* and stays, then the first does *first* and stays."""
    told, telling = os.pipe()

    def act() -> None:
        done = threading.Event()

        def run() -> None:
            second()
            done.set()
            signal.pause()

        threading.Thread(target=run, daemon=True).start()
        done.wait()
        os.write(telling, b"!")
        first()
        os.write(telling, b"!")
        signal.pause()

    made = Child(0, None, act)
    try:
        os.close(telling)
        assert os.read(told, 1) == b"!"
        if first is leave:
            reach(made.pid, "Z")
        else:
            assert os.read(told, 1) == b"!"
        yield made
    finally:
        os.close(told)
        made.end()


def test_a_first_thread_that_gave_the_uid_up_hides_no_thread_that_kept_it(uid: int, other: int) -> None:
    with threaded(lambda: become(other), lambda: become(uid)) as one:
        assert [process.pid for process in tasks.scan([uid])] == [one.pid]
        ended = end(uid)
        assert ended.sure
        assert one.pid in ended.killed
        assert not one.alive


def test_a_first_thread_that_has_ended_hides_none_either(uid: int) -> None:
    with threaded(leave, lambda: become(uid)) as one:
        assert [process.pid for process in tasks.scan([uid])] == [one.pid]
        found = tasks.read(one.pid)
        assert found is not None
        assert found.executable == str(Path(f"/proc/{os.getpid()}/exe").readlink())  # of the thread that is left
        assert end(uid, Rails(frozenset({os.getpid()}))).sure
        # root's own process with a thread that became the person is a service: it holds nothing, and is left
        assert one.alive
        assert end(uid, holders=lambda: frozenset({one.pid})).sure
        assert not one.alive


def test_a_login_uid_of_one_thread_counts(uid: int, other: int) -> None:
    def log_in() -> None:
        Path("/proc/thread-self/loginuid").write_text(str(uid))

    with threaded(lambda: become(other), log_in) as one:
        assert Path(f"/proc/{one.pid}/loginuid").read_text() != str(uid)
        ended = end(uid)
        assert one.pid in ended.killed
        assert not one.alive


def test_a_thread_of_somebody_else_s_process_is_named_in_the_plan(tmp_path: Path, uid: int, other: int) -> None:
    who = RevocationSubject("E1001", (Account(uid),))
    with threaded(lambda: become(other), lambda: become(uid)) as one:
        [target] = processes.find_targets(who, context(tmp_path))
        assert str(one.pid) in en(target.label)
        assert target.affected is not None
        assert str(other) in en(target.affected)
        done = processes.run(who, context(tmp_path), "C1")
    assert done.facts["shared"] == [[one.pid, other]]
    assert f"{one.pid} (uid {other})" in en(done.detail)  # which is what the page of a receipt shows


def test_a_login_of_somebody_else_is_named_in_the_plan_and_afterwards(tmp_path: Path, uid: int, other: int) -> None:
    who = RevocationSubject("E1001", (Account(uid),), areas=frozenset({"plans"}), uncut_only=True)
    with child(uid, other) as used:
        here = context(
            tmp_path,
            held=lambda _devices, **_of: [HeldFile(used.pid, 1, 1, "map", "")],
            area_of=lambda _found: "plans",
            devices=lambda: frozenset({1}),
        )
        [target] = holders.find_targets(who, here)
        assert target.affected is not None
        assert str(other) in en(target.affected)
        done = holders.run(who, here, "L1")
        assert not used.alive
    assert done.facts["shared"] == [[used.pid, other]]


def test_the_proof_sees_the_thread(tmp_path: Path, uid: int, other: int) -> None:
    who = RevocationSubject("E1001", (Account(uid),))
    with threaded(lambda: become(other), lambda: become(uid)) as one:
        found = proof.scan(who, context(tmp_path))
        assert [process.pid for process in found.remaining] == [one.pid]
        assert not found.clean
    assert proof.scan(who, context(tmp_path)).clean


def test_a_thread_made_while_a_look_goes_on_is_found_by_its_number(uid: int, other: int) -> None:
    """Its process was looked at already, and was nobody's then."""
    told, telling = os.pipe()
    heard, saying = os.pipe()

    def run() -> None:
        become(uid)
        os.write(saying, b"!")
        signal.pause()

    def act() -> None:
        os.read(told, 1)
        threading.Thread(target=run, daemon=True).start()
        become(other)
        signal.pause()

    with child(0, None, act) as earlier, child(uid) as later:
        assert earlier.pid < later.pid  # the order of a look
        found = []
        for process in tasks.Look([uid]):
            if not found:
                os.write(telling, b"!")
                assert os.read(heard, 1) == b"!"
            found.append(process.pid)
        assert found == [later.pid, earlier.pid]


def test_an_identity_is_read_of_every_thread_and_of_none_that_has_gone(uid: int, other: int) -> None:
    with threaded(lambda: become(other), lambda: become(uid)) as one:
        assert task_identity.others(one.pid) == {TaskIdentity(uid, uid, uid, uid, None)}
    assert task_identity.others(one.pid) == frozenset()


# --- as laws --------------------------------------------------------------------------------------


@st.composite
def threads(draw: st.DrawFn) -> Process:
    others = draw(st.frozensets(st.builds(TaskIdentity, UIDS, UIDS, UIDS, UIDS, st.none() | UIDS), max_size=2))
    return draw(some_processes())._replace(other_threads=others, threads=len(others) + 1)


@laws
@given(threads(), PERSONS, RAILS, st.booleans())
def test_a_thread_more_saves_nobody_but_a_service(
    process: Process, uids: frozenset[int], rails: Rails, holds: bool
) -> None:
    alone = process._replace(other_threads=frozenset())
    if ends(alone, uids, rails, holds=holds):
        assert ends(process, uids, rails, holds=holds)


@laws
@given(threads(), RAILS, st.booleans())
def test_a_real_uid_of_any_thread_is_enough_where_something_is_held(
    process: Process, rails: Rails, saved: bool
) -> None:
    one = TaskIdentity(5000, 5000, THEIRS, 5000, None) if saved else TaskIdentity(THEIRS, 5000, 5000, 5000, None)
    if not rails.protects(process.pid):
        assert ends(process._replace(other_threads=process.other_threads | {one}), {THEIRS}, rails, holds=True)


@laws
@given(threads(), PERSONS, RAILS)
def test_whoever_has_none_of_the_uids_in_any_thread_is_left(
    process: Process, uids: frozenset[int], rails: Rails
) -> None:
    if not {uid for one in process.identities for uid in one} & uids:
        assert reach_of(process, uids, rails) in (Reach.BYSTANDER, Reach.PROTECTED)


@laws
@given(st.lists(threads(), max_size=3), UIDS)
def test_no_sweep_hits_a_protected_process_with_a_thread_of_that_uid(protected: list[Process], uid: int) -> None:
    if sweepable(uid, protected):
        assert all(uid not in (one.ruid, one.suid) for each in protected for one in each.identities)


# --- what cannot be seen --------------------------------------------------------------------------


@pytest.mark.parametrize("hides", ["hidepid=1", "hidepid=2"])
def test_a_look_that_is_not_shown_everything_says_so(uid: int, hides: str) -> None:
    """As somebody who may not look into others: in a mount namespace whose /proc hides them."""
    ask = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from agent.kernel import process_sight\n"
        "from agent.offboard.steps import tasks\n"
        "from agent.confinement import capabilities\n"
        "seen = process_sight.hidden()\n"
        "os.setgroups([]), os.setresgid(62599, 62599, 62599)\n"  # hidepid= hides nothing from gid 0
        "capabilities.keep_only(())\n"
        "look = tasks.Look([int(sys.argv[2])])\n"
        "list(look)\n"
        "print(seen, process_sight.hidden(), look.complete, int(sys.argv[3]) in look.unread)\n"
    )
    with child(uid) as one:
        said = shown_by(hides, ask, str(uid), str(one.pid))
    # hidepid=2 shows nothing of it, which only the mount option gives away
    assert said == f"() ('hidepid',) {hides == 'hidepid=2'} {hides == 'hidepid=1'}"


def shown_by(hides: str, ask: str, *words: str) -> str:
    script = f'mount -t proc -o {hides} proc /proc && exec "$@"'
    done = subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"),
            *(sys.executable, "-c", ask, str(Path(__file__).parents[3]), *words),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_outside_of_the_first_pid_namespace_not_everything_is_seen() -> None:
    ask = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from agent.kernel import process_sight\nprint(process_sight.hidden())\n"
    )
    done = subprocess.run(
        [
            *("unshare", "--pid", "--fork", "--mount-proc"),
            *(sys.executable, "-c", ask, str(Path(__file__).parents[3])),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "('pid-namespace',)"


def test_what_could_not_be_looked_at_is_in_the_proof_and_keeps_it_from_holding(
    tmp_path: Path, uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = RevocationSubject("E1001", (Account(uid),))
    monkeypatch.setattr(process_sight, "hidden", lambda: ("pid-namespace",))
    found = proof.prove(who, context(tmp_path))
    assert not found.holds
    assert found.to_json()["scans"][0]["unseen"] == ["pid-namespace"]
    assert not found.to_json()["scans"][0]["complete"]
    assert "pid-namespace" in en(proof.summary(found))
    assert proof.STEP.run(who, context(tmp_path), "C1").state is StepState.PENDING
