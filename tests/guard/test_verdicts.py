"""From uids to a ruling: who is behind an open, how long a verdict is kept, and what trouble becomes (C1, C4)."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.errors import FatalError
from agent.guard import verdicts
from agent.guard.programs import RegisteredPrograms
from agent.guard.verdicts import Principals, VerdictCache, VerdictSource, principals_of
from agent.kernel import program
from agent.kernel.program import Program
from agent.kernel.subject import Subject
from agent.registry.facts import FactsReader
from agent.registry.migrations import migrate
from agent.registry.repositories.services import SeenProgram
from agent.registry.store import Registry
from agent.runtime.clock import nanoseconds
from rules.model import Action, Clearance, Level, Mode
from rules.pack.reader import load
from rules.text import Text
from tests.sentences import en

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
CLEARED, UNCLEARED, STRANGER, BACKUP = 61_001, 61_002, 61_003, 61_004
TOOL = os.path.realpath(b"/usr/bin/tar")
PROGRAM = program.at(TOOL)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    path = tmp_path / "registry.db"
    migrate(path)
    with Registry(path) as registry:
        with registry.change(NOW - timedelta(days=1)) as change:
            for number, level, uid in (("E1", Level.SECRET, CLEARED), ("E2", Level.INTERNAL, UNCLEARED)):
                change.people.add(number, clearances=(Clearance("state", level, "", "officer"),))
                change.accounts.add(uid, number)
            change.areas.add("plans", path="/srv/plans", level=Level.SECRET, domain="state")
            change.areas.add("notes", path="/srv/notes", level=Level.INTERNAL, domain="state")
            change.areas.add("watch", path="/srv/watch", level=Level.SECRET, domain="state", mode=Mode.OBSERVE)
            for area in ("plans", "notes", "watch"):
                change.grants.add("E1", area, reason="work", approver="officer")
            change.grants.add("E2", "notes", reason="work", approver="officer")
            seen = SeenProgram(PROGRAM.inode, PROGRAM.changed, PROGRAM.size)
            change.services.add("backup", uid=BACKUP, executable=TOOL.decode(), areas=("plans",), seen=seen)
        yield registry


@pytest.fixture
def source(registry: Registry, tmp_path: Path) -> Iterator[VerdictSource]:
    with FactsReader(tmp_path / "registry.db") as reader:
        yield VerdictSource(reader, load(shipped_packs.text("minimal")), RegisteredPrograms(reader.programs()))


@pytest.fixture
def cache(source: VerdictSource) -> VerdictCache:
    made = VerdictCache("host")
    made.advance(1, source)
    return made


def subject(
    fsuid: int,
    loginuid: int | None = None,
    executable: bytes = b"/bin/cat",
    seen: Program | None = None,
    *,
    let_in: bool = True,
) -> Subject:
    return Subject(fsuid, loginuid, fsuid, 100, 100, executable, b"cat", program=seen, let_in=let_in)


OTHER = PROGRAM._replace(changed=PROGRAM.changed + 1)  # the same inode, written to
ELSEWHERE = PROGRAM._replace(device=PROGRAM.device + 1)  # the same numbers on another filesystem


@pytest.mark.parametrize(
    ("fsuid", "loginuid", "executable", "seen", "expected"),
    [
        (CLEARED, None, b"/bin/cat", None, Principals("E1", None, None, "")),
        (CLEARED, CLEARED, b"/bin/cat", None, Principals("E1", "E1", None, "")),
        (CLEARED, UNCLEARED, b"/bin/cat", None, Principals("E1", "E2", None, "")),
        (0, CLEARED, b"/bin/cat", None, Principals(None, "E1", None, "")),
        (0, UNCLEARED, b"/bin/cat", None, Principals(None, "E2", None, "")),
        (0, None, b"/bin/cat", None, Principals(None, None, None, "uid 0")),
        (0, 0, b"/bin/cat", None, Principals(None, None, None, "login uid 0")),
        (0, STRANGER, b"/bin/cat", None, Principals(None, None, None, f"login uid {STRANGER}")),
        (STRANGER, None, b"/bin/cat", None, Principals(None, None, None, f"uid {STRANGER}")),
        (STRANGER, CLEARED, b"/bin/cat", None, Principals(None, "E1", None, f"uid {STRANGER}")),
        (BACKUP, None, TOOL, PROGRAM, Principals(None, None, "backup", "")),
        (BACKUP, None, TOOL, None, Principals(None, None, None, f"uid {BACKUP}", verdicts.PROGRAM)),
        (BACKUP, None, TOOL, ELSEWHERE, Principals(None, None, None, f"uid {BACKUP}", verdicts.PROGRAM)),
        (BACKUP, None, TOOL, OTHER, Principals(None, None, None, f"uid {BACKUP}", verdicts.PROGRAM)),
        (BACKUP, None, TOOL + b" (deleted)", PROGRAM, Principals(None, None, None, f"uid {BACKUP}")),
        (BACKUP, None, b"/bin/sh", PROGRAM, Principals(None, None, None, f"uid {BACKUP}")),
        (BACKUP, UNCLEARED, TOOL, PROGRAM, Principals(None, "E2", "backup", "")),
        (0, None, TOOL, PROGRAM, Principals(None, None, None, "uid 0")),
    ],
)
def test_everybody_behind_an_open_is_found(
    source: VerdictSource,
    fsuid: int,
    loginuid: int | None,
    executable: bytes,
    seen: Program | None,
    expected: Principals,
) -> None:
    assert principals_of(source, fsuid, loginuid, executable, seen, True) == expected


def test_a_person_without_a_login_is_refused_where_logins_are_asked_for_unless_let_in(
    source: VerdictSource, cache: VerdictCache
) -> None:
    here, now = ("plans",), nanoseconds(NOW)
    for_trial = cache.ruling(subject(CLEARED, let_in=False), here, Action.OPEN, now)
    assert for_trial.passes
    asking = RegisteredPrograms(asks_logins=True)
    cache.advance(2, source._replace(programs=asking))
    refused = cache.ruling(subject(CLEARED, let_in=False), here, Action.OPEN, now)
    assert (refused.passes, refused.rule) == (False, "no-login")
    assert json.loads(b"{%b}" % refused.fields)["person"] == "E1"
    assert cache.ruling(subject(CLEARED), here, Action.OPEN, now).passes
    assert cache.ruling(subject(CLEARED, CLEARED, let_in=False), here, Action.OPEN, now).passes
    assert cache.ruling(subject(UNCLEARED, let_in=False), ("watch",), Action.OPEN, now).passes  # only observed


def test_a_service_whose_hash_is_asked_for_is_refused_until_it_was_read(source: VerdictSource) -> None:
    rows = [row._replace(sha256="5" * 64) for row in source.reader.programs()]
    asking = source._replace(programs=RegisteredPrograms(rows))
    who = (BACKUP, None, TOOL, PROGRAM, True)
    assert principals_of(asking, *who).refused is verdicts.PROGRAM
    assert principals_of(asking._replace(hashed=frozenset({("backup", OTHER)})), *who).service is None
    assert principals_of(asking._replace(hashed=frozenset({("backup", PROGRAM)})), *who).service == "backup"


def test_a_service_that_nobody_has_looked_at_is_nobody(source: VerdictSource) -> None:
    rows = [row._replace(inode=None, changed=None, size=None) for row in source.reader.programs()]
    asking = source._replace(programs=RegisteredPrograms(rows))
    assert principals_of(asking, BACKUP, None, TOOL, PROGRAM, True).refused is verdicts.PROGRAM


@pytest.mark.parametrize(
    ("who", "areas", "passes"),
    [
        (subject(CLEARED), ("plans",), True),
        (subject(UNCLEARED), ("plans",), False),
        (subject(CLEARED, UNCLEARED), ("plans",), False),
        (subject(0, CLEARED), ("plans",), True),
        (subject(0, UNCLEARED), ("plans",), False),
        (subject(0), ("plans",), False),
        (subject(STRANGER, CLEARED), ("plans",), False),
        (subject(BACKUP, None, TOOL, PROGRAM), ("plans",), True),
        (subject(BACKUP, None, TOOL, PROGRAM), ("notes",), False),
        (subject(BACKUP, UNCLEARED, TOOL, PROGRAM), ("plans",), False),
        (subject(BACKUP), ("plans",), False),
        (subject(UNCLEARED), ("notes",), True),
        (subject(UNCLEARED), ("notes", "plans"), False),
        (subject(UNCLEARED), ("plans", "notes"), False),
        (subject(CLEARED), ("plans", "notes"), True),
        (subject(CLEARED), ("?",), False),
        (subject(UNCLEARED), ("watch",), True),
        (subject(UNCLEARED), ("watch", "plans"), False),
    ],
)
def test_everybody_and_every_area_must_allow(
    cache: VerdictCache, who: Subject, areas: tuple[str, ...], passes: bool
) -> None:
    assert cache.ruling(who, areas, Action.OPEN, nanoseconds(NOW)).passes is passes


def test_observe_lets_pass_and_records_the_deny(cache: VerdictCache) -> None:
    ruling = cache.ruling(subject(UNCLEARED), ("watch",), Action.OPEN, nanoseconds(NOW))
    fields = json.loads(b"{%b}" % ruling.fields)
    assert (ruling.passes, fields["verdict"], fields["enforced"], fields["rule"]) == (True, "deny", False, "level")


def test_a_verdict_is_not_kept_beyond_its_until(registry: Registry, cache: VerdictCache, source: VerdictSource) -> None:
    end = NOW + timedelta(hours=1)
    with registry.change(NOW) as change:
        change.grants.add("E2", "plans", reason="help", approver="officer", until=end, temporary=True)
    cache.advance(2, source)
    who = subject(CLEARED)
    assert cache.ruling(who, ("plans",), Action.OPEN, nanoseconds(NOW)).until > nanoseconds(end)
    with registry.change(NOW) as change:
        change.grants.end("G000001", by="officer", reason="over")
        change.grants.add("E1", "plans", reason="work", approver="officer", until=end)
    cache.advance(3, source)
    assert cache.ruling(who, ("plans",), Action.OPEN, nanoseconds(end) - 1000).passes
    assert not cache.ruling(who, ("plans",), Action.OPEN, nanoseconds(end)).passes


def test_after_a_new_epoch_no_older_verdict_is_used(
    registry: Registry, cache: VerdictCache, source: VerdictSource
) -> None:
    who = subject(CLEARED)
    assert cache.ruling(who, ("plans",), Action.OPEN, nanoseconds(NOW)).passes
    with registry.change(NOW) as change:
        change.holds.add("E1", reason="stop")
    cache.advance(2, source)
    assert not cache.ruling(who, ("plans",), Action.OPEN, nanoseconds(NOW)).passes


def test_whose_a_uid_is_is_asked_once_an_epoch_and_anew_in_the_next(
    registry: Registry, cache: VerdictCache, source: VerdictSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = FactsReader.person_of_uid

    def counted(reader: FactsReader, uid: int) -> str | None:
        asked.append(uid)
        return real(reader, uid)

    monkeypatch.setattr(FactsReader, "person_of_uid", counted)
    who = subject(CLEARED)
    for area in ("plans", "notes", "watch"):
        assert cache.ruling(who, (area,), Action.OPEN, nanoseconds(NOW)).allow
    assert asked == [CLEARED]
    with registry.change(NOW) as change:
        change.accounts.remove(CLEARED)
        change.accounts.add(CLEARED, "E2")
    cache.advance(2, source)
    ruling = cache.ruling(who, ("plans",), Action.OPEN, nanoseconds(NOW))
    assert (ruling.allow, json.loads(b"{%b}" % ruling.fields)["person"]) == (False, "E2")


def test_without_a_source_everything_is_denied_and_says_why(cache: VerdictCache) -> None:
    cache.advance(2, None, FatalError(Text("the registry is damaged", "登记库已损坏")))
    ruling = cache.ruling(subject(CLEARED), ("plans",), Action.OPEN, nanoseconds(NOW))
    fields = json.loads(b"{%b}" % ruling.fields)
    assert (ruling.passes, fields["rule"]) == (False, "error")
    assert "damaged" in en(fields["reason"])


class Broken:
    """A reader whose every answer is an error."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def test_an_error_while_a_verdict_is_made_is_a_deny_that_lasts_a_second(
    cache: VerdictCache, source: VerdictSource
) -> None:
    cache.advance(2, source._replace(reader=Broken()))  # type: ignore[arg-type]
    now = nanoseconds(NOW)
    ruling = cache.ruling(subject(CLEARED), ("plans",), Action.OPEN, now)
    assert (ruling.passes, ruling.rule, ruling.until - now) == (False, "error", 1_000_000_000)
