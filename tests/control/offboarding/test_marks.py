"""The marks of real receipts: each taken where the thing happened, in order on one clock, and who signed what."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.control.offboarding.signatories import ADVANCE, CONFIRMATION, by_hand, of_officer
from agent.control.offboarding.timeline import ending
from agent.control.offboarding.triggers import trigger_of
from agent.offboard.intake.notice import HrEvent
from agent.offboard.journal import JournaledStep
from agent.offboard.receipt import receipt
from agent.offboard.receipt.signing import Signer, key_path
from agent.offboard.receipt.timeline import Source
from agent.offboard.receipt.verify import verify
from agent.offboard.steps.step import StepResult, StepState
from agent.registry.repositories.transaction import Transaction
from rules.text import Message, Text
from tests.control.offboarding.test_hr_intake import drop, people, private, until
from tests.control.office import OFFICERS, Office, notice, office_of
from tests.control.site import Site
from tests.sentences import en, zh

__all__ = ["private"]
CHAIN = ("received", "durable", "denied")


def newest(site: Site, name: str) -> dict[str, Any]:
    """Wait for the receipt of the run *name*, check it and return what it says."""
    folder = receipt.receipts_folder(site.home.root)
    until(lambda: receipt.kept(folder, name))
    report = verify(receipt.kept(folder, name)[-1].read_bytes(), Signer.at(key_path(site.home.root)).public_pem())
    assert report.genuine, report.problems
    assert report.payload
    return report.payload


def marks(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["mark"]: row for row in body["timeline"]}


def states(body: dict[str, Any]) -> dict[str, str]:
    return {step["id"]: step["state"] for step in body["steps"]}


def test_a_hold_was_received_then_durable_then_denied_each_at_its_place(fresh: Site) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1")
        before = datetime.now(UTC)
        client.call("hold.add", person="E1", reason="inquiry")
    body = newest(fresh, "H000001")
    found = marks(body)
    assert [found[mark]["source"] for mark in ("approved", *CHAIN)] == ["socket", "socket", "registry", "decider"]
    instants = [datetime.fromisoformat(found[mark]["at"]) for mark in CHAIN]
    assert before <= instants[0] < instants[1] < instants[2] <= datetime.now(UTC)
    [one] = body["approvers"]
    assert (one["signed"]["role"], one["signed"]["opinion"]) == ("officer", "inquiry")
    assert one["signed"]["by"] == one["written"]["by"]
    assert found["received"]["at"] <= one["written"]["at"] <= found["durable"]["at"]


def test_two_acts_in_a_row_about_one_person_have_their_own_instants_each(fresh: Site) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1")
        sent = [datetime.now(UTC)]
        for _ in range(2):
            client.call("hold.add", person="E1", reason="inquiry")
            sent.append(datetime.now(UTC))
    for number, (before, after) in enumerate(pairwise(sent), 1):
        found = marks(newest(fresh, f"H00000{number}"))
        assert [found[mark]["source"] for mark in CHAIN] == ["socket", "registry", "decider"]
        instants = [datetime.fromisoformat(found[mark]["at"]) for mark in CHAIN]
        assert before <= instants[0] < instants[1] < instants[2] <= after


def test_what_a_hold_does_not_touch_is_no_part_of_it_and_doors_are_not_there(fresh: Site) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1")
        client.call("hold.add", person="E1", reason="inquiry")
    found = states(newest(fresh, "H000001"))
    assert (found["doors"], found["cron"], found["sessions"], found["deny"]) == (
        "not-present", "not-part", "not-part", "confirmed",
    )  # fmt: skip


def test_what_the_pack_turned_out_not_to_ask_for_is_no_part_of_it(fresh: Site) -> None:
    with office_of(fresh) as office:
        office.do("hold.add", reason="inquiry")
        result = StepResult(StepState.SKIPPED, Text("", ""), {"not_wanted": True})
        done = JournaledStep("sessions", result, 1, office.site.now(), office.site.now())
        found = ending(office.site, trigger_of(office.site, "H000001"), [done])
    assert [step.state for step in found.steps if step.id == "sessions"] == ["not-part"]


def test_twelve_doors_are_twelve_doors_of_a_hold(fresh: Site) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1", badge=["4660"])
        client.call("room.add", room="vault", level="secret", domain="state")
        for number in range(12):
            reader = f"osdp+tcp://127.0.0.1:9/{number + 1}"
            client.call("door.add", door=f"B{number}", room="vault", reader=[reader])
        client.call("hold.add", person="E1", reason="inquiry")
    body = newest(fresh, "H000001")
    assert len(body["doors"]) == 12
    assert {door["state"] for door in body["doors"]} == {"confirmed"}
    assert states(body)["doors"] == "confirmed"


def test_durable_is_the_end_of_the_commit_and_not_its_beginning(fresh: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    committed: list[datetime] = []
    commit = Transaction.commit

    def slow(transaction: Transaction) -> None:
        time.sleep(0.05)
        commit(transaction)
        committed.append(office.site.now())

    with office_of(fresh) as office:
        monkeypatch.setattr(Transaction, "commit", slow)
        office.do("hold.add", reason="inquiry")
        [(_, durable)] = office.followed.marks[-1:]
    assert durable >= committed[0]


def test_an_acknowledgement_is_as_old_as_the_first_one_of_its_epoch(fresh: Site) -> None:
    with office_of(fresh) as office:
        decider = office.services.decider
        decider.epoch(7)
        first = decider.acknowledged
        for again in (7, 3):
            decider.epoch(again)
        assert decider.acknowledged == first


def test_received_is_when_a_request_was_read_and_not_when_its_turn_came(fresh: Site) -> None:
    with fresh.client() as client:
        for person in ("E1", "E2"):
            client.call("person.add", person=person)
    peer = fresh.peer.pid

    def hold(person: str) -> None:
        with fresh.client() as client:
            client.call("hold.add", person=person, reason="inquiry")

    with ThreadPoolExecutor(2) as pool:
        os.kill(peer, signal.SIGSTOP)  # the act under way waits for its entry, and everybody behind it for that
        try:
            both = [pool.submit(hold, person) for person in ("E1", "E2")]
            time.sleep(0.5)
            released = datetime.now(UTC)
        finally:
            os.kill(peer, signal.SIGCONT)
        for one in both:
            one.result(30)
    for name in ("H000001", "H000002"):
        found = marks(newest(fresh, name))
        assert datetime.fromisoformat(found["received"]["at"]) < released
        assert datetime.fromisoformat(found["durable"]["at"]) > released


def test_a_notice_was_received_when_its_file_appeared_and_its_signatories_stand_beside_who_wrote_them_down(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    signed = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    drop(fresh, private, signed, txn="HR-1")
    body = newest(fresh, "C000001")
    found = marks(body)
    assert [found[mark]["source"] for mark in CHAIN] == ["spool", "hr-store", "decider"]
    assert found["received"]["compared"] == "file-system"
    low, at, high = (found["received"][name] for name in ("not_before", "at", "not_after"))
    assert (low or at) <= at <= high <= found["durable"]["at"] < found["denied"]["at"]
    assert (found["approved"]["clock"], found["approved"]["after_us"]) == ("personnel", None)
    assert [(one["signed"]["by"], one["signed"]["role"]) for one in body["approvers"]] == [("E2", "a"), ("E3", "b")]
    for one in body["approvers"]:
        assert one["signed"]["key"]
        assert one["signed"]["clock"] == "personnel"
        assert datetime.fromisoformat(one["signed"]["at"]) == signed
        assert one["written"]["by"] == "hr"
        assert one["written"]["at"] > found["received"]["at"]


def test_a_hold_that_hr_asks_for_was_received_in_the_spool(fresh: Site, private: Path) -> None:
    people(fresh)
    drop(fresh, private, datetime.now(UTC), txn="HR-9", event=HrEvent.ACCOUNT_DISABLED)
    body = newest(fresh, "H000001")
    assert marks(body)["received"]["source"] == "spool"
    assert body["reference"] == "HR-9"
    [one] = body["approvers"]
    assert (one["signed"]["by"], one["signed"]["clock"], one["written"]["by"]) == ("hr", "personnel", "hr")


def test_an_approval_of_a_case_names_who_wrote_it_down(fresh: Site) -> None:
    with office_of(fresh, "company") as office:
        office.do("case.open", last_day="2099-12-31")
        office.do("case.approve", by="E2", opinion="agreed")
        office.do("case.approve", officer="E9")
        case = office.site.lists.cases.get("E1")
        assert [(one.by, one.written_by, one.opinion) for one in case.approvals] == [
            ("E2", "E8", "agreed"), ("E9", "E9", ""),
        ]  # fmt: skip
        for number in range(3, 6):
            office.do("case.approve", by=f"E{number}")
        body = record(office, "C000001")
        first, second, *_ = body.approvers
        assert (first["signed"]["by"], first["signed"]["at"], first["written"]["by"]) == ("E2", None, "E8")
        assert first["signed"]["opinion"] == "agreed"
        entry = fresh.entries(act="case.approve", outcome="done")[0]
        assert entry["args"]["by"] == "E2"  # type: ignore[index]
        assert entry["actor"]["uid"] == OFFICERS["E8"]  # type: ignore[index]
        assert zh(first["signed"]["title"]) == "部门部长"
        assert second["signed"]["at"] == second["written"]["at"]


def record(office: Office, name: str) -> receipt.RevocationRecord:
    return ending(office.site, trigger_of(office.site, name), [])


def test_what_an_act_took_is_named_with_its_act_its_officer_and_its_entry(fresh: Site) -> None:
    with office_of(fresh) as office:
        done = office.do("person.set", department="sales")
        [name] = office.followed.lost
        body = record(office, name)
        assert (body.cause, body.lost, body.act, body.seq) == ("loss", ("plans",), "person.set", done["seq"])
        assert [one["signed"]["by"] for one in body.approvers] == ["E8"]
        made = json.loads(receipt.build(body, "key", office.site.now()))
        assert made["lost"] == [{"area": "plans"}]
        [title] = [step["title"] for step in made["steps"] if step["id"] == "acl"]
        assert title == {"en": "deny entries on classified files", "zh": "在涉密文件上设置拒绝项"}
        [(received, durable)] = office.followed.marks[-1:]
        assert received <= durable


def test_the_agents_own_attempts_of_the_proof_are_counted_by_their_entries(fresh: Site) -> None:
    with office_of(fresh) as office:
        office.do("hold.add", reason="inquiry")
        fresh.tell_peer("tried E1")  # of another run: before this proof
        began = office.site.now()
        for person in ("E1", "E2", "E1"):
            fresh.tell_peer(f"tried {person}")
        ended = office.site.now()
        fresh.tell_peer("tried E1")
        office.services.indexer.fresh()
        proof = JournaledStep("proof", StepResult(StepState.CONFIRMED, Text("", "")), 1, began, ended)
        found = ending(office.site, trigger_of(office.site, "H000001"), [proof])
    [_, first, _, last, _] = [entry["seq"] for entry in fresh.entries(own="departure")]
    assert found.own_entries == {"count": 2, "first": first, "last": last}
    assert found.marks.last_read is None


def test_what_fell_due_while_nobody_decided_was_denied_when_the_next_decider_began(fresh: Site) -> None:
    with office_of(fresh) as office:
        grants = []
        for meanwhile in ("nobody", "somebody"):
            fresh.tell_peer("tried E2")  # the last that is heard of a decider
            with office.services.registry.change(office.site.now()) as change:
                due = office.site.now()
                grants.append(change.grants.add("E2", "plans", reason="x", approver="E8", until=due))
            if meanwhile == "somebody":
                fresh.tell_peer("tried E2")
            fresh.tell_peer("started")
            office.services.indexer.fresh()
            found = record(office, grants[-1]).marks
            origin = found.origins["denied"]
            if meanwhile == "nobody":
                [entry] = fresh.entries(kind="decider-started")
                assert (origin.source, origin.seq, origin.not_before) == (Source.LOG, entry["seq"], found.approved)
                assert found.approved
                assert found.denied
                assert found.denied > found.approved
            else:
                assert origin.source is Source.DUE


def test_what_a_cause_leaves_out_is_said_with_a_reason_that_is_true_of_it(fresh: Site) -> None:
    with office_of(fresh) as office:
        office.do("person.set", department="sales")
        office.do("hold.add", "E2", reason="inquiry")
        for person, kind in (("E3", "resignation"), ("E4", "long-leave")):
            office.do("case.open", person, last_day="2099-12-31", kind=kind)
            office.do("case.approve", person)
        said = {
            cause: {step.id: step.detail for step in record(office, name).steps}
            for cause, name in (
                ("departure", "C000001"),
                ("hold", "H000001"),
                ("loss", "L000001"),
                ("transfer", "C000002"),
            )
        }
    assert said["departure"]["holders"] == Message("control.all-processes-ended")
    for cause in ("hold", "loss", "transfer"):
        assert en(said[cause]["sessions"]) == "the rule pack does not end login sessions"
        assert "begun before" not in " ".join(en(text) for text in said[cause].values())
    assert "sessions" not in en(said["hold"]["cron"])  # a pack may end those of who is held


def test_a_loss_says_why_it_was_ordered(fresh: Site) -> None:
    with office_of(fresh) as office:
        done = office.do("grant.end", None, grant=office.grant, reason="project over")
        assert done["losses"] == ["L000001"]
        [one] = record(office, "L000001").approvers
    assert (one["signed"]["by"], one["signed"]["opinion"]) == ("E8", "project over")


def deny(office: Office) -> JournaledStep:
    """Return the step that denies, with the instants of the act that was done last."""
    received, durable = office.followed.marks[-1]
    facts = {"received_at": received.isoformat(), "durable_at": durable.isoformat(), "at": durable.isoformat()}
    return JournaledStep("deny", StepResult(StepState.CONFIRMED, Text("", ""), facts), 1, durable, durable)


def scheduled(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31", effective="2099-12-31")
    office.do("case.approve")


def test_a_leave_date_that_an_officer_brought_to_now_was_his_request_and_names_him(fresh: Site) -> None:
    with office_of(fresh) as office:
        scheduled(office)
        office.do("case.advance", officer="E9")
        found = ending(office.site, trigger_of(office.site, "C000001"), [deny(office)])
        made = json.loads(receipt.build(found, "key", office.site.now()))
    rows = marks(made)
    assert [rows[mark]["source"] for mark in ("approved", *CHAIN)] == ["act", "socket", "registry", "decider"]
    assert rows["received"]["at"] == office.followed.marks[-1][0].isoformat(timespec="microseconds").replace(
        "+00:00", "Z"
    )
    assert [(one["signed"]["by"], one["signed"]["role"]) for one in made["approvers"]] == [
        ("E8", "officer"), ("E9", "advance"),
    ]  # fmt: skip


def test_a_leave_date_that_came_by_itself_was_nobodys_request_and_names_who_brought_it_forward(fresh: Site) -> None:
    with office_of(fresh) as office:
        scheduled(office)
        office.do("case.advance", officer="E9", to="2098-12-31")
        office.later(days=80 * 365)
        office.do("case.carry-out", pid=os.getpid())
        found = ending(office.site, trigger_of(office.site, "C000001"), [])
        assert found.marks.origin("received").source == "due"
        assert ("E9", "advance") in [(one["signed"]["by"], one["signed"]["role"]) for one in found.approvers]


def test_a_leave_date_that_the_personnel_system_brought_to_now_is_no_request_of_an_officer(fresh: Site) -> None:
    with office_of(fresh) as office:
        scheduled(office)
        notice(office, "E2", "E3")
        found = ending(office.site, trigger_of(office.site, "C000001"), [deny(office)])
    assert found.marks.origin("received").source == "act"


def test_under_a_notice_who_did_something_here_stands_beside_who_signed_there() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    done = [of_officer("E8", at), of_officer("E9", at, ADVANCE), of_officer("hr", at, ADVANCE)]
    done += [of_officer("E2", at, CONFIRMATION), of_officer("E7", at, CONFIRMATION)]
    assert [one["signed"]["by"] for one in by_hand(done, {"E2", "E3"})] == ["E9", "E7"]


def test_who_loses_rooms_alone_has_no_run_and_the_entry_names_the_rooms(fresh: Site) -> None:
    with office_of(fresh) as office:
        office.do("room.add", None, room="vault", level="secret", domain="state")
        grant = office.do("grant.add", area="vault", reason="x")["grant"]
        done = office.do("grant.end", None, grant=grant)
        assert "losses" not in done
        assert office.followed.lost == []
    [entry] = fresh.entries(act="grant.end", outcome="done")
    assert entry["lost"] == {"people": 1, "first": [{"person": "E1", "areas": [], "rooms": ["vault"]}]}
