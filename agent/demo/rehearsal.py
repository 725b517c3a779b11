"""Rehearsal: the story without the kernel, with the same rules and log in a temporary folder; nothing is denied.

Rules of this file: it needs no rights and touches nothing outside its folder. Cases that only a kernel can show (a hard
link, a mount, a read that stops) are put to the rules as the guard would put them: the label of the file names its
area, whatever its path.
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
    ActingPerson,
    Bystander,
    CutMeasurement,
    DepartureMeasurement,
    Entry,
    Explained,
    LateMount,
    LogVerification,
    LossMeasurement,
    Mark,
    OpenRoute,
    ReceiptSummary,
    Traffic,
    own_session,
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
from rules.text import Message, Sentence, foreign

_FIRST_UID = 61001
_ADDRESSES = {
    room.id: (f"osdp+tcp://127.0.0.1:{4000 + number}/1", f"osdp+tcp://127.0.0.1:{4000 + number}/2")
    for number, room in enumerate(building.ROOMS)
}
_KILLS = 5
_BETWEEN = 300  # decisions between two kills
_PATIENCE = 15.0
_READS = 100
_NO_PROCESS = Message("demo.rehearsed-no-process-ended")
_UNMOUNTED = Message("demo.rehearsed-no-volume-mounted")
_NO_RECEIPT = Message("demo.rehearsed-no-receipt")


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
    """A :class:`agent.demo.site.DemoSite` that evaluates the rules and denies nothing."""

    def __init__(self, home: Home, registry: Registry, pack: Pack) -> None:
        self._home = home
        self._registry = registry
        self._pack = pack
        self._clock = AdjustableClock()
        self._decider = UserSpace(home, self._clock)
        self._record = LogPosition(home.log)
        self._collected: list[Entry] = []
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
        """Perform acts of an officer in one change, each recorded before the change is committed."""
        with self._registry.change(instant(self._clock.now())) as change:
            for act in acts:
                enter(change, act, self._pack)
                fields = {"kind": "act", "act": act.name, "actor": {"role": "rehearsal"}, "args": act.args}
                self._decider.record({**fields, "outcome": "done", "epoch": change.epoch})
        self._decider.take_policy()

    def opens(self, subject: ActingPerson, document: str, route: OpenRoute = OpenRoute.STRAIGHT) -> AccessAttempt:
        """Decide about the area in the label of the document; the route makes no difference."""
        path = f"/srv/volume/{document}" if route is OpenRoute.STRAIGHT else f"/elsewhere/{Path(document).name}"
        passed = self._decides(subject, _place(document), path)
        return AccessAttempt(passed, "" if passed else "EPERM", self.entries()[-1])

    def authorise(self, player: Player, place: DemoArea, seconds: float) -> None:
        """Grant for *seconds* from now."""
        self._ends = seconds
        until = instant(self._clock.now() + int(seconds * 1_000_000_000)).isoformat()
        args = {"person": player.id, "area": place.id, "reason": "临时查阅", "temporary": True, "until": until}
        self.act(OfficerAct("grant.add", args))

    def expire(self) -> None:
        """Advance the clock instead of waiting."""
        self._clock.forward(self._ends)

    def traffic(self) -> Traffic:
        """Kill a process that decides and records while it works."""
        return self._killed

    def cut(self) -> CutMeasurement:
        """Decide about reads before and after the hold."""
        return self._held

    def loses(self, player: Player, by: LossAct) -> LossMeasurement:
        """Decide before, between and after the acts."""
        if by not in self._lost:
            act, undo = cast.taking(player, by)
            for number in self._granted(player) if by is LossAct.GRANT else ("",):
                self.act(OfficerAct(act.name, act.args | ({"grant": number} if number else {})))
            reopened, bystander = (
                self.opens(own_session(player), DRAWINGS.document),
                Bystander(_READS, *self._bystander_reads()),
            )
            self.act(undo)
            back = self.opens(own_session(player), DRAWINGS.document)
            self._lost[by] = LossMeasurement(None, bystander, reopened, None, back, unmeasured=_NO_PROCESS)
        return self._lost[by]

    def remounts(self) -> Sentence | None:
        """Nothing is mounted here."""
        return _UNMOUNTED

    def mounts_late(self) -> LateMount:
        """Nothing is mounted here."""
        return LateMount(None, 0.0, 0, moot=_UNMOUNTED)

    def leaves(self) -> DepartureMeasurement:
        """Decide about reads before and after the offboarding."""
        return self._departure_measured

    def shows(self, holder: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Present the badge to the panel."""
        return self.doors.badge(holder, room, side)

    def forces(self, room: Room) -> None:
        """Report to the panel that the door has opened."""
        self.doors.force(room)

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Return the alarms from the registry."""
        return self.doors.alarms(room, kind)

    def proof(self) -> ReceiptSummary:
        """Return the only instant: a receipt certifies revocations, and nothing was revoked."""
        at, nothing = self._departed.isoformat(timespec="microseconds"), foreign("-")
        mark = Mark(Message("demo.approved-rehearsed"), at, nothing)
        return ReceiptSummary((mark,), genuine=False, complete=False, still_open=(), entries=(), moot=_NO_RECEIPT)

    def explain(self, player: Player, document: str) -> Explained:
        """Return the verdict of the rules."""
        place = _place(document)
        with FactsReader(self._home.registry) as reader:
            _, facts = reader.facts((player.id,), place.id)
        verdict = decide(Request((player.id,), place.id), facts, self._pack, instant(self._clock.now()))
        return Explained(
            "allow" if verdict.allow else "deny", verdict.rule, verdict.clauses, verdict.because, verdict.change
        )

    def entries(self) -> list[Entry]:
        """Return the entries of the log, without the traffic."""
        self._collected += self._record.fresh()
        return self._collected

    def verify(self) -> LogVerification:
        """Read the log as an auditor would."""
        report = verify(self._home.log)
        problems = tuple(problem.text for problem in report.problems if problem.severity == "error")
        return LogVerification(report.entries, report.first or 0, report.last or 0, problems)

    def close(self) -> None:
        """Close the log."""
        self._decider.__exit__(None, None, None)

    def _decides(self, subject: ActingPerson, place: DemoArea, path: str, action: Action = Action.OPEN) -> bool:
        return self._decider.decide(
            _uid(subject.user), None if subject.login is None else _uid(subject.login), place, path, action
        )

    @cached_property
    def _held(self) -> CutMeasurement:
        before = self._reads(ZHANG) and self._reads(SUN)
        requested = time.monotonic()
        self.act(OfficerAct("hold.add", {"person": ZHANG.id, "reason": "岗位调查"}))
        act = (time.monotonic() - requested) * 1000
        late = self._reads(ZHANG)
        errors, longest = self._bystander_reads()
        return CutMeasurement(act, 0.0, late, before and not late, _READS, errors, longest)

    @cached_property
    def _departed(self) -> datetime:
        at = instant(self._clock.now())
        self.act(OfficerAct("case.notice", {"person": ZHOU.id, "approver": [SUN.id], "at": at.isoformat()}))
        return at

    @cached_property
    def _departure_measured(self) -> DepartureMeasurement:
        before = self._reads(ZHOU) and self._reads(SUN)
        _ = self._departed
        ended_after = 0.0 if before and not self._reads(ZHOU) else None
        errors, longest = self._bystander_reads()
        return DepartureMeasurement(0.0, 0.0, ended_after, _READS, errors, longest, unmeasured=_NO_PROCESS)

    def _granted(self, player: Player) -> list[str]:
        """Return the numbers of the grants of *player* for the drawings, which the agent finds itself."""
        with FactsReader(self._home.registry) as reader:
            _, facts = reader.facts((player.id,), DRAWINGS.id)
        return [grant.id for grant in facts.persons[player.id].grants if grant.resource == DRAWINGS.id]

    def _reads(self, player: Player) -> bool:
        return self._decides(own_session(player), DRAWINGS, f"/srv/volume/{DRAWINGS.document}", Action.ACCESS)

    def _bystander_reads(self) -> tuple[int, float]:
        """Let the bystander read on; return the number of denials, and the longest read in milliseconds."""
        spent, errors = [0.0], 0
        for _ in range(_READS):
            began = time.monotonic()
            errors += not self._reads(SUN)
            spent.append((time.monotonic() - began) * 1000)
        return errors, max(spent)

    @cached_property
    def _killed(self) -> Traffic:
        self.entries()
        self.close()  # one writer at a time: from here on the child writes
        counters = Numbers(4)
        kills = sum(_kill(_deciding(self._home, counters), counters) for _ in range(_KILLS))
        self._decider = UserSpace(self._home, self._clock)
        fresh = self._record.fresh()
        allowed = [
            sum(e["person"] == player.id and e["verdict"] == "allow" for e in _opens(fresh)) for player in _CROWD
        ]
        return Traffic(
            kills=kills,
            restarts=sum(entry["kind"] == "decider-started" for entry in fresh) - 1,  # the first start is no restart
            allowed=counters[0] + counters[1],
            refused=0,
            unrecorded=max(0, counters[0] - allowed[0]) + max(0, counters[1] - allowed[1]),
            leaked=allowed[2] + allowed[3],
            turned_away=counters[2] + counters[3],
        )


_CROWD = (ZHANG, SUN, LI, WANG)  # the first two are cleared


def _deciding(home: Home, counters: Numbers) -> Callable[[Callable[[object], None]], None]:
    """Return an act that decides about the crowd without end, and counts a decision after it is recorded."""

    def act(_say: Callable[[object], None]) -> None:
        with UserSpace(home, AdjustableClock()) as decider:
            while True:
                for number, player in enumerate(_CROWD):
                    decider.decide(_uid(player), _uid(player), DRAWINGS, f"/srv/volume/{DRAWINGS.document}")
                    counters[number] += 1

    return act


def _kill(act: Callable[[Callable[[object], None]], None], counters: Numbers) -> bool:
    before = sum(counters[number] for number in range(len(_CROWD)))
    with acting(None, act):  # leaving the block is a SIGKILL
        return wait_until(
            lambda: sum(counters[number] for number in range(len(_CROWD))) >= before + _BETWEEN, _PATIENCE
        )


def _opens(entries: list[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry["kind"] == "access")


def _uid(player: Player | None) -> int:
    return 0 if player is None else _FIRST_UID + player.number


def _place(document: str) -> DemoArea:
    folder = document.partition("/")[0]
    return next(place for place in cast.PLACES if place.folder == folder)
