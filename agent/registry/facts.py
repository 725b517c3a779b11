"""What the guard, the doors and ``explain`` may know, read from one consistent snapshot.

Rules of this file: standard library only, read only, nothing kept but where areas lie: there may be thousands, every
change of rights asks for them, and a mark in the registry says whether they are the same. Each question is a function
of a module of :mod:`agent.registry.rows`, asked in one short read transaction. A question about something that is not
there gets "not there". What is asked while somebody waits at a door is one indexed question; what changes only with an
officer's act is asked in whole.
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
    """The questions. Every one may raise what :class:`agent.registry.snapshot.SnapshotReader` says."""

    _places: tuple[str, tuple[AreaLocation, ...]] | None = None  # under which mark they were read

    def facts(self, persons: Iterable[str], resource: str, services: Iterable[str] = ()) -> tuple[int, Facts]:
        """Return the epoch and all that a decision about these subjects and this area or room may know.

        Whoever or whatever is unknown is absent, and the rules deny what is absent. A person comes with the grants
        and visits to this resource only.
        """
        with self._reading() as epoch:
            return epoch, decision.facts(self._connection, persons, resource, services)

    def break_glass(self) -> BreakGlass:
        """Return how the break-glass is."""
        with self._reading():
            return break_glass.now(self._connection)

    def newest_change(self) -> RecordedChange | None:
        """Return the last change the log has an entry of."""
        with self._reading():
            return recorded.newest(self._connection)

    def candidates(self, touched: Touched, granted_from: int) -> frozenset[Right]:
        """Return who may have a right that a change has touched: see :mod:`agent.registry.rows.rights`."""
        with self._reading():
            return frozenset(rights.candidates(self._connection, touched, granted_from))

    def room_names(self) -> frozenset[str]:
        """Return the names of the rooms."""
        with self._reading():
            return rights.rooms(self._connection)

    def recorded_changes(self) -> tuple[RecordedChange, ...]:
        """Return every change the log has an entry of, the first one first."""
        with self._reading():
            return recorded.changes(self._connection)

    # Who is behind a process.

    def person_of_uid(self, uid: int) -> str | None:
        """Return the person this Linux uid belongs to; an inactive person too."""
        with self._reading():
            return accounts.person_of_uid(self._connection, uid)

    def was_on_host(self, uid: int) -> bool:
        """Whether the host had an account of this uid when it was bound to a person."""
        with self._reading():
            return accounts.was_on_host(self._connection, uid)

    def former_owner(self, uid: int) -> str | None:
        """Return whose this uid was last, while it is nobody's."""
        with self._reading():
            return accounts.former_owner(self._connection, uid)

    def accounts(self) -> dict[int, str]:
        """Return uid → person for every account."""
        with self._reading():
            return accounts.accounts(self._connection)

    def programs(self) -> tuple[ServiceProgram, ...]:
        """Return the programs of all services that are active, and those that let people in."""
        with self._reading():
            return services.programs(self._connection)

    def service_uids(self) -> frozenset[int]:
        """Return the uids services run as."""
        with self._reading():
            return services.service_uids(self._connection)

    def services(self) -> tuple[Service, ...]:
        """Return every service, ordered by name; an inactive one too."""
        with self._reading():
            return services.services(self._connection)

    # Areas and rooms.

    def resource(self, name: str) -> Resource | None:
        """Return the area or room of this name."""
        with self._reading():
            found = resources.resource(self._connection, name)
            return None if found is None else found[1]

    def areas(self) -> tuple[AreaRow, ...]:
        """Return every area, ordered by name."""
        with self._reading():
            return areas.areas(self._connection)

    def places(self) -> tuple[AreaLocation, ...]:
        """Return where every area lies; the very same tuple as long as nothing about the areas has changed."""
        with self._reading():
            mark = areas.mark(self._connection)
            if self._places is None or self._places[0] != mark:
                self._places = mark, areas.places(self._connection)
            return self._places[1]

    def observing(self) -> frozenset[str]:
        """Return the areas that only watch: whatever is opened there is recorded and let through."""
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
        """Return the alarms nobody has acknowledged, oldest first."""
        with self._reading():
            return alarms.open_alarms(self._connection)

    # Doors, and what boards hold.

    def doors(self) -> tuple[DoorRow, ...]:
        """Return every door, ordered by name."""
        with self._reading():
            return doors.doors(self._connection)

    def board_cards(self) -> tuple[CardRow, ...]:
        """Return what every board should hold, and what of it is confirmed."""
        with self._reading():
            return boards.board_cards(self._connection)

    def heard(self) -> dict[str, int]:
        """Return, per board, the index of the last event that was taken in."""
        with self._reading():
            return boards.heard(self._connection)

    def host_room(self) -> str:
        """Return the room this host stands in, ``""`` when nobody said."""
        with self._reading():
            return settings.setting(self._connection, settings.HOST_ROOM)

    def role_groups(self) -> str:
        """Return the OS groups of the three roles as they are stored, ``""`` for a trial."""
        with self._reading():
            return settings.setting(self._connection, settings.ROLES)

    def listens_at(self) -> str:
        """Return the address at which boards reach this host (``10.9.0.2:60001``), ``""`` when nobody said."""
        with self._reading():
            return settings.setting(self._connection, settings.LISTENS_AT)

    # Who stands at a door, and who is inside.

    def badge(self, number: str) -> BadgeRow | None:
        """Return the badge of this number, a lost or returned one too."""
        with self._reading():
            return badges.badge(self._connection, number)

    def badges(self) -> tuple[BadgeRow, ...]:
        """Return every badge somebody has, ordered by number; what boards hold."""
        with self._reading():
            return badges.badges(self._connection)

    def person_of_badge(self, number: str, now: datetime) -> str | None:
        """Return whose badge this is, if it is good at *now*."""
        found = self.badge(number)
        return found.person if found and found.good(now) else None

    def check_pin(self, person: str, digits: str) -> PinCheck:
        """Return what *digits* are to *person*. Takes some 50 ms, on purpose."""
        with self._reading():
            return pins.check(self._connection, person, digits)

    def stated(self, person: str, room: str, now: datetime) -> StatementRow:
        """Return why *person* comes to *room*, and whether their devices are declared, as stated beforehand."""
        with self._reading():
            return visits.stated(self._connection, person, room, now)

    def visits(self, person: str) -> tuple[Visit, ...]:
        """Return the visits of *person* that nobody has ended."""
        with self._reading():
            return visits.visits(self._connection, person)

    def stopped(self, now: datetime) -> frozenset[str]:
        """Return who is inactive, on hold or leaving at *now*: whose cards no board needs to know."""
        with self._reading():
            return persons.stopped(self._connection, instant(now))

    def presence(self, room: str = "", person: str = "") -> tuple[PresenceRow, ...]:
        """Return who is inside, in one room or in all."""
        with self._reading():
            return presence.presence(self._connection, room, person)

    def rooms_of(self, person: str) -> frozenset[str]:
        """Return the rooms *person* is in."""
        with self._reading():
            return presence.inside(self._connection, person)
