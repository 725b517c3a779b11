"""A change that is only looked at: nobody waits for it, and nothing of it stays."""

from datetime import datetime

import pytest

from agent.errors import RefusedError
from agent.registry import rehearsal
from agent.registry.facts import FactsReader
from agent.registry.rehearsal import rehearsed_change
from agent.registry.store import Registry


def test_it_sees_what_the_change_would_do_and_leaves_nothing(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    files = sorted(site.path.parent.iterdir())
    with rehearsed_change(reader, now) as (before, change):
        change.people.add("P1", name="x")
        change.accounts.remove(61001)
        assert change.touched().persons == {"P1", "E1"}
        assert [row["table"] for row in change.difference().rows] == ["people", "accounts"]
        assert (before.person_of_uid(61001), change.accounts.of("E1")) == ("E1", frozenset())
        assert change.epoch == reader.epoch() + 1
    assert (reader.epoch(), reader.person_of_uid(61001)) == (1, "E1")
    assert sorted(site.path.parent.iterdir()) == files


def test_an_act_waits_for_none_and_it_for_no_act(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as act, rehearsed_change(reader, now) as (before, change):
        act.accounts.remove(61001)
        change.people.add("P1", name="x")
        assert before.person_of_uid(61001) == "E1"
    with rehearsed_change(reader, now) as (before, change), site.change(now) as act:
        act.holds.add("E1", by="E2", reason="x")
        act.commit()
        assert not change.facts("E1", "plans").persons["E1"].holds, "one instant, whatever happens meanwhile"
        assert not before.facts(["E1"], "plans")[1].persons["E1"].holds


def test_what_takes_too_long_ends_and_a_registry_too_large_is_not_copied(
    site: Registry, reader: FactsReader, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "SECONDS", 0.0)
    with pytest.raises(RefusedError, match=r"registry.effect-takes-too-long"), rehearsed_change(reader, now):
        pass
    monkeypatch.setattr(rehearsal, "MOST", 4096)
    with pytest.raises(RefusedError, match=r"registry.too-large"), rehearsed_change(reader, now):
        pass
    assert site.path.stat().st_size > 4096


def test_a_foreign_key_is_looked_at_as_in_the_registry(site: Registry, reader: FactsReader, now: datetime) -> None:
    assert site.path.exists()
    with rehearsed_change(reader, now) as (_, change), pytest.raises(RefusedError):
        change.accounts.add(61009, "nobody")
