"""Absence is claimed only when it was looked for, by somebody who could have found something."""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from agent.kernel.open_files import HeldFile
from agent.kernel.walk import WalkEntry, WalkFailure, walk
from agent.offboard import probe_access
from agent.offboard.context import AreaPath, RevocationSubject
from agent.offboard.guardrails import Process, Rails, Reach
from agent.offboard.probe_access import ProbeAnswer, ProbeAttempt, ProbeIdentity, ProbeTarget
from agent.offboard.proof import STEP, STEPS, AccessProof, Scan, prove, scan, staying
from agent.offboard.receipt import receipt
from agent.offboard.receipt.page import page
from agent.offboard.receipt.schema import RECEIPT, fits
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import RevocationStep, StepState
from tests import needs
from tests.offboard import proof_kit as kit
from tests.offboard.host import LOCKS
from tests.sentences import en

pytestmark = needs.root
landlock = needs.needs(lambda: None if kit.landlock_works() else "this kernel has no Landlock")
SELF = ProbeIdentity(kit.UID, kit.UID, kit.UID)
OPEN_TO_ALL = ("/proc", "/usr", "/etc")


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    """Take the uids of the kit: another run of these tests on this machine comes before or after."""
    with (LOCKS / "shoumi-test-proof").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def place(tmp_path: Path) -> AreaPath:
    """An area only root may enter, on a path anybody may walk."""
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_mode & 0o777 == 0o700 and above.name.startswith(("pytest-", "popen-", "test_")):
            above.chmod(0o711)
    top = tmp_path / "计划"
    top.mkdir(mode=0o700)
    (top / "a.txt").write_text("secret")
    return AreaPath("计划", str(top))


@contextmanager
def living(uid: int, login: int | None = None) -> Iterator[int]:
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(60)
            if login is not None:
                Path("/proc/self/loginuid").write_text(str(login))
            os.setresuid(uid, uid, uid)
            os.write(telling, b"!")
            signal.pause()
        finally:
            os._exit(0)
    os.close(telling)
    assert os.read(told, 1) == b"!"
    os.close(told)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def one(target: ProbeTarget, who: ProbeIdentity = SELF) -> tuple[ProbeAnswer, str]:
    [attempt] = probe_access.attempt([target], who, kit.unmarked)
    return attempt.answer, attempt.error


def test_a_denial_is_a_denial_and_nothing_else_is(place: AreaPath, tmp_path: Path) -> None:
    assert one(ProbeTarget("x", "list", place.path)) == (ProbeAnswer.DENIED, "EACCES")
    assert one(ProbeTarget("x", "file", f"{place.path}/a.txt")) == (ProbeAnswer.DENIED, "EACCES")
    assert one(ProbeTarget("x", "list", str(tmp_path / "not there"))) == (ProbeAnswer.ABSENT, "ENOENT")
    assert one(ProbeTarget("x", "list", "/proc")) == (ProbeAnswer.LET_IN, "")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert one(ProbeTarget("x", "file", str(loop))) == (ProbeAnswer.FAILED, "ELOOP")


def test_root_with_the_login_uid_is_let_in_by_mode_bits_and_said_to_be(place: AreaPath) -> None:
    assert one(ProbeTarget("x", "list", place.path), ProbeIdentity(0, kit.UID, 0)) == (ProbeAnswer.LET_IN, "")


