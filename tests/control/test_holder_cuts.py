"""Who loses the right to what they hold is ended where the kernel cuts nothing, and nobody else is."""

import os
import signal
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.control import holder_cuts
from agent.control.holder_cuts import HolderCuts, first_seen, use_of
from agent.control.seen_holders import SeenHolders, UncutHold
from agent.control.stopped_processes import StoppedProcesses
from agent.demo.actors import Actor, ActorIdentity, acting
from agent.errors import RefusedError
from agent.kernel.open_files import HeldFile
from agent.kernel.start_time import ticks_now
from agent.offboard.guardrails import Rails
from agent.offboard.steps import tasks
from rules.text import Text
from rules.tiers import Tier, Use, cuts
from tests import needs

USER = ActorIdentity(61_790, 0xFFFF_FFFF)
ROOT = ActorIdentity(0, 0xFFFF_FFFF)


def waits(say: Callable[[object], None]) -> None:
    say("up")
    signal.pause()


class Log(list[Mapping[str, Any]]):
    """What was written; raises first when it is full."""

    full = False

    def write(self, fields: Mapping[str, Any]) -> None:
        if self.full:
            raise RefusedError(Text("full", "已满"))
        self.append(fields)


def holding(actor: Actor, how: str = "fd") -> HeldFile:
    assert actor.next().allowed
    return HeldFile(actor.pid, 1, 2, how, f"/proc/{actor.pid}/fd/0")  # type: ignore[arg-type]


def look(one: HolderCuts, *found: HeldFile, still: bool = True) -> None:
    one.begin()
    for each in found:
        one.denied(each, "plans")
    one.finish(lambda _: still)


def lives(actor: Actor) -> bool:
    return actor.next(0.2).error == "timeout"


@pytest.fixture
def log() -> Log:
    return Log()


def nothing_seen() -> SeenHolders:
    return SeenHolders(Path("/dev/null/none"))  # nothing can be read there, nor written


def cutter(log: Log, tier: Tier = "C", pids: frozenset[int] = frozenset()) -> HolderCuts:
    made = HolderCuts(lambda: {"plans": tier}, dict, lambda: Rails(pids=pids), log.write, {}, nothing_seen())
    made.begin()
    made.finish(lambda _: True)  # the area has been looked at
    return made


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder_cuts, "GRACE", 0.0)


@needs.root
def test_it_is_ended_after_its_entry_and_not_before(log: Log) -> None:
    with acting(USER, waits) as actor:
        found, one = holding(actor), cutter(log)
        log.full = True
        with pytest.raises(RefusedError):
            look(one, found)
        assert lives(actor)
        log.full = False
        look(one, found)
        assert actor.next(10).error == "ended"
    [entry] = log
    assert (entry["kind"], entry["pid"], entry["uid"], entry["tier"]) == ("holder-ended", actor.pid, USER.uid, "C")


@needs.root
def test_it_is_stopped_at_once_ended_after_a_while_and_let_go_on_when_it_may_again(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder_cuts, "GRACE", 1e6)
    with acting(USER, waits) as actor:
        found, one = holding(actor), cutter(log)
        for _ in range(2):
            look(one, found)
            assert state(actor) == "T"
        look(one)
        assert state(actor) == "S"
        look(one, found)
        assert state(actor) == "T"
        monkeypatch.setattr(holder_cuts, "GRACE", 0.0)
        look(one, found)
        assert actor.next(10).error == "ended"
    assert [entry["pid"] for entry in log] == [actor.pid] * 2


def state(actor: Actor) -> str:
    """Return the state of its process, once it has come to rest in one."""
    found = ""
    while (found := tasks.read(actor.pid).state) not in "ST":  # type: ignore[union-attr]
        pass
    return found


@needs.root
@pytest.mark.parametrize("who", [ActorIdentity(0, USER.uid), ActorIdentity(33, USER.uid)], ids=["root", "a system uid"])
def test_what_was_started_from_a_person_s_login_is_ended_whoever_it_runs_as(log: Log, who: ActorIdentity) -> None:
    with acting(who, waits) as actor:
        found, one = holding(actor), cutter(log)
        look(one, found)
        assert actor.next(10).error == "ended"
    assert [entry["uid"] for entry in log] == [who.uid]


