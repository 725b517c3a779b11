"""Whatever an act is called: what it wrote says whose rights are compared; nobody loses anything unnoticed (C14)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.control.losses import MOST, compare
from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.registry.migrations import migrate
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.store import Registry
from agent.shipped_packs import text
from rules.decide import decide
from rules.model import Action, Clearance, Level, Request
from rules.pack.reader import Pack, load
from rules.rights import Loss, stands
from tests import needs
from tests.offboard.host import child, unused_uid

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
PACK = load(text("minimal"))
BADGES = load(text("minimal") + '\n[badge]\nclauses = ["D12-2.5"]\n')
Change = Callable[[RegistryTransaction], object]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Registry, FactsReader]]:
    file = tmp_path / "registry.db"
    migrate(file)
    with Registry(file) as registry, FactsReader(file) as reader:
        with registry.change(NOW) as change:
            for person, uid in (("E1", 61_001), ("E2", 61_002), ("E3", 61_003)):
                change.people.add(person, department="研究", clearances=[Clearance("state", Level.SECRET)])
                change.accounts.add(uid, person)
            change.accounts.add(61_011, "E1")
            change.badges.add("4660", "E1")
            for area in ("plans", "ledger"):
                change.areas.add(area, path=f"/srv/vol/{area}", level=Level.SECRET, domain="state")
            change.rooms.add("vault", level=Level.SECRET, domain="state")
            for person in ("E1", "E2"):
                for place in ("plans", "ledger", "vault"):
                    change.grants.add(person, place, reason="测试", approver="S1")
        yield registry, reader


@contextmanager
def changing(site: tuple[Registry, FactsReader], at: datetime = NOW) -> Iterator[RegistryTransaction]:
    with site[0].change(at + timedelta(seconds=1)) as change:
        try:
            yield change
        finally:
            change.rollback()


def lost(site: tuple[Registry, FactsReader], act: Change, after: Pack = PACK, before: Pack = PACK) -> tuple[Loss, ...]:
    with changing(site) as change:
        act(change)
        return compare(site[1], change, (before, after), NOW + timedelta(seconds=1), frozenset()).losses


ALL = Loss("E1", ("ledger", "plans"), ("vault",))
WAYS: dict[str, tuple[Change, tuple[Loss, ...]]] = {
    "a grant ends": (lambda c: c.grants.end("G000001", by="S1"), (Loss("E1", ("plans",)),)),
    "a lower level": (lambda c: c.people.set_clearance("E1", Clearance("state", Level.INTERNAL)), (ALL,)),
    "no level": (lambda c: c.people.set_clearance("E1", Clearance("state", Level.NONE)), (ALL,)),
    "inactive": (lambda c: c.people.set("E1", active=False), (ALL,)),
    "a hold": (lambda c: c.holds.add("E1", reason="x", by="S1"), (ALL,)),
    "an account is taken": (
        lambda c: c.accounts.remove(61_011),
        (Loss("E1", ("ledger", "plans"), (), (61_011,)),),
    ),
    "an area is raised": (
        lambda c: c.areas.set("plans", level=Level.TOP_SECRET),
        (Loss("E1", ("plans",)), Loss("E2", ("plans",))),
    ),
    "an area changes its domain": (
        lambda c: c.areas.set("plans", domain="commercial"),
        (Loss("E1", ("plans",)), Loss("E2", ("plans",))),
    ),
    "the only badge is lost": (lambda c: c.badges.mark_lost("4660"), (Loss("E1", (), ("vault",)),)),
    "the only badge is taken back": (lambda c: c.badges.remove("4660"), (Loss("E1", (), ("vault",)),)),
    "one badge of two": (
        lambda c: (c.badges.add("4661", "E1"), c.badges.remove("4660")),
        (),
    ),
    "a room is raised": (
        lambda c: c.rooms.set("vault", level=Level.TOP_SECRET),
        (Loss("E1", (), ("vault",)), Loss("E2", (), ("vault",))),
    ),
    "a person is added": (lambda c: c.people.add("E9"), ()),
    "a grant is given": (lambda c: c.grants.add("E3", "plans", reason="x", approver="S1"), ()),
    "a name": (lambda c: c.people.set("E1", name="王五"), ()),
    "an area is removed": (lambda c: c.areas.remove("plans"), ()),
}


@pytest.mark.parametrize("pack", [PACK, BADGES], ids=["minimal", "with badges"])
@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_losing_rights_is_seen_for_what_it_takes(
    site: tuple[Registry, FactsReader], way: str, pack: Pack
) -> None:
    act, expected = WAYS[way]
    assert lost(site, act, pack, pack) == expected


def test_another_pack_is_compared_for_everybody(site: tuple[Registry, FactsReader]) -> None:
    company = load(text("company"))
    found = lost(site, lambda c: c.settings.set("pack", company.digest), company)
    assert {loss.person for loss in found} <= {"E1", "E2"}
    with changing(site) as change:
        change.settings.set("pack", company.digest)
        assert compare(site[1], change, (PACK, company), NOW, frozenset()).compared >= 6


def test_a_service_that_is_removed_loses_its_areas(site: tuple[Registry, FactsReader]) -> None:
    registry, reader = site
    with registry.change(NOW) as change:
        change.services.add("backup", uid=61_090, executable="/usr/bin/tar", areas=["plans", "ledger"])
    with changing(site) as change:
        change.services.remove("backup")
        found = compare(reader, change, (PACK, PACK), NOW, frozenset())
    assert (found.services, found.losses) == ((("backup", ("ledger", "plans")),), ())
    assert found.to_json()["lost"]["services"] == {"backup": ["ledger", "plans"]}


ACTS = st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=4, unique=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_no_pair_of_person_and_place_loses_a_right_unseen(site: tuple[Registry, FactsReader], ways: list[str]) -> None:
    at = NOW + timedelta(seconds=1)
    with changing(site) as change:
        places = {"plans": Action.OPEN, "ledger": Action.OPEN, "vault": Action.ENTER}
        before = {
            (person, place)
            for person in ("E1", "E2", "E3")
            for place, action in places.items()
            if stands(decide(Request((person,), place, action), site[1].facts((person,), place)[1], PACK, at))
        }
        for way in ways:
            with suppress(RefusedError):  # of a place that another act has taken away
                WAYS[way][0](change)
        found = {
            loss.person: {*loss.areas, *loss.rooms}
            for loss in compare(site[1], change, (PACK, PACK), at, frozenset()).losses
        }
        for person, place in before:
            facts = change.facts(person, place)
            left = place not in facts.resources or stands(
                decide(Request((person,), place, places[place]), facts, PACK, at)
            )
            assert left or place in found.get(person, set())


@needs.root
def test_of_more_pairs_than_can_be_compared_only_those_who_are_here_are_and_the_rest_is_counted(
    site: tuple[Registry, FactsReader],
) -> None:
    registry, reader = site
    with registry.change(NOW) as change:
        change.areas.add("archive", path="/srv/vol/archive", level=Level.SECRET, domain="state")
        for number in range(MOST + 1):
            person = f"P{number}"
            change.people.add(person, clearances=[Clearance("state", Level.SECRET)])
            change.grants.add(person, "archive", reason="测试", approver="S1")
    with unused_uid() as uid, child(uid):
        with registry.change(NOW) as change:
            change.accounts.add(uid, "P7")
            change.presence.enter("vault", "P9")
        with changing(site) as change:
            change.areas.set("archive", level=Level.TOP_SECRET)
            found = compare(reader, change, (PACK, PACK), NOW + timedelta(seconds=1), frozenset())
    assert [loss.person for loss in found.losses] == ["P7", "P9"]
    assert (found.compared, found.left_out) == (2, MOST - 1)
    assert found.to_json()["lost"]["not_compared"] == MOST - 1
    assert MOST == 4000  # as docs/departure.md says
