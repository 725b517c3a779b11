"""No expectation is met by accident: opener and log must say the same, and numbers must be what was promised."""

from dataclasses import replace

import pytest

from agent.demo import outcomes
from agent.demo.scene import ALLOWED, denied
from agent.demo.site import (
    AccessAttempt,
    Bystander,
    CutMeasurement,
    DepartureMeasurement,
    Explained,
    LogVerification,
    LossMeasurement,
    LossReceipt,
    ReceiptSummary,
    Traffic,
)
from rules.text import Text
from tests.sentences import en

ALLOW = {"seq": 7, "verdict": "allow", "rule": "allow"}
DENY = {"seq": 8, "verdict": "deny", "rule": "level"}
ENTERS = {"seq": 9, "verdict": "allow", "rule": "allow", "action": "enter", "together": ["E1"]}
TURNED_AWAY = {"seq": 9, "verdict": "deny", "rule": "escort", "action": "enter"}
GOOD_TRAFFIC = Traffic(kills=5, restarts=5, allowed=100, refused=3, unrecorded=0, leaked=0, turned_away=90)
GOOD_CUT = CutMeasurement(
    5.0, 3.0, late=False, stopped=True, bystander_reads=9, bystander_errors=0, bystander_longest=1.0
)

GOOD_LEFT = DepartureMeasurement(
    last=3.0, mapped_last=4.0, ended_after=5.0, bystander_reads=9, bystander_errors=0, bystander_longest=1.0
)
GOOD_LOSS = LossMeasurement(
    5.0,
    Bystander(9, 0, 1.0),
    AccessAttempt(passed=False, error="EPERM", entry=DENY),
    LossReceipt("L000001", ("drawings",), complete=True, denied=2.0, entry=7),
    back=AccessAttempt(passed=True, entry=ALLOW),
)
GOOD_PROOF = ReceiptSummary((), genuine=True, complete=True, still_open=(), entries=(1, 2, 3))


def test_let_in_and_recorded_so_is_let_in() -> None:
    assert outcomes.of_attempt(AccessAttempt(passed=True, entry=ALLOW)).outcome == ALLOWED


def test_refused_and_recorded_so_names_the_rule() -> None:
    assert outcomes.of_attempt(AccessAttempt(passed=False, error="EPERM", entry=DENY)).outcome == denied("level")


@pytest.mark.parametrize(
    "attempt",
    [
        AccessAttempt(passed=True, entry=None),
        AccessAttempt(passed=True, entry=DENY),
        AccessAttempt(passed=False, error="EPERM", entry=ALLOW),
        AccessAttempt(passed=False, error="EPERM", entry=None),
        AccessAttempt(passed=False, error="EACCES", entry=DENY),
        AccessAttempt(passed=False, error="timeout", entry=DENY),
    ],
)
def test_where_opener_and_log_differ_nothing_is_met(attempt: AccessAttempt) -> None:
    assert outcomes.of_attempt(attempt).outcome.code not in (ALLOWED.code, denied("level").code)


def test_a_badge_counts_only_where_lock_and_log_say_the_same() -> None:
    assert outcomes.of_badge(AccessAttempt(passed=True, entry=ENTERS)).outcome == ALLOWED
    assert outcomes.of_badge(AccessAttempt(passed=True, entry={**ENTERS, "action": "exit"})).outcome == outcomes.OUT
    assert outcomes.of_badge(AccessAttempt(passed=False, error="locked", entry=TURNED_AWAY)).outcome == denied("escort")
    for passed, entry in ((True, TURNED_AWAY), (False, ENTERS), (True, None), (False, None)):
        found = outcomes.of_badge(AccessAttempt(passed=passed, error="" if passed else "locked", entry=entry)).outcome
        assert found.code not in (ALLOWED.code, outcomes.OUT.code, denied("escort").code)


def test_an_alarm_counts_only_when_it_is_about_whom_it_should_be() -> None:
    assert outcomes.of_alarm(["E7"], "E7").outcome == outcomes.ALARMED
    for people in ([], ["E8"], [""]):
        assert outcomes.of_alarm(people, "E7").outcome != outcomes.ALARMED


def test_doors_refuse_only_when_there_are_some_and_each_is_confirmed() -> None:
    good = replace(GOOD_PROOF, doors=(("a", "confirmed"), ("b", "confirmed")))
    assert outcomes.of_doors(good).outcome == outcomes.REFUSING
    for doors in ((), (("a", "confirmed"), ("b", "pending"))):
        assert outcomes.of_doors(replace(good, doors=doors)).outcome != outcomes.REFUSING


def test_good_traffic_holds() -> None:
    assert outcomes.of_kills(GOOD_TRAFFIC).outcome == outcomes.RESTARTED
    assert outcomes.of_cleared(GOOD_TRAFFIC).outcome == outcomes.RECORDED
    assert outcomes.of_uncleared(GOOD_TRAFFIC).outcome == outcomes.CLOSED


def test_one_leak_one_missing_entry_or_one_missing_start_shows() -> None:
    assert outcomes.of_kills(replace(GOOD_TRAFFIC, restarts=4)).outcome != outcomes.RESTARTED
    assert outcomes.of_cleared(replace(GOOD_TRAFFIC, unrecorded=1)).outcome != outcomes.RECORDED
    assert outcomes.of_uncleared(replace(GOOD_TRAFFIC, leaked=1)).outcome != outcomes.CLOSED


