"""The channel never goes quiet: what troubles it, what waits and what was released, in a real control process."""

import json
import re
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from agent.control.offboarding.worker import AGAIN
from agent.errors import RefusedError, UsageError
from agent.offboard import database
from agent.offboard.intake import pinned_keys
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.token import TYPE
from agent.offboard.journal import RevocationJournal
from agent.offboard.steps.step import StepResult, StepState
from agent.simulator import hr_sender
from rules.offboarding.vocabulary import CaseKind
from tests.control.offboarding.test_hr_intake import cases, drop, filed, people, private, rescinded, until
from tests.control.office import office_of
from tests.control.site import Site
from tests.docs.reference import DOCS
from tests.sentences import en

__all__ = ["private"]


def answer(site: Site, name: str) -> dict[str, Any]:
    """Wait for the newest answer about a name, and return its event."""
    file = site.home.root / "outbox" / "by-name" / name
    until(file.exists)
    claims = jwt.decode(file.read_text(), options={"verify_signature": False})
    [event] = claims["events"].values()
    return dict(event)


def settled(site: Site, name: str, state: str, patience: float = 30.0) -> dict[str, Any]:
    return dict(until(lambda: found if (found := answer(site, name))["state"] == state else None, patience))


def alarms(site: Site) -> list[dict[str, Any]]:
    with site.client() as client:
        return [row for row in client.stream("alarm.list") if row["kind"].startswith("hr-")]


def findings(site: Site) -> dict[str, str]:
    with site.client() as client:
        return {one["code"]: one["state"] for one in client.call("doctor") if one["code"].startswith("hr")}


def send(site: Site, private: Path, event: str, **claims: Any) -> str:
    """Have an identity provider's notice delivered."""
    hr, _ = hr_sender.read_keys(private)
    number = str(time.monotonic_ns())
    said = {"iss": hr["iss"], "aud": "urn:shoumi:agent:test", "iat": int(time.time()), "jti": number}
    said |= {"events": {event: {}}, "sub_id": {"format": "iss_sub", "iss": hr["iss"], "sub": "E1"}} | claims
    until((site.home.root / "spool" / "new").is_dir)
    return hr_sender.drop(site.home.root / "spool" / "new", hr_sender.sign(said, hr, TYPE), number).name


def test_a_departure_is_answered_received_and_then_done_by_the_name_it_came_under(fresh: Site, private: Path) -> None:
    people(fresh)
    name = drop(fresh, private, datetime.now(UTC), txn="HR-1")
    done = settled(fresh, name, "done")
    assert (done["event"], done["pending"]) == ("departure-approved", [])
    held = send(
        fresh,
        private,
        HrEvent.SESSION_REVOKED.uri,
        sub_id={"format": "iss_sub", "iss": "https://hr.example", "sub": "E2"},
    )
    assert "held" in settled(fresh, held, "done")["times"]


def test_the_times_of_an_answer_are_those_of_the_receipt_by_the_names_of_the_page(fresh: Site, private: Path) -> None:
    """One of them is the personnel system's own, however wrong its clock; all others lie between drop and answer."""
    people(fresh)
    before, said = datetime.now(UTC), datetime.now(UTC) - timedelta(minutes=30)
    name = drop(fresh, private, said)
    times = {mark: datetime.fromisoformat(at) for mark, at in settled(fresh, name, "done")["times"].items()}
    assert abs(times.pop("approved") - said) < timedelta(milliseconds=1)
    assert all(before - timedelta(seconds=1) <= at <= datetime.now(UTC) for at in times.values())
    with fresh.client() as client:
        payload = json.loads(client.call("case.receipt", person="E1")["receipt"].partition("\n")[0])
    marks = {row["mark"]: row["at"] for row in payload["timeline"]}
    assert times == {mark: datetime.fromisoformat(at) for mark, at in marks.items() if at and mark != "approved"}
    page = (DOCS / "hr-integration.md").read_text(encoding="utf-8")
    [shown] = re.findall(r'"times": (\{.*?\})', page, re.DOTALL)
    assert json.loads(shown).keys() == marks.keys()


