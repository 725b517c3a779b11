"""Outcomes: reports of a site as observations that are compared with the expected ones and read by people.

Rules of this file: pure. An open counts as allowed or denied only if the opener and the log agree; where they differ,
or the log has no entry, the outcome says only that, so no expectation is met by accident.
"""

from collections.abc import Sequence

from agent.demo.cast import DRAWINGS
from agent.demo.scene import ALLOWED, Observation, SceneOutcome, denied
from agent.demo.site import (
    AccessAttempt,
    Bystander,
    CutMeasurement,
    DepartureMeasurement,
    Explained,
    LateMount,
    LogVerification,
    LossMeasurement,
    ReceiptSummary,
    Traffic,
)
from agent.presentation.terms import CARDS, word
from rules.text import Message, foreign

RESTARTED = SceneOutcome("restarted", Message("demo.restarted"))
GUARDED = SceneOutcome("guarded", Message("demo.covered-checked-open"))
RECORDED = SceneOutcome("recorded", Message("demo.each-logged"))
CLOSED = SceneOutcome("closed", Message("demo.none-allowed"))
STOPPED = SceneOutcome("stopped", Message("demo.reads-stop"))
UNDISTURBED = SceneOutcome("undisturbed", Message("demo.undisturbed"))
GONE = SceneOutcome("gone", Message("demo.process-ended"))
NAMED = SceneOutcome("named", Message("demo.receipt-names-area"))
PROVEN = SceneOutcome("proven", Message("demo.receipt-genuine"))
TRACED = SceneOutcome("traced", Message("demo.case-traced"))
ALARMED = SceneOutcome("alarm", Message("demo.alarm-raised"))
OUT = SceneOutcome("out", Message("demo.exit-allowed"))
REFUSING = SceneOutcome("refusing", Message("demo.each-door-refuses"))
WHOLE = SceneOutcome("whole", Message("demo.log-whole"))


def explained(rule: str) -> SceneOutcome:
    """Return the outcome of an explanation that names *rule*, its clauses and the remedy."""
    text = Message("demo.explained-by-rule", rule=rule)
    return SceneOutcome(f"explained {rule}", text)


def of_attempt(attempt: AccessAttempt) -> Observation:
    """Return the observation of an open."""
    if attempt.moot:
        return Observation(SceneOutcome("moot", attempt.moot), moot=True)
    entry = attempt.entry
    if entry is None:
        result_text = Message("demo.allowed") if attempt.passed else foreign(attempt.error)
        return Observation(SceneOutcome("unrecorded", Message("demo.no-entry", outcome=result_text)))
    outcome = SceneOutcome(
        "differs", Message("demo.opener-log-differ", opener=attempt.error or "ok", verdict=entry["verdict"])
    )
    if attempt.passed and entry["verdict"] == "allow":
        outcome = ALLOWED
    elif attempt.error == "EPERM" and entry["verdict"] == "deny":
        outcome = denied(str(entry["rule"]))
    number = entry["seq"]
    return Observation(outcome, Message("demo.entry", number=number))


def of_late_mount(measurement: LateMount) -> Observation:
    """Return the observation of a volume that was mounted without the agent."""
    if measurement.moot:
        return Observation(SceneOutcome("moot", measurement.moot), moot=True)
    if measurement.covered is None:
        return Observation(SceneOutcome("uncovered", Message("demo.never-covered")))
    times = Message("demo.covered-then-open", covered=measurement.covered, seconds=measurement.seconds)
    if measurement.let_in:  # between the mount and its cover; docs/limits.md has the duration
        early = Message("demo.opens-before-cover", count=measurement.let_in)
        times = Message("common.run-on", text=times, more=early)
    return Observation(GUARDED, times)


def of_badge(attempt: AccessAttempt) -> Observation:
    """Return the observation of a badge at a door: the lock and the log entry."""
    entry = attempt.entry or {}
    outcome = SceneOutcome(
        "differs", Message("demo.lock-log-differ", lock=attempt.error or "released", verdict=entry.get("verdict"))
    )
    if attempt.passed and entry.get("verdict") == "allow":
        outcome = OUT if entry["action"] == "exit" else ALLOWED
    elif not attempt.passed and entry.get("verdict") == "deny":
        outcome = denied(str(entry["rule"]))
    number, together = entry.get("seq", 0), tuple(entry.get("together", ()))
    if together:
        return Observation(outcome, Message("demo.entry-with-companions", number=number, together=together))
    return Observation(outcome, Message("demo.entry", number=number))


