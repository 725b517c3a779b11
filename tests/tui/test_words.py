"""No code reaches a Chinese screen: every place, every row, every form and every page of a site with everything in it.

Rules of this file: a word of Latin letters on a Chinese screen is a name of the site, a key, the id of a rule or a
clause, a command in backticks, or stands in :data:`TERMS` with a reason. Everything else is a code nobody translated.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

import pytest
from textual.screen import ModalScreen
from textual.widgets import Input

from agent.api.operations import TABLE
from agent.api.roles import Role
from agent.disks.holders import How
from agent.offboard.intake.notice import HrEvent
from agent.offboard.plan import PARTLY, Cause
from agent.offboard.progress import TITLES, titles
from agent.offboard.warning.mail import Mailed
from agent.presentation import terms as labels
from agent.registry.rows.badges import BadgeState
from agent.registry.rows.boards import CardState, Wanted
from agent.registry.store import Registry
from agent.rooms.panel.effects import AlarmKind, RecordEntry, Settled
from rules.model import Action, DepartureStage, Employment, Level, Mode, Passback
from rules.pack.catalogue import rules_of
from rules.pack.reader import load
from rules.text import Language
from tests.control.site import Site, running
from tests.sentences import en, zh
from tests.tui.everything import FOLDERS, entries, everything
from tests.tui.kit import Walk, journey
from tests.tui.site import furnished
from tui.actions import key_of
from tui.keys import PLACES, actions_at, actions_of
from tui.keys.shape import KeyAction as Act
from tui.render import entry as entry_page
from tui.render import entry_columns
from tui.render.cells import words_of

NOT_TRIED = {
    "rules.text": "the pack as it was written",
    "log.export": "tells the name of a file, which is tried where it is written",
    "home.open": "leads elsewhere",
    "system.key": "a key in its own letters",
}
OPERATIONS = {word for name in TABLE for word in (name, *name.split("."))}
SIZE = (160, 70)  # nothing is cut, nothing has to be scrolled to
WORD = re.compile(r"[A-Za-z][A-Za-z_-]*[A-Za-z]")
CUT = re.compile(r"\S+(?=[╭╰])|(?<=[╮╯│])\S+")  # what a box leaves of a word behind it
QUOTED = re.compile(r"`[^`]*`|\S*…\S*|shoumi [^\u2e80-\uffef]*|https?://\S+")
NAMES = re.compile(r"/[\w./-]+|\b[EGHRCALVS]\d+\b|\bD\d\d-[\w.-]+|\w+@[0-9a-f]{6,}|osdp\S*|\b[0-9a-f]{8,}\b|\d\w*")
TERMS = {
    "uid", "gid", "root", "PIN", "JSON", "TOML", "CSV", "SHA", "UTC", "OSC", "IPv", "MIN", "Linux", "ACL", "URL",
    "kill", "power", "process",  # durability: what stands in config.toml, beside what it means
    "osdp", "GiB", "at", "cron", "systemd", "sudo", "ssh", "SSH", "Samba", "Kerberos", "Ed25519",
    "LUKS", "UUID", "PAM", "CAP_SYS_PTRACE", "nosuid", "nodev",
    "groupadd", "shoumi-system", "shoumi-security", "shoumi-auditor", "config", "toml", "roles",
    "Enter", "Esc", "Tab", "PgUp", "PgDn", "Home", "End", "Shift", "esc", "enter",
    "person", "area", "verdict", "deny", "kind", "rule", "act", "level", "access", "start",  # what is typed behind `/`
    "own", "no", "all",  # likewise
    "plans", "archive", "vault", "Ann", "Lee", "backup", "minimal", "company", "state", "commercial", "guest",
}  # fmt: skip


@pytest.fixture
def lived_in(tmp_path_factory: pytest.TempPathFactory, zone: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("w")
    monkeypatch.setenv("XDG_DATA_HOME", str(root / "data"))
    home = furnished(root / "home", "state")
    with Registry(home.registry) as registry, registry.change(datetime.now(UTC)) as change:
        everything(change)
    with running(home.root) as site:
        with site.client() as client:
            client.call("case.open", person="E1002", last_day="2099-12-31")
            for approver in ("M1", "M2", "M3", "M4", "M5"):
                client.call("case.approve", person="E1002", by=approver)
            client.call("hold.add", person="E1003", reason="审查")
            client.call("case.open", person="E1003", last_day="2099-12-31", kind="retirement")
        yield site


def test_every_code_there_is_has_a_word() -> None:
    families = (
        (labels.ALARMS, AlarmKind), (labels.ACTIONS, Action), (labels.EMPLOYMENTS, Employment),
        (labels.PASSBACKS, Passback), (labels.MODES, Mode), (labels.ROLES, Role),
        (labels.BADGES, get_args(BadgeState)), (labels.YES_NO, ("yes", "no")),
        (labels.CARDS, (*get_args(Wanted), *get_args(CardState))),
        (labels.STAGES, [stage.value for stage in DepartureStage]),
        (labels.RELEASES, get_args(Settled.__annotations__["outcome"])),
        (labels.HOW, get_args(RecordEntry.__annotations__["how"])), (labels.REVOCATIONS, TITLES),
        (labels.CAUSES, Cause), (labels.FILED, FOLDERS), (labels.HR_EVENTS, HrEvent), (labels.MAILED, Mailed),
        (labels.HELD, get_args(How)),
        (labels.LEVELS, [level.word for level in Level]),
        (labels.CHOICES, [choice for one in TABLE.values() for param in one.params for choice in param.choices]),
    )  # fmt: skip
    for family, codes in families:
        assert not [code for code in map(str, codes) if code not in family]
    assert {code: labels.REVOCATIONS[code] for code in TITLES} == TITLES
    assert {cause for cause in Cause if cause in labels.KEEPING} == PARTLY
    for cause in Cause:
        named = {code: labels.revocation_step({"step": code, "cause": cause}) for code in TITLES}
        assert named == titles(cause)
    assert not [text for family, _ in families for text in family.values() if not (en(text) and zh(text))]


def test_a_code_nobody_knows_is_shown_as_it_is() -> None:
    assert en(labels.word(labels.ALARMS, "new\x1b")) == zh(labels.word(labels.ALARMS, "new\x1b")) == "new\\x1b"


def test_every_kind_of_entry_has_a_sample() -> None:
    assert {entry["kind"] for entry in entries()} == {*labels.ENTRIES}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_entry_says_why_and_names_each_of_its_fields(language: Language) -> None:
    for entry in entries():
        why = "".join(words_of(piece, language) for piece in entry_page.explained(entry, {}))
        assert not entry.get("reason") or entry["reason"][language] in why, entry  # type: ignore[index]
        if entry["kind"] not in ("act", "read"):
            pieces = [words_of(piece, language) for piece in entry_page.fields({**entry, "facts": {}})]
            assert not [piece for piece in pieces if "_" in QUOTED.sub("", piece)], entry


def test_no_code_of_an_entry_is_shown() -> None:
    for entry in entries():
        pieces = (*entry_page.explained(entry, {}), *entry_page.fields(entry))
        pieces += (entry_columns.event_of(entry), entry_columns.verdict(entry), entry_columns.object_of(entry))
        assert not codes(" ".join(words_of(piece, "zh") for piece in pieces), TERMS | OPERATIONS), entry


@pytest.mark.parametrize("rows", [1, pytest.param(8, marks=pytest.mark.long)])
def test_no_code_reaches_a_chinese_screen(lived_in: Site, rows: int) -> None:
    """The long form opens more rows, and everything that can be done in every place."""
    pack = load(lived_in.home.pack.read_text(encoding="utf-8"))
    rules = {part for rule in rules_of(pack) for part in (rule.id, *rule.id.split("-"))}
    keys = {key_of(action, {}) for place in PLACES for action in actions_at(place)}
    known = TERMS | OPERATIONS | rules | keys | {os.uname().nodename, "test"}  # hosts
    found: dict[str, str] = {}

    async def walk(t: Walk) -> None:
        await t.settled()
        for place in PLACES:
            await t.go(place)
            look(t, place)
            await every_row(t, place)
            for action in actions_of(place) if rows > 1 else ():
                if action.id not in NOT_TRIED:
                    await try_out(t, place, action)

    async def every_row(t: Walk, place: str) -> None:
        await t.press("home", "enter")
        for _ in range(rows):
            await quiet(t)
            look(t, f"{place} enter")
            await t.press("down")
        await back(t, place)

    async def try_out(t: Walk, place: str, action: Act) -> None:
        await t.press(action.key.partition(",")[0])
        await quiet(t)
        look(t, action.id)
        await back(t, place)

    async def back(t: Walk, place: str) -> None:
        while isinstance(t.terminal.screen, ModalScreen) or isinstance(t.terminal.screen.focused, Input):
            await t.press("escape")
            await quiet(t)
        if getattr(t.terminal.screen, "PLACE", "") != place:
            await t.go(place)
        t.terminal.clear_notifications()

    async def quiet(t: Walk) -> None:
        await t.pilot.pause()
        await t.until(
            lambda: (
                isinstance(t.terminal.screen, ModalScreen)
                or all(one.is_finished for one in t.terminal.workers if one.group not in {"watch", "new", "works"})
            )
        )

    def look(t: Walk, where: str) -> None:
        seen = t.text().splitlines()
        if isinstance(t.terminal.screen, ModalScreen):
            seen = [CUT.sub(" ", line) for line in seen[1:-1]]
        for line in [*seen, *t.told()]:
            for word in codes(line, known):
                found.setdefault(word, f"{where}: {line.strip()}")

    journey(lived_in, walk, "zh", SIZE)
    assert not found, "\n".join(f"{word}: {where}" for word, where in found.items())


def codes(line: str, known: set[str]) -> list[str]:
    plain = NAMES.sub(" ", QUOTED.sub(" ", line))
    return [word for word in WORD.findall(plain) if word not in known]
