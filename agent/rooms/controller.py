"""Room controller: runs the panel of every room, stores its state, writes its entries and sends its releases.

    event ─▶ step ─▶ state, presence, alarms committed ─▶ entries appended ─▶ release sent ─▶ outcome recorded

Rules of this file:
- nobody is admitted before the log entry is written *and* the state that expects an answer is on disk: a power cut
  between decision and strike leaves a log entry with ``"released": "?"``, which the next start settles;
- an exit is released whatever fails or is busy: disk, log, registry, pack. It waits a moment for its log entry and for
  nothing else; entries that could not be written are counted;
- the state in memory stays in use when it cannot be stored; until it can be, nobody is admitted;
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
from rules.text import Message, as_message

_STOPPED = frozenset({"hold", "departure", "cooling-off", "inactive"})
_LOOK = 10.0  # seconds between two checks of the reset hour
_UNRECORDED = Message("rooms.entry-unconfirmed-not-released")
_RESTARTED = Message("rooms.state-lost")


@dataclass(slots=True)
class _Room:
    config: RoomConfig
    state: RoomState
    stored_gist: str = ""  # the state on disk
    unwritten: bool = False  # something could not be written
    owed: list[Raise] = field(default_factory=list)  # alarms that are not on disk
    astray: bool = False  # the presence list on disk differs from the state
    locked: bool = False
    checked_at: float = 0.0  # last check whether the presence list must be emptied


class RoomController:
    """All rooms of a site. Belongs to one thread.

    *send* gives a command to the doors process and raises :class:`ShoumiError` when it was not taken. Methods raise
    :class:`FatalError`, when the data cannot be trusted any more, and nothing else.
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
        self._alarms: set[tuple[str, str, str]] = set()  # room, kind, door of unacknowledged ones

    def begin(self) -> None:
        """Load the rooms in the state the last process stored. May raise :class:`ShoumiError`: try again."""
        self._building.moved()
        stored = self._building.reader.room_states()
        for name in self._building.rooms:
            self._rooms[name] = self._opened(name, stored.get(name))
        self._alarms = self._open_alarms()
        self._follow_acts()

    def restarted(self) -> None:
        """Note a restart of the doors process: its open commands will not be answered."""
        for name in self._rooms:
            self.happened(name, "", Restarted())

    def take_over(self) -> None:
        """Apply changes by officers to the panels. May raise :class:`ShoumiError`: try again."""
        for name in self._rooms.keys() - self._building.rooms.keys():
            del self._rooms[name]
        for name in self._building.rooms:
            if name in self._rooms:
                self._rooms[name].config = self._config(name)
            else:
                self._rooms[name] = self._opened(name, None)
        self._follow_acts()

    def heard(self, door: str, event: Event) -> bool:
        """Process *event* at *door*; return ``False`` when no room has that door."""
        row = self._building.doors.get(door)
        if row is None or row.room not in self._rooms:
            return False
        self.happened(row.room, door, event)
        return True

    def flooded(self, door: str) -> None:
        """Raise the alarm for dropped frames of *door*, once until it is acknowledged."""
        row = self._building.doors.get(door)
        room = self._rooms.get(row.room) if row else None
        if row is None or room is None or room.owed or (row.room, AlarmKind.FLOOD.value, door) in self._alarms:
            return
        self._store(row.room, room, [flooded(row)], self._now())

    def answered(self, event: Released) -> None:
        """Process the answer to a release; its id begins with the room's name."""
        room = event.id.rpartition("/")[0]
        if room in self._rooms:
            self.happened(room, "", event)

    def tick(self) -> None:
        """Process due timers of the rooms, and store states that could not be stored before."""
        now = self._now()
        for name, room in self._rooms.items():
            due = engine.due(room.state, room.config)
            if room.unwritten or (due is not None and due <= now.timestamp()):
                self.happened(name, "", Tick())
            self._empty(name, room, now)

    def _empty(self, name: str, room: _Room, now: datetime) -> None:
        """Remove occupants from before the room's last reset hour, also when the agent was not running then."""
        row, at = self._building.rooms.get(name), now.timestamp()
        if row is None or not row.settings.reset_at or room.checked_at <= at < room.checked_at + _LOOK:
            return
        room.checked_at = at
        before = latest(time.fromisoformat(row.settings.reset_at), now, None).timestamp()
        if any(occupant.since < before for occupant in room.state.occupants):
            self.happened(name, "", DayOver(before))

    def due(self) -> float | None:
        """Return when :meth:`tick` is next needed, in seconds since 1970."""
        instants = [engine.due(room.state, room.config) for room in self._rooms.values()]
        return min((at for at in instants if at is not None), default=None)

    def inside(self, person: str) -> list[str]:
        """Return the rooms *person* is inside of."""
        return sorted(
            name
            for name, room in self._rooms.items()
            if any(occupant.person == person for occupant in room.state.occupants)
        )

    def refuses(self, room: str, person: str, badge: str) -> str | None:
        """Return the rule by which *room* denies *person* now, ``None`` when it would admit them."""
        desk = RegistryPanelQueries(self._building, room, "", self._now())
        verdict = desk.judge(Request((person,), room, Action.ENTER), {person: badge})
        broken = [finding.rule for finding in verdict.findings if not finding.ok]
        return next((rule for rule in broken if rule in _STOPPED), None if verdict.allow else verdict.rule)

    def happened(self, name: str, door: str, event: Event) -> None:
        """Step the panel of room *name*, and carry out the effects in the order stated at the head of this file."""
        room, now = self._rooms[name], self._now()
        desk = RegistryPanelQueries(
            self._building, name, door, now, lambda badge: self._wrong_pins(name, badge, now.timestamp())
        )
        room.state, effects = engine.step(room.state, room.config, event, now.timestamp(), desk)
        self._carry_out(name, room, desk, effects, now)
        if desk.fatal:
            raise desk.fatal
        for effect in effects:  # a person stopped between badge and door is inside all the same, and reported
            if isinstance(effect, Moved) and effect.inside and effect.person:
                rule = self.refuses(name, effect.person, effect.badge)
                if rule in _STOPPED:
                    self.happened(name, "", Withdrawn(effect.person, rule))

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
                    for other_room in self._rooms.keys() - {name}:
                        self.happened(other_room, "", Proven(effect.person, effect.badge))
                case Moved() | Raise():
                    pass  # stored
                case _:
                    failed += self._sent(effect)
        for release, at in unrecorded.items():
            self.happened(name, "", ReleaseUnrecorded(release))
            # An entry not confirmed in time may still reach the log: this one then follows it.
            self._recorder.later(entries.settled(name, Settled(release, at, "failed", _UNRECORDED)))
        for answer in failed:
            self.happened(name, "", answer)

    def _wrong_pins(self, this_room: str, badge: str, now: float) -> int:
        other_pins = (room.state.pins for name, room in self._rooms.items() if name != this_room)
        counts = [
            pin_count.wrong
            for pins in other_pins
            for pin_count in pins
            if pin_count.badge == badge and now < pin_count.until
        ]
        return max(counts, default=0)

    def _let_out(self, name: str, desk: RegistryPanelQueries, effects: Iterable[Effect]) -> list[Released]:
        """Carry out the effects for exits first, before anything that may wait for the registry."""
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
        return entries.decision(name, place.resource if place else None, record, desk.epoch, pack.id if pack else "?")

    def _recorded(self, name: str, desk: RegistryPanelQueries, record: RecordEntry, *, stored: bool) -> bool:
        """Write the entry; return ``False`` when nothing may be released on it."""
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
                return (Released(effect.id, ok=False, why=as_message(error.text)),)
        return ()

    def _store(self, name: str, room: _Room, effects: Iterable[Effect], now: datetime) -> bool:
        """Commit state, presence and alarms, if changed; return whether they are on disk."""
        moves = [effect for effect in effects if isinstance(effect, Moved) and effect.person]
        room.owed += [effect for effect in effects if isinstance(effect, Raise)]
        gist = _gist(room.state)
        if not (moves or room.owed or room.astray) and gist == room.stored_gist:
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
                    kind, person_id = alarm.kind.value, alarm.person
                    note.alarms.add(kind, alarm.text, room=name, door=alarm.door, person=person_id, seq=seq)
        except ShoumiError:
            room.unwritten, room.astray = True, room.astray or bool(moves)
            return False
        self._alarms |= {(name, alarm.kind.value, alarm.door) for alarm in room.owed}
        room.stored_gist, room.unwritten, room.owed, room.astray = gist, False, [], False
        if moves and self._rules_ask_who_is_inside():
            self._recorder.renew(self._building.epoch)
        return True

    def _alarm_entry(self, name: str, alarm: Raise) -> int | None:
        try:
            return self._recorder.entry(entries.alarm(name, alarm))
        except ShoumiError:
            return None

    def _follow_acts(self) -> None:
        """Report to the panels: persons removed from the list, holds and departures, acknowledged alarms."""
        present = {(row.room, row.person) for row in self._building.reader.presence()}
        alarms = self._open_alarms()
        for name, room in self._rooms.items():
            for occupant in room.state.occupants:
                if occupant.person and (name, occupant.person) not in present:
                    self.happened(name, "", Reset(occupant.person))
                elif occupant.person and (rule := self.refuses(name, occupant.person, occupant.badge)) in _STOPPED:
                    self.happened(name, "", Withdrawn(occupant.person, rule))
                elif occupant.person and (owner := self._taken_by(occupant)) is not None:
                    self.happened(name, "", BadgeGone(occupant.person, occupant.badge, owner))
            for _, kind, door in sorted(key for key in self._alarms - alarms if key[0] == name):
                self.happened(name, door, AlarmAcknowledged(kind, door))
            if (locked := self._building.locked(name)) != room.locked:
                room.locked = locked
                self.happened(name, "", Locked(locked))
        self._alarms = self._open_alarms()

    def _taken_by(self, inside: Occupant) -> str | None:
        """Return the new owner of the badge *inside* entered with, ``""`` for none; ``None``: they have one to exit."""
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
        except ShoumiError:  # the decision fails on it too, and denies
            return None

    def _rules_ask_who_is_inside(self) -> bool:
        pack = self._pack()
        return pack is None or pack.in_room is not None


def _gist(state: RoomState) -> str:
    """Return the part of a state that must be on disk: all but the latest time, which changes at every event."""
    return encode_state(replace(state, latest=0.0))


def _present(state: RoomState) -> Mapping[str, tuple[datetime, str]]:
    known_occupants = [occupant for occupant in state.occupants if occupant.person]
    return {
        occupant.person: (datetime.fromtimestamp(occupant.since, UTC), occupant.door) for occupant in known_occupants
    }
