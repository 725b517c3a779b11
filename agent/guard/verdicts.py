"""The verdict table: compiled on demand from the registry, valid until its time is up or the epoch changes.

Rules of this file: only ``rules.decide`` decides. A verdict is kept under the uids behind the open, the areas and the
action, never longer than its own ``until`` and never across an epoch. Any failure while a verdict is made is a deny
that lasts a second and names the failure; it never becomes an allow, and it never stops the loop that answers.
"""

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from agent.guard.programs import Hashed, RegisteredPrograms, is_registered
from agent.kernel.program import Program
from agent.kernel.subject import Subject
from agent.runtime.clock import instant, nanoseconds
from agent.runtime.failures import error_verdict
from rules.decide import decide
from rules.model import Action, Facts, Mode, Request, Resource, Verdict
from rules.pack.reader import Pack
from rules.text import Message, Sentence

NEVER = 1 << 63  # nanoseconds: without an end

# The answer to one event, before its entry is written: whether it passes; the entry, empty when nothing is recorded;
# whether to stop asking about this inode once it is recorded and allowed; whether it passes only with its entry.
# A plain tuple: this is the path of an open.
Answer = tuple[bool, bytes, bool, bool]

# Of a subject: fs uid, login uid, what a service executes by name and by file, and whether a person was let in.
_VerdictKey = tuple[int, int | None, bytes, Program | None, bool]

_RETRY = 1_000_000_000
_MOST = 32_768  # about 1 kB each


class FactsSource(Protocol):
    """The part of the registry that is needed (``agent.registry.facts.FactsReader``). May raise ``FatalError``."""

    def epoch(self) -> int: ...  # noqa: D102
    def snapshot(self) -> AbstractContextManager[int]: ...  # noqa: D102
    def person_of_uid(self, uid: int) -> str | None: ...  # noqa: D102
    def facts(self, persons: Iterable[str], resource: str, services: Iterable[str] = ()) -> tuple[int, Facts]: ...  # noqa: D102


class VerdictSource(NamedTuple):
    """The sources of verdicts: the registry, the pack in force, and the registered programs.

    ``closed`` is every verdict while nothing may be decided from the registry; no person is then identified, and the
    areas in ``enforced`` do not only observe, whatever the registry says.
    """

    reader: FactsSource
    pack: Pack
    programs: RegisteredPrograms
    hashed: Hashed = frozenset()
    closed: Verdict | None = None
    enforced: frozenset[str] = frozenset()


class Principals(NamedTuple):
    """The principals behind a pair of uids (contract C4). ``nobody`` names the uids that belong to no one.

    ``refused`` is the verdict where the program they run, or their way in, is reason enough.
    """

    person: str | None  # of the file-system uid
    login_person: str | None
    service: str | None
    nobody: str
    refused: Verdict | None = None

    @property
    def persons(self) -> tuple[str, ...]:
        """All persons behind it, each once."""
        return tuple(dict.fromkeys(person for person in (self.person, self.login_person) if person))


_NO_ONE = Principals(None, None, None, "")


def _denied(rule: str, because: Sentence) -> Verdict:
    return Verdict(allow=False, rule=rule, clauses=(), because=because)


UNIDENTIFIED = _denied("nobody", Message("guard.subject-or-object-unidentified"))
LATE = _denied("deadline", Message("guard.filesystem-timeout"))
UNLABELLED = _denied(
    "unlabelled",
    Message("guard.label-missing"),
)
WORKER = _denied(
    "io-worker",
    Message("guard.io-uring-worker"),
)
NO_OPENER = _denied(
    "no-opener",
    Message("guard.opener-unknown"),
)
SHARED = _denied(
    "shared",
    Message("guard.open-by-unauthorised-person"),
)
NO_LOGIN = _denied(
    "no-login",
    Message("guard.login-missing"),
)
PROGRAM = _denied(
    "program",
    Message("guard.service-program-mismatch"),
)
CROWDED = _denied("busy", Message("guard.too-many-pending-requests"))


MAINTENANCE = Verdict(
    allow=True,
    rule="maintenance",
    clauses=(),
    because=Message("guard.volume-root-maintenance"),
)