def test_traffic_in_which_nobody_tried_proves_nothing() -> None:
    assert outcomes.of_kills(replace(GOOD_TRAFFIC, kills=0, restarts=0)).outcome != outcomes.RESTARTED
    assert outcomes.of_cleared(replace(GOOD_TRAFFIC, allowed=0)).outcome != outcomes.RECORDED
    assert outcomes.of_uncleared(replace(GOOD_TRAFFIC, turned_away=0)).outcome != outcomes.CLOSED


def test_a_cut_holds_only_if_reads_stop_in_time_and_the_bystander_reads_on() -> None:
    assert outcomes.of_reader(GOOD_CUT).outcome == outcomes.STOPPED
    assert outcomes.of_bystander(GOOD_CUT).outcome == outcomes.UNDISTURBED
    assert outcomes.of_reader(replace(GOOD_CUT, late=True)).outcome != outcomes.STOPPED
    assert outcomes.of_reader(replace(GOOD_CUT, stopped=False)).outcome != outcomes.STOPPED
    assert outcomes.of_bystander(replace(GOOD_CUT, bystander_errors=1)).outcome != outcomes.UNDISTURBED
    assert outcomes.of_bystander(replace(GOOD_CUT, bystander_reads=0)).outcome != outcomes.UNDISTURBED


def test_a_departure_holds_only_if_the_process_is_gone_and_nobody_reads_after_that() -> None:
    assert outcomes.of_leaver(GOOD_LEFT).outcome == outcomes.STOPPED
    assert outcomes.of_process(GOOD_LEFT).outcome == outcomes.GONE
    assert outcomes.of_colleague(GOOD_LEFT).outcome == outcomes.UNDISTURBED
    for wrong in (
        replace(GOOD_LEFT, ended_after=None),
        replace(GOOD_LEFT, mapped_last=6.0),
        replace(GOOD_LEFT, last=6.0),
    ):
        assert outcomes.of_leaver(wrong).outcome != outcomes.STOPPED
    assert outcomes.of_process(replace(GOOD_LEFT, ended_after=None)).outcome != outcomes.GONE
    assert outcomes.of_colleague(replace(GOOD_LEFT, bystander_errors=1)).outcome != outcomes.UNDISTURBED


def test_a_loss_holds_only_if_the_process_is_gone_and_the_receipt_names_the_area_and_leaves_nothing_open() -> None:
    assert outcomes.of_loser(GOOD_LOSS).outcome == outcomes.GONE
    assert en(outcomes.of_loser(GOOD_LOSS).detail) == "log entry 7; denied after 2.0 ms, ended after 5.0 ms"
    assert outcomes.of_loser(replace(GOOD_LOSS, ended_after=None)).outcome != outcomes.GONE
    assert outcomes.of_neighbour(GOOD_LOSS).outcome == outcomes.UNDISTURBED
    for beside in (Bystander(0, 0, 0.0), Bystander(9, 1, 1.0)):
        assert outcomes.of_neighbour(replace(GOOD_LOSS, bystander=beside)).outcome != outcomes.UNDISTURBED
    assert GOOD_LOSS.receipt
    assert outcomes.of_loss_receipt(GOOD_LOSS).outcome == outcomes.NAMED
    for wrong in (
        None,
        replace(GOOD_LOSS.receipt, complete=False),
        replace(GOOD_LOSS.receipt, areas=()),
        replace(GOOD_LOSS.receipt, areas=("drawings", "merger")),
    ):
        assert outcomes.of_loss_receipt(replace(GOOD_LOSS, receipt=wrong)).outcome != outcomes.NAMED


def test_where_nothing_was_ended_nobody_is_gone_and_nothing_is_certified() -> None:
    rehearsed = replace(GOOD_LOSS, ended_after=None, receipt=None, unmeasured=Text("x", "某"))
    assert outcomes.of_loser(rehearsed).moot
    assert outcomes.of_loss_receipt(rehearsed).moot


def test_a_receipt_proves_only_if_it_is_genuine_and_nothing_is_open() -> None:
    assert outcomes.of_receipt(GOOD_PROOF).outcome == outcomes.PROVEN
    assert outcomes.of_receipt(replace(GOOD_PROOF, genuine=False)).outcome != outcomes.PROVEN
    assert outcomes.of_receipt(replace(GOOD_PROOF, complete=False, still_open=("proof",))).outcome != outcomes.PROVEN
    assert outcomes.of_trail(GOOD_PROOF).outcome == outcomes.TRACED
    assert outcomes.of_trail(replace(GOOD_PROOF, entries=(1, 2))).outcome != outcomes.TRACED


def test_an_explanation_without_clauses_or_without_a_way_out_is_thin() -> None:
    said = Text("x", "某")
    good = Explained("deny", "training", ("D15-2.5",), said, said)
    assert outcomes.of_explanation(good).outcome == outcomes.explained("training")
    for thin in (good._replace(clauses=()), good._replace(change=None), good._replace(verdict="allow")):
        assert outcomes.of_explanation(thin).outcome != outcomes.explained("training")


def test_a_log_with_a_problem_or_without_its_beginning_is_broken() -> None:
    assert outcomes.of_verification(LogVerification(9, 1, 9, ())).outcome == outcomes.WHOLE
    for broken in (
        LogVerification(9, 1, 9, (Text("x", "某"),)),
        LogVerification(8, 2, 9, ()),
        LogVerification(8, 1, 9, ()),
    ):
        assert outcomes.of_verification(broken).outcome != outcomes.WHOLE
