"""The data model of a decision: people, areas, rooms, services, requests and verdicts, as frozen data.

Rules of this file: data only, no behaviour beyond parsing a word and comparing levels. All instants are aware
``datetime`` objects in UTC; a window is half open, ``since <= now < until``, and ``until is None`` means no end.
Identifiers of persons, areas, rooms and services are the site's own strings and are compared exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import Final

from rules.text import Message, Sentence


class Level(IntEnum):
    """密级, ordered. A level holds within one domain only."""

    NONE = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    SECRET = 3
    TOP_SECRET = 4

    @property
    def word(self) -> str:
        """The word used on the command line, in packs, vectors and the log: ``top-secret``."""
        return self.name.lower().replace("_", "-")

    @property
    def text(self) -> Message:
        """The level as a person reads it."""
        return _LEVEL_TEXTS[self]

    @classmethod
    def parse(cls, word: str) -> "Level":
        """Read ``top-secret`` or ``绝密``; raise ``ValueError`` for any other word."""
        for level in cls:
            if word == level.word or word in _CHINESE_INPUT[level]:
                return level
        raise ValueError(word)


_LEVEL_TEXTS: Final = {
    Level.NONE: Message("terms.level-none"),
    Level.INTERNAL: Message("terms.level-internal"),
    Level.CONFIDENTIAL: Message("terms.level-confidential"),
    Level.SECRET: Message("terms.level-secret"),
    Level.TOP_SECRET: Message("terms.level-top-secret"),
}
_CHINESE_INPUT: Final = {
    Level.NONE: ("无", "非密"),
    Level.INTERNAL: ("内部",),
    Level.CONFIDENTIAL: ("秘密",),
    Level.SECRET: ("机密",),
    Level.TOP_SECRET: ("绝密",),
}


class Action(StrEnum):
    """The action that the subject requests."""

    OPEN = "open"  # open a file (before any read or write)
    LIST = "list"  # open a directory and see the names in it
    ACCESS = "access"  # read, write or map through a descriptor that is already open
    ENTER = "enter"
    EXIT = "exit"


class Mode(StrEnum):
    """Whether an area's verdicts block (enforce) or are only recorded (observe)."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Employment(StrEnum):
    """How a person is employed; packs may bar ``temporary`` from clearance (D18-4.3)."""

    REGULAR = "regular"
    TEMPORARY = "temporary"
    INTERN = "intern"
    OUTSOURCED = "outsourced"
    VISITOR = "visitor"


class Passback(StrEnum):
    """反潜回: reaction to a badge that enters twice or is in two rooms at once; the later is the stricter."""

    NONE = "none"
    SOFT = "soft"  # let in, and an alarm
    HARD = "hard"  # refused


class DepartureStage(Enum):
    """Stage of an offboarding. ``CLOSED`` ends with the cooling-off period, and does not restore anything."""

    NOTICE = "notice"
    APPROVED = "approved"
    COOLING_OFF = "cooling-off"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Clearance:
    """A person's level in one domain, with the printed label it came from and who approved it.

    ``label`` keeps the scheme's own word (核心, 特级 …). ``approved_by`` equal to the person never counts (D01-4.4).
    """

    domain: str
    level: Level
    label: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """档案: a dated fact about a person (vetting, training, agreement, certificate …).

    ``passed`` is false for a failed exam or a refused vetting. ``valid_until`` is the end printed on the record itself;
    a pack may end it earlier by ``valid_days`` after ``on``.
    """

    kind: str
    on: datetime
    passed: bool = True
    valid_until: datetime | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """授权: person to area or room, with a reason, approved by another person, for a time.

    ``temporary`` marks a 临时授权 (D01-2.2): it replaces the level, has a maximum length, and always ends.
    """

    id: str
    person: str
    resource: str
    reason: str
    approver: str
    since: datetime
    until: datetime | None = None
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """停权: put by an officer; it denies everything from ``since`` until it is lifted."""

    since: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """离岗离职: the stage of an offboarding, and when each stage took or takes effect.

    ``approved_at`` set and past means all access is over, unless ``effective_at`` (the leave date) is to come: then it
    is over from that instant on. ``cooling_off_until`` is the end of the 脱密期. ``approver`` equal to the leaver
    never counts as an approval.
    """

    stage: DepartureStage
    approved_at: datetime | None = None
    cooling_off_until: datetime | None = None
    approver: str = ""
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """来访: one registered visit of a person to one room, with an ``escort`` and a ``host``.

    It replaces level, scope, grant and records while the escort is present (D10-4.4a). A host or an escort
    equal to the visitor never counts.
    """

    id: str
    room: str
    escort: str
    host: str
    purpose: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lockdown:
    """封控: a lockdown of a room, or of every room of the site (``room`` is empty), until it is lifted."""

    since: datetime
    room: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """人员: one human and everything a verdict may depend on."""

    id: str
    name: str = ""
    department: str = ""
    projects: frozenset[str] = frozenset()
    employment: Employment = Employment.REGULAR
    active: bool = True
    clearances: tuple[Clearance, ...] = ()
    records: tuple[Record, ...] = ()
    grants: tuple[Grant, ...] = ()
    holds: tuple[Hold, ...] = ()
    departures: tuple[Departure, ...] = ()
    post_changed_at: datetime | None = None  # D03-2.10: vetting and grants from before this instant no longer count
    badge: str = ""  # the badge presented at a door; must be one of ``badges``
    badges: frozenset[str] = frozenset()
    visits: tuple[Visit, ...] = ()
    inside: frozenset[str] = frozenset()  # the rooms they are in now, as far as the doors report; see Request.inside


