"""Every room's panel at work: an event in, one pure step, its state kept, its entries written, then the strike.

    event ─▶ step ─▶ state, presence, alarms committed ─▶ entries appended ─▶ release sent ─▶ what came of it recorded

Rules of this file:
- nothing is released on the way in before its entry is in the log *and* the state that expects an answer is on disk: a
  power cut between decision and strike leaves an entry that says ``"released": "?"``, and the next start settles it;
- the way out opens whatever fails or is busy: disk, log, registry, pack. It waits a moment for its entry and for
  nothing else; what could not be recorded is counted;
- the state in memory goes on when it cannot be stored; until it can be, nobody is let in;
- one thread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from msgspec.structs import replace

from agent.api.timestamps import latest
from agent.doors.codec import InvalidMessageError
from agent.doors.messages import Do, Release, Released
from agent.errors import ShoumiError
from agent.registry.store import Registry
from agent.rooms import entries
from agent.rooms.facts import RegistryPanelQueries, SiteSnapshot
from agent.rooms.flood import flooded
from agent.rooms.panel import engine
from agent.rooms.panel.config import LONGEST_STRIKE, DoorConfig, RoomConfig
from agent.rooms.panel.effects import (
    AlarmKind,
    Cleared,
    Effect,
    Moved,
    Raise,
    RecordEntry,
    RecordNote,
    RightPin,
    Settled,
)
from agent.rooms.panel.events import (
    AlarmAcknowledged,
    BadgeGone,
    DayOver,
    Event,
    Locked,
    Proven,
    ReleaseUnrecorded,
    Reset,
    Restarted,
    Tick,
    Withdrawn,
)
from agent.rooms.panel.state import Occupant, RoomState, decode_state, encode_state
from agent.rooms.recorder import Recorder
from rules.checks.room import passback
from rules.model import Action, Request
from rules.pack.reader import Pack
from rules.text import Text

_STOPPED = frozenset({"hold", "departure", "cooling-off", "inactive"})
_LOOK = 10.0  # seconds between two looks at an hour of the day
_UNRECORDED = Text("the entry was not confirmed, and nothing was released", "日志条目未获确认，未放行")
_RESTARTED = Text("the state of the room could not be read and begins anew", "场所状态无法读取，重新开始")


@dataclass(slots=True)
class _Room:
    config: RoomConfig
    state: RoomState
    kept: str = ""  # what of the state is on disk
    behind: bool = False  # something could not be written
    owed: list[Raise] = field(default_factory=list)  # alarms that are not on disk
    astray: bool = False  # the list of who is inside, on disk, is not ours
    locked: bool = False
    looked: float = 0.0  # when it was last seen whether the list is to be emptied


class RoomController:
    """All rooms of a site. Belongs to one thread.

    *send* gives a command to the doors process and raises :class:`ShoumiError` when it was not taken. Methods raise
    :class:`FatalError`, when nothing may be believed any more, and nothing else.
    """

    def __init__(
        self,
        building: SiteSnapshot,
        registry: Registry,
        recorder: Recorder,
        send: Callable[[Do], None],
        now: Callable[[], datetime],
    ) -> None:
        self._building = building
        self._registry = registry
        self._recorder = recorder
        self._send = send
        self._now = now
        self._rooms: dict[str, _Room] = {}
        self._alarms: set[tuple[str, str, str]] = set()  # room, kind, door of those nobody has acknowledged

    # What is asked from outside.

    def begin(self) -> None:
        """Take the rooms up where the last process left them. May raise :class:`ShoumiError`: try again."""
        self._building.moved()
        stored = self._building.reader.room_states()
        for name in self._building.rooms:
            self._rooms[name] = self._opened(name, stored.get(name))
        self._alarms = self._open_alarms()
        self._follow_acts()

    def restarted(self) -> None:
        """The doors process begins anew: what it had not answered will not be."""
        for name in self._rooms:
            self.happened(name, "", Restarted())

    def take_over(self) -> None:
        """Carry into the panels what officers have changed. May raise :class:`ShoumiError`: try again."""
        for name in self._rooms.keys() - self._building.rooms.keys():
            del self._rooms[name]
        for name in self._building.rooms:
            if name in self._rooms:
                self._rooms[name].config = self._config(name)
            else:
                self._rooms[name] = self._opened(name, None)
        self._follow_acts()

    def heard(self, door: str, event: Event) -> bool:
        """Do what follows from *event* at *door*; return ``False`` when no room has that door."""
        row = self._building.doors.get(door)
        if row is None or row.room not in self._rooms:
            return False
        self.happened(row.room, door, event)
        return True

    def flooded(self, door: str) -> None:
        """The doors process had to drop words of *door*: tell the officers where, once until somebody has seen it."""
        row = self._building.doors.get(door)
        room = self._rooms.get(row.room) if row else None
        if row is None or room is None or room.owed or (row.room, AlarmKind.FLOOD.value, door) in self._alarms:
            return
        self._store(row.room, room, [flooded(row)], self._now())

    def answered(self, event: Released) -> None:
        """Take in what became of a release; its id begins with the room's name."""
        room = event.id.rpartition("/")[0]
        if room in self._rooms:
            self.happened(room, "", event)

    def tick(self) -> None:
        """Let time pass for the rooms where something is due, and store what could not be stored before."""
        now = self._now()
        for name, room in self._rooms.items():
            due = engine.due(room.state, room.config)
            if room.behind or (due is not None and due <= now.timestamp()):
                self.happened(name, "", Tick())
            self._empty(name, room, now)

    def _empty(self, name: str, room: _Room, now: datetime) -> None:
        """Take off the list who went in before the hour at which the room's list is emptied, also one slept through."""
        row, at = self._building.rooms.get(name), now.timestamp()
        if row is None or not row.settings.reset_at or room.looked <= at < room.looked + _LOOK:
            return
        room.looked = at
        before = latest(time.fromisoformat(row.settings.reset_at), now, None).timestamp()
        if any(one.since < before for one in room.state.occupants):
            self.happened(name, "", DayOver(before))

    def due(self) -> float | None:
        """Return when :meth:`tick` is next needed, in seconds since 1970."""
        found = [engine.due(room.state, room.config) for room in self._rooms.values()]
        return min((at for at in found if at is not None), default=None)

    def inside(self, person: str) -> list[str]:
        """Return the rooms *person* is inside of."""
        return sorted(
            name for name, room in self._rooms.items() if any(one.person == person for one in room.state.occupants)
        )

    def refuses(self, room: str, person: str, badge: str) -> str | None:
        """Return the rule by which *room* refuses *person* now, ``None`` when it would let him in."""
        desk = RegistryPanelQueries(self._building, room, "", self._now())
        verdict = desk.judge(Request((person,), room, Action.ENTER), {person: badge})
        broken = [finding.rule for finding in verdict.findings if not finding.ok]
        return next((rule for rule in broken if rule in _STOPPED), None if verdict.allow else verdict.rule)

    # One event.

    def happened(self, name: str, door: str, event: Event) -> None:
        """Step the panel of room *name*, and carry out what follows, in the order of this file's first page."""
        room, now = self._rooms[name], self._now()
        desk = RegistryPanelQueries(
            self._building, name, door, now, lambda badge: self._wrong_pins(name, badge, now.timestamp())
        )
        room.state, effects = engine.step(room.state, room.config, event, now.timestamp(), desk)
        self._carry_out(name, room, desk, effects, now)
        if desk.fatal:
            raise desk.fatal
        for one in effects:  # whoever was stopped between the badge and the door is inside all the same, and told of
            if isinstance(one, Moved) and one.inside and one.person:
                rule = self.refuses(name, one.person, one.badge)
                if rule in _STOPPED:
                    self.happened(name, "", Withdrawn(one.person, rule))

    def _carry_out(
        self, name: str, room: _Room, desk: RegistryPanelQueries, effects: Sequence[Effect], now: datetime
    ) -> None:
        failed = self._let_out(name, desk, effects)
        stored = self._store(name, room, effects, now)
        unrecorded: dict[str, str] = {}
        for effect in effects:
            match effect:
                case RecordEntry(side="out") | Release(side="out"):
                    pass  # done
                case RecordEntry():
                    if not self._recorded(name, desk, effect, stored=stored):
                        unrecorded[effect.release] = effect.door
                case Release(id=release) if release in unrecorded:
                    pass
                case Settled():
                    self._recorder.later(entries.settled(name, effect))
                case Cleared():
                    self._recorder.later(entries.cleared(name, effect))
                case RecordNote():
                    self._recorder.later(entries.note(name, effect))
                case RightPin():
                    for other in self._rooms.keys() - {name}:
                        self.happened(other, "", Proven(effect.person, effect.badge))
                case Moved() | Raise():
                    pass  # stored
                case _:
                    failed += self._sent(effect)
        for release, at in unrecorded.items():
            self.happened(name, "", ReleaseUnrecorded(release))
            # An entry that was not confirmed in time may be in the log after all: this one follows it there.
            self._recorder.later(entries.settled(name, Settled(release, at, "failed", _UNRECORDED)))
        for answer in failed:
            self.happened(name, "", answer)

    def _wrong_pins(self, here: str, badge: str, now: float) -> int:
        others = (room.state.pins for name, room in self._rooms.items() if name != here)
        counts = [one.wrong for pins in others for one in pins if one.badge == badge and now < one.until]
        return max(counts, default=0)

    def _let_out(self, name: str, desk: RegistryPanelQueries, effects: Iterable[Effect]) -> list[Released]:
        """Do what is for the way out before anything that may have to wait for the registry."""
        failed: list[Released] = []
        for effect in effects:
            match effect:
                case RecordEntry(side="out"):
                    self._recorder.out(self._entry(name, desk, effect))
                case Release(side="out"):
                    failed += self._sent(effect)
        return failed

    def _entry(self, name: str, desk: RegistryPanelQueries, record: RecordEntry) -> entries.Fields:
        place, pack = self._building.rooms.get(name), self._pack()
        return entries.asked(name, place.resource if place else None, record, desk.epoch, pack.id if pack else "?")

    def _recorded(self, name: str, desk: RegistryPanelQueries, record: RecordEntry, *, stored: bool) -> bool:
        """Write the entry. ``False``: nothing may be released on it."""
        fields = self._entry(name, desk, record)
        if not record.release:
            self._recorder.later(fields)
            return True
        if not stored:
            return False
        try:
            self._recorder.entry(fields)
        except ShoumiError:
            return False
        return True

    def _sent(self, effect: Do) -> Iterable[Released]:
        try:
            self._send(effect)
        except ShoumiError as error:
            if isinstance(effect, Release):
                return (Released(effect.id, ok=False, why=error.text),)
        return ()

    # What is kept.

    def _store(self, name: str, room: _Room, effects: Iterable[Effect], now: datetime) -> bool:
        """Commit state, presence and alarms; return whether they are on disk. Nothing new is nothing to write."""
        moves = [effect for effect in effects if isinstance(effect, Moved) and effect.person]
        room.owed += [effect for effect in effects if isinstance(effect, Raise)]
        gist = _gist(room.state)
        if not (moves or room.owed or room.astray) and gist == room.kept:
            return True
        numbered = [(alarm, self._alarm_entry(name, alarm)) for alarm in room.owed]
        try:
            with self._registry.note(now) as note:
                note.room_states.set(name, encode_state(room.state))
                if room.astray:
                    note.presence.replace(name, _present(room.state))
                for move in () if room.astray else moves:
                    if move.inside:
                        note.presence.enter(name, move.person, door=move.door)
                    else:
                        note.presence.leave(name, move.person)
                for alarm, seq in numbered:
                    kind, who = alarm.kind.value, alarm.person
                    note.alarms.add(kind, alarm.text, room=name, door=alarm.door, person=who, seq=seq)
        except ShoumiError:
            room.behind, room.astray = True, room.astray or bool(moves)
            return False
        self._alarms |= {(name, alarm.kind.value, alarm.door) for alarm in room.owed}
        room.kept, room.behind, room.owed, room.astray = gist, False, [], False
        if moves and self._rules_ask_who_is_inside():
            self._recorder.renew(self._building.epoch)
        return True

    def _alarm_entry(self, name: str, alarm: Raise) -> int | None:
        try:
            return self._recorder.entry(entries.alarm(name, alarm))
        except ShoumiError:
            return None

    # What officers do.

    def _follow_acts(self) -> None:
        """Tell the panels who was taken off the list, whom a hold or a departure hit, which alarms were seen."""
        here = {(row.room, row.person) for row in self._building.reader.presence()}
        alarms = self._open_alarms()
        for name, room in self._rooms.items():
            for one in room.state.occupants:
                if one.person and (name, one.person) not in here:
                    self.happened(name, "", Reset(one.person))
                elif one.person and (rule := self.refuses(name, one.person, one.badge)) in _STOPPED:
                    self.happened(name, "", Withdrawn(one.person, rule))
                elif one.person and (owner := self._taken_by(one)) is not None:
                    self.happened(name, "", BadgeGone(one.person, one.badge, owner))
            for _, kind, door in sorted(seen for seen in self._alarms - alarms if seen[0] == name):
                self.happened(name, door, AlarmAcknowledged(kind, door))
            if (locked := self._building.locked(name)) != room.locked:
                room.locked = locked
                self.happened(name, "", Locked(locked))
        self._alarms = self._open_alarms()

    def _taken_by(self, inside: Occupant) -> str | None:
        """Return whose badge it is by which he is inside, ``""`` for nobody's; ``None``: he has one to leave by."""
        badge = self._building.reader.badge(inside.badge)
        if badge is not None and badge.state == "active":
            return badge.person if badge.person != inside.person else None
        own = (badge for badge in self._building.reader.badges() if badge.person == inside.person)
        return None if any(badge.state == "active" for badge in own) else ""

    def _open_alarms(self) -> set[tuple[str, str, str]]:
        return {(row.room, row.kind, row.door) for row in self._building.reader.open_alarms()}

    def _opened(self, name: str, stored: str | None) -> _Room:
        try:
            state = decode_state(stored) if stored else RoomState()
            return _Room(self._config(name), state, _gist(state))
        except InvalidMessageError:
            self._recorder.later(entries.event(name, "", "state-lost", _RESTARTED))
            return _Room(self._config(name), RoomState(), astray=True)

    def _config(self, name: str) -> RoomConfig:
        row, pack = self._building.rooms[name], self._pack()
        doors = [door for door in self._building.doors.values() if door.room == name]
        return RoomConfig(
            room=name,
            doors=tuple(
                DoorConfig(
                    door.name,
                    contact=door.contact,
                    strike_seconds=min(float(door.strike_seconds), LONGEST_STRIKE),
                    held_seconds=float(row.settings.held_open_seconds),
                )
                for door in doors
            ),
            settings=row.settings,
            passback=passback(row.resource, pack).value if pack else "none",
        )

    def _pack(self) -> Pack | None:
        try:
            return self._building.pack()
        except ShoumiError:  # the judge meets it too, and denies
            return None

    def _rules_ask_who_is_inside(self) -> bool:
        pack = self._pack()
        return pack is None or pack.in_room is not None


def _gist(state: RoomState) -> str:
    """Return what of a state must be on disk: all of it, but not at every event that the time has moved on."""
    return encode_state(replace(state, latest=0.0))


def _present(state: RoomState) -> Mapping[str, tuple[datetime, str]]:
    found = [one for one in state.occupants if one.person]
    return {one.person: (datetime.fromtimestamp(one.since, UTC), one.door) for one in found}
