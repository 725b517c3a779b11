"""Who loses something at a known instant is told in time, once, and it is on the record."""

from datetime import datetime, timedelta

import pytest

from agent.control.offboarding.holder_warnings import HolderWarnings, WarningDelivery
from rules.model import Clearance, Level
from rules.text import Text
from tests.control.site import Site
from tests.control.test_schedule import in_process
from tests.control.time import later
from tests.sentences import en


class Heard:
    """Takes what would be written to terminals and mail."""

    def __init__(self) -> None:
        self.said: list[tuple[list[int], str]] = []

    def __call__(self, uids: list[int], text: Text, now: datetime) -> WarningDelivery:
        self.said.append((uids, en(text)))
        return WarningDelivery(len(uids), ("spool",))


def test_a_holder_is_told_of_a_grant_and_of_the_leave_date_once_also_after_a_restart(fresh: Site) -> None:
    with in_process(fresh) as services:
        site, heard = services.site, Heard()
        now = site.now()
        with services.registry.change(now) as change:
            for person, uid in (("E1", 61_101), ("E2", 61_102), ("E3", 61_103)):
                change.people.add(person)
                change.accounts.add(uid, person)
            change.areas.add("plans", path="/srv/plans", level=Level.SECRET, domain="state")
            change.grants.add("E1", "plans", reason="x", approver="E9", until=now + timedelta(days=3))
            change.grants.add("E2", "plans", reason="x", approver="E9", until=now + timedelta(days=3))
            change.grants.add("E3", "plans", reason="x", approver="E9", until=now + timedelta(days=30))
            change.holds.add("E2", reason="x")
        for _ in range(2):  # as after a restart
            HolderWarnings(site, heard).step()
        [(uids, said)] = heard.said
        assert uids == [61_101]
        assert "grant G000001 for `plans` will end within 7 days" in said
        site.clock = later(site.clock, days=2, hours=23, minutes=52)
        HolderWarnings(site, heard).step()
        assert "within 10 minutes" in heard.said[-1][1]
        assert len(heard.said) == 2  # the day's warning was missed, and only the nearest is given
    entries = fresh.entries(kind="warned")
    assert [(entry["person"], entry["terminals"], entry["mail"]) for entry in entries] == [("E1", 1, ["spool"])] * 2


def test_who_goes_on_by_another_grant_is_not_warned_and_whom_only_this_one_lets_in_is(fresh: Site) -> None:
    """A grant for good or with a later end helps; one of another area, or that does not reach the level, does not."""
    with in_process(fresh) as services:
        site, heard = services.site, Heard()
        now = site.now()
        soon, later_on = now + timedelta(minutes=9), now + timedelta(days=60)
        others: dict[str, list[tuple[str, datetime | None]]] = {
            "E1": [("plans", None)], "E2": [], "E3": [("ledger", None)], "E4": [("plans", later_on)],
            "E5": [("plans", None)],
        }  # fmt: skip
        with services.registry.change(now) as change:
            for area in ("plans", "ledger"):
                change.areas.add(area, path=f"/srv/{area}", level=Level.SECRET, domain="state")
            for number, (person, more) in enumerate(others.items(), 61_101):
                level = Level.INTERNAL if person == "E5" else Level.SECRET
                change.people.add(person, clearances=[Clearance("state", level, approved_by="E9")])
                change.accounts.add(number, person)
                change.grants.add(person, "plans", reason="x", approver="E9", until=soon, temporary=True)
                for area, until in more:
                    change.grants.add(person, area, reason="x", approver="E9", until=until)
        HolderWarnings(site, heard).step()
    assert sorted(entry["person"] for entry in fresh.entries(kind="warned")) == ["E2", "E3", "E5"]


def test_what_is_noted_and_not_told_because_of_a_kill_is_not_told_again(fresh: Site) -> None:
    class KilledError(Exception):
        pass

    def killed(uids: list[int], text: Text, now: datetime) -> WarningDelivery:
        raise KilledError

    with in_process(fresh) as services:
        site, heard = services.site, Heard()
        now = site.now()
        with services.registry.change(now) as change:
            change.people.add("E1")
            change.areas.add("plans", path="/srv/plans", level=Level.SECRET, domain="state")
            change.grants.add("E1", "plans", reason="x", approver="E9", until=now + timedelta(days=3))
        with pytest.raises(KilledError):
            HolderWarnings(site, killed).step()
        HolderWarnings(site, heard).step()
        assert heard.said == []
        site.clock = later(site.clock, days=2, hours=1)
        HolderWarnings(site, heard).step()
        assert len(heard.said) == 1  # of the next one it is


def test_many_at_once_are_told_in_turns_and_each_once(fresh: Site) -> None:
    with in_process(fresh) as services:
        site, heard = services.site, Heard()
        now = site.now()
        with services.registry.change(now) as change:
            change.areas.add("plans", path="/srv/plans", level=Level.SECRET, domain="state")
            for number in range(45):
                change.people.add(f"P{number}")
                change.grants.add(f"P{number}", "plans", reason="x", approver="E9", until=now + timedelta(days=3))
        warnings = HolderWarnings(site, heard)
        counts = []
        for _ in range(4):
            warnings.step()
            counts.append(len(heard.said))
        assert counts == [20, 40, 45, 45]
    assert len({entry["person"] for entry in fresh.entries(kind="warned")}) == 45