@dataclass(frozen=True, slots=True)
class Scope:
    """知悉范围: the people who need to know. Empty: only the persons with a grant."""

    persons: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RoomRules:
    """What a secure room asks beyond level, scope and grant.

    ``occupancy_limit``: how many may be inside (0: any number). ``first_in``: while no one is inside, the custodian
    enters first.
    """

    two_person: bool = False
    needs_purpose: bool = False
    needs_declaration: bool = False
    needs_pin: bool = False
    anti_passback: Passback = Passback.NONE
    occupancy_limit: int = 0
    first_in: bool = False


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Settings of the panel of a room; entry requirements are in :class:`RoomRules`. No verdict depends on them.

    ``held_open_seconds``: how long a door may stay open after an entry. ``together_seconds``: maximum time between the
    two badges of a two-person entry; 0: as in the pack. ``accompany``: people who are inside count as the second
    person. ``lone_alarm``: one person left alone raises an alarm. ``reset_at``: the hour (``HH:MM``, on the host's
    clock) at which the presence list is reset each day; ``""``: never. ``location``: building, floor and number, for
    officers who must go there.
    """

    held_open_seconds: int = 30
    together_seconds: int = 0
    accompany: bool = True
    lone_alarm: bool = False
    reset_at: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """An area (涉密目录) or a room (涉密场所): one shape, so that files and doors share one decision.

    ``room`` is ``None`` for an area. ``secret_until`` is the end of the secrecy period 保密期限; after it the resource
    still denies by default: lowering or releasing it is an officer's act. ``hours`` names a schedule of the pack.
    """

    id: str
    level: Level
    domain: str
    scope: Scope = Scope()
    mode: Mode = Mode.ENFORCE
    custodian: str = ""
    secret_until: datetime | None = None
    hours: str = ""
    room: RoomRules | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """服务账户: a non-human subject. uid and executable identify it; it touches only the areas it names."""

    id: str
    uid: int
    executable: str
    areas: frozenset[str]
    active: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``persons`` are all humans behind the access (contract C4): each must be allowed.

    ``nobody`` says why part of the subject belongs to no person or service (``uid 33``); if it is set the verdict is
    a deny. Door requests fill the rest. ``companions`` are persons whose own entry to the same room is being decided
    within the room's two-person window, or who are inside already; ``inside`` is everyone inside. ``pin``: the
    person entered their PIN. ``doubt`` says why the read cannot be trusted (``stale``); if it is set, the verdict is a
    deny.
    """

    persons: tuple[str, ...]
    resource: str
    action: Action = Action.OPEN
    service: str = ""
    nobody: str = ""
    companions: tuple[str, ...] = ()
    purpose: str = ""
    declared: bool = False
    pin: bool = False
    inside: frozenset[str] = frozenset()
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of a decision. What is not in here does not exist, and what does not exist is denied.

    ``here`` is the room of the host (empty: none).
    """

    persons: Mapping[str, Person] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    lockdowns: tuple[Lockdown, ...] = ()
    here: str = ""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule. ``until``: the result is the same for every ``t`` in ``[now, until)``."""

    rule: str
    ok: bool
    because: Sentence
    clauses: tuple[str, ...] = ()
    change: Sentence | None = None
    until: datetime | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """判定. ``rule`` is the rule that decided; ``findings`` are all of them, in order, for explain and what-if.

    For every ``t`` in ``[now, until)`` the verdict (allow, rule, clauses, because) is the same.
    """

    allow: bool
    rule: str
    clauses: tuple[str, ...]
    because: Sentence
    change: Sentence | None = None
    until: datetime | None = None
    person: str = ""
    findings: tuple[RuleResult, ...] = ()
