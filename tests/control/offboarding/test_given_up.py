"""A run that has lost its reason: what it had ended by then is told by a receipt, and nobody waits for it any more."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from agent.control.offboarding.worker import OffboardingWorker, ended_something
from agent.offboard import database
from agent.offboard.context import RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.progress import waiting
from agent.offboard.receipt import receipt
from agent.offboard.receipt.signing import Signer, key_path
from agent.offboard.receipt.verify import verify
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests.control.office import Office, office_of
from tests.control.site import Site
from tests.sentences import en

STEPS = ("deny", "holders", "doors", "proof")


class Asking:
    """The control process, of which nothing is needed here but the index."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def settled(self) -> None:
        pass

    def fresh(self) -> None:
        self._office.services.indexer.fresh()

    def cut(self, case: str) -> None:
        pass


@pytest.fixture
def office(fresh: Site) -> Iterator[Office]:
    with office_of(fresh) as one:
        yield one


def journal_of(office: Office) -> RevocationJournal:
    return RevocationJournal(database.path(office.site.home.root))


def begun(office: Office, name: str, *, killed: int) -> None:
    """Write the run *name* down with its cut made, which ended *killed* processes, and the rest open."""
    with closing(journal_of(office)) as journal:
        now = office.site.now()
        journal.begin_together([(WantedRun(name, RevocationSubject("E1"), Cause.HOLD, ("E8",)), STEPS)], now)
        done: tuple[tuple[str, StepState, dict[str, Any]], ...] = (
            ("deny", StepState.CONFIRMED, {"at": now.isoformat()}),
            ("holders", StepState.CONFIRMED, {"killed": killed, "gone_at": now.isoformat() if killed else None}),
            ("doors", StepState.PENDING, {"doors": [{"door": "B1", "state": "pending", "at": None,
                                                     "detail": {"en": "", "zh": ""}}]}),
        )  # fmt: skip
        for step, state, facts in done:
            result = StepResult(state, Text(f"{step} said", f"{step} 结果"), facts)
            journal.record(journal.run(name), JournaledStep(step, result, 1, now, now))


def worked(office: Office, name: str) -> None:
    """Have the process of departures look at *name*, in this process."""
    with closing(OffboardingWorker(office.site, Asking(office), None, os.getpid())) as worker:  # type: ignore[arg-type]
        worker.finish([name])


def kept(office: Office, name: str) -> list[dict[str, Any]]:
    root = office.site.home.root
    reports = [
        verify(path.read_bytes(), Signer.at(key_path(root)).public_pem())
        for path in receipt.kept(receipt.receipts_folder(root), name)
    ]
    assert not [problem for report in reports for problem in report.problems]
    return [report.payload for report in reports if report.payload]


def left(office: Office) -> int:
    return waiting(database.path(office.site.home.root)).runs


def lifted(office: Office) -> str:
    name = str(office.do("hold.add", reason="inquiry")["hold"])
    office.do("hold.lift", reason="cleared")
    return name


def test_what_it_has_ended_by_then_has_a_receipt_that_says_why_the_rest_was_given_up(office: Office) -> None:
    name = lifted(office)
    begun(office, name, killed=1)
    assert left(office) == 1
    worked(office, name)
    [body] = kept(office, name)
    said = {step["id"]: (step["state"], en(step["detail"])) for step in body["steps"]}
    assert said["holders"] == ("confirmed", "holders said")
    assert said["proof"] == ("not-part", "the hold was lifted before the run began")
    assert said["doors"] == ("not-part", "the hold was lifted before the run began; result until then: doors said")
    assert (body["complete"], body["open"], body["doors"], body["proof"]) == (False, ["proof"], [], None)
    assert {row["mark"] for row in body["timeline"] if row["at"]} >= {"denied", "last-gone"}
    assert left(office) == 0
    worked(office, name)
    assert len(kept(office, name)) == 1


def test_one_that_has_ended_nothing_has_none_and_nobody_waits_for_it(office: Office) -> None:
    name = lifted(office)
    begun(office, name, killed=0)
    worked(office, name)
    assert kept(office, name) == []
    assert left(office) == 0


def test_who_was_killed_after_giving_it_up_and_before_the_receipt_issues_it_at_the_next_start(office: Office) -> None:
    name = lifted(office)
    begun(office, name, killed=1)
    with closing(journal_of(office)) as journal:
        run, now = journal.run(name), office.site.now()
        for step in ("doors", "proof"):
            result = StepResult(StepState.SKIPPED, Text("", ""), {"given_up": True})
            journal.record(run, JournaledStep(step, result, 1, now, now))
        assert journal.unfinished() == []
    assert left(office) == 1
    with closing(OffboardingWorker(office.site, Asking(office), None, os.getpid())) as worker:  # type: ignore[arg-type]
        worker.sweep()
    assert len(kept(office, name)) == 1
    assert left(office) == 0


def test_a_run_whose_steps_are_all_over_is_waited_for_until_its_receipt_is_kept(office: Office) -> None:
    name = str(office.do("hold.add", reason="inquiry")["hold"])
    begun(office, name, killed=0)
    with closing(journal_of(office)) as journal:
        now = office.site.now()
        for step in ("doors", "proof"):
            done = JournaledStep(step, StepResult(StepState.CONFIRMED, Text("", "")), 1, now, now)
            journal.record(journal.run(name), done)
        assert journal.unfinished() == []
    assert left(office) == 1
    worked(office, name)
    assert len(kept(office, name)) == 1
    assert left(office) == 0


def done(step: str, state: StepState, **facts: Any) -> JournaledStep:
    return JournaledStep(step, StepResult(state, Text("", ""), facts), 1)


@pytest.mark.parametrize(
    ("steps", "ended"),
    [
        ([done("deny", StepState.CONFIRMED)], False),
        ([done("holders", StepState.CONFIRMED, killed=0)], False),
        ([done("holders", StepState.PENDING, killed=1)], True),
        ([done("sessions", StepState.DONE)], True),
        ([done("sessions", StepState.SKIPPED), done("proof", StepState.CONFIRMED)], False),
    ],
)
def test_something_has_ended_where_a_process_was_killed_or_a_step_has_done_its_work(
    steps: list[JournaledStep], ended: bool
) -> None:
    assert ended_something(steps) is ended
