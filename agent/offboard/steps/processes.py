"""The processes step: every process of the person's accounts, and those reached from their login by ``su`` or ``sudo``.

Rules of this file: two steps of this kind run, one at once and one after everything that could start a process again
(a lingering manager, cron, at) is out of the way. Programs that the person started as root end too, and the plan names
them; other users of an ended process are named before by the plan and afterwards by the receipt.
"""

from collections.abc import Sequence

from agent.offboard import guardrails
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.guardrails import Process, Reach
from agent.offboard.steps import starters, subids
from agent.offboard.steps.ending import SHOWN, ProcessTerminator, TerminationResult
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget, always
from rules.text import Message, Sentence
from rules.visible import visible


def ending(leavers: Sequence[RevocationSubject], context: RevocationContext) -> ProcessTerminator:
    """Return the terminator for the processes of *leavers* on this host."""

    def holders() -> frozenset[int]:
        return frozenset(held_file.pid for held_file in context.held(context.devices()))

    def below() -> list[tuple[range, ...]]:
        return [subids.of(leaver, context) for leaver in leavers]

    return ProcessTerminator([leaver.uids for leaver in leavers], context.rails, context.now, holders, below=below)


def target(process: Process, leaver: RevocationSubject, context: RevocationContext) -> StepTarget:
    """Return *process* as a line of the plan, and who else is affected when it ends."""
    name = visible(process.name)
    label = Message("offboard.process-of-uid", pid=process.pid, name=name, uid=process.ruid)
    if started := starters.unit_of(process.pid):
        label = Message("offboard.process-of-unit", process=label, unit=started.text)
    how = guardrails.reach(process, leaver.uids, context.rails(), subids.of(leaver, context))
    if how is Reach.SUBORDINATE:
        return StepTarget(label)
    if how is Reach.ACCOUNT and not {process.ruid, process.suid} & set(leaver.uids):
        uid = process.ruid
        return StepTarget(label, Message("offboard.thread-of-person", uid=uid))
    if how is not Reach.ACCOUNT:
        uid = process.ruid
        return StepTarget(label, Message("offboard.process-from-login", uid=uid))
    if process.login is not None and process.login not in leaver.uids:
        login = process.login
        return StepTarget(label, Message("offboard.process-used-by-other-login", login=login))
    return StepTarget(label)


def shared(
    ended: TerminationResult, leaver: RevocationSubject, context: RevocationContext
) -> tuple[tuple[int, int], ...]:
    """Return the other users of the ended processes: a pid, and the uid of an account that is not of *leaver*."""
    below = subids.of(leaver, context) if ended.killed else ()
    return tuple(
        (pid, uid)
        for pid, process in sorted(ended.killed.items())
        for uid in sorted({uid for identity in process.identities for uid in identity if uid is not None})
        if guardrails.ordinary(uid) and uid not in leaver.uids and not any(uid in subordinate for subordinate in below)
    )


def step_result(ended: TerminationResult, other_users: Sequence[tuple[int, int]] = ()) -> StepResult:
    """Return the result of the step; *other_users*: see :func:`shared`."""
    outcome = _termination_result(ended)
    if not other_users:
        return outcome
    users = [Message("offboard.pid-of-uid", pid=pid, uid=uid) for pid, uid in other_users[:SHOWN]]
    more = Message("offboard.processes-were-shared", detail=outcome.detail, users=users)
    return StepResult(outcome.state, more, {**outcome.facts, "shared": [list(user) for user in other_users[:SHOWN]]})


def _termination_result(ended: TerminationResult) -> StepResult:
    count = ended.ended
    if ended.sure and ended.spared:
        spared = sorted(ended.spared)[:SHOWN]
        text = Message("offboard.processes-ended-some-spared", count=count, pids=spared)
        return StepResult(StepState.DONE, text, ended.facts())
    if ended.sure:
        text = Message("offboard.processes-ended", count=count)
        return StepResult(StepState.CONFIRMED, text, ended.facts())
    reason = _pending_reason(ended)
    return StepResult(
        StepState.PENDING, Message("offboard.processes-ended-some-remain", count=count, reason=reason), ended.facts()
    )


def _pending_reason(ended: TerminationResult) -> Sentence:
    """Return the remaining processes, or the reason why they are not known."""
    if ended.survivors:
        processes = [
            Message("offboard.process-uninterruptible", pid=process.pid) if process.uninterruptible else process.pid
            for process in ended.survivors[:SHOWN]
        ]
        return Message("offboard.processes-remain", processes=processes)
    if ended.unread:
        return Message("offboard.processes-not-inspected", pids=sorted(ended.unread)[:SHOWN])
    restarter = max(ended.started.counted(ended.killed).items(), key=lambda entry: entry[1], default=None)
    if restarter is not None and restarter[1] > 1:
        return Message("offboard.starter-outruns-scan", starter=restarter[0].text)
    return Message("offboard.new-processes-outrun-scan")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return every process that would end."""
    [targets] = ending((leaver,), context).find()
    return tuple(target(process, leaver, context) for process in targets)


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """End them all. ``facts``: :meth:`agent.offboard.steps.ending.TerminationResult.facts`."""
    [outcome] = together([(leaver, case)], context)
    return outcome


def together(many: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """End those of many people by the same scans."""
    leavers = [leaver for leaver, _ in many]
    return results(leavers, ending(leavers, context).run(context.patience), context)


def results(
    leavers: Sequence[RevocationSubject], outcomes: Sequence[TerminationResult], context: RevocationContext
) -> list[StepResult]:
    """Return the result for each of *leavers*."""
    return [
        step_result(outcome, shared(outcome, leaver, context))
        for leaver, outcome in zip(leavers, outcomes, strict=True)
    ]


_LASTING = Message("offboard.unsaved-work-lost")

STEP = RevocationStep(
    "processes",
    Message("common.end-every-process"),
    always,
    find_targets,
    run,
    _LASTING,
    early=True,
    together=together,
)
AGAIN = RevocationStep(
    "processes-again",
    Message("common.end-started-meanwhile"),
    always,
    lambda _leaver, _context: (),
    run,
    _LASTING,
)
