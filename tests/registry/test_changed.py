"""What a change wrote is told row by row, before and after; secrets and what was only looked at never are."""

from datetime import datetime

from agent.registry import changed
from agent.registry.store import Registry
from rules.model import Clearance, Level


def test_a_level_that_is_raised_is_told_with_what_it_was(site: Registry, now: datetime) -> None:
    with site.change(now) as change:
        change.people.set_clearance("E1", Clearance("state", Level.TOP_SECRET, approved_by="E2"))
        [row] = change.changed().rows
    assert row["table"] == "clearances"
    assert (row["before"]["level"], row["after"]["level"]) == (int(Level.SECRET), int(Level.TOP_SECRET))
    assert row["before"]["person"] == row["after"]["person"] == "E1"
    assert "label" not in row["after"], "what did not change is not told"


def test_a_place_is_told_by_its_name_and_what_ends_by_what_it_was(site: Registry, now: datetime) -> None:
    with site.change(now) as change:
        grant = change.grants.add("E1", "plans", reason="甲", approver="E2")
        change.accounts.remove(61001)
        given, taken = change.changed().rows
        assert (given["before"], given["after"]["resource"]) == (None, "plans")
        assert (taken["before"]["uid"], taken["after"]) == (61001, None)
    with site.change(now) as change:
        assert change.changed().rows == (), "each change tells its own"
        change.grants.end(grant, by="E2", reason="done")
        [ended] = change.changed().rows
    assert (ended["before"]["ended_by"], ended["after"]["ended_by"]) == ("", "E2")


def test_a_path_that_is_no_text_is_told_and_a_pin_never_is(site: Registry, now: datetime) -> None:
    with site.change(now) as change:
        change.services.add("odd", uid=61_900, executable="/usr/bin/\udcffodd", areas=["plans"])
        change.pins.set("E1", "27182818")
        rows = change.changed().rows
    assert [row["table"] for row in rows] == ["services", "service_areas"]
    assert rows[0]["after"]["executable"] == "/usr/bin/\udcffodd"


def test_of_many_rows_the_first_are_told_and_the_rest_is_counted(site: Registry, now: datetime) -> None:
    with site.change(now) as change:
        for number in range(100):
            change.people.add(f"P{number}", name="x")
        told = change.changed()
    assert len(told.rows) + told.more == 100
    assert 30 <= len(told.rows) <= 40
    assert set(told.to_json()) == {"changes", "changes_more"}


def test_a_table_with_secrets_is_none_that_is_told() -> None:
    assert not {"pins", "proposals", "readers", "reader_keys", "cases"} & set(changed.LOGGED_TABLES)