@dataclass(frozen=True, slots=True)
class CachedVerdict:
    """A verdict ready for use. ``until`` is in nanoseconds; ``fields`` is its part of the entry, as JSON.

    Many thousands are kept, so it keeps only the needed parts of the verdict: no finding, no sentence.
    """

    passes: bool
    until: int
    fields: bytes
    allow: bool  # the decision; ``passes`` is also true where an area is only observed
    rule: str
    owed: bool  # it passes only with its entry; in observed areas it passes without one, too


class VerdictCache:
    """Rulings by subject (as far as verdicts distinguish it), areas and action."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._source: VerdictSource | None = None
        self._rulings: dict[tuple[_VerdictKey, tuple[str, ...], Action], CachedVerdict] = {}
        self._principals: dict[_VerdictKey, Principals] = {}
        self._service_uids: frozenset[int] = frozenset()
        self._trouble: Exception | None = None
        self._observed: frozenset[str] = frozenset()
        self.epoch = 0

    def advance(
        self,
        epoch: int,
        source: VerdictSource | None,
        trouble: Exception | None = None,
        observed: frozenset[str] = frozenset(),
    ) -> None:
        """Forget every ruling: from here on none is older than *epoch*.

        Without a *source* everything is denied, except in the areas *observed*, where nothing is denied.
        """
        self._rulings.clear()
        self._principals.clear()
        self._source = source
        self._service_uids = source.programs.uids if source else frozenset()
        self._trouble = trouble
        self._observed = observed
        self.epoch = epoch

    def forget(self) -> None:
        """Forget every ruling: they were made for another time."""
        self._rulings.clear()

    @property
    def pack_id(self) -> str:
        """Name and digest of the pack in force, for the log."""
        return self._source.pack.id if self._source else "?"

    def ruling(self, subject: Subject, areas: tuple[str, ...], action: Action, now: int) -> CachedVerdict:
        """Return the ruling at *now* (nanoseconds). Never raises.

        A ruling is valid from the time it was made for: :meth:`forget` all of them when time goes back.
        """
        subject_key = self._verdict_key(subject)
        key = (subject_key, areas, action)
        cached = self._rulings.get(key)
        if cached is not None and now < cached.until:
            return cached
        if len(self._rulings) >= _MOST:
            self._rulings.clear()
            self._principals.clear()
        compiled = self._rulings[key] = self._rule(subject_key, areas, action, now)
        return compiled

    def _verdict_key(self, subject: Subject) -> _VerdictKey:
        """Return the parts of *subject* that verdicts distinguish: a person's do not include the program."""
        executable = subject.executable if subject.fsuid in self._service_uids else b""
        return subject.fsuid, subject.loginuid, executable, subject.program, subject.let_in

    def _rule(self, subject_key: _VerdictKey, areas: tuple[str, ...], action: Action, now: int) -> CachedVerdict:
        principals = _NO_ONE
        try:
            source = self._needed()
            with source.reader.snapshot():  # one read transaction instead of one per query
                principals = (
                    _NO_ONE
                    if source.closed
                    else self._principals.get(subject_key) or principals_of(source, *subject_key)
                )
                self._principals[subject_key] = principals
                decided = [_decide(source, principals, area, action, instant(now)) for area in areas]
        except Exception as error:  # noqa: BLE001 - any failure here must become a deny
            area = next((area for area in areas if area not in self._observed), areas[0])
            return self._compiled(error_verdict(error), None, area, principals, action, now + _RETRY)
        until = min((nanoseconds(v.until) if v.until else NEVER for v, _ in decided), default=NEVER)
        verdict, resource = min(decided, key=_strictest)
        compiled = self._compiled(verdict, resource, areas[0], principals, action, until)
        owed = any(area_resource is None or area_resource.mode is Mode.ENFORCE for _, area_resource in decided)
        return replace(compiled, owed=owed) if owed != compiled.owed else compiled

    def _needed(self) -> VerdictSource:
        if self._source is None:
            raise self._trouble or LookupError("no policy")
        return self._source

    def refused(self, verdict: Verdict, area: str | None, action: Action = Action.OPEN) -> CachedVerdict:
        """Return the ruling of an unjudged object: *verdict* is the reason, *area* that of its name, if any."""
        return self._compiled(verdict, None, area, _NO_ONE, action, NEVER)

    def shared(self, subject: Subject, areas: tuple[str, ...]) -> CachedVerdict:
        """Return the ruling for *subject*, entitled to a file that an unentitled person holds in the same process."""
        principals = self._principals.get(self._verdict_key(subject), _NO_ONE)
        return self._compiled(SHARED, None, areas[0], principals, Action.ACCESS, NEVER)

    def maintenance(self, subject: Subject, areas: tuple[str, ...]) -> CachedVerdict:
        """Return the ruling for uid 0 at the root directory of a volume: freezing, trimming, syncing need it open."""
        principals = self._principals.get(self._verdict_key(subject), _NO_ONE)
        return self._compiled(MAINTENANCE, None, areas[0], principals, Action.OPEN, NEVER)

    def _compiled(
        self,
        verdict: Verdict,
        resource: Resource | None,
        area: str | None,
        principals: Principals,
        action: Action,
        until: int,
    ) -> CachedVerdict:
        observed = area in self._observed and verdict is not UNLABELLED  # that one is the volume's, not the area's
        mode = resource.mode if resource else Mode.OBSERVE if observed else Mode.ENFORCE
        enforced = mode is Mode.ENFORCE
        fields: dict[str, object] = {
            "host": self._host,
            "kind": "access",
            "action": action.value,
            "verdict": "allow" if verdict.allow else "deny",
            "mode": mode.value,
            "enforced": enforced,
            "rule": verdict.rule,
            "clauses": verdict.clauses,
            "person": principals.person,
            "login_person": principals.login_person,
            "service": principals.service,
            "area": resource.id if resource else area,
            "level": resource.level.word if resource else None,
            "domain": resource.domain if resource else None,
            "pack": self.pack_id,
            "epoch": self.epoch,
        }
        if not verdict.allow:
            fields["reason"] = verdict.because.to_json()
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=list)
        passes = verdict.allow or not enforced
        return CachedVerdict(passes, until, text[1:-1].encode(), verdict.allow, verdict.rule, enforced)


