"""Data model of rule packs 规则包: the decisions of a site about its rules, as frozen data.

Rules of this file: one table of a pack is one class or a plain :class:`RuleSource`, one setting is one field, and every
field is read. A table is named like its rule and switches that rule on by its presence; the five required tables are
``hold``, ``departure``, ``level``, ``scope`` and ``grant``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from rules.model import Employment, Level, Passback
from rules.offboarding.measure import MeasureKind
from rules.offboarding.vocabulary import CaseKind
from rules.text import Sentence, Text
from rules.tiers import MinimumTier

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """Sources of a rule and its settings.

    ``clauses``: the regulation clauses it serves. ``duties``: the numbers in ``duties.csv``. ``site``: the settings of
    the table whose values no regulation prescribes, so that the site is accountable for them.
    """

    clauses: tuple[str, ...] = ()
    duties: tuple[int, ...] = ()
    site: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRule(RuleSource):
    """``[level]``: a person's level in a domain opens resources at or below it.

    ``needs_approver``: a level without a named approver does not count. ``map``: per domain, the highest
    level each printed label stands for; in a domain with a map, a label that is not in it counts for nothing.
    """

    needs_approver: bool = False
    map: Mapping[str, Mapping[str, Level]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarredRule(RuleSource):
    """``[barred]``: per domain, labels that never open anything, whatever else their holder has."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRule(RuleSource):
    """``[grant]``: from ``from_level`` on, a grant is required; ``after_post_change``: only one made since then."""

    from_level: Level = Level.INTERNAL
    after_post_change: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TempAuth(RuleSource):
    """``[temp_auth]``: a dated grant that replaces the level, up to ``max_level``, for at most ``max_days``."""

    enabled: bool = False
    max_days: int = 0
    max_level: Level = Level.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentRule(RuleSource):
    """``[employment]``: a form of employment in ``deny`` gets nothing in ``domains`` (none named: in all).

    ``temp_auth``: except what a valid temporary grant opens.
    """

    deny: frozenset[Employment] = frozenset()
    domains: tuple[str, ...] = ()
    temp_auth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingRule(RuleSource):
    """``[marking]``: an area without a secrecy period, or without a need-to-know scope, is opened to no one."""

    period: bool = False
    scope: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPersonRule(RuleSource):
    """``[two_person]``: rooms from this level on need two persons, in addition to rooms that require it themselves.

    ``seconds``: the longest time between the two badges, in rooms without a setting of their own.
    """

    from_level: Level = Level.TOP_SECRET
    seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePlaceRule(RuleSource):
    """``[one_place]``: the reaction, in every room, to a badge that enters twice or is in two rooms.

    A room may be stricter, never softer. Every door needs an exit reader, or no one can enter a second time.
    """

    passback: Passback = Passback.HARD


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRule(RuleSource):
    """``[visit]``: visitors enter under escort, rooms up to ``max_level``, for ``max_days`` at most."""

    max_days: int = 0
    max_level: Level = Level.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class InRoomRule(RuleSource):
    """``[in_room]``: files from this level on open only on a machine in a room the person has badged into."""

    from_level: Level = Level.TOP_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRule(RuleSource):
    """``[wire]``: rooms from this level on accept no door whose wire is not authenticated."""

    from_level: Level = Level.SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRule(RuleSource):
    """``[losses]``: what ends, besides the holder processes, when a person who stays loses rights.

    ``sessions``: their login sessions on this host, with everything in them.
    """

    sessions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionRule(RuleSource):
    """``[protection]``: no area below ``minimum_tier`` is called protected; a host's own minimum may be stricter."""

    minimum_tier: MinimumTier = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoHandsRule(RuleSource):
    """``[two_hands]``: one officer proposes an act that gives access, another confirms it (:mod:`rules.two_hands`).

    One of them is a system administrator and the other a security officer; for acts in ``any_two`` any two officers
    may act, and for those in ``one_hand`` one is sufficient (``*``: for every act). ``registered``: only the account of
    a registered person is a hand. ``days``: days after which a proposal expires.
    """

    any_two: tuple[str, ...] = ()
    one_hand: tuple[str, ...] = ()
    registered: bool = True
    days: int = 7

    def takes_any_two(self, act: str) -> bool:
        """Whether any two officers may do *act* together."""
        return act in self.any_two or "*" in self.any_two

    def takes_one(self, act: str) -> bool:
        """Whether one officer is sufficient for *act*."""
        return act in self.one_hand or "*" in self.one_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRule(RuleSource):
    """``[trial]``: a site that has not named its role groups yet.

    ``enforce``: areas are enforced unless told not to.
    """

    enforce: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind(RuleSource):
    """``[records.KIND]``: a dated record a person needs before access.

    Required from resource level ``from_level`` on, in ``domains`` (none named: in all). The latest record of the kind
    decides; with ``topics``, the latest of each topic. It must be passed, be younger than ``valid_days`` (0: no limit),
    with ``after_post_change`` not be older than the person's post, and not be older than every passed record of a kind
    in ``after``. ``temporary``: the holder of a temporary grant needs it too.
    """

    title: Text
    from_level: Level = Level.INTERNAL
    domains: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    valid_days: int = 0
    after_post_change: bool = False
    after: tuple[str, ...] = ()
    temporary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(RuleSource):
    """``[hours.NAME]``: when an area or room that names it is open, on the site's clock.

    ``weekdays`` as ``date.weekday()`` counts; ``windows`` since the site's midnight, half open.
    """

    weekdays: frozenset[int] = frozenset()
    windows: tuple[tuple[timedelta, timedelta], ...] = ()
    holidays: Literal["open", "closed"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartureCase(RuleSource):
    """``[departure_case]``: approvals of an offboarding, and its duties before it is closed.

    ``chain``: names of ``[approvers.NAME]`` in their order; none: one officer approves. ``notice_days``: how long
    before the last day notice is given. A kind in ``immediate`` ends access when its case is opened. ``hr_approvers``:
    how many different people must have approved a notice of the personnel system that brings its own approvals. A
    person with a level in one of ``cooling_off`` (domains) leaves with a cooling-off period, without exception.
    ``stop_units``: system units that run as the leaver (``User=``) are stopped; else they are listed.
    """

    chain: tuple[str, ...] = ()
    notice_days: int = 0
    immediate: frozenset[CaseKind] = frozenset((CaseKind.UNFIT, CaseKind.UNAUTHORISED, CaseKind.DEATH))
    hr_approvers: int = 1
    education: bool = False
    exam: bool = False
    cooling_off: tuple[str, ...] = ()
    stop_units: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverRule(RuleSource):
    """``[approvers.NAME]``: one approver in the chain, for the ``kinds`` of offboarding it names (none: all)."""

    title: Text
    kinds: frozenset[CaseKind] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverLine(RuleSource):
    """``[handover.NAME]``: one item of the hand-over list, and the department that signs it."""

    title: Text
    department: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSignature(RuleSource):
    """``[signatures.NAME]``: a document signed on leaving, by these employments and departments (none named: all)."""

    title: Text
    employment: frozenset[Employment] = frozenset()
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRule(RuleSource):
    """``[measures.NAME]``: a measure during the cooling-off period after an offboarding of ``kinds`` (none named: all).

    ``every_days``: how long after the last return visit the next one is due; 0, and for other kinds: once.
    """

    title: Text
    kind: MeasureKind
    kinds: frozenset[CaseKind] = frozenset()
    every_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(RuleSource):
    """``[planned.NAME]``: a duty that no decision enforces; ``served_by`` names the part that serves it."""

    title: Text
    served_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInfo:
    """One rule that is switched on, for lists and help. ``id`` is the ``rule`` of a verdict."""

    id: str
    title: Sentence
    clauses: tuple[str, ...] = ()
    duties: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One rule pack.

    ``digest`` is the SHA-256 of its UTF-8 text in hex, so that a log entry names exactly the pack that decided.
    ``rules`` are the rules in force in the order they decide; ``clauses`` are those of each rule by id; ``allow`` has
    those it rests on.
    """

    name: str
    version: str
    title: Text
    domains: Mapping[str, Sentence]
    hold: RuleSource
    departure: RuleSource
    level: LevelRule
    scope: RuleSource
    grant: GrantRule
    utc_offset: timedelta = timedelta(0)
    cooling_off: RuleSource | None = None
    barred: BarredRule | None = None
    temp_auth: TempAuth = TempAuth()
    employment: EmploymentRule | None = None
    marking: MarkingRule | None = None
    badge: RuleSource | None = None
    purpose: RuleSource | None = None
    declaration: RuleSource | None = None
    two_person: TwoPersonRule | None = None
    lockdown: RuleSource | None = None
    one_place: OnePlaceRule | None = None
    visit: VisitRule | None = None
    in_room: InRoomRule | None = None
    wire: WireRule | None = None
    protection: ProtectionRule | None = None
    losses: LossRule | None = None
    two_hands: TwoHandsRule = TwoHandsRule()
    trial: TrialRule = TrialRule()
    records: Mapping[str, RecordKind] = field(default_factory=dict)
    hours: Mapping[str, Schedule] = field(default_factory=dict)
    departure_case: DepartureCase = DepartureCase()
    approvers: Mapping[str, ApproverRule] = field(default_factory=dict)
    handover: Mapping[str, HandoverLine] = field(default_factory=dict)
    signatures: Mapping[str, ExitSignature] = field(default_factory=dict)
    measures: Mapping[str, MeasureRule] = field(default_factory=dict)
    planned: Mapping[str, Planned] = field(default_factory=dict)
    digest: str = ""
    rules: tuple[RuleInfo, ...] = ()
    clauses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """``minimal@1a2b3c4d5e6f``: name and the first 12 hex digits of the digest."""
        return f"{self.name}@{self.digest[:12]}"

    def level_of(self, label: str, domain: str) -> Level | None:
        """Return the level the printed *label* (核心, 特级 …) stands for in *domain*; ``None``: the pack has none."""
        return self.level.map.get(domain, {}).get(label)