def test_the_child_is_the_leaver_login_uid_and_groups_included(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    pid = os.fork()
    if pid == 0:
        try:
            probe_access.become(ProbeIdentity(0, kit.UID, 0, (62190,)))
            seen.write_text(f"{Path('/proc/self/loginuid').read_text()} {os.getgroups()} {os.getresuid()}")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert seen.read_text() == f"{kit.UID} [62190] (0, 0, 0)"


def test_a_group_of_the_leaver_counts(place: AreaPath) -> None:
    os.chown(place.path, 0, 62190)
    os.chmod(place.path, 0o750)
    target = ProbeTarget("x", "list", place.path)
    assert one(target) == (ProbeAnswer.DENIED, "EACCES")
    assert one(target, SELF._replace(groups=(62190,))) == (ProbeAnswer.LET_IN, "")


def test_a_fifo_in_the_way_holds_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert one(ProbeTarget("x", "file", str(tmp_path / "fifo")), ProbeIdentity(0, kit.UID, 0))[0] is ProbeAnswer.LET_IN


class Stuck(os.PathLike[str]):
    """A path nobody gets to open: the child that tries waits for ever."""

    def __fspath__(self) -> str:
        signal.pause()
        return ""


class Deadly(os.PathLike[str]):
    """A path that ends whoever tries to open it."""

    def __fspath__(self) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""


def test_a_child_that_says_nothing_proves_nothing() -> None:
    targets = [ProbeTarget(name, "list", cast("str", Stuck())) for name in "abcdef"]
    attempts = probe_access.attempt(targets, SELF, kit.unmarked, patience=0.1)
    assert [one.area for one in attempts] == list("abcdef")
    assert {one.answer for one in attempts} == {ProbeAnswer.UNTRIED}


def test_what_comes_after_a_lost_child_is_still_tried(place: AreaPath) -> None:
    names = [cast("str", Deadly()), place.path, cast("str", Deadly()), "/proc"]
    attempts = probe_access.attempt([ProbeTarget("x", "list", name) for name in names], SELF, kit.unmarked)
    assert [one.answer for one in attempts] == [
        ProbeAnswer.UNTRIED,
        ProbeAnswer.DENIED,
        ProbeAnswer.UNTRIED,
        ProbeAnswer.LET_IN,
    ]


@landlock
def test_a_child_that_can_open_nothing_is_no_witness() -> None:
    [attempt] = kit.kept_out((), lambda: probe_access.attempt([ProbeTarget("x", "list", "/usr")], SELF, kit.unmarked))
    assert (attempt.answer, attempt.error) == (ProbeAnswer.UNTRIED, "witness EACCES")


@landlock
def test_the_proof_holds_when_root_with_the_login_uid_is_denied_too(place: AreaPath) -> None:
    context = kit.context(place, walk=lambda path: iter(list(walked)))
    walked = list(walk(place.path))
    proof = kit.kept_out(OPEN_TO_ALL, lambda: prove(kit.leaver(), context))
    assert [(one.uid, one.login, one.what, one.error) for one in proof.attempts] == [
        (uid, kit.UID, what, "EACCES") for uid in (kit.UID, 0) for what in ("list", "file")
    ]
    assert proof.holds


@landlock
@pytest.mark.parametrize(
    ("about", "tries", "wanted"),
    [
        ((), None, ["计划", "账目"]),  # a hold
        (("账目",), None, ["账目"]),  # a grant of this area ended
        ((), ("计划",), ["计划"]),  # a transfer: a grant of this area ended, and everything is denied
        ((), (), []),
    ],
)
def test_who_stays_is_tried_at_what_they_lost_and_what_they_run_is_theirs(
    place: AreaPath, about: tuple[str, ...], tries: tuple[str, ...] | None, wanted: list[str]
) -> None:
    areas = (place, AreaPath("账目", place.path))
    walked = list(walk(place.path))
    context = kit.context(*areas, walk=lambda path: iter(list(walked)))
    who = replace(kit.leaver(), areas=frozenset(about), tries=None if tries is None else frozenset(tries))
    assert RevocationSubject.from_json(who.to_json()) == who
    with living(kit.UID):
        proof = kit.kept_out(OPEN_TO_ALL, lambda: staying(who, context))
        assert proof.holds
        assert (proof.areas, list(dict.fromkeys(one.area for one in proof.attempts))) == (len(wanted), wanted)
        assert len(proof.attempts) == 4 * len(wanted)


def test_a_run_of_an_earlier_version_that_tried_nothing_tries_nothing_when_it_is_resumed(place: AreaPath) -> None:
    record = kit.leaver().to_json()
    del record["tries"]
    assert staying(RevocationSubject.from_json(record), kit.context(place)).attempts == ()


def test_who_stays_and_is_let_in_is_not_shown_to_be_kept_out(place: AreaPath) -> None:
    [step] = [step for step in STEPS if step.leaving is False]
    found = step.run(kit.leaver(), kit.context(place), "H000001")
    assert (found.state, "attempts allowed 2," in en(found.detail)) == (StepState.PENDING, True)


def test_being_let_in_anywhere_is_pending_never_done(place: AreaPath) -> None:
    found = STEP.run(kit.leaver(), kit.context(place), "C000001")
    assert found.state is StepState.PENDING
    assert "attempts allowed 2," in en(found.detail)


def test_an_area_that_is_not_there_is_pending_not_denied() -> None:
    context = kit.context(AreaPath("gone", "/nowhere/at/all"))
    proof = prove(kit.leaver(), context)
    assert proof.unreached == ("gone",)
    assert {one.answer for one in proof.attempts} == {ProbeAnswer.ABSENT}
    assert not proof.holds


def test_who_proves_many_in_a_row_looks_for_a_file_once_and_tries_all_of_them_at_it(place: AreaPath) -> None:
    walks: list[str] = []

    def counted(path: str) -> Iterator[WalkEntry | WalkFailure]:
        walks.append(path)
        return walk(path)

    context = kit.context(place, walk=counted, found={})
    proofs = [prove(kit.leaver(uid), context) for uid in (kit.UID, kit.OTHER)]
    assert walks == [place.path]
    for proof, uid in zip(proofs, (kit.UID, kit.OTHER), strict=True):
        assert [(one.what, one.answer) for one in proof.attempts if one.uid == uid] == [
            ("list", ProbeAnswer.DENIED),
            ("file", ProbeAnswer.DENIED),
        ]
    os.unlink(f"{place.path}/a.txt")  # known and gone is said, never taken for kept out
    assert ProbeAnswer.ABSENT in {one.answer for one in prove(kit.leaver(), context).attempts}


def test_an_area_that_cannot_be_looked_into_is_not_taken_for_empty(place: AreaPath) -> None:
    context = kit.context(place, walk=lambda path: iter([WalkFailure(path, 5)]))
    assert prove(kit.leaver(), context).unreached == ("计划",)
    empty = kit.context(place, walk=lambda _path: iter(()))
    assert prove(kit.leaver(), empty).unreached == ()


@pytest.mark.parametrize(("uid", "login"), [(kit.UID, None), (0, kit.UID)])
def test_a_living_process_is_found_by_uid_and_by_login_uid(uid: int, login: int | None) -> None:
    with living(uid, login) as pid:
        found = scan(kit.leaver(), kit.context())
        assert [one.pid for one in found.remaining] == [pid]
        assert not prove(kit.leaver(), kit.context()).holds
    assert scan(kit.leaver(), kit.context()).clean


def test_a_protected_process_of_the_leaver_is_not_touched_and_not_overlooked() -> None:
    with living(kit.UID) as pid:
        context = kit.context(rails=lambda: Rails(frozenset({pid})))
        assert [one.pid for one in scan(kit.leaver(), context).remaining] == [pid]


def test_a_ring_of_the_person_s_that_cannot_be_looked_into_is_said_and_proves_nothing(place: AreaPath) -> None:
    with living(kit.UID) as theirs, living(kit.OTHER) as bystander:
        rings = [HeldFile(pid, 0, 0, "ring", "", looked_into=False) for pid in (theirs, bystander)]
        here = kit.context(place, held=lambda _devices, **_of: rings)
        for proof in (prove(kit.leaver(), here), staying(kit.leaver(), here)):
            assert [(look.unseen, look.holding) for look in proof.scans] == [((f"ring:{theirs}",), (theirs,))] * 2
            assert not proof.holds
            assert not proof.scans[0].complete


def test_a_bystander_is_not_found() -> None:
    with living(kit.OTHER, kit.OTHER):
        assert scan(kit.leaver(), kit.context()).clean


def test_an_account_nothing_may_be_shown_for_keeps_the_case_open() -> None:
    proof = prove(kit.leaver(kit.UID, 33), kit.context())
    assert proof.untouched == (33,)
    assert not proof.holds


def test_one_look_is_not_two(place: AreaPath) -> None:
    clean = scan(kit.leaver(), kit.context())
    assert clean.clean
    assert not AccessProof((clean,), (), (), 0, (), ()).holds
    assert AccessProof((clean, clean), (), (), 0, (), ()).holds


@pytest.mark.parametrize("answer", ProbeAnswer)
def test_every_attempt_must_be_denied(answer: ProbeAnswer) -> None:
    clean = scan(kit.leaver(), kit.context())
    attempt = ProbeAttempt("x", "list", kit.UID, kit.UID, answer)
    assert AccessProof((clean, clean), (attempt,), (), 1, (kit.UID,), ()).holds is (answer is ProbeAnswer.DENIED)
    assert not AccessProof((clean, clean), (), ("x",), 1, (kit.UID,), ()).holds


def test_the_instants_are_of_the_clock_given() -> None:
    ticks = iter(kit.NOON + timedelta(seconds=number) for number in range(9))
    proof = prove(kit.leaver(), kit.context(now=lambda: next(ticks)))
    assert [one.at for one in proof.scans] == [kit.NOON, kit.NOON + timedelta(seconds=1)]


def test_many_attempts_are_made_by_several_children_and_come_back_in_order() -> None:
    paths = {
        ProbeAnswer.LET_IN: "/proc/self/stat",
        ProbeAnswer.DENIED: "/proc/1/environ",
        ProbeAnswer.ABSENT: "/proc/none",
    }
    wanted = [list(paths)[number * number % 3] for number in range(10)] * 40 + [ProbeAnswer.ABSENT] * 7
    targets = [ProbeTarget(f"a{number}", "file", paths[answer]) for number, answer in enumerate(wanted)]
    found = probe_access.attempt(targets, ProbeIdentity(kit.UID, kit.UID, kit.UID), kit.unmarked)
    assert [one.area for one in found] == [one.area for one in targets]
    assert [one.answer for one in found] == wanted


def test_a_receipt_says_who_was_found_what_started_it_and_what_was_not_seen(tmp_path: Path) -> None:
    starter = Starter("unit", "report.service")
    process = Process(300, kit.UID, kit.UID, kit.UID, kit.UID, None, state="D", name="job\x1b")
    found = Scan(
        kit.NOON, False, (process,), (300,), 0, {300: Reach.ACCOUNT}, {300: starter}, ("process:7", "pid-namespace")
    )
    made = AccessProof((found, replace(found, remaining=(), holding=())), (), (), 0, (kit.UID,), ())
    record = kit.ending(proof=made.to_json())
    payload = receipt.build(record, "0" * 64, kit.NOON)
    body = json.loads(payload)
    assert fits(body, RECEIPT)
    assert not body["complete"]
    assert "proof" in body["open"]
    shown = page(body, "en")
    assert "Not inspected: pid-namespace, process:7" in shown
    assert "started by system unit `report.service`" in shown
    assert "\x1b" not in shown
    clean = kit.good_proof()
    assert fits(json.loads(receipt.build(kit.ending(proof=clean), "0" * 64, kit.NOON)), RECEIPT)  # made before
    blind = {**clean, "scans": [{**scan, "unseen": ["hidepid"], "complete": False} for scan in clean["scans"]]}
    assert "proof" in json.loads(receipt.build(kit.ending(proof=blind), "0" * 64, kit.NOON))["open"]


@landlock
@pytest.mark.parametrize(("step", "made"), list(zip(STEPS, (prove, staying), strict=True)))
def test_a_plan_names_as_many_attempts_as_are_made(step: RevocationStep, made: Any, place: AreaPath) -> None:
    walked = list(walk(place.path))
    context = kit.context(place, AreaPath("账目", place.path), walk=lambda path: iter(list(walked)))
    proof = kit.kept_out(OPEN_TO_ALL, lambda: made(kit.leaver(), context))
    assert len(proof.attempts) == 8
    assert en(step.find_targets(kit.leaver(), context)[0].label).endswith("up to 8 access attempts")
    assert en(step.find_targets(RevocationSubject("E1"), context)[0].label).endswith("no access attempt")
