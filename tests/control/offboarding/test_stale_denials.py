"""Deny entries go when the person may open the area again, or the account is another's or nobody's; and not before."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.control.offboarding import stale_denials
from agent.control.offboarding.stale_denials import StaleDenials
from agent.offboard import database
from agent.offboard.context import AreaPath, RevocationContext
from agent.offboard.deny_entries import DenyLedger
from agent.offboard.steps import acl
from rules.model import Level, Scope
from tests import needs
from tests.control.office import Office, office_of
from tests.control.site import Site
from tests.offboard.host import context, leaver, unused_uid
from tests.sentences import en

pytestmark = needs.root


@pytest.fixture
def uid() -> Iterator[int]:
    with unused_uid() as found:
        yield found


class Denied:
    """An office with an area on the disk, and an account of E1 that has deny entries there."""

    def __init__(self, office: Office, home: Path, uid: int, ledger: DenyLedger) -> None:
        self.office, self.uid, self.ledger = office, uid, ledger
        self.top = home / "papers"
        self.top.mkdir()
        (self.top / "a").write_text("x")
        self.appended: list[Any] = []
        place = AreaPath("papers", str(self.top))
        with office.services.registry.change(office.site.now()) as change:
            change.accounts.add(uid, "E1")
            change.areas.add(
                "papers", path=str(self.top), level=Level.SECRET, domain="state", custodian="E3",
                scope=Scope(departments=frozenset({"rd"})),
            )  # fmt: skip
            self.grant = change.grants.add("E1", "papers", reason="x", approver="E8")
            change.grants.add("E2", "papers", reason="x", approver="E8")
        self.here: RevocationContext = context(
            home, areas=lambda: [place], denials=ledger, append=lambda fields: self.appended.append(fields) or 1
        )
        acl.run(leaver(home, uid), self.here, "C1")
        self.stale = StaleDenials(office.site, ledger, self.here)
        assert self.denied

    @property
    def denied(self) -> bool:
        return all(self.uid in acl.denied_here(str(at), (self.uid,), str(at)) for at in (self.top, self.top / "a"))

    def step(self) -> bool:
        """Look once; return whether the account is still denied on the disk."""
        self.stale.step()
        return self.denied

    def by_two(self, op: str, **how: Any) -> None:
        for officer in ("E8", "E9"):
            self.office.do(op, officer=officer, **how)

    def taken_back(self) -> None:
        """Take the departure back, and lift the hold that this leaves."""
        self.by_two("case.rescind", reason="wrong person")
        self.by_two("hold.lift", reason="back")

    def explained(self, person: str = "E1", **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.office.do("explain", person=person, target=str(self.top / "a"), **more)
        return found


@pytest.fixture
def left(fresh: Site, tmp_path: Path, uid: int) -> Iterator[Denied]:
    with office_of(fresh) as office, closing(DenyLedger(database.path(fresh.home.root), office.site.now)) as ledger:
        yield Denied(office, tmp_path, uid, ledger)


def test_who_left_stays_denied_and_who_may_open_it_again_does_not(left: Denied) -> None:
    left.office.approved()
    assert left.step()
    assert left.appended == []
    left.taken_back()
    assert left.step()  # no grant is given again by itself
    left.by_two("case.restore", grant=left.grant)
    assert not left.step()
    assert left.appended == [
        {"kind": "deny-entries", "area": "papers", "uids": [left.uid], "changed": 2, "not_reached": 0}
    ]
    assert left.ledger.standing(()) == []
    assert not left.step()
    assert len(left.appended) == 1


def test_a_hold_keeps_them_and_its_end_takes_them_away(left: Denied) -> None:
    left.office.do("hold.add", reason="x")
    assert left.step()
    left.office.do("hold.lift", reason="over")
    assert not left.step()


def test_a_uid_given_to_somebody_with_rights_loses_them_and_with_none_does_not(left: Denied) -> None:
    left.office.approved()
    registry, site = left.office.services.registry, left.office.site
    with registry.change(site.now()) as change:
        change.accounts.remove(left.uid)
        change.accounts.add(left.uid, "E4")  # who has no grant
    assert left.step()
    with registry.change(site.now()) as change:
        change.accounts.remove(left.uid)
        change.accounts.add(left.uid, "E2")
    assert not left.step()


def test_a_uid_that_nobody_has_any_more_loses_them(left: Denied) -> None:
    left.office.approved()
    with left.office.services.registry.change(left.office.site.now()) as change:
        change.accounts.remove(left.uid)
    assert not left.step()


def test_it_is_asked_again_within_half_a_minute(left: Denied, monkeypatch: pytest.MonkeyPatch) -> None:
    left.office.approved()
    with left.office.services.registry.change(left.office.site.now()) as change:
        change.accounts.remove(left.uid)
    free: set[int] = set()
    monkeypatch.setattr(stale_denials, "free", free.__contains__)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert left.step()
    free.add(left.uid)  # the host has deleted the account, which is no act of ours
    assert left.step()
    monkeypatch.setattr(time, "monotonic", lambda: now + 30)
    assert not left.step()


def test_of_an_area_that_is_none_any_more_they_go_with_the_departure(left: Denied) -> None:
    left.office.approved()
    with left.office.services.registry.change(left.office.site.now()) as change:
        change.areas.remove("papers")
    assert left.step()
    left.taken_back()
    assert not left.step()


def test_what_cannot_be_reached_stays_remembered(left: Denied) -> None:
    aside = left.top.with_name("aside")
    left.top.rename(aside)
    left.stale.step()
    assert [row.uid for row in left.ledger.standing(())] == [left.uid]
    aside.rename(left.top)
    with left.office.services.registry.change(left.office.site.now()) as change:
        change.people.set("E5", department="hr")  # it is asked anew after any change
    assert not left.step()


# --- who asks is told -----------------------------------------------------------------------------


def test_explain_says_deny_where_an_entry_refuses_what_the_rules_allow(left: Denied) -> None:
    said = left.explained()
    assert (said["verdict"], said["rule"]) == ("deny", "deny-entry")
    assert str(left.uid) in en(said["because"])
    assert said["findings"][-1]["rule"] == "deny-entry"
    assert left.office.do("explain", person="E1", target="papers")["rule"] == "deny-entry"
    assert left.explained("E2")["verdict"] == "allow"
    assert left.explained(at="2099-01-01T00:00:00Z")["rule"] != "deny-entry"  # of then, nothing on the disk is known
    left.step()
    assert left.explained()["verdict"] == "allow"


def test_explain_names_the_account_where_another_one_gets_in(left: Denied) -> None:
    with left.office.services.registry.change(left.office.site.now()) as change:
        change.accounts.add(left.uid + 1000, "E1")
    said = left.explained()
    assert (said["verdict"], said["denied_accounts"]) == ("allow", [left.uid])
    assert said["findings"][-1]["rule"] == "deny-entry"


def test_the_owner_of_a_file_is_not_refused_by_its_acl(left: Denied) -> None:
    for at in (left.top, left.top / "a"):
        os.chown(at, left.uid, -1)
    assert left.explained()["verdict"] == "allow"


def test_doctor_says_what_stands_and_what_should_not(left: Denied) -> None:
    def found() -> list[tuple[str, str]]:
        rows = left.office.do("doctor", person=None)
        return [(row["state"], en(row["text"])) for row in rows if row["code"] == "deny-entries"]

    [(state, text)] = found()
    assert state == "warning"
    assert f"{left.uid} (E1)" in text
    left.office.approved()
    [(state, text)] = found()
    assert (state, text) == ("good", "1 account of a person who left is also denied on the disk")
    left.taken_back()
    left.by_two("case.restore", grant=left.grant)
    left.ledger.removed((left.uid,), ("papers",))  # as after the loss of offboard.db
    [(state, text)] = found()
    assert state == "warning"
    assert "wrongly deny 1 account" in text
