"""Facts for the guard, the doors and ``explain``, read from one consistent snapshot.

Rules of this file: standard library only, read only, nothing cached but the locations of areas: there may be thousands,
every change of rights needs them, and a mark in the registry says whether they have changed. Each query is a function
of a module of :mod:`agent.registry.rows`, run in one short read transaction. A query about something unregistered
returns "not there". A query that runs while a person waits at a door is one indexed query; data that only an officer's
act changes is read as a whole.
"""

from collections.abc import Iterable
from datetime import datetime

from agent.registry.columns import instant
from agent.registry.lineage import RecordedChange
from agent.registry.rows import (
    accounts,
    alarms,
    areas,
    badges,
    boards,
    break_glass,
    decision,
    doors,
    persons,
    pins,
    presence,
    recorded,
    resources,
    rights,
    rooms,
    services,
    settings,
    visits,
)
from agent.registry.rows.alarms import AlarmRow
from agent.registry.rows.areas import AreaLocation, AreaRow
from agent.registry.rows.badges import BadgeRow
from agent.registry.rows.boards import CardRow
from agent.registry.rows.break_glass import BreakGlass
from agent.registry.rows.doors import DoorRow
from agent.registry.rows.pins import PinCheck
from agent.registry.rows.presence import PresenceRow
from agent.registry.rows.rooms import RoomRow
from agent.registry.rows.services import ServiceProgram
from agent.registry.rows.visits import StatementRow
from agent.registry.snapshot import SnapshotReader
from agent.registry.touched import Touched
from rules.model import Facts, Lockdown, Resource, Service, Visit
from rules.rights import Right


