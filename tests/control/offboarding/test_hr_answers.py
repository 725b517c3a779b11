"""What HR is told of notices about one person that ask for different things: each of its own, and only what is so."""

import json
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import jwt
import pytest

from agent.offboard import database
from agent.offboard.intake import outbox, pinned_keys, store
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.token import TYPE
from agent.simulator import hr_sender
from tests.control.offboarding.test_hr_channel import alarms, answer, settled
from tests.control.offboarding.test_hr_intake import answers, cases, filed, people, private, until
from tests.control.offboarding.test_marks import marks, newest
from tests.control.site import Site
from tests.sentences import en, zh

__all__ = ["private"]
LATER = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
numbers = count(1)


def send(site: Site, private: Path, details: dict[str, Any], **claims: Any) -> str:
    """Deliver a departure of `E1` with these members, approved now; return the name of its file."""
    until((site.home.root / "spool" / "new").is_dir)
    hr, approvers = hr_sender.read_keys(private)
    now, number = time.time(), f"n{next(numbers)}"
    named = [{"role": one["role"], "by": one["person"], "at": int(now)} for one in approvers]
    said = {"iss": hr["iss"], "aud": "urn:shoumi:agent:test", "iat": int(now), "jti": number, "toe": now}
    said |= {"sub_id": {"format": "iss_sub", "iss": hr["iss"], "sub": "E1"}} | claims
    said |= {"events": {HrEvent.DEPARTURE_APPROVED.uri: {"approvers": named} | details}}
    said |= {"approvals": [hr_sender.approve(said, one, datetime.now(UTC)) for one in approvers]}
    return hr_sender.drop(site.home.root / "spool" / "new", hr_sender.sign(said, hr, TYPE), number).name


def pinned(site: Site, *approvers: tuple[str, str]) -> Path:
    """Pin keys of approvers under these names instead; return the private ones."""
    folder = site.home.root.parent / "others"
    made = hr_sender.make_keys(folder, audience="urn:shoumi:agent:test", iss="https://hr.example", approvers=approvers)
    shutil.copy(made, pinned_keys.path(site.home.root))
    return folder


def test_a_resignation_that_is_to_come_is_not_called_done_because_a_transfer_is(fresh: Site, private: Path) -> None:
    people(fresh)
    first = send(fresh, private, {"kind": "resignation", "effective": LATER}, txn="HR-1")
    until(lambda: cases(fresh))
    second = send(fresh, private, {"kind": "transfer", "department": "D2", "post": "clerk"}, txn="HR-2")
    settled(fresh, second, "done")
    assert [txn for txn, _ in answers(fresh)] == ["HR-2"]
    assert answer(fresh, first)["state"] == "received"
    with fresh.client() as client:
        assert client.call("person.show", person="E1")["department"] == "D2"
        client.call("case.advance", person="C000001")  # an officer lets it be now
    told = settled(fresh, first, "done")
    assert (told["reason"], en(told["text"])) == ("sooner", "access ended before the leave date named in the token")
    assert {case["case"]: case["step"] for case in cases(fresh)} == {"C000001": "approved", "C000002": "closed"}


def test_what_a_death_takes_the_place_of_is_told_so_and_nothing_more(fresh: Site, private: Path) -> None:
    people(fresh)
    first = send(fresh, private, {"kind": "resignation", "effective": LATER}, txn="HR-1")
    until(lambda: cases(fresh))
    second = send(fresh, private, {"kind": "death"}, txn="HR-2")
    assert "reason" not in settled(fresh, second, "done")
    told = settled(fresh, first, "overtaken")
    assert en(told["text"]) == "a later departure of this person replaced it: `HR-2 death`"
    assert [txn for txn, _ in answers(fresh)] == ["HR-2"]
    with fresh.client() as client:
        shown = client.call("case.show", person="E1")
    assert (shown["kind"], [one["duty"] for one in shown["owed"]]) == ("death", [])


