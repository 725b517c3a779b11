"""The verdict table: compiled lazily from the registry, valid until its time is up or the epoch moves.

Rules of this file: only ``rules.decide`` decides. A verdict is kept under the uids behind the open, the areas and the
action, never longer than its own ``until`` and never across an epoch. Whatever goes wrong while a verdict is made is
a deny that lasts a second and says so; it never becomes an allow, and it never stops the loop that answers.
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
from rules.text import Text

NEVER = 1 << 63  # nanoseconds: no end in sight

# What one event got, before its entry is written: whether it passes; the entry, empty when nothing is to be recorded;
# whether to stop asking about this inode once it is recorded and allowed; whether it passes only with its entry.
# A plain tuple: this is the path of an open.
Answer = tuple[bool, bytes, bool, bool]

# Of a subject: fs uid, login uid, what a service executes by name and by file, and whether a person was let in.
_Told = tuple[int, int | None, bytes, Program | None, bool]

_RETRY = 1_000_000_000
_MOST = 32_768  # about 1 kB each


class FactsSource(Protocol):
    """What is needed of the registry (``agent.registry.facts.FactsReader``). Every method may raise ``FatalError``."""

    def epoch(self) -> int: ...  # noqa: D102
    def snapshot(self) -> AbstractContextManager[int]: ...  # noqa: D102
    def person_of_uid(self, uid: int) -> str | None: ...  # noqa: D102
    def facts(self, persons: Iterable[str], resource: str, services: Iterable[str] = ()) -> tuple[int, Facts]: ...  # noqa: D102


class VerdictSource(NamedTuple):
    """Where verdicts come from: the registry, the pack in force, and the programs that count.

    ``closed`` is what every verdict is while nothing may be decided from the registry; it then says of nobody who he
    is, and areas of ``enforced`` do not only watch, whatever the registry says.
    """

    reader: FactsSource
    pack: Pack
    programs: RegisteredPrograms
    hashed: Hashed = frozenset()
    closed: Verdict | None = None
    enforced: frozenset[str] = frozenset()


class Principals(NamedTuple):
    """Who is behind a pair of uids (contract C4). ``nobody`` says which part of it belongs to no one.

    ``refused`` is the verdict where what they run, or how they came in, is reason enough.
    """

    person: str | None  # of the file-system uid
    login_person: str | None
    service: str | None
    nobody: str
    refused: Verdict | None = None

    @property
    def persons(self) -> tuple[str, ...]:
        """All humans behind it, each once."""
        return tuple(dict.fromkeys(person for person in (self.person, self.login_person) if person))


_NO_ONE = Principals(None, None, None, "")


def _denied(rule: str, en: str, zh: str) -> Verdict:
    return Verdict(allow=False, rule=rule, clauses=(), because=Text(en, zh))


UNIDENTIFIED = _denied("nobody", "the subject or the object could not be identified", "无法识别主体或客体")
LATE = _denied(
    "deadline", "the filesystem did not say in time which area the object is in", "文件系统未及时答复该对象所属目录"
)
UNLABELLED = _denied(
    "unlabelled",
    "it has content and lost its label: somebody has stripped it, or put it there while no agent ran; "
    "the security officer mends it: shoumi area relabel PATH",
    "有内容却没有标记：标记被人去除，或在代理未运行时放入；安全保密管理员可修复：shoumi area relabel 路径",
)
WORKER = _denied(
    "io-worker",
    "a worker of an io_uring opens it in a process that acts for several people: for whom cannot be told",
    "由代表多人的进程的 io_uring 工作线程打开：无法判断代表何人",
)
NO_OPENER = _denied(
    "no-opener",
    "the process acts for several people, and who opened this file in it is not known: open it again",
    "该进程代表多人，且不知此文件由何人打开：请重新打开",
)
SHARED = _denied(
    "shared",
    "somebody who may not use it has it open in the same server process; it opens again when they have let go",
    "同一服务进程中另有无权者打开了该文件；其关闭后即可恢复使用",
)
NO_LOGIN = _denied(
    "no-login",
    "it has no login uid, and no registered program has let it in: log in by PAM (pam_loginuid), or the system "
    "administrator registers what lets people in: shoumi service add NAME --uid 0 --executable PROGRAM --lets-in",
    "没有登录 uid，也不是由已登记的程序放入的：请经 PAM 登录（pam_loginuid），或由系统管理员登记放入人员的程序："
    "shoumi service add 编号 --uid 0 --executable 程序 --lets-in",
)
PROGRAM = _denied(
    "program",
    "it does not run the program that was registered for the service: the file is another one or has changed since, "
    "its hash was not read yet, or it runs in namespaces of its own; shoumi service list says which, and where the "
    "change is right: shoumi service renew ID",
    "其运行的并非该服务账户所登记的程序：文件已被替换或更改、散列值尚未读取，或运行于其自身的命名空间；"
    "shoumi service list 可查看原因，更改无误时：shoumi service renew 编号",
)
CROWDED = _denied("busy", "too many questions of this user wait for an answer already", "该用户等待答复的请求过多")


MAINTENANCE = Verdict(
    allow=True,
    rule="maintenance",
    clauses=(),
    because=Text(
        "the administrator of the host opens the root directory of the volume; names in it are not shown",
        "主机管理员打开卷的根目录；不显示其中的名称",
    ),
)


@dataclass(frozen=True, slots=True)
class CachedVerdict:
    """A verdict ready for use. ``until`` is in nanoseconds; ``fields`` is its part of the entry, as JSON.

    Many thousands are kept, so it holds on to nothing of the verdict it does not need: no finding, no sentence.
    """

    passes: bool
    until: int
    fields: bytes
    allow: bool  # what was decided; ``passes`` is true as well where an area is only observed
    rule: str
    owed: bool  # it passes only with its entry; where an area is only observed it passes without, too


class VerdictCache:
    """Rulings for (what verdicts tell apart of a subject, areas, action)."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._source: VerdictSource | None = None
        self._rulings: dict[tuple[_Told, tuple[str, ...], Action], CachedVerdict] = {}
        self._behind: dict[_Told, Principals] = {}
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

        Without a *source* everything is denied, but in the areas *observed*, where nothing ever is.
        """
        self._rulings.clear()
        self._behind.clear()
        self._source = source
        self._service_uids = source.programs.uids if source else frozenset()
        self._trouble = trouble
        self._observed = observed
        self.epoch = epoch

    def forget(self) -> None:
        """Forget every ruling: the time they were made for is not what time it is."""
        self._rulings.clear()

    @property
    def pack_id(self) -> str:
        """Name and digest of the pack in force, for the log."""
        return self._source.pack.id if self._source else "?"

    def ruling(self, who: Subject, areas: tuple[str, ...], action: Action, now: int) -> CachedVerdict:
        """Return the ruling at *now* (nanoseconds). Never raises.

        A ruling holds from the time it was made for on: :meth:`forget` all of them when time goes back.
        """
        told = self._told(who)
        key = (told, areas, action)
        known = self._rulings.get(key)
        if known is not None and now < known.until:
            return known
        if len(self._rulings) >= _MOST:
            self._rulings.clear()
            self._behind.clear()
        made = self._rulings[key] = self._rule(told, areas, action, now)
        return made

    def _told(self, who: Subject) -> _Told:
        """Return what verdicts tell apart of *who*: a person's do not depend on what they run."""
        executable = who.executable if who.fsuid in self._service_uids else b""
        return who.fsuid, who.loginuid, executable, who.program, who.let_in

    def _rule(self, told: _Told, areas: tuple[str, ...], action: Action, now: int) -> CachedVerdict:
        behind = _NO_ONE
        try:
            source = self._needed()
            with source.reader.snapshot():  # one look at the registry instead of one for each question
                behind = _NO_ONE if source.closed else self._behind.get(told) or who_is_behind(source, *told)
                self._behind[told] = behind
                decided = [_decide(source, behind, area, action, instant(now)) for area in areas]
        except Exception as error:  # noqa: BLE001 - anything at all that goes wrong here must become a deny
            area = next((area for area in areas if area not in self._observed), areas[0])
            return self._compiled(error_verdict(error), None, area, behind, action, now + _RETRY)
        until = min((nanoseconds(v.until) if v.until else NEVER for v, _ in decided), default=NEVER)
        verdict, resource = min(decided, key=_strictest)
        made = self._compiled(verdict, resource, areas[0], behind, action, until)
        owed = any(found is None or found.mode is Mode.ENFORCE for _, found in decided)
        return replace(made, owed=owed) if owed != made.owed else made

    def _needed(self) -> VerdictSource:
        if self._source is None:
            raise self._trouble or LookupError("no policy")
        return self._source

    def refused(self, verdict: Verdict, area: str | None, action: Action = Action.OPEN) -> CachedVerdict:
        """Return the ruling of what could not be judged: *verdict* is why, *area* the one its name is in, if any."""
        return self._compiled(verdict, None, area, _NO_ONE, action, NEVER)

    def shared(self, who: Subject, areas: tuple[str, ...]) -> CachedVerdict:
        """Return the ruling for *who*, who may use a file that somebody has open in the same process who may not."""
        behind = self._behind.get(self._told(who), _NO_ONE)
        return self._compiled(SHARED, None, areas[0], behind, Action.ACCESS, NEVER)

    def maintenance(self, who: Subject, areas: tuple[str, ...]) -> CachedVerdict:
        """Return the ruling for uid 0 at the root directory of a volume: freezing, trimming, syncing need it open."""
        behind = self._behind.get(self._told(who), _NO_ONE)
        return self._compiled(MAINTENANCE, None, areas[0], behind, Action.OPEN, NEVER)

    def _compiled(
        self,
        verdict: Verdict,
        resource: Resource | None,
        area: str | None,
        behind: Principals,
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
            "person": behind.person,
            "login_person": behind.login_person,
            "service": behind.service,
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
    source: VerdictSource, behind: Principals, area: str, action: Action, now: datetime
) -> tuple[Verdict, Resource | None]:
    services = (behind.service,) if behind.service else ()
    _, facts = source.reader.facts(behind.persons, area, services)
    request = Request(behind.persons, area, action, service=behind.service or "", nobody=behind.nobody)
    resource = None if area in source.enforced else facts.resources.get(area)
    return source.closed or behind.refused or decide(request, facts, source.pack, now), resource


def who_is_behind(
    source: VerdictSource,
    fsuid: int,
    loginuid: int | None,
    executable: bytes,
    program: Program | None,
    let_in: bool,  # noqa: FBT001 - the parts of a subject, in their order
) -> Principals:
    """Return everybody behind a subject: the file-system uid's person or service, and the login uid's person.

    uid 0 with a login uid is that person at work through sudo; uid 0 without one is a service or nobody. An unset
    login uid is nobody's, and never root's; a person needs one, unless something registered has let them in.
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
