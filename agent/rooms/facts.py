"""Facts for the decision about a badge read: the registry and the pack in force at that moment.

Rules of this file: nothing here decides; :func:`rules.decide.decide` does. Rooms and doors are read once per epoch, the
pack once per version of its file, a person and a badge at every read, each by one indexed query. Every read gets an
answer: unreadable data yield an unknown badge or a denial with that reason, and an exit queries nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from agent.doors.messages import Read
from agent.errors import FatalError, ShoumiError
from agent.registry.facts import FactsReader
from agent.registry.rows.doors import DoorRow
from agent.registry.rows.pins import PinCheck
from agent.registry.rows.rooms import RoomRow
from agent.registry.stores import CLOSED, StoreCheck
from agent.rooms.panel.interface import BadgeHolder, Statement
from agent.runtime.failures import error_verdict
from agent.runtime.home import Home
from agent.runtime.pack_cache import PackCache
from rules.decide import decide
from rules.model import Lockdown, Request, RuleResult, Verdict
from rules.pack.reader import Pack
from rules.text import Message, Sentence

_T = TypeVar("_T")
_NEVER = datetime.max.replace(tzinfo=UTC)
_BARE_WIRE = Verdict(
    allow=False,
    rule="wire",
    clauses=(),
    because=Message("rooms.line-not-authenticated"),
    change=Message("rooms.use-secure-channel-reader"),
)


class SiteSnapshot:
    """Rooms, doors, lockdowns and the pack, as of one epoch. Belongs to one thread.

    Every method may raise :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError`, unless it says
    otherwise.
    """

    def __init__(self, home: Home, stores: StoreCheck | None = None) -> None:
        """*stores* tells when the registry lacks changes the log holds; it is updated elsewhere."""
        self._pack = PackCache(home.pack)
        self.stores = stores or StoreCheck(home)
        self.reader = FactsReader(home.registry)
        self.epoch = -1
        self.rooms: Mapping[str, RoomRow] = {}
        self.doors: Mapping[str, DoorRow] = {}
        self.lockdowns: tuple[Lockdown, ...] = ()

    def close(self) -> None:
        """Close the registry."""
        self.reader.close()

    def moved(self) -> bool:
        """Load changes by officers; return whether there were any. It takes microseconds when there were none."""
        if not self.reader.changed() and self.epoch >= 0:
            return False
        with self.reader.snapshot() as epoch:
            if epoch == self.epoch:
                return False
            self.rooms = {row.resource.id: row for row in self.reader.rooms()}
            self.doors = {row.name: row for row in self.reader.doors()}
            self.lockdowns = self.reader.lockdowns()
            self.epoch = epoch
        return True

    def in_force(self) -> int:
        """Return the epoch for an entry written now. Raises nothing."""
        now = self.stores.now
        return max(self.epoch, now.proven) if now.older else self.epoch

    def locked(self, room: str) -> bool:
        """Return whether a lockdown of *room* or of the site is in force. Raises nothing."""
        return any(lockdown.room in ("", room) for lockdown in self.lockdowns)

    def pack(self) -> Pack:
        """Return the pack in force."""
        return self._pack.read()

    def bare(self, door: str) -> bool:
        """Return whether the line of *door* is not authenticated and the pack forbids that for its room."""
        row = self.doors.get(door)
        room = self.rooms.get(row.room) if row else None
        wire = self.pack().wire
        return bool(row and room and wire and row.protocol == "uhppote" and room.resource.level >= wire.from_level)


class RegistryPanelQueries:
    """The queries of one room's panel about one event at *door*. Raises nothing.

    See :class:`agent.rooms.panel.interface.PanelQueries`.

    *wrong_pins* implements :meth:`agent.rooms.panel.interface.PanelQueries.wrong_pins`, whose data are with the panels
    of the other rooms. ``trouble``: the first error; ``fatal``: set when the data cannot be trusted any more.
    """

    def __init__(
        self,
        building: SiteSnapshot,
        room: str,
        door: str,
        now: datetime,
        wrong_pins: Callable[[str], int] = lambda _badge: 0,
    ) -> None:
        self.wrong_pins = wrong_pins
        self._building = building
        self._reader = building.reader
        self._room = room
        self._door = door
        self._now = now
        self.epoch = building.in_force()
        self.trouble: Sentence | None = None
        self.fatal: FatalError | None = None

    def holder(self, read: Read) -> BadgeHolder | None:
        """Return the holder of the badge."""

        def find() -> BadgeHolder | None:
            badge = self._reader.badge(str(read.card))
            if badge is None or not badge.good(self._now):
                return None
            return BadgeHolder(badge.person, badge.number, badge.facility, badge.bits)

        return self._answer_or(find, None)

    def judge(self, request: Request, badges: Mapping[str, str]) -> Verdict:
        """Return the verdict on *request*, with the badges the persons have shown."""
        try:
            if self._building.stores.now.older:  # nobody is admitted on an outdated registry; an exit queries nothing
                return _denied(CLOSED)
            pack = self._building.pack()
            if self._building.bare(self._door):
                return _denied(_BARE_WIRE)
            persons = dict.fromkeys((*request.persons, *request.companions))
            self.epoch, facts = self._reader.facts(persons, request.resource)
            people = {name: replace(record, badge=badges.get(name, "")) for name, record in facts.persons.items()}
            return decide(request, replace(facts, persons=people), pack, self._now)
        except (ShoumiError, FatalError) as error:
            self._note(error)
            return _denied(error_verdict(error))

    def stated(self, person: str) -> Statement:
        """Return what *person* has stated for this room, and their escort."""

        def ask() -> Statement:
            statement = self._reader.stated(person, self._room, self._now)
            visits = [visit for visit in self._reader.visits(person) if visit.room == self._room]
            now = [visit.escort for visit in visits if visit.since <= self._now < (visit.until or _NEVER)]
            return Statement(statement.purpose, statement.declared, now[-1] if now else "")

        return self._answer_or(ask, Statement())

    def check_pin(self, person: str, digits: str) -> PinCheck:
        """Check a PIN; it takes some tens of milliseconds on purpose."""
        return self._answer_or(lambda: self._reader.check_pin(person, digits), "wrong")

    def rooms_of(self, person: str) -> frozenset[str]:
        """Return the rooms *person* is inside of."""
        return self._answer_or(lambda: self._reader.rooms_of(person), frozenset())

    def _answer_or(self, question: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return question()
        except (ShoumiError, FatalError) as error:
            self._note(error)
            return otherwise

    def _note(self, error: ShoumiError | FatalError) -> None:
        self.trouble = self.trouble or error.text
        if isinstance(error, FatalError):
            self.fatal = error


def _denied(verdict: Verdict) -> Verdict:
    finding = RuleResult(verdict.rule, ok=False, because=verdict.because, change=verdict.change)
    return replace(verdict, findings=(finding,))