def of_alarm(people: Sequence[str], whom: str) -> Observation:
    """Whether there is an alarm about *whom*: ``""`` for an alarm without a person."""
    return Observation(ALARMED if whom in people else SceneOutcome("silence", Message("demo.no-alarm")))


def of_doors(proof: ReceiptSummary) -> Observation:
    """Whether the receipt confirms the denial at every door."""
    if proof.moot:
        return Observation(SceneOutcome("moot", proof.moot), moot=True)
    states = [Message("common.beside", text=name, more=word(CARDS, state)) for name, state in proof.doors]
    detail = Message("common.list", parts=states)
    held = bool(proof.doors) and all(state == "confirmed" for _, state in proof.doors)
    return Observation(REFUSING if held else SceneOutcome("open", Message("demo.not-confirmed")), detail)


def of_kills(traffic: Traffic) -> Observation:
    """Whether the decider came back each time."""
    held = traffic.kills > 0 and traffic.restarts >= traffic.kills
    detail = Message("demo.killed-times", count=traffic.kills)
    started = Message("demo.started-times", count=traffic.restarts)
    return Observation(RESTARTED if held else SceneOutcome("dead", started), detail)


def of_cleared(traffic: Traffic) -> Observation:
    """Whether every allowed open of cleared people has its log entry, and there was one at least."""
    held = traffic.allowed > 0 and traffic.unrecorded == 0
    missing = Message("demo.allowed-without-entry", count=traffic.unrecorded)
    detail = Message("demo.allowed-and-denied", allowed=traffic.allowed, refused=traffic.refused)
    return Observation(RECORDED if held else SceneOutcome("unrecorded", missing), detail)


def of_uncleared(traffic: Traffic) -> Observation:
    """Whether no one without access was allowed, although they tried."""
    held = traffic.turned_away > 0 and traffic.leaked == 0
    leaked = Message("demo.allowed-wrongly", count=traffic.leaked)
    detail = Message("demo.denied-count", count=traffic.turned_away)
    return Observation(CLOSED if held else SceneOutcome("leaked", leaked), detail)


def of_reader(cut: CutMeasurement) -> Observation:
    """Whether the reads of the person on hold stopped, and none began after the acknowledgement."""
    if cut.moot:
        return Observation(SceneOutcome("moot", cut.moot), moot=True)
    held = cut.stopped and not cut.late
    after = Message("demo.last-read-after-request", last=cut.last, act=cut.act)
    none_after = Message("demo.no-read-after-request", act=cut.act)
    detail = after if cut.last > 0 else none_after
    return Observation(STOPPED if held else SceneOutcome("goes on", Message("demo.still-reading")), detail)


def of_bystander(cut: CutMeasurement) -> Observation:
    """Whether the other reader of the same file read on without an error."""
    if cut.moot:
        return Observation(SceneOutcome("moot", cut.moot), moot=True)
    return _undisturbed(cut)


def of_loser(lost: LossMeasurement) -> Observation:
    """Whether the process that had the file mapped ended with the right to it; times count from the request."""
    if lost.unmeasured:
        return Observation(SceneOutcome("moot", lost.unmeasured), moot=True)
    if lost.ended_after is None:
        return Observation(SceneOutcome("lives", Message("demo.process-still-runs")))
    detail = Message("demo.ended-after", milliseconds=lost.ended_after)
    if lost.receipt and lost.receipt.denied is not None:
        entry, denied = lost.receipt.entry, lost.receipt.denied
        detail = Message("demo.denied-then-ended", entry=entry, denied=denied, detail=detail)
    return Observation(GONE, detail)


def of_neighbour(lost: LossMeasurement) -> Observation:
    """Whether the bystander with the same file mapped read on without an error."""
    return _of_reads(lost.bystander)


