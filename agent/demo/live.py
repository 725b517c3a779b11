"""Live demo: the story on a real agent, with real files, processes under other uids, and the kernel.

Rules of this file: every act goes through the control socket, as those of the command line do; queries use the command
line itself. An attempt is judged by the result of the opener *and* by the log entry of its process.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from agent.api.client import AgentClient
from agent.demo import cast, tricks
from agent.demo.actors import UNSET, ActorIdentity, ActorReply, acting, attempt, reading
from agent.demo.building import Guest, Room
from agent.demo.cast import DRAWINGS, LI, PLAYERS, SUN, WANG, ZHANG, ZHOU, DemoArea, LossAct, OfficerAct, Player
from agent.demo.cutting import holding
from agent.demo.doors_live import LiveDoors
from agent.demo.leaving import leaving
from agent.demo.losing import certified, losing
from agent.demo.personnel import HrDepartment
from agent.demo.proving import proven
from agent.demo.record import LogPosition
from agent.demo.remounting import mount_late, remount
from agent.demo.site import (
    AccessAttempt,
    ActingPerson,
    CutMeasurement,
    DepartureMeasurement,
    Entry,
    Explained,
    LateMount,
    LogVerification,
    LossMeasurement,
    OpenRoute,
    ReceiptSummary,
    Traffic,
    own_session,
)
from agent.demo.stage import DemoStage
from agent.demo.traffic import killing
from agent.demo.uids import unused_uids
from agent.doors.messages import Side
from agent.errors import UnreachableError
from rules.text import Message, Sentence, from_json
from rules.tiers import Tier, Use, cuts

_NO_NAMESPACE = Message("demo.namespaces-disabled")
_TIER_C = Message("demo.tier-c-kernel-cannot-stop")


@contextmanager
def playing(stage: DemoStage, *, doors: bool = True) -> Iterator["Live"]:
    """Write the documents, start the agent of *stage* and enter people and areas; yield the site ready to play.

    Without *doors* there are no rooms, and only the scenes about files can be played.
    """
    with unused_uids(len(PLAYERS)) as uid:
        _write_documents(stage.root, uid)
        personnel = HrDepartment(stage.home.root.parent / "personnel", stage.home, SUN.id)
        personnel.pin()
        stage.start()
        now = datetime.now(UTC)
        with AgentClient(stage.home) as client:
            site = Live(stage, client, uid, personnel)
            for act in (*cast.registration(uid, now), *cast.marking(str(stage.root), now)):
                site.act(act)
            if not doors:
                yield site
                return
            with closing(LiveDoors(stage, client, site.act, site.entries)) as devices:
                site.doors = devices
                yield site


class Live:
    """A :class:`agent.demo.site.DemoSite` whose verdicts the kernel enforces."""

    def __init__(self, stage: DemoStage, client: AgentClient, uid: int, personnel: HrDepartment) -> None:
        self._stage = stage
        self._personnel = personnel
        self._client = client
        self._uid = uid
        self._record = LogPosition(stage.home.log)
        self._collected: list[Entry] = []
        self._ends = datetime.now(UTC)
        self._lost: dict[LossAct, LossMeasurement] = {}
        self.doors: LiveDoors
        self.tiers: dict[str, Tier] = {}

    def act(self, act: OfficerAct) -> Any:
        """Perform an act of an officer through the control socket and return its result."""
        answer = self._client.call(act.name, **act.args)
        if act.name == "area.add":
            self.tiers[answer["area"]] = answer["tier"]
        return answer

    def opens(self, subject: ActingPerson, document: str, route: OpenRoute = OpenRoute.STRAIGHT) -> AccessAttempt:
        """Open and read as a process of theirs. The entry is that of this very process."""
        path = self._stage.root / document
        identity = self.identity(subject)
        if route is OpenRoute.HARD_LINK:
            link = self._stage.root / cast.EXCHANGE / path.name
            linked = attempt(self.identity(own_session(ZHANG)), tricks.linking(path, link))
            if linked.error:
                return AccessAttempt(passed=False, error=f"link: {linked.error}")
            try:
                return self._tried(identity, reading(link))
            finally:
                link.unlink(missing_ok=True)
        if route is OpenRoute.BIND_MOUNT:
            root = ActorIdentity(0, identity.login)
            return self._tried(root, tricks.in_bind_mount(path, self._elsewhere, identity))
        if route is OpenRoute.NAMESPACE:
            return self._tried(identity, tricks.in_namespace(path, self._elsewhere))
        return self._tried(identity, reading(path))

    def authorise(self, player: Player, place: DemoArea, seconds: float) -> None:
        """Grant for *seconds* from now."""
        self._ends = datetime.now(UTC) + timedelta(seconds=seconds)
        until = self._ends.isoformat()
        args = {"person": player.id, "area": place.id, "reason": "临时查阅", "temporary": True, "until": until}
        self.act(OfficerAct("grant.add", args))

    def expire(self) -> None:
        """Wait until the last authorisation has ended."""
        time.sleep(max(0.0, (self._ends - datetime.now(UTC)).total_seconds()))

    def traffic(self) -> Traffic:
        """Kill the decider during accesses."""
        return self._killed

    def cut(self) -> CutMeasurement:
        """Put the reader on hold during a read."""
        return self._held

    def loses(self, player: Player, by: LossAct) -> LossMeasurement:
        """Use ``shoumi grant end`` or ``shoumi person import --update``."""
        if by not in self._lost:
            self._lost[by] = self._loses(player, *cast.taking(player, by))
        return self._lost[by]

    def _loses(self, player: Player, act: OfficerAct, undo: OfficerAct) -> LossMeasurement:
        since, document = len(self.entries()), self._stage.root / DRAWINGS.document
        loser, bystander = self.identity(own_session(player)), self.identity(own_session(SUN))
        ended = losing(document, loser, bystander, lambda: self.act(act))
        reopened = self.opens(own_session(player), DRAWINGS.document)
        receipt = certified(self._stage, player.id, since, self.entries)
        self.act(undo)
        return LossMeasurement(
            ended.ended_after,
            ended.bystander,
            reopened,
            receipt,
            back=self.opens(own_session(player), DRAWINGS.document),
        )

    def remounts(self) -> Sentence | None:
        """Use ``umount`` and ``mount``."""
        remount(self._stage)
        return None

    def mounts_late(self) -> LateMount:
        """Use ``shoumi volume hide`` and ``mount``."""
        return self._mounted_late

    def leaves(self) -> DepartureMeasurement:
        """Have the personnel department deliver its notice during a read."""
        return self._departure

    def shows(self, holder: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Present a badge at a reader of the simulated devices."""
        return self.doors.badge(holder, room, side)

    def forces(self, room: Room) -> None:
        """Force the simulated door open."""
        self.doors.force(room)

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Return the alarms from ``alarm.list``."""
        return self.doors.alarms(room, kind)

    def proof(self) -> ReceiptSummary:
        """Wait for the receipt and verify it with ``shoumi case receipt --verify``."""
        return self._proof

    def explain(self, player: Player, document: str) -> Explained:
        """Ask ``shoumi explain``."""
        answer = self._stage.ask("explain", player.id, str(self._stage.root / document))
        change = from_json(answer["change"]) if answer["change"] else None
        return Explained(
            answer["verdict"], answer["rule"], tuple(answer["clauses"]), from_json(answer["because"]), change
        )

    def entries(self) -> list[Entry]:
        """Return the entries of the log, without the traffic."""
        self._collected += self._record.fresh()
        return self._collected

    def verify(self) -> LogVerification:
        """Ask ``shoumi log verify``."""
        report = json.loads(self._stage.shoumi("log", "verify", "--json", check=False).stdout)
        problems = tuple(from_json(problem["text"]) for problem in report["problems"] if problem["severity"] == "error")
        return LogVerification(report["entries"], report["first"], report["last"], problems)

    @cached_property
    def _mounted_late(self) -> LateMount:
        document, position = self._stage.root / DRAWINGS.document, len(self.entries())

        def fresh() -> list[Entry]:
            nonlocal position
            entries = self.entries()[position:]
            position += len(entries)
            return entries

        return mount_late(
            self._stage, document, self.identity(own_session(LI)), self.identity(own_session(ZHANG)), fresh
        )

    @cached_property
    def _killed(self) -> Traffic:
        self.entries()
        cleared, uncleared = (
            [self.identity(own_session(player)) for player in group] for group in ((ZHANG, SUN), (LI, WANG))
        )
        return killing(self._stage, self._record, self._stage.root / DRAWINGS.document, cleared, uncleared)

    @cached_property
    def _held(self) -> CutMeasurement:
        if not cuts(self.tiers[DRAWINGS.id], Use.READ):
            self._hold()
            return CutMeasurement(
                0,
                0,
                late=False,
                stopped=False,
                bystander_reads=0,
                bystander_errors=0,
                bystander_longest=0,
                moot=_TIER_C,
            )
        reader, bystander = self.identity(own_session(ZHANG)), self.identity(own_session(SUN))
        return holding(self._stage.root / DRAWINGS.document, reader, bystander, self._hold, self.quiet)

    @cached_property
    def _departure(self) -> DepartureMeasurement:
        self._personnel.listening()
        notice = self._personnel.sign(ZHOU.id)
        leaver, bystander = self.identity(own_session(ZHOU)), self.identity(own_session(SUN))
        document = self._stage.root / DRAWINGS.document
        measurement = leaving(document, leaver, bystander, lambda: self._personnel.drop(notice), self.quiet)
        _ = self._proof  # its proof attempts use doors as the leaver: nothing else may do so meanwhile
        return measurement

    @cached_property
    def _proof(self) -> ReceiptSummary:
        return proven(self._stage, ZHOU, self.entries)

    def quiet(self) -> bool:
        """Whether the agent has stopped checking each read. Under a flood of reads it may not answer."""
        try:
            return bool(self._client.call("status")["decider"]["quiet"])
        except UnreachableError:
            return False

    def _hold(self) -> None:
        self.act(OfficerAct("hold.add", {"person": ZHANG.id, "reason": "岗位调查"}))

    def identity(self, subject: ActingPerson) -> ActorIdentity:
        """Return the uids of *subject*."""
        login = UNSET if subject.login is None else self._uid + subject.login.number
        return ActorIdentity(0 if subject.user is None else self._uid + subject.user.number, login)

    def _tried(self, identity: ActorIdentity, act: Any) -> AccessAttempt:
        self.entries()
        with acting(identity, lambda say: say(act())) as actor:
            outcome: ActorReply = actor.next()
        if outcome.error == tricks.UnavailableError.__name__:
            return AccessAttempt(passed=False, moot=_NO_NAMESPACE)
        fresh = self._record.fresh()
        self._collected += fresh
        own_entries = [entry for entry in fresh if entry.get("pid") == actor.pid and entry.get("action") == "open"]
        return AccessAttempt(
            passed=outcome.allowed,
            error=outcome.error,
            entry=own_entries[-1] if own_entries else None,
        )

    @cached_property
    def _elsewhere(self) -> Path:
        """An empty directory outside every protected volume, to mount on."""
        folder = self._stage.home.root.parent / "elsewhere"
        folder.mkdir(exist_ok=True)
        return folder


def _write_documents(root: Path, uid: int) -> None:
    exchange = root / cast.EXCHANGE
    exchange.mkdir()
    exchange.chmod(0o1777)
    for place in cast.PLACES:
        folder = root / place.folder
        folder.mkdir()
        for name in place.documents:
            file = folder / name
            file.write_text(cast.content(place, name), encoding="utf-8")
            os.chown(file, uid + ZHANG.number, 0)  # the kernel lets only the owner make a hard link