def _decide(
    source: VerdictSource, principals: Principals, area: str, action: Action, now: datetime
) -> tuple[Verdict, Resource | None]:
    services = (principals.service,) if principals.service else ()
    _, facts = source.reader.facts(principals.persons, area, services)
    request = Request(principals.persons, area, action, service=principals.service or "", nobody=principals.nobody)
    resource = None if area in source.enforced else facts.resources.get(area)
    return source.closed or principals.refused or decide(request, facts, source.pack, now), resource


def principals_of(
    source: VerdictSource,
    fsuid: int,
    loginuid: int | None,
    executable: bytes,
    program: Program | None,
    let_in: bool,  # noqa: FBT001 - the parts of a subject, in their order
) -> Principals:
    """Return the principals behind a subject: the file-system uid's person or service, and the login uid's person.

    uid 0 with a login uid is that person at work through sudo; uid 0 without one is a service or nobody. An unset login
    uid is nobody's, and never root's; a person needs one, unless a registered program has admitted them.
    """
    missing: list[str] = []
    login_person = None
    if loginuid is not None:
        login_person = source.reader.person_of_uid(loginuid)
        if login_person is None:
            missing.append(f"login uid {loginuid}")
    person = source.reader.person_of_uid(fsuid)
    service, refused = None, None
    if person and loginuid is None and not let_in and source.programs.asks_logins:
        refused = NO_LOGIN
    if person is None:
        row = source.programs.service_of(fsuid, executable)
        service = row.service if row and is_registered(row, program, source.hashed) else None
        if service is None and not (fsuid == 0 and loginuid is not None):
            missing.append(f"uid {fsuid}")
            refused = PROGRAM if row else None
    return Principals(person, login_person, service, ", ".join(missing), refused)


def _strictest(decided: tuple[Verdict, Resource | None]) -> tuple[bool, bool]:
    verdict, resource = decided
    blocks = not verdict.allow and (resource is None or resource.mode is Mode.ENFORCE)
    return (not blocks, verdict.allow)