def of_loss_receipt(lost: LossMeasurement) -> Observation:
    """Whether the receipt is the agent's, unchanged, names only the drawings, and is complete."""
    if lost.unmeasured:
        return Observation(SceneOutcome("moot", lost.unmeasured), moot=True)
    receipt = lost.receipt
    if receipt is None:
        return Observation(SceneOutcome("none", Message("demo.no-receipt")))
    detail = Message("demo.receipt-of-run", run=receipt.run, areas=receipt.areas)
    if not receipt.complete or receipt.areas != (DRAWINGS.id,):
        return Observation(SceneOutcome("open", Message("demo.receipt-incomplete")), detail)
    return Observation(NAMED, detail)


def of_leaver(measurement: DepartureMeasurement) -> Observation:
    """Whether the reads of the leaver stopped: through the descriptor, and through the mapping."""
    held = (
        measurement.ended_after is not None
        and max(measurement.last, measurement.mapped_last) <= measurement.ended_after
    )
    if measurement.unmeasured:
        return Observation(
            STOPPED if held else SceneOutcome("goes on", Message("demo.still-reading")), measurement.unmeasured
        )
    last, mapped_last = max(0.0, measurement.last), max(0.0, measurement.mapped_last)
    detail = Message("demo.last-reads-after-drop", last=last, mapped=mapped_last)
    return Observation(STOPPED if held else SceneOutcome("goes on", Message("demo.still-reading")), detail)


def of_process(measurement: DepartureMeasurement) -> Observation:
    """Whether the process of the leaver ended."""
    if measurement.unmeasured:
        return Observation(SceneOutcome("moot", measurement.unmeasured), moot=True)
    if measurement.ended_after is None:
        return Observation(SceneOutcome("lives", Message("demo.process-still-runs")))
    return Observation(GONE, Message("demo.ended-after-drop", milliseconds=measurement.ended_after))


def of_colleague(measurement: DepartureMeasurement) -> Observation:
    """Whether the other reader of the same file read on without an error while the leaver was ended."""
    return _undisturbed(measurement)


def of_receipt(proof: ReceiptSummary) -> Observation:
    """Whether the receipt is the agent's, unchanged and complete."""
    if proof.moot:
        return Observation(SceneOutcome("moot", proof.moot), moot=True)
    if not proof.genuine:
        return Observation(SceneOutcome("forged", Message("demo.not-genuine")))
    incomplete = SceneOutcome("open", Message("demo.steps-open", steps=proof.still_open))
    return Observation(PROVEN if proof.complete else incomplete)


def of_trail(proof: ReceiptSummary) -> Observation:
    """Whether approval, delivery and receipt each have a log entry."""
    if proof.moot:
        return Observation(SceneOutcome("moot", proof.moot), moot=True)
    numbers = ", ".join(map(str, proof.entries))
    detail = Message("demo.entries", numbers=numbers)
    missing = SceneOutcome("missing", Message("demo.entry-missing"))
    return Observation(TRACED if len(proof.entries) == 3 else missing, detail)


def _undisturbed(measurement: CutMeasurement | DepartureMeasurement) -> Observation:
    return _of_reads(
        Bystander(measurement.bystander_reads, measurement.bystander_errors, measurement.bystander_longest)
    )


def _of_reads(bystander: Bystander) -> Observation:
    held = bystander.reads > 0 and bystander.errors == 0
    refused = Message("demo.reads-refused", count=bystander.errors)
    detail = Message("demo.reads-and-longest", count=bystander.reads, longest=bystander.longest)
    return Observation(UNDISTURBED if held else SceneOutcome("disturbed", refused), detail)


def of_explanation(explanation: Explained) -> Observation:
    """Whether the explanation of a denial names rule, clauses and remedy."""
    if explanation.verdict == "deny" and explanation.clauses and explanation.change:
        return Observation(explained(explanation.rule))
    return Observation(
        SceneOutcome("thin", Message("demo.explanation-incomplete", verdict=explanation.verdict, rule=explanation.rule))
    )


def of_verification(verification: LogVerification) -> Observation:
    """Whether the log is whole, from the first entry on."""
    if verification.problems or verification.first != 1 or verification.last != verification.entries:
        first = verification.problems[0] if verification.problems else Message("demo.entries-missing")
        return Observation(SceneOutcome("broken", first))
    return Observation(WHOLE, Message("demo.log-complete", count=verification.entries, last=verification.last))
