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
    "person twice": (lambda c: c.people.add("E1"), "person `E1` exists already"),
    "person without id": (lambda c: c.people.add(""), "cannot name a person"),
    "person with a blank id": (lambda c: c.people.add(" E3"), "cannot name a person"),
    "person like an option": (lambda c: c.people.add("-E3"), "cannot name a person"),
    "person that looks like another": (lambda c: c.people.add("E1\u200b"), r"`E1\\u200b` cannot name a person"),
    "person with an escape in the id": (lambda c: c.people.add("E\x1b[2J"), r"`E\\x1b\[2J` cannot name a person"),
    "person with half a character": (lambda c: c.people.add("E3", name="\ud800"), "name `.ud800` is not valid text"),
    "person with a novel for a name": (lambda c: c.people.add("E3", name="x" * 2_001), "2001 characters"),
    "change of a stranger": (lambda c: c.people.set("E9", name="x"), "there is no person `E9`"),
    "post of a stranger": (lambda c: c.people.change_post("E9"), "there is no person `E9`"),
    "clearance of a stranger": (lambda c: c.people.set_clearance("E9", CORE), "there is no person `E9`"),
    "own clearance": (lambda c: c.people.set_clearance("E2", CORE), "nobody approves his own level"),
    "clearance without domain": (
        lambda c: c.people.set_clearance("E1", replace(CORE, domain="")),
        "cannot name a domain",
    ),
    "uid twice": (lambda c: c.accounts.add(61001, "E2"), "account `61001` exists already and belongs to `E1`"),
    "uid of root": (lambda c: c.accounts.add(0, "E1", allow_system=True), "uid 0 belongs to nobody"),
    "uid of nobody": (lambda c: c.accounts.add(65534, "E1", allow_system=True), "uid 65534 stands for no particular"),
    "uid that is unset": (lambda c: c.accounts.add(4294967295, "E1"), "uid 4294967295 stands for no particular"),
    "uid below zero": (lambda c: c.accounts.add(-1, "E1"), "uid -1 stands for no particular"),
    "uid beyond 32 bits": (lambda c: c.accounts.add(2**64, "E1"), "stands for no particular"),
    "uid of the system": (lambda c: c.accounts.add(999, "E1"), "uid 999 is a system account"),
    "uid of a service": (
        lambda c: (c.services.add("s", uid=70000, executable="/b"), c.accounts.add(70000, "E1")),
        "ser",
    ),
    "account of a stranger": (lambda c: c.accounts.add(61009, "E9"), "there is no person `E9`"),
    "account not there": (lambda c: c.accounts.remove(61009), "there is no account `61009`"),
    "badge twice": (lambda c: c.badges.add("4660", "E2"), "badge `4660` exists already and belongs to `E1`"),
    "badge not there": (lambda c: c.badges.remove("1"), "there is no badge `1`"),
    "service twice": (lambda c: c.services.add("backup", uid=0, executable="/b"), "service `backup` exists already"),
    "service program twice": (lambda c: c.services.add("b2", uid=0, executable="/usr/bin/tar"), "belongs to `backup`"),
    "service by name": (lambda c: c.services.add("s", uid=0, executable="tar"), "`tar` is not a path"),
    "service of a person's uid": (lambda c: c.services.add("s", uid=61001, executable="/b"), "belongs to the person"),
    "service in no area": (lambda c: c.services.set("backup", areas=["none"]), "there is no area `none`"),
    "service in a room": (lambda c: c.services.set("backup", areas=["vault"]), "there is no area `vault`"),
    "service not there": (lambda c: c.services.remove("s"), "there is no service `s`"),
    "area twice": (lambda c: area(c, area="plans"), "area or room `plans` exists already"),
    "area named like a room": (lambda c: area(c, area="vault"), "area or room `vault` exists already"),
    "area named like a path": (lambda c: area(c, area="/srv"), "cannot name a area"),
    "area where one is": (lambda c: area(c, path="/srv/vol/plans"), "belongs to `plans`"),
    "area at a relative path": (lambda c: area(c, path="srv"), "is not a path"),
    "area at a path with dots": (lambda c: area(c, path="/srv/../etc"), "is not a path"),
    "area at a path with a slash": (lambda c: area(c, path="/srv/"), "is not a path"),
    "area at a path with NUL": (lambda c: area(c, path="/srv/\0"), "is not a path"),
    "area at a path too long": (lambda c: area(c, path="/" + "长" * 1_365), "is not a path"),
    "area with an unknown custodian": (lambda c: area(c, custodian="E9"), "there is no person `E9`"),
    "area for unknown persons": (lambda c: area(c, scope=Scope(frozenset({"E9"}))), "there is no person `E9`"),
    "observing until confirmed": (
        lambda c: c.areas.set_mode("plans", Mode.OBSERVE, confirm_by=NOW),
        "only enforce mode",
    ),
    "confirming nothing": (lambda c: c.areas.confirm_enforce("plans"), "nothing waits"),
    "room rules of an area": (lambda c: c.rooms.set("plans", None), "there is no room `plans`"),  # type: ignore[arg-type]
    "room somewhere that takes a book to tell": (
        lambda c: c.rooms.set("vault", None, settings=RoomSettings(location="楼" * 2_001)),
        "the location has 2001 characters",
    ),
    "removing no area": (lambda c: c.areas.remove("vault"), "there is no area `vault`"),
    "removing no room": (lambda c: c.rooms.remove("plans"), "there is no room `plans`"),
    "grant to a stranger": (lambda c: grant(c, person="E9"), "there is no person `E9`"),
    "grant to nowhere": (lambda c: grant(c, resource="none"), "there is no area or room `none`"),
    "grant for no reason": (lambda c: grant(c, reason=" \t\n"), "the reason is missing"),
    "grant by nobody": (lambda c: grant(c, approver=""), "the approver is missing"),
    "grant to oneself": (lambda c: grant(c, approver="E1"), "nobody grants access to himself"),
    "grant that ends first": (lambda c: grant(c, since=NOW + DAY, until=NOW + DAY), "end before it begins"),
    "grant that is over": (lambda c: grant(c, since=NOW - 2 * DAY, until=NOW), "end before it begins"),
    "temporary without end": (lambda c: temporary(c, until=None), "needs an end"),
    "temporary for too long": (
        lambda c: temporary(c, until=NOW + 90 * DAY + timedelta(microseconds=1)),
        "lasts 90 days at most",
    ),
    "temporary renewed": (
        lambda c: (temporary(c), temporary(c, since=NOW + 90 * DAY, until=NOW + 91 * DAY, renewable=False)),
        "not renewed, and G000001 came before",
    ),
    "temporary renewed after the day": (
        lambda c: (temporary(c), temporary(c, since=NOW + 179 * DAY, until=NOW + 180 * DAY, renewable=False)),
        "not renewed",
    ),
    "grant ended twice": (lambda c: (c.grants.end(grant(c)), c.grants.end("G000001")), "grant `G000001` ended at"),
    "grant not there": (lambda c: c.grants.end("G000777"), "there is no grant `G000777`"),
    "grant by another number": (lambda c: c.grants.end("H000001"), "is not the number of a grant"),
    "grant by digits of elsewhere": (lambda c: c.grants.end("G００００01"), "is not the number of a grant"),
    "grant beyond counting": (lambda c: c.grants.end("G" + "9" * 19), "is not the number of a grant"),
    "hold on a stranger": (lambda c: c.holds.add("E9", reason="x"), "there is no person `E9`"),
    "hold without reason": (lambda c: c.holds.add("E1", reason=""), "the reason is missing"),
    "hold lifted by its person": (lambda c: c.holds.lift(c.holds.add("E1", reason="x"), by="E1"), "lifts his own hold"),
    "hold lifted twice": (
        lambda c: (c.holds.lift(c.holds.add("E1", reason="x")), c.holds.lift("H000001")),
        "was lifted",
    ),
    "hold not there": (lambda c: c.holds.lift("H000001"), "there is no hold"),
    "departure of a stranger": (lambda c: c.departures.add("E9"), "there is no person `E9`"),
    "departure not there": (lambda c: c.departures.set("D000001"), "there is no departure"),
    "record of a stranger": (lambda c: c.records.add("E9", "vetting", on=NOW), "there is no person `E9`"),
    "record of no kind": (lambda c: c.records.add("E1", "", on=NOW), "cannot name a kind of record"),
    "record that ends first": (lambda c: c.records.add("E1", "exam", on=NOW, valid_until=NOW), "end before it begins"),
    "record not there": (lambda c: c.records.void("R000001", reason="x"), "there is no record"),
    "record void for no reason": (
        lambda c: c.records.void(c.records.add("E1", "exam", on=NOW), reason=""),
        "reason is",
    ),
    "holiday not there": (lambda c: c.holidays.remove(NOW.date()), "2026-11-02 is not registered"),
    "setting without name": (lambda c: c.settings.set("", "x"), "cannot name a setting"),
    "date beyond the calendar": (
        lambda c: grant(c, until=datetime.max.replace(tzinfo=timezone(-DAY / 2))),
        "outside the years",
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
    for sentence in (*text, *hint):
        assert sentence.strip()
        assert sentence.isprintable()
    assert text.en[0] != text.en[0].upper() or not text.en[0].isalpha()
    assert text.zh != text.en
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
