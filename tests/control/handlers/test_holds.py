"""What follows a hold, a rescission and the end of a grant, in the real process of departures."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.offboard import database
from agent.offboard.context import RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.progress import waiting
from agent.offboard.receipt import receipt
from agent.offboard.steps.step import StepResult, StepState
from agent.presentation import backlog
from rules.text import Text
from tests.control.offboarding.test_hr_intake import until
from tests.control.office import office_of
from tests.control.site import Site
from tests.sentences import en


@pytest.fixture
def journal(fresh: Site) -> Iterator[RevocationJournal]:
    with closing(RevocationJournal(database.path(fresh.home.root))) as found:
        yield found


def begun(journal: RevocationJournal, name: str, cause: Cause, at: datetime) -> None:
    """Write a run down as if the agent had died right after that."""
    wanted = WantedRun(name, RevocationSubject("E1"), cause, ("E8",))
    journal.begin_together([(wanted, ["deny", "holders", "samba", "proof"])], at)


def given_up(journal: RevocationJournal, name: str) -> list[JournaledStep] | None:
    steps = journal.steps(journal.run(name))
    return None if any(done.result.state.open for done in steps) else steps


def receipts(fresh: Site, name: str) -> list[Path]:
    return receipt.kept(receipt.receipts_folder(fresh.home.root), name)


def test_a_hold_answers_with_the_cut_and_lets_the_rest_begin_once_it_is_acknowledged(fresh: Site) -> None:
    with office_of(fresh) as office:
        held = office.do("hold.add", reason="inquiry")
        assert office.holds == [(held["hold"], held["epoch"])]
        assert held["milliseconds"] > 0
        assert office.verdict().rule == "hold"
        [entry] = fresh.entries(act="hold.add")
        assert "lost" not in entry  # it takes everything, and has a run of its own
        assert office.followed.lost == []


def test_a_hold_is_placed_though_the_pack_is_damaged_and_its_entry_says_that_nothing_was_compared(fresh: Site) -> None:
    with office_of(fresh) as office:
        fresh.home.pack.write_text("broken =")
        held = office.do("hold.add", reason="inquiry")
        assert office.holds == [(held["hold"], held["epoch"])]
        [entry] = fresh.entries(act="hold.add")
        assert "pack" in en(entry["lost"]["unknown"])


def test_who_waits_for_proof_is_counted_with_about_how_long_wherever_somebody_asks(
    fresh: Site, journal: RevocationJournal
) -> None:
    with office_of(fresh) as office:  # here nothing follows an act
        case = office.approved()["case"]
        for name, minutes in (("H9000", 2), (case, 0), ("H9001", 0)):
            begun(journal, name, Cause.HOLD, office.site.now())
            run = journal.run(name)
            for step in journal.steps(run) if minutes else ():
                over, at = StepResult(StepState.CONFIRMED, Text("", ""), {}), office.site.now() + timedelta(hours=1)
                until_then = at + timedelta(minutes=minutes if step.step == "proof" else 0)
                # It had waited for an hour, for others.
                journal.record(run, replace(step, result=over, began_at=at, ended_at=until_then))
            if minutes:
                journal.settle(name, office.site.now())
        held = office.do("hold.add", "E2", reason="inquiry")["revocations"]
        assert (held["waiting"], 239 <= held["seconds"] <= 241) == (2, True)  # as long as the last one took, each
        assert office.do("status", None)["revocations"] == held
        assert office.do("case.progress")["revocations"] == held
        file = database.path(office.site.home.root)
        assert waiting(file, {"H9001", "H9002"}).runs == 3  # one of them has its run by now, and is no other one
        assert waiting(file.with_name("none"), {"H9002"}).runs == 1
    said = backlog.sentence(held)
    assert said is not None
    assert en(said) == "2 revocations are being proven, about 4 min left"


def test_a_hold_that_was_never_carried_out_is_found_at_the_next_start(fresh: Site) -> None:
    with office_of(fresh) as office:  # here nothing follows an act
        hold = office.do("hold.add", reason="inquiry")["hold"]
    fresh.start_control()
    until(lambda: receipts(fresh, hold))
    [entry] = until(lambda: fresh.entries(kind="receipt", case=hold))
    assert (entry["person"], entry["complete"], entry["open"]) == ("E1", True, [])


def test_what_is_open_of_a_hold_that_was_lifted_is_given_up(fresh: Site, journal: RevocationJournal) -> None:
    with office_of(fresh) as office:
        hold = office.do("hold.add", reason="inquiry")["hold"]
        office.do("hold.lift", reason="nothing found")
        begun(journal, hold, Cause.HOLD, office.site.now())
    fresh.start_control()
    steps = until(lambda: given_up(journal, hold))
    assert {done.result.state for done in steps} == {StepState.SKIPPED}
    assert {en(done.result.detail) for done in steps} == {"the hold was lifted before the run began"}
    assert receipts(fresh, hold) == []
    until(lambda: len(fresh.entries(kind="revocation", case=hold)) == len(steps))


def test_what_is_open_of_a_departure_that_was_taken_back_is_given_up(fresh: Site, journal: RevocationJournal) -> None:
    with office_of(fresh) as office:
        case = office.approved()["case"]
        begun(journal, case, Cause.DEPARTURE, office.site.now())
        office.do("case.rescind", reason="wrong person")
        office.do("case.rescind", officer="E9", reason="so it is")
    fresh.start_control()
    steps = until(lambda: given_up(journal, case))
    assert {en(done.result.detail) for done in steps} == {"the departure was rescinded before the run began"}
    assert receipts(fresh, case) == []


@pytest.mark.parametrize("word", ["E1", "H000001"])
def test_the_receipt_of_a_hold_is_asked_for_by_person_or_number(fresh: Site, word: str) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1")
        client.call("hold.add", person="E1", reason="inquiry")
        until(lambda: receipts(fresh, "H000001"))
        assert client.call("hold.receipt", person=word)["case"] == "H000001"


def test_the_plan_of_a_hold_says_what_it_would_end_and_ends_nothing(fresh: Site) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1")
        plan = client.call("hold.plan", person="E1")
        assert (plan["cause"], [step["id"] for step in plan["steps"]]) == (
            "hold",
            ["doors", "deny", "holders", "samba", "proof"],
        )
        assert list(client.stream("hold.list")) == []


def test_the_denial_on_record_is_the_acknowledgement_that_the_act_waited_for(
    fresh: Site, journal: RevocationJournal
) -> None:
    """It comes before the first step of the run begins, and not after another question to the decider."""
    with fresh.client() as client:
        client.call("person.add", person="E1")
        client.call("case.open", person="E1", last_day="2099-12-31")
        client.call("case.approve", person="E1")
        client.call("person.add", person="E2")
        client.call("hold.add", person="E2", reason="inquiry")
    for name in ("C000001", "H000001"):
        until(lambda name=name: receipts(fresh, name))  # type: ignore[misc]
        run = journal.run(name)
        [deny] = [done for done in journal.steps(run) if done.step == "deny"]
        assert deny.began_at
        assert datetime.fromisoformat(deny.result.facts["at"]) < deny.began_at
