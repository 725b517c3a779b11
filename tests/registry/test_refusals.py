"""What the registry does not take: each refused before anything is written, in both languages, with a hint."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.store import Registry
from rules.model import Clearance, Level, Mode, RoomSettings, Scope
from tests.sentences import en, zh

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)  # the instant of the fixtures
DAY = timedelta(days=1)
CORE = Clearance("state", Level.SECRET, label="核心", approved_by="E2")


def temporary(change: RegistryTransaction, **given: object) -> str:
    chosen: dict[str, object] = {"until": NOW + 90 * DAY, "max_days": 90} | given
    return change.grants.add("E1", "plans", reason="项目甲", approver="E2", temporary=True, **chosen)  # type: ignore[arg-type]


def grant(change: RegistryTransaction, **given: object) -> str:
    chosen: dict[str, object] = {"person": "E1", "resource": "plans", "reason": "项目甲", "approver": "E2"} | given
    return change.grants.add(**chosen)  # type: ignore[arg-type]


def area(change: RegistryTransaction, **given: object) -> None:
    chosen: dict[str, object] = {"area": "new", "path": "/srv/new", "level": Level.SECRET, "domain": "state"} | given
    change.areas.add(**chosen)  # type: ignore[arg-type]


REFUSED: dict[str, tuple[Callable[[RegistryTransaction], object], str]] = {
    "person twice": (lambda c: c.people.add("E1"), r"registry.already-exists.*common.person.*E1"),
    "person without id": (lambda c: c.people.add(""), r"registry.invalid-identifier.*common.person"),
    "person with a blank id": (lambda c: c.people.add(" E3"), r"registry.invalid-identifier.*common.person"),
    "person like an option": (lambda c: c.people.add("-E3"), r"registry.invalid-identifier.*common.person"),
    "person that looks like another": (
        lambda c: c.people.add("E1\u200b"),
        r"registry.invalid-identifier.*E1\\u200b.*common.person",
    ),
    "person with an escape in the id": (
        lambda c: c.people.add("E\x1b[2J"),
        r"registry.invalid-identifier.*E\\x1b\[2J.*common.person",
    ),
    "person with half a character": (
        lambda c: c.people.add("E3", name="\ud800"),
        r"registry.invalid-text.*common.name.*ud800",
    ),
    "person with a novel for a name": (lambda c: c.people.add("E3", name="x" * 2_001), r"registry.text-too-long.*2001"),
    "change of a stranger": (lambda c: c.people.set("E9", name="x"), r"registry.not-found.*common.person.*E9"),
    "post of a stranger": (lambda c: c.people.change_post("E9"), r"registry.not-found.*common.person.*E9"),
    "clearance of a stranger": (lambda c: c.people.set_clearance("E9", CORE), r"registry.not-found.*common.person.*E9"),
    "own clearance": (lambda c: c.people.set_clearance("E2", CORE), r"registry.own-level-approval"),
    "clearance without domain": (
        lambda c: c.people.set_clearance("E1", replace(CORE, domain="")),
        r"registry.invalid-identifier.*common.domain",
    ),
    "uid twice": (lambda c: c.accounts.add(61001, "E2"), r"registry.already-taken.*common.account.*61001.*E1"),
    "uid of root": (lambda c: c.accounts.add(0, "E1", allow_system=True), r"registry.uid-0-not-allowed"),
    "uid of nobody": (lambda c: c.accounts.add(65534, "E1", allow_system=True), r"registry.uid-not-specific.*65534"),
    "uid that is unset": (lambda c: c.accounts.add(4294967295, "E1"), r"registry.uid-not-specific.*4294967295"),
    "uid below zero": (lambda c: c.accounts.add(-1, "E1"), r"registry.uid-not-specific.*-1"),
    "uid beyond 32 bits": (lambda c: c.accounts.add(2**64, "E1"), r"registry.uid-not-specific"),
    "uid of the system": (lambda c: c.accounts.add(999, "E1"), r"registry.uid-system-account.*999"),
    "uid of a service": (
        lambda c: (c.services.add("s", uid=70000, executable="/b"), c.accounts.add(70000, "E1")),
        "ser",
    ),
    "account of a stranger": (lambda c: c.accounts.add(61009, "E9"), r"registry.not-found.*common.person.*E9"),
    "account not there": (lambda c: c.accounts.remove(61009), r"registry.not-found.*common.account.*61009"),
    "badge twice": (lambda c: c.badges.add("4660", "E2"), r"registry.already-taken.*common.badge.*4660.*E1"),
    "badge not there": (lambda c: c.badges.remove("1"), r"registry.not-found.*common.badge.*name='1'"),
    "service twice": (
        lambda c: c.services.add("backup", uid=0, executable="/b"),
        r"registry.already-exists.*common.service.*backup",
    ),
    "service program twice": (
        lambda c: c.services.add("b2", uid=0, executable="/usr/bin/tar"),
        r"registry.already-taken.*backup",
    ),
    "service by name": (lambda c: c.services.add("s", uid=0, executable="tar"), r"registry.invalid-path.*tar"),
    "service of a person's uid": (
        lambda c: c.services.add("s", uid=61001, executable="/b"),
        r"registry.uid-taken.*common.person",
    ),
    "service in no area": (
        lambda c: c.services.set("backup", areas=["none"]),
        r"registry.not-found.*registry.area.*none",
    ),
    "service in a room": (
        lambda c: c.services.set("backup", areas=["vault"]),
        r"registry.not-found.*registry.area.*vault",
    ),
    "service not there": (lambda c: c.services.remove("s"), r"registry.not-found.*common.service.*name='s'"),
    "area twice": (lambda c: area(c, area="plans"), r"registry.already-exists.*registry.area-or-room.*plans"),
    "area named like a room": (
        lambda c: area(c, area="vault"),
        r"registry.already-exists.*registry.area-or-room.*vault",
    ),
    "area named like a path": (lambda c: area(c, area="/srv"), r"registry.invalid-identifier.*registry.area"),
    "area where one is": (lambda c: area(c, path="/srv/vol/plans"), r"registry.already-taken.*owner='plans'"),
    "area at a relative path": (lambda c: area(c, path="srv"), r"registry.invalid-path"),
    "area at a path with dots": (lambda c: area(c, path="/srv/../etc"), r"registry.invalid-path"),
    "area at a path with a slash": (lambda c: area(c, path="/srv/"), r"registry.invalid-path"),
    "area at a path with NUL": (lambda c: area(c, path="/srv/\0"), r"registry.invalid-path"),
    "area at a path too long": (lambda c: area(c, path="/" + "长" * 1_365), r"registry.invalid-path"),
    "area with an unknown custodian": (lambda c: area(c, custodian="E9"), r"registry.not-found.*common.person.*E9"),
    "area for unknown persons": (
        lambda c: area(c, scope=Scope(frozenset({"E9"}))),
        r"registry.not-found.*common.person.*E9",
    ),
    "observing until confirmed": (
        lambda c: c.areas.set_mode("plans", Mode.OBSERVE, confirm_by=NOW),
        r"registry.only-enforce-mode-is-confirmed",
    ),
    "confirming nothing": (lambda c: c.areas.confirm_enforce("plans"), r"registry.no-mode-change-pending"),
    "room rules of an area": (lambda c: c.rooms.set("plans", None), r"registry.not-found.*registry.room.*plans"),  # type: ignore[arg-type]
    "room somewhere that takes a book to tell": (
        lambda c: c.rooms.set("vault", None, settings=RoomSettings(location="楼" * 2_001)),
        r"registry.text-too-long.*common.location.*2001",
    ),
    "removing no area": (lambda c: c.areas.remove("vault"), r"registry.not-found.*registry.area.*vault"),
    "removing no room": (lambda c: c.rooms.remove("plans"), r"registry.not-found.*registry.room.*plans"),
    "grant to a stranger": (lambda c: grant(c, person="E9"), r"registry.not-found.*common.person.*E9"),
    "grant to nowhere": (lambda c: grant(c, resource="none"), r"registry.not-found.*registry.area-or-room.*none"),
    "grant for no reason": (lambda c: grant(c, reason=" \t\n"), r"registry.text-missing.*registry.reason"),
    "grant by nobody": (lambda c: grant(c, approver=""), r"registry.text-missing.*registry.approver"),
    "grant to oneself": (lambda c: grant(c, approver="E1"), r"registry.own-access-grant"),
    "grant that ends first": (lambda c: grant(c, since=NOW + DAY, until=NOW + DAY), r"registry.grant-end-before-start"),
    "grant that is over": (lambda c: grant(c, since=NOW - 2 * DAY, until=NOW), r"registry.grant-end-before-start"),
    "temporary without end": (lambda c: temporary(c, until=None), r"registry.temporary-grant-needs-end"),
    "temporary for too long": (
        lambda c: temporary(c, until=NOW + 90 * DAY + timedelta(microseconds=1)),
        r"registry.temporary-grant-too-long.*90",
    ),
    "temporary renewed": (
        lambda c: (temporary(c), temporary(c, since=NOW + 90 * DAY, until=NOW + 91 * DAY, renewable=False)),
        r"registry.temporary-grant-not-renewable.*G000001",
    ),
    "temporary renewed after the day": (
        lambda c: (temporary(c), temporary(c, since=NOW + 179 * DAY, until=NOW + 180 * DAY, renewable=False)),
        r"registry.temporary-grant-not-renewable",
    ),
    "grant ended twice": (
        lambda c: (c.grants.end(grant(c)), c.grants.end("G000001")),
        r"registry.grant-already-ended.*G000001",
    ),
    "grant not there": (lambda c: c.grants.end("G000777"), r"registry.not-found.*common.grant.*G000777"),
    "grant by another number": (lambda c: c.grants.end("H000001"), r"registry.invalid-number.*common.grant"),
    "grant by digits of elsewhere": (lambda c: c.grants.end("G００００01"), r"registry.invalid-number.*common.grant"),
    "grant beyond counting": (lambda c: c.grants.end("G" + "9" * 19), r"registry.invalid-number.*common.grant"),
    "hold on a stranger": (lambda c: c.holds.add("E9", reason="x"), r"registry.not-found.*common.person.*E9"),
    "hold without reason": (lambda c: c.holds.add("E1", reason=""), r"registry.text-missing.*registry.reason"),
    "hold lifted by its person": (
        lambda c: c.holds.lift(c.holds.add("E1", reason="x"), by="E1"),
        r"registry.own-hold-lift",
    ),
    "hold lifted twice": (
        lambda c: (c.holds.lift(c.holds.add("E1", reason="x")), c.holds.lift("H000001")),
        r"registry.hold-already-lifted",
    ),
    "hold not there": (lambda c: c.holds.lift("H000001"), r"registry.not-found.*common.hold"),
    "departure of a stranger": (lambda c: c.departures.add("E9"), r"registry.not-found.*common.person.*E9"),
    "departure not there": (lambda c: c.departures.set("D000001"), r"registry.not-found.*registry.departure"),
    "record of a stranger": (
        lambda c: c.records.add("E9", "vetting", on=NOW),
        r"registry.not-found.*common.person.*E9",
    ),
    "record of no kind": (
        lambda c: c.records.add("E1", "", on=NOW),
        r"registry.invalid-identifier.*common.kind-record",
    ),
    "record that ends first": (
        lambda c: c.records.add("E1", "exam", on=NOW, valid_until=NOW),
        r"registry.record-end-before-start",
    ),
    "record not there": (lambda c: c.records.void("R000001", reason="x"), r"registry.not-found.*registry.record"),
    "record void for no reason": (
        lambda c: c.records.void(c.records.add("E1", "exam", on=NOW), reason=""),
        r"registry.text-missing.*registry.reason",
    ),
    "holiday not there": (lambda c: c.holidays.remove(NOW.date()), r"registry.holiday-not-found.*2026-11-02"),
    "setting without name": (lambda c: c.settings.set("", "x"), r"registry.invalid-identifier.*registry.setting"),
    "date beyond the calendar": (
        lambda c: grant(c, until=datetime.max.replace(tzinfo=timezone(-DAY / 2))),
        r"registry.date-out-of-range",
    ),
}


@pytest.mark.parametrize(("attempt", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_sentence_in_both_languages_and_a_hint(
    site: Registry, reader: FactsReader, attempt: Callable[[RegistryTransaction], object], said: str
) -> None:
    with pytest.raises(RefusedError, match=said) as refused, site.change(NOW) as change:
        attempt(change)
    text, hint = refused.value.text, refused.value.hint
    assert hint is not None
    for sentence in (en(text), zh(text), en(hint), zh(hint)):
        assert sentence.strip()
        assert sentence.isprintable()
    assert en(text)[0] != en(text)[0].upper() or not en(text)[0].isalpha()
    assert zh(text) != en(text)
    assert reader.epoch() == 1


ALLOWED: dict[str, Callable[[RegistryTransaction], object]] = {
    "system uid when asked for": lambda c: c.accounts.add(999, "E1", allow_system=True),
    "several uids of one person": lambda c: (c.accounts.add(61002, "E1"), c.accounts.add(61003, "E1")),
    "a uid after it was removed": lambda c: (c.accounts.remove(61001), c.accounts.add(61001, "E2")),
    "one executable under two uids": lambda c: c.services.add("b2", uid=34, executable="/usr/bin/tar"),
    "a level taken away by oneself": lambda c: c.people.set_clearance(
        "E1", Clearance("state", Level.NONE, approved_by="E1")
    ),
    "temporary for all the days there are": temporary,
    "temporary renewed where the pack allows": lambda c: (temporary(c), temporary(c)),
    "temporary again after a rest": lambda c: (
        temporary(c),
        temporary(c, since=NOW + 180 * DAY, until=NOW + 270 * DAY, renewable=False),
    ),
    "temporary elsewhere": lambda c: (
        temporary(c),
        grant(c, resource="vault", temporary=True, until=NOW + DAY, max_days=90, renewable=False),
    ),
    "a grant in another zone": lambda c: grant(c, until=NOW.astimezone(timezone(timedelta(hours=8))) + DAY),
    "a hold on the held": lambda c: (c.holds.add("E1", reason="x"), c.holds.add("E1", reason="x")),
    "the longest path there is": lambda c: area(c, path="/" + "长" * 1_364 + "xx"),
    "the last instant there is": lambda c: grant(c, until=datetime.max.replace(tzinfo=UTC)),
}


@pytest.mark.parametrize("attempt", ALLOWED.values(), ids=ALLOWED.keys())
def test_allowed(site: Registry, reader: FactsReader, attempt: Callable[[RegistryTransaction], object]) -> None:
    with site.change(NOW) as change:
        attempt(change)
    assert reader.epoch() == 2