class FactsReader(SnapshotReader):
    """The queries. Each may raise what :class:`agent.registry.snapshot.SnapshotReader` says."""

    _places: tuple[str, tuple[AreaLocation, ...]] | None = None  # the mark under which they were read

    def facts(self, persons: Iterable[str], resource: str, services: Iterable[str] = ()) -> tuple[int, Facts]:
        """Return the epoch and all facts for a decision about these subjects and this area or room.

        Unknown subjects and resources are absent, and the rules deny what is absent. A person has only the grants and
        visits for this resource.
        """
        with self._reading() as epoch:
            return epoch, decision.facts(self._connection, persons, resource, services)

    def break_glass(self) -> BreakGlass:
        """Return the state of the break-glass access."""
        with self._reading():
            return break_glass.now(self._connection)

    def newest_change(self) -> RecordedChange | None:
        """Return the last change that has a log entry."""
        with self._reading():
            return recorded.newest(self._connection)

    def candidates(self, touched: Touched, granted_from: int) -> frozenset[Right]:
        """Return the rights that a change may affect: see :mod:`agent.registry.rows.rights`."""
        with self._reading():
            return frozenset(rights.candidates(self._connection, touched, granted_from))

    def room_names(self) -> frozenset[str]:
        """Return the names of the rooms."""
        with self._reading():
            return rights.rooms(self._connection)

    def recorded_changes(self) -> tuple[RecordedChange, ...]:
        """Return every change that has a log entry, oldest first."""
        with self._reading():
            return recorded.changes(self._connection)

    # Subjects behind a process.

    def person_of_uid(self, uid: int) -> str | None:
        """Return the person to whom this Linux uid belongs, inactive or not."""
        with self._reading():
            return accounts.person_of_uid(self._connection, uid)

    def was_on_host(self, uid: int) -> bool:
        """Return whether the host had an account with this uid when it was assigned to a person."""
        with self._reading():
            return accounts.was_on_host(self._connection, uid)

    def former_owner(self, uid: int) -> str | None:
        """Return the last owner of this uid, if it has none now."""
        with self._reading():
            return accounts.former_owner(self._connection, uid)

    def accounts(self) -> dict[int, str]:
        """Return uid → person for every account."""
        with self._reading():
            return accounts.accounts(self._connection)

    def programs(self) -> tuple[ServiceProgram, ...]:
        """Return the programs of all active services, and those that let people in."""
        with self._reading():
            return services.programs(self._connection)

    def service_uids(self) -> frozenset[int]:
        """Return the uids that services run as."""
        with self._reading():
            return services.service_uids(self._connection)

    def services(self) -> tuple[Service, ...]:
        """Return every service, inactive ones included, ordered by name."""
        with self._reading():
            return services.services(self._connection)

    # Areas and rooms.

    def resource(self, name: str) -> Resource | None:
        """Return the area or room of this name."""
        with self._reading():
            keyed_resource = resources.resource(self._connection, name)
            return None if keyed_resource is None else keyed_resource[1]

    def areas(self) -> tuple[AreaRow, ...]:
        """Return every area, ordered by name."""
        with self._reading():
            return areas.areas(self._connection)

    def places(self) -> tuple[AreaLocation, ...]:
        """Return the location of every area; the same tuple object until something about the areas changes."""
        with self._reading():
            mark = areas.mark(self._connection)
            if self._places is None or self._places[0] != mark:
                self._places = mark, areas.places(self._connection)
            return self._places[1]

    def observing(self) -> frozenset[str]:
        """Return the areas in observe mode: every open there is recorded and allowed."""
        with self._reading():
            return areas.observing(self._connection)

    def room(self, name: str) -> RoomRow | None:
        """Return the room of this name."""
        with self._reading():
            return rooms.room(self._connection, name)

    def rooms(self) -> tuple[RoomRow, ...]:
        """Return every room, ordered by name."""
        with self._reading():
            return rooms.rooms(self._connection)

    def room_states(self) -> dict[str, str]:
        """Return the stored state of each room's panel."""
        with self._reading():
            return rooms.room_states(self._connection)

    def lockdowns(self) -> tuple[Lockdown, ...]:
        """Return the lockdowns in force."""
        with self._reading():
            return alarms.lockdowns(self._connection)

    def open_alarms(self) -> tuple[AlarmRow, ...]:
        """Return the unacknowledged alarms, oldest first."""
        with self._reading():
            return alarms.open_alarms(self._connection)

    # Doors, and the cards on boards.

    def doors(self) -> tuple[DoorRow, ...]:
        """Return every door, ordered by name."""
        with self._reading():
            return doors.doors(self._connection)

    def board_cards(self) -> tuple[CardRow, ...]:
        """Return the cards that every board should hold, and whether each is confirmed."""
        with self._reading():
            return boards.board_cards(self._connection)

    def heard(self) -> dict[str, int]:
        """Return, per board, the index of the last event that was processed."""
        with self._reading():
            return boards.heard(self._connection)

    def host_room(self) -> str:
        """Return the room in which this host stands, ``""`` when it is not set."""
        with self._reading():
            return settings.setting(self._connection, settings.HOST_ROOM)

    def role_groups(self) -> str:
        """Return the stored OS groups of the three roles, ``""`` for a trial."""
        with self._reading():
            return settings.setting(self._connection, settings.ROLES)

    def listens_at(self) -> str:
        """Return the address at which boards reach this host (``10.9.0.2:60001``), ``""`` when it is not set."""
        with self._reading():
            return settings.setting(self._connection, settings.LISTENS_AT)

    # People at a door and inside a room.

    def badge(self, number: str) -> BadgeRow | None:
        """Return the badge of this number, lost or returned badges included."""
        with self._reading():
            return badges.badge(self._connection, number)

    def badges(self) -> tuple[BadgeRow, ...]:
        """Return every badge that a person holds, ordered by number: the cards for boards."""
        with self._reading():
            return badges.badges(self._connection)

    def person_of_badge(self, number: str, now: datetime) -> str | None:
        """Return the person whose badge this is, if it is valid at *now*."""
        badge = self.badge(number)
        return badge.person if badge and badge.good(now) else None

    def check_pin(self, person: str, digits: str) -> PinCheck:
        """Return the result of checking *digits* against the PINs of *person*. Takes some 50 ms, on purpose."""
        with self._reading():
            return pins.check(self._connection, person, digits)

    def stated(self, person: str, room: str, now: datetime) -> StatementRow:
        """Return the purpose that *person* stated for *room*, and whether their devices are declared."""
        with self._reading():
            return visits.stated(self._connection, person, room, now)

    def visits(self, person: str) -> tuple[Visit, ...]:
        """Return the visits of *person* that have not been ended."""
        with self._reading():
            return visits.visits(self._connection, person)

    def stopped(self, now: datetime) -> frozenset[str]:
        """Return the people who are inactive, on hold or leaving at *now*: boards do not need their cards."""
        with self._reading():
            return persons.stopped(self._connection, instant(now))

    def presence(self, room: str = "", person: str = "") -> tuple[PresenceRow, ...]:
        """Return the people inside one room or all rooms."""
        with self._reading():
            return presence.presence(self._connection, room, person)

    def rooms_of(self, person: str) -> frozenset[str]:
        """Return the rooms that *person* is inside."""
        with self._reading():
            return presence.inside(self._connection, person)