@needs.root
def test_a_registered_service_lives_though_a_person_started_it(log: Log) -> None:
    with acting(ActorIdentity(33, USER.uid), waits) as actor:
        found = holding(actor)
        process = tasks.read(actor.pid)
        assert process
        services = frozenset({(33, process.executable)})
        one = HolderCuts(lambda: {"plans": "C"}, dict, lambda: Rails(services=services), log.write, {}, nothing_seen())
        look(one)
        look(one, found)
        look(one, found)
        assert lives(actor)
    assert not log


@needs.root
@pytest.mark.parametrize("why", ["root's", "the agent's", "it may again", "there before"])
def test_who_is_not_to_be_ended_lives(log: Log, why: str) -> None:
    with acting(ROOT if why == "root's" else USER, waits) as actor:
        found = holding(actor)
        one = cutter(log, pids=frozenset({actor.pid}) if why == "the agent's" else frozenset())
        if why == "there before":
            one = HolderCuts(lambda: {"plans": "C"}, dict, Rails, log.write, {}, nothing_seen())
            look(one, found)
        look(one, found, still=why != "it may again")
        assert lives(actor)
    assert not log


@needs.root
def test_who_was_there_before_is_forgotten_when_it_lets_go(log: Log) -> None:
    with acting(USER, waits) as actor:
        found = holding(actor)
        one = HolderCuts(lambda: {"plans": "C"}, dict, Rails, log.write, {}, nothing_seen())
        look(one, found)
        look(one)
        look(one, found)  # opened again, by rights that have ended since
        assert actor.next(10).error == "ended"


@pytest.mark.parametrize(("tier", "how"), [*product(get_args(Tier), ["fd", "map", "cwd", "root", "ring", "flight"])])
def test_what_the_kernel_cuts_is_no_reason(tier: Tier, how: str, log: Log, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch()
    one = cutter(log, tier)
    one.begin()
    for flags, use in ((os.O_RDONLY, Use.READ), (os.O_WRONLY, Use.WRITE)):
        fd = os.open(file, flags)
        found = HeldFile(os.getpid(), 1, 2, how, f"/proc/self/fd/{fd}")  # type: ignore[arg-type]
        assert use_of(found) == {"fd": use, "map": Use.MAP}.get(how)
        wanted = use if how == "fd" else Use.MAP
        assert one.concerns(found, "plans") == (tier != "none" and how in ("fd", "map") and not cuts(tier, wanted))
        assert not one.concerns(found, None)
        assert not one.concerns(found, "another")
        os.close(fd)
    assert not one.concerns(found._replace(how="fd"), "plans")  # it is gone


def test_only_an_area_that_is_new_has_holders_from_before_it() -> None:
    holds = [UncutHold(7, 1, 2, 3, area, "C") for area in ("old", "new")]
    assert first_seen(holds, frozenset({"old"}), {}) == {holds[1]}


def test_who_was_started_after_an_area_was_guarded_was_not_there_before_it() -> None:
    holds = [UncutHold(7, started, 2, 3, "new", "C") for started in (99, 100, 101)]
    assert first_seen(holds, frozenset(), {"new": 100}) == {*holds[:2]}


@needs.root
def test_who_began_and_lost_the_right_before_the_first_look_at_an_area_is_ended(log: Log) -> None:
    guarded = ticks_now()
    while ticks_now() == guarded:
        pass
    with acting(USER, waits) as actor:
        one = HolderCuts(lambda: {"plans": "C"}, lambda: {"plans": guarded}, Rails, log.write, {}, nothing_seen())
        look(one, holding(actor))
        assert actor.next(10).error == "ended"


@needs.root
@pytest.mark.parametrize("still", [True, False], ids=["has no right", "has it again"])
def test_whoever_was_stopped_is_ended_or_goes_on_when_the_control_process_was_replaced_meanwhile(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch, still: bool
) -> None:
    def made() -> HolderCuts:
        kept = StoppedProcesses(tmp_path / "stopped"), SeenHolders(tmp_path / "seen")
        return HolderCuts(lambda: {"plans": "C"}, dict, Rails, log.write, *kept)

    monkeypatch.setattr(holder_cuts, "GRACE", 60.0)
    with acting(USER, waits) as actor:
        held = holding(actor)
        one = made()
        look(one)
        look(one, held)
        assert state(actor) == "T"
        monkeypatch.setattr(holder_cuts, "GRACE", 0.0)
        look(made(), *([held] if still else []))
        if still:
            assert actor.next().error == "ended"
        else:
            assert state(actor) == "S"
            assert lives(actor)
    assert [*StoppedProcesses(tmp_path / "stopped")] == []
