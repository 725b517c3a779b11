"""Visitors, and what people state before they go in: for one room, and for a while."""

from datetime import datetime
from typing import Any

import pytest

from agent.errors import RefusedError
from agent.registry.columns import instant
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.store import Registry
from rules.model import Employment, Visit
from tests.registry.conftest import DAY, HOUR


def test_a_visit_is_of_a_visitor_to_people_of_the_site_and_ends(
    site: Registry, reader: FactsReader, lists: RegistryQueries, now: datetime
) -> None:
    with site.change(now) as change:
        change.people.add("V1", name="来宾", employment=Employment.VISITOR)
        visit = change.visits.add("V1", "vault", host="E1", escort="E2", purpose="audit", until=now + HOUR)
    assert reader.facts(["V1"], "vault")[1].persons["V1"].visits == (
        Visit(visit, "vault", "E2", "E1", "audit", now, now + HOUR),
    )
    assert reader.facts(["V1"], "plans")[1].persons["V1"].visits == ()  # a visit says nothing about files
    assert reader.stated("V1", "vault", now) == ("audit", False, now + HOUR, "E2")
    assert reader.stated("V1", "vault", now + HOUR).purpose == ""
    with site.change(now) as change:
        change.presence.enter("vault", "V1")
        change.visits.end(visit, by="E1")
    assert reader.visits("V1") == ()
    assert [row["id"] for row in lists.visits.find(now=instant(now))] == [visit]  # he is still inside
    with site.change(now) as change:
        change.presence.leave("vault", "V1")
        change.visits.leave(visit)
    assert lists.visits.find(now=instant(now)) == []
    with pytest.raises(RefusedError, match=r"registry.visitor-already-left"), site.change(now) as change:
        change.visits.leave(visit)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"person": "E1"}, r"registry.person-is-visitor.*E1"),
        ({"escort": "V1"}, r"registry.person-is-visitor"),
        ({"host": "E9"}, r"registry.not-found.*common.person.*E9"),
        ({"purpose": " "}, r"registry.text-missing.*common.purpose"),
        ({"hours": 0}, r"registry.window-end-before-start"),
        ({"hours": 24 * 32}, r"registry.window-too-long.*31"),
    ],
)
def test_a_visit_that_is_none_is_refused(site: Registry, now: datetime, given: dict[str, Any], why: str) -> None:
    given = {"person": "V1", "host": "E1", "escort": "E2", "purpose": "audit", "hours": 1, **given}
    person, until = given.pop("person"), now + given.pop("hours") * HOUR
    with site.change(now) as change:
        change.people.add("V1", employment=Employment.VISITOR)
    with pytest.raises(RefusedError, match=why), site.change(now) as change:
        change.visits.add(person, "vault", until=until, **given)


def test_what_is_stated_holds_for_one_room_and_a_while(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        first = change.declarations.add("E1", "vault", purpose="inventory", until=now + DAY)
        change.declarations.add("E1", "vault", devices="", until=now + HOUR)
    assert reader.stated("E1", "vault", now) == ("inventory", True, now + HOUR, "")
    assert reader.stated("E1", "vault", now + HOUR) == ("inventory", False, now + DAY, "")
    assert reader.stated("E2", "vault", now) == ("", False, None, "")
    with site.change(now) as change:
        assert change.declarations.end(first) == "E1"
    assert reader.stated("E1", "vault", now) == ("", True, now + HOUR, "")
    with pytest.raises(RefusedError, match=r"registry.declaration-empty"), site.change(now) as change:
        change.declarations.add("E1", "vault", purpose=" ", until=now + HOUR)
