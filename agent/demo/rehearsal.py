"""The story without the kernel: the same people, rules, verdicts and log in a temporary folder, and nothing is blocked.

Rules of this file: it needs no rights and touches nothing outside its folder. What only a kernel can show (a hard link,
a mount, a read that stops) is asked as the question the guard would put to the rules: the label of the file says which
area it is in, whatever it is called.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from agent import shipped_packs
from agent.demo import building, cast
from agent.demo.actors import acting
from agent.demo.building import Guest, Room
from agent.demo.cast import DRAWINGS, LI, SUN, WANG, ZHANG, ZHOU, DemoArea, LossAct, OfficerAct, Player
from agent.demo.doors_rehearsed import RehearsedDoors
from agent.demo.entering import enter
from agent.demo.record import LogPosition
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import (
    AccessAttempt,
    Bystander,
    CutMeasurement,
    Entry,
    Explained,
    LateMount,
    Left,
    LogVerification,
    LossMeasurement,
    Mark,
    ReceiptSummary,
    Traffic,
    Way,
    Who,
    himself,
)
from agent.demo.userspace import AdjustableClock, UserSpace
from agent.doors.messages import Side
from agent.log.verify import verify
from agent.registry.facts import FactsReader
from agent.registry.migrations import create
from agent.registry.store import Registry
from agent.runtime.clock import instant
from agent.runtime.home import Home
from rules.decide import decide
from rules.model import Action, Request
from rules.pack.reader import Pack, load
from rules.text import Text

_FIRST_UID = 61001
_ADDRESSES = {
    room.id: (f"osdp+tcp://127.0.0.1:{4000 + number}/1", f"osdp+tcp://127.0.0.1:{4000 + number}/2")
    for number, room in enumerate(building.ROOMS)
}
_KILLS = 5
_BETWEEN = 300  # decisions between two kills
_PATIENCE = 15.0
_READS = 100
_NO_PROCESS = Text("rehearsed: no process is ended", "演练：不终止任何进程")
_UNMOUNTED = Text("rehearsed: no volume is mounted", "演练：没有挂载卷")
_NO_RECEIPT = Text("rehearsed: nothing was ended, so nothing is certified", "演练：未实际终止，故不签发回执")


@contextmanager
def rehearsing() -> Iterator["Rehearsal"]:
    """Make a site in a temporary folder, enter people and areas, and yield it ready to play."""
    with tempfile.TemporaryDirectory(prefix="shoumi-rehearsal-") as folder:
        home = Home.at(Path(folder) / "site")
        home.create()
        create(home.registry)
        home.pack.write_text(shipped_packs.text(cast.PACK), encoding="utf-8")
        with Registry(home.registry) as registry:
            site = Rehearsal(home, registry, load(home.pack.read_text(encoding="utf-8")))
            try:
                now = datetime.now(UTC)
                site.act(*cast.registration(_FIRST_UID, now), *cast.marking("/srv/volume", now))
                site.act(*building.opening(_ADDRESSES, "127.0.0.1:60001"))
                with closing(site.opened()) as doors:
                    site.doors = doors
                    yield site
            finally:
                site.close()


class Rehearsal:
    """A :class:`agent.demo.site.DemoSite` that asks the rules and blocks nothing."""

    def __init__(self, home: Home, registry: Registry, pack: Pack) -> None:
        self._home = home
        self._registry = registry
        self._pack = pack
        self._clock = AdjustableClock()
        self._decider = UserSpace(home, self._clock)
        self._record = LogPosition(home.log)
        self._kept: list[Entry] = []
        self._ends = 0.0
        self._lost: dict[LossAct, LossMeasurement] = {}
        self.doors: RehearsedDoors

    def opened(self) -> RehearsedDoors:
        """Open the rooms."""
        return RehearsedDoors(
            self._home, self._registry, lambda: self._decider, self._now, self._clock.forward, self.entries
        )

    def _now(self) -> datetime:
        return instant(self._clock.now())

    def act(self, *acts: OfficerAct) -> None:
        """Do acts of an officer in one change, each recorded before the change stands."""
        with self._registry.change(instant(self._clock.now())) as change:
            for act in acts:
                enter(change, act, self._pack)
                fields = {"kind": "act", "act": act.name, "actor": {"role": "rehearsal"}, "args": act.args}
                self._decider.record({**fields, "outcome": "done", "epoch": change.epoch})
        self._decider.take_policy()

    def opens(self, who: Who, document: str, way: Way = Way.STRAIGHT) -> AccessAttempt:
        """Ask for the area the document's label names: the way to it makes no difference to the question."""
        path = f"/srv/volume/{document}" if way is Way.STRAIGHT else f"/elsewhere/{Path(document).name}"
        passed = self._decides(who, _place(document), path)
        return AccessAttempt(passed, "" if passed else "EPERM", self.entries()[-1])

    def authorise(self, player: Player, place: DemoArea, seconds: float) -> None:
        """Grant for *seconds* from now."""
        self._ends = seconds
        until = instant(self._clock.now() + int(seconds * 1_000_000_000)).isoformat()
        args = {"person": player.id, "area": place.id, "reason": "临时查阅", "temporary": True, "until": until}
        self.act(OfficerAct("grant.add", args))

    def expire(self) -> None:
        """Put the clock forward: nothing needs to be waited for."""
        self._clock.forward(self._ends)

    def traffic(self) -> Traffic:
        """Kill a process that decides and records, in the middle of it."""
        return self._killed

    def cut(self) -> CutMeasurement:
        """Ask about reads before and after the hold."""
        return self._held

    def loses(self, player: Player, by: LossAct) -> LossMeasurement:
        """Ask before, between and after the acts."""
        if by not in self._lost:
            act, undo = cast.taking(player, by)
            for number in self._granted(player) if by is LossAct.GRANT else ("",):
                self.act(OfficerAct(act.name, act.args | ({"grant": number} if number else {})))
            anew, beside = self.opens(himself(player), DRAWINGS.document), Bystander(_READS, *self._beside())
            self.act(undo)
            back = self.opens(himself(player), DRAWINGS.document)
            self._lost[by] = LossMeasurement(None, beside, anew, None, back, unmeasured=_NO_PROCESS)
        return self._lost[by]

    def remounts(self) -> Text | None:
        """Nothing is mounted here."""
        return _UNMOUNTED

    def mounts_late(self) -> LateMount:
        """Nothing is mounted here."""
        return LateMount(None, 0.0, 0, moot=_UNMOUNTED)

    def leaves(self) -> Left:
        """Ask about reads before and after the departure."""
        return self._left

    def shows(self, who: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Ask the panel."""
        return self.doors.badge(who, room, side)

    def forces(self, room: Room) -> None:
        """Tell the panel that the door has opened."""
        self.doors.force(room)

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Ask the registry."""
        return self.doors.alarms(room, kind)

    def proof(self) -> ReceiptSummary:
        """Give the one instant there is: a receipt certifies what was ended, and nothing was."""
        at, nothing = self._departed.isoformat(timespec="microseconds"), Text("-", "-")
        mark = Mark(Text("approved (rehearsed)", "批准（演练）"), at, nothing)
        return ReceiptSummary((mark,), genuine=False, complete=False, left=(), entries=(), moot=_NO_RECEIPT)

    def explain(self, player: Player, document: str) -> Explained:
        """Ask the rules."""
        place = _place(document)
        with FactsReader(self._home.registry) as reader:
            _, facts = reader.facts((player.id,), place.id)
        found = decide(Request((player.id,), place.id), facts, self._pack, instant(self._clock.now()))
        return Explained("allow" if found.allow else "deny", found.rule, found.clauses, found.because, found.change)

    def entries(self) -> list[Entry]:
        """Return what is in the log, without the traffic."""
        self._kept += self._record.fresh()
        return self._kept

    def verify(self) -> LogVerification:
        """Read the log as an auditor would."""
        found = verify(self._home.log)
        problems = tuple(problem.text for problem in found.problems if problem.severity == "error")
        return LogVerification(found.entries, found.first or 0, found.last or 0, problems)

    def close(self) -> None:
        """Close the log."""
        self._decider.__exit__(None, None, None)

    def _decides(self, who: Who, place: DemoArea, path: str, action: Action = Action.OPEN) -> bool:
        return self._decider.decide(_uid(who.user), None if who.login is None else _uid(who.login), place, path, action)

    @cached_property
    def _held(self) -> CutMeasurement:
        before = self._reads(ZHANG) and self._reads(SUN)
        asked = time.monotonic()
        self.act(OfficerAct("hold.add", {"person": ZHANG.id, "reason": "岗位调查"}))
        act = (time.monotonic() - asked) * 1000
        late = self._reads(ZHANG)
        errors, longest = self._beside()
        return CutMeasurement(act, 0.0, late, before and not late, _READS, errors, longest)

    @cached_property
    def _departed(self) -> datetime:
        at = instant(self._clock.now())
        self.act(OfficerAct("case.notice", {"person": ZHOU.id, "approver": [SUN.id], "at": at.isoformat()}))
        return at

    @cached_property
    def _left(self) -> Left:
        before = self._reads(ZHOU) and self._reads(SUN)
        _ = self._departed
        gone = 0.0 if before and not self._reads(ZHOU) else None
        errors, longest = self._beside()
        return Left(0.0, 0.0, gone, _READS, errors, longest, unmeasured=_NO_PROCESS)

    def _granted(self, player: Player) -> list[str]:
        """Return the numbers of the grants of *player* for the drawings, which the agent finds by itself."""
        with FactsReader(self._home.registry) as reader:
            _, facts = reader.facts((player.id,), DRAWINGS.id)
        return [grant.id for grant in facts.persons[player.id].grants if grant.resource == DRAWINGS.id]

    def _reads(self, player: Player) -> bool:
        return self._decides(himself(player), DRAWINGS, f"/srv/volume/{DRAWINGS.document}", Action.ACCESS)

    def _beside(self) -> tuple[int, float]:
        """Let the bystander read on; return how often he was refused, and the longest it took in milliseconds."""
        spent, errors = [0.0], 0
        for _ in range(_READS):
            began = time.monotonic()
            errors += not self._reads(SUN)
            spent.append((time.monotonic() - began) * 1000)
        return errors, max(spent)

    @cached_property
    def _killed(self) -> Traffic:
        self.entries()
        self.close()  # one writer at a time: from here on it is the child
        told = Numbers(4)
        kills = sum(_kill(_deciding(self._home, told), told) for _ in range(_KILLS))
        self._decider = UserSpace(self._home, self._clock)
        fresh = self._record.fresh()
        allowed = [sum(e["person"] == one.id and e["verdict"] == "allow" for e in _opens(fresh)) for one in _CROWD]
        return Traffic(
            kills=kills,
            restarts=sum(entry["kind"] == "decider-started" for entry in fresh) - 1,  # the first start is no restart
            allowed=told[0] + told[1],
            refused=0,
            unrecorded=max(0, told[0] - allowed[0]) + max(0, told[1] - allowed[1]),
            leaked=allowed[2] + allowed[3],
            turned_away=told[2] + told[3],
        )


_CROWD = (ZHANG, SUN, LI, WANG)  # the first two are cleared


def _deciding(home: Home, told: Numbers) -> Callable[[Callable[[object], None]], None]:
    """Return an act that decides about the crowd for ever, and counts a decision only after it is recorded."""

    def act(_say: Callable[[object], None]) -> None:
        with UserSpace(home, AdjustableClock()) as decider:
            while True:
                for number, player in enumerate(_CROWD):
                    decider.decide(_uid(player), _uid(player), DRAWINGS, f"/srv/volume/{DRAWINGS.document}")
                    told[number] += 1

    return act


def _kill(act: Callable[[Callable[[object], None]], None], told: Numbers) -> bool:
    before = sum(told[number] for number in range(len(_CROWD)))
    with acting(None, act):  # leaving the block is a SIGKILL
        return wait_until(lambda: sum(told[number] for number in range(len(_CROWD))) >= before + _BETWEEN, _PATIENCE)


def _opens(entries: list[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry["kind"] == "access")


def _uid(player: Player | None) -> int:
    return 0 if player is None else _FIRST_UID + player.number


def _place(document: str) -> DemoArea:
    folder = document.partition("/")[0]
    return next(place for place in cast.PLACES if place.folder == folder)