def test_a_rejected_notice_is_an_alarm_and_a_finding_until_an_officer_says_what_it_was(
    fresh: Site, private: Path
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    for number in range(3):
        hr_sender.drop(fresh.home.root / "spool" / "new", "forged", f"x{number}")
        assert filed(fresh, f"x{number}.set") == ("rejected", "not-a-token")
    [alarm] = until(lambda: alarms(fresh))
    assert alarm["kind"] == "hr-rejected"
    assert "x0.set" in en(alarm["text"])
    assert findings(fresh)["hr-rejected"] == "warning"
    with fresh.client() as client:
        [shown] = client.call("status")["hr"]["alarms"]
        assert shown["id"] == alarm["id"]
        client.call("alarm.ack", alarm=alarm["id"], note="the test")
    assert alarms(fresh) == []
    assert "hr-rejected" not in findings(fresh)
    assert answer(fresh, "x0.set")["state"] == "rejected"


def test_what_is_carried_out_late_or_with_an_approver_out_of_office_is_an_alarm_all_the_same(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    pinned = pinned_keys.path(fresh.home.root)
    pinned.write_text(json.dumps(json.loads(pinned.read_text()) | {"approvals_needed": 1}))
    with fresh.client() as client:
        client.call("hold.add", person="E3", reason="x")
    name = drop(fresh, private, datetime.now(UTC) - timedelta(hours=2))
    assert filed(fresh, name) == ("accepted", "late")
    assert [case["step"] for case in until(lambda: cases(fresh))] == ["approved"]
    both = until(lambda: told if len(told := alarms(fresh)) == 2 else None)
    found = {alarm["kind"]: en(alarm["text"]) for alarm in both}
    assert found.keys() == {"hr-late", "hr-not-counted"}
    assert f"`{name}` of the personnel system was carried out: the token was received long after" in found["hr-late"]
    assert "may not act now and were not counted: `E3`" in found["hr-not-counted"]
    assert findings(fresh).keys() == {"hr", *found}


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed between the step and the receipt of it"])
def test_a_second_answer_follows_when_what_was_pending_is_done(fresh: Site, private: Path, *, killed: bool) -> None:
    people(fresh)
    plans = fresh.home.root.parent / "plans"
    plans.mkdir()
    with fresh.client() as client:
        client.call("area.add", path=str(plans), name="plans", level="secret", domain="state")
        client.call("grant.add", person="E1", area="plans", reason="x")
    plans.rename(plans.with_name("away"))
    name = drop(fresh, private, datetime.now(UTC))
    assert settled(fresh, name, "pending")["pending"] == ["step:acl"]
    plans.with_name("away").rename(plans)
    fresh.stop_control()
    if killed:
        with closing(RevocationJournal(database.path(fresh.home.root))) as journal:
            run = journal.run("C000001")
            [acl] = [done for done in journal.steps(run) if done.step == "acl"]
            journal.record(run, replace(acl, result=StepResult(StepState.DONE, acl.result.detail, acl.result.facts)))
    fresh.start_control()
    assert settled(fresh, name, "done", AGAIN + 30)["pending"] == []  # at the start, or at the try after it
    files = (fresh.home.root / "outbox").glob("*.set")
    said = [jwt.decode(file.read_text(), options={"verify_signature": False})["events"] for file in files]
    assert sorted(event["state"] for events in said for event in events.values()) == ["done", "pending", "received"]


def test_keys_that_cannot_be_read_are_said_with_what_is_wrong_as_long_as_it_lasts(fresh: Site, private: Path) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    assert findings(fresh) == {"hr": "good"}
    file = pinned_keys.path(fresh.home.root)
    good = file.read_text()
    twice = json.loads(good)
    twice["keys"].append(twice["keys"][0])
    file.write_text(json.dumps(twice))
    [alarm] = until(lambda: alarms(fresh))
    assert alarm["kind"] == "hr-keys"
    with fresh.client() as client:
        assert "occurs twice" in en(client.call("status")["hr"]["trouble"])
    assert findings(fresh) == {"hr-keys": "serious"}
    file.unlink()
    assert findings(fresh) == {"hr-keys": "serious"}
    file.write_text(good)
    assert findings(fresh) == {"hr": "good"}


def test_silence_is_said_and_a_verification_event_ends_it(fresh: Site, private: Path) -> None:
    fresh.stop_control()
    config = fresh.home.config
    config.write_text(config.read_text().replace("hr_silence_seconds = 0.0", "hr_silence_seconds = 2"))
    fresh.start_control()
    until(lambda: findings(fresh).get("hr-silence") == "serious")
    [alarm] = until(lambda: alarms(fresh))
    assert alarm["kind"] == "hr-silence"
    name = send(fresh, private, HrEvent.VERIFICATION.uri, sub_id={"format": "opaque", "id": "s"})
    assert filed(fresh, name) == ("accepted", "accepted")
    assert answer(fresh, name)["state"] == "done"
    with fresh.client() as client:
        assert client.call("status")["hr"]["heard_at"]
    assert fresh.entries(kind="act", act="hold.add") == []


def test_a_notice_by_e_mail_waits_until_the_site_says_whose_address_it_is(fresh: Site, private: Path) -> None:
    people(fresh)
    name = send(fresh, private, HrEvent.ACCOUNT_DISABLED.uri, sub_id={"format": "email", "email": "A@b.example"})
    assert filed(fresh, name) == ("quarantine", "unknown-person")
    with fresh.client() as client:
        [waiting] = until(lambda: list(client.stream("case.quarantine")))
        assert findings(fresh)["hr-quarantine"] == "serious"
        assert [alarm["kind"] for alarm in until(lambda: alarms(fresh))] == ["hr-unknown-person"]
        with pytest.raises(RefusedError, match=r"control.hr-name-unassigned"):
            client.call("case.release", name=waiting["name"])
        with pytest.raises(UsageError):
            client.call("hr.subject.add", person="E1", email="a@b.example", number="7")
        with pytest.raises(RefusedError, match=r"registry.not-found.*E77"):
            client.call("hr.subject.add", person="E77", email="a@b.example")
        client.call("hr.subject.add", person="E1", email="a@B.example")
        with pytest.raises(RefusedError, match=r"registry.already-taken.*E1"):
            client.call("hr.subject.add", person="E2", email="a@b.example")
        client.call("case.release", name=waiting["name"])
        settled(fresh, name, "done")
        assert [row["person"] for row in client.stream("hold.list")] == ["E1"]
        assert client.call("hr.subject.remove", email="A@B.example")["person"] == "E1"
        assert list(client.stream("hr.subject.list")) == []
    [entry] = fresh.entries(kind="act", act="hr.subject.remove")
    assert entry["args"] == {"email": "A@B.example", "person": "E1"}


def test_a_resignation_from_before_a_transfer_counts_and_overtakes_it(fresh: Site, private: Path) -> None:
    people(fresh)
    now = datetime.now(UTC)
    drop(fresh, private, now, kind=CaseKind.TRANSFER)
    until(lambda: cases(fresh))
    name = drop(fresh, private, now - timedelta(minutes=5))
    assert filed(fresh, name) == ("accepted", "accepted")
    assert [case["kind"] for case in until(lambda: cases(fresh)) if case["step"] == "approved"] == ["resignation"]


def test_what_was_superseded_counts_when_an_officer_releases_it_and_stays_so_after_a_restart(
    fresh: Site, private: Path
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    with office_of(fresh) as office:
        back = rescinded(office)
    fresh.start_control()
    name = drop(fresh, private, back - timedelta(seconds=1))
    assert filed(fresh, name) == ("quarantine", "superseded")
    with fresh.client() as client:
        until(lambda: list(client.stream("case.quarantine")))
        client.call("case.release", name="E1")
    new = until(lambda: [case for case in cases(fresh) if case["step"] == "approved"])
    assert [case["case"] for case in new] == ["C000002"]
    assert settled(fresh, name, "pending")["pending"] == ["step:acl"]  # the area of this site has no directory
    fresh.stop_control()
    fresh.start_control()
    assert filed(fresh, drop(fresh, private, back - timedelta(seconds=2))) == ("quarantine", "superseded")
    assert [case["step"] for case in cases(fresh)] == ["rescinded", "approved"]