def test_what_was_overtaken_after_it_ended_is_answered_by_what_overtook_it(fresh: Site, private: Path) -> None:
    """As when the receipt of a transfer was never issued: its run is given up for the departure's."""
    people(fresh)
    first = send(fresh, private, {"kind": "transfer", "department": "D2"}, txn="HR-1")
    settled(fresh, first, "done")
    for file in (fresh.home.root / "outbox").glob("*.set"):
        file.unlink()
    send(fresh, private, {"kind": "resignation"}, txn="HR-2")
    assert until(lambda: found if len(found := answers(fresh)) == 2 else None)
    assert [txn for txn, _ in answers(fresh)] == ["HR-1", "HR-2"]


def test_what_was_handed_over_before_its_case_was_written_down_is_known_by_its_number(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    settled(fresh, send(fresh, private, {"kind": "resignation"}, txn="HR-1"), "done")
    file = database.path(fresh.home.root)
    with closing(sqlite3.connect(file, isolation_level=None)) as before:
        before.execute("UPDATE hr_tokens SET case_id = NULL")
    with store.Store(file) as known:
        assert [one.notice.txn for one in known.awaiting("E1", {"C000001": "HR-1"})] == ["HR-1"]
        assert known.awaiting("E1", {"C000001": "HR-2"}) == []


def test_a_kind_that_ends_access_at_once_does_so_whatever_date_is_named_and_the_answer_says_so(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    name = send(fresh, private, {"kind": "unfit", "effective": LATER}, txn="HR-1")
    told = settled(fresh, name, "done")
    assert (told["reason"], zh(told["text"])) == ("sooner", "权限在令牌所列的离岗离职时间之前已终止")
    assert [(case["step"], case["effective_at"]) for case in cases(fresh)] == [("approved", None)]


def test_what_hr_approved_with_a_leave_date_was_approved_when_hr_says(fresh: Site, private: Path) -> None:
    people(fresh)
    said = time.time() - 1800
    leave = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    name = send(fresh, private, {"kind": "resignation", "effective": leave}, txn="HR-1", toe=said)
    assert [case["step"] for case in until(lambda: cases(fresh))] == ["scheduled"]
    told = settled(fresh, name, "done")
    assert "reason" not in told
    assert abs(datetime.fromisoformat(told["times"]["approved"]).timestamp() - said) < 0.001
    found = marks(newest(fresh, "C000001"))
    assert (found["approved"]["clock"], found["approved"]["source"]) == ("personnel", "personnel-system")
    assert abs(datetime.fromisoformat(found["approved"]["at"]).timestamp() - said) < 0.001
    assert datetime.fromisoformat(found["received"]["at"]) == datetime.fromisoformat(leave)


def test_approved_in_an_answer_is_what_its_own_notice_says(fresh: Site, private: Path) -> None:
    people(fresh)
    with fresh.client() as client:
        client.call("case.open", person="E1", last_day="2099-12-31", kind="unauthorised")
    said = time.time() - 1800
    name = send(fresh, private, {"kind": "unauthorised"}, txn="HR-1", toe=said)
    told = settled(fresh, name, "done")
    assert abs(datetime.fromisoformat(told["times"]["approved"]).timestamp() - said) < 0.001


@pytest.mark.parametrize("effective", ["9998-12-31", "9999-12-31", "0001-01-01", "2049-12-31T12:00", "2049-W01-1"])
def test_a_date_that_cannot_be_acted_on_is_rejected_and_keeps_nothing_back(
    fresh: Site, private: Path, effective: str
) -> None:
    people(fresh)
    first = send(fresh, private, {"kind": "resignation", "effective": effective}, txn="HR-1")
    second = send(fresh, private, {"kind": "dismissal"}, txn="HR-2")
    settled(fresh, second, "done")
    assert filed(fresh, first) == ("rejected", "event-wrong")
    assert answer(fresh, first)["state"] == "rejected"


def test_a_leaver_approves_nothing_by_a_key_that_is_pinned_under_another_name(fresh: Site) -> None:
    private = pinned(fresh, ("a", "000123"), ("b", "E3"))
    people(fresh)
    with fresh.client() as client:
        client.call("hr.subject.add", person="E1", number="000123")
        client.call("hr.subject.add", person="E1", email="a@b.cn")
    assert filed(fresh, send(fresh, private, {"kind": "resignation"}, txn="HR-1")) == ("rejected", "own-approval")
    mail = {"format": "email", "email": "a@b.cn"}
    name = send(fresh, private, {"kind": "resignation"}, txn="HR-2", sub_id=mail)
    assert filed(fresh, name) == ("rejected", "own-approval")
    assert cases(fresh) == []


def test_two_names_of_one_person_are_one_approver(fresh: Site) -> None:
    private = pinned(fresh, ("a", "E2"), ("b", "000222"))
    people(fresh)
    with fresh.client() as client:
        client.call("hr.subject.add", person="E2", number="000222")
    name = send(fresh, private, {"kind": "resignation"}, txn="HR-1")
    assert filed(fresh, name) == ("rejected", "approver-twice")
    assert cases(fresh) == []


def test_who_is_on_hold_does_not_count_by_whichever_name_the_key_is_pinned(fresh: Site) -> None:
    private = pinned(fresh, ("a", "000222"), ("b", "E3"))
    people(fresh)
    with fresh.client() as client:
        client.call("hr.subject.add", person="E2", number="000222")
        client.call("hold.add", person="E2", reason="x")
        name = send(fresh, private, {"kind": "resignation"}, txn="HR-1")
        assert filed(fresh, name) == ("quarantine", "approver-out")
        [entry] = fresh.entries(kind="hr-event", file=name)
        assert entry["not_counted"] == ["E2"]
        client.call("hold.lift", person="E2", reason="x")
        client.call("case.release", name="E1")
    settled(fresh, name, "done")
    signed = [one["signed"] for one in newest(fresh, "C000001")["approvers"]]
    assert [(one["by"], one["key"]) for one in signed] == [
        ("E2", "https://hr.example#000222"),
        ("E3", "https://hr.example#E3"),
    ]


def test_a_leaver_whose_key_is_pinned_under_a_number_still_keeps_it(fresh: Site) -> None:
    pinned(fresh, ("a", "000222"), ("b", "E3"))
    people(fresh)
    with fresh.client() as client:
        client.call("hr.subject.add", person="E2", number="000222")
        client.call("case.open", person="E2", last_day="2099-12-31", kind="unauthorised")
        flags = [en(flag) for flag in client.call("case.status", person="E2")["flags"]]
    assert any("https://hr.example#000222" in flag for flag in flags)


def test_the_outbox_comes_with_the_first_answer_and_the_spool_with_the_keys(fresh: Site, private: Path) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    assert not outbox.folder(fresh.home.root).exists()
    name = hr_sender.drop(fresh.home.root / "spool" / "new", "forged", "x").name
    assert answer(fresh, name)["state"] == "rejected"
    assert [alarm["kind"] for alarm in until(lambda: alarms(fresh))] == ["hr-rejected"]


def test_an_answer_says_nothing_of_its_own_notice_that_another_one_is(fresh: Site, private: Path) -> None:
    """The number of the token that is answered is its own, whichever case answers."""
    people(fresh)
    send(fresh, private, {"kind": "resignation"}, txn="HR-1", jti="a")
    send(fresh, private, {"kind": "resignation"}, txn="HR-2", jti="b")
    until(lambda: len(answers(fresh)) == 2)
    assert answers(fresh) == [("HR-1", "a"), ("HR-2", "b")]
    for file in outbox.by_name(fresh.home.root).glob("*.set"):
        said = jwt.decode(file.read_text(), options={"verify_signature": False})
        assert json.dumps(said).count("HR-") == 1
