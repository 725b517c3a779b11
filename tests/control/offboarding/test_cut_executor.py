"""Whoever waits is cut together (C14): nobody's cut waits for another's, and nobody's trouble is anybody else's."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.control.offboarding import cut_executor
from agent.control.offboarding.cut_executor import CutExecutor
from agent.errors import RefusedError
from agent.kernel.open_files import HeldFile
from agent.offboard import database
from agent.offboard.callers import Caller
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.journal import RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.runtime.home import Home
from rules.text import Text
from tests import needs
from tests.offboard.host import Child, child, context, reach, unused_uid

pytestmark = needs.root
Wanted = Callable[[str, tuple[Caller, ...]], WantedRun | None]


class Holding(NamedTuple):
    """Somebody with one process that holds a mapping, unless ``holds`` says no."""

    uid: int
    process: Child
    holds: bool = True


def subject(one: Holding) -> RevocationSubject:
    return RevocationSubject(f"E{one.uid}", (Account(one.uid),), areas=frozenset({"plans"}), uncut_only=True)


@pytest.fixture
def people() -> Iterator[list[Holding]]:
    with ExitStack() as stack:
        uids = [stack.enter_context(unused_uid()) for _ in range(4)]
        yield [Holding(uid, stack.enter_context(child(uid, uid)), at != 3) for at, uid in enumerate(uids)]


def made(tmp_path: Path, people: list[Holding], wanted: Wanted, looks: list[int]) -> CutExecutor:
    def held(_devices: object, **_of: object) -> list[HeldFile]:
        looks.append(1)
        return [HeldFile(one.process.pid, 1, 1, "map", "") for one in people if one.holds]

    home = Home.at(tmp_path)
    here = context(tmp_path, held=held, area_of=lambda _held: "plans", devices=lambda: frozenset({1}))
    return CutExecutor(home, here, wanted, lambda: None)


def runs(tmp_path: Path) -> frozenset[str]:
    with closing(RevocationJournal(database.path(Home.at(tmp_path).root))) as journal:
        return journal.begun()


def test_everybody_who_waits_is_cut_by_the_same_looks_and_one_that_fails_fails_alone(
    tmp_path: Path, people: list[Holding]
) -> None:
    busy, looks = threading.Event(), []

    def wanted(name: str, callers: tuple[Caller, ...]) -> WantedRun | None:
        if name == "L000009":
            busy.wait(30)  # the first batch; all others come meanwhile
            return None
        if name == "L000001":
            raise RefusedError(Text("there is no such loss", "没有该项"))
        return WantedRun(name, subject(people[int(name[-1])]), Cause.LOSS, ("E8",), callers)

    with closing(made(tmp_path, people, wanted, looks)) as cuts:
        first = cuts.submit("L000009")
        done = {number: cuts.submit(f"L00000{number}") for number in range(4)}
        idle = cuts.submit("L000003", holding=True)
        assert len(cuts.waiting) == 5
        busy.set()
        assert first.result(30) is False
        with pytest.raises(RefusedError):
            done[1].result(30)
        for number in (0, 2, 3):
            assert done[number].result(30) is True
        assert idle.result(30) is False  # nothing was held for its sake
    assert not cuts.waiting
    for number in (0, 2):
        pidfd = people[number].process
        assert not pidfd.alive
    assert people[1].process.alive
    assert people[3].process.alive
    assert runs(tmp_path) == {"L000000", "L000002", "L000003"}
    assert len(looks) <= 5  # to stop them, to strike, twice to see that none is left, and once more for a late one


def test_of_many_who_lose_something_those_who_hold_nothing_have_no_run(tmp_path: Path, people: list[Holding]) -> None:
    def wanted(name: str, callers: tuple[Caller, ...]) -> WantedRun:
        return WantedRun(name, subject(people[int(name[-1])]), Cause.LOSS, ("E8",), callers)

    with closing(made(tmp_path, people, wanted, [])) as cuts:
        for number in range(4):
            cuts.submit(f"L00000{number}", holding=True).result(30)
    assert runs(tmp_path) == {"L000000", "L000001", "L000002"}
    reach(people[3].process.pid, "S")


def test_who_comes_while_others_are_cut_is_cut_with_all_who_still_come(
    tmp_path: Path, people: list[Holding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_executor, "_CALM", 1.0)  # so that a slow machine is no reason to miss the batch
    monkeypatch.setattr(cut_executor, "_REST", 60.0)
    busy, looks = threading.Event(), []

    def wanted(name: str, callers: tuple[Caller, ...]) -> WantedRun | None:
        if name == "L000009":
            busy.wait(30)
            return None
        return WantedRun(name, subject(people[int(name[-1])]), Cause.LOSS, ("E8",), callers)

    with closing(made(tmp_path, people, wanted, looks)) as cuts:
        assert not cuts.busy
        first, second = cuts.submit("L000009"), cuts.submit("L000000")
        assert cuts.busy
        busy.set()
        first.result(30)
        late = cuts.submit("L000002")  # the next batch has not begun: it waits for who still comes
        assert second.result(30) is True
        assert late.done()
    assert not cuts.busy
    assert runs(tmp_path) == {"L000000", "L000002"}
