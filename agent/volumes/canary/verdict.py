"""Verdicts on canary attempts: error numbers and the decider's records in, an outcome out. Pure.

    seen      the guard answered each attempt, and this decider recorded each: the thread, the device and the inode
    missing   an attempt was allowed, or refused without a record of the guard: enforcement is not proven
    unknown   no result: it could not be tried, or another mechanism refuses before the guard

Rules of this file: only EPERM with its own record is a proof; EACCES and every other error number is none. EPERM
without a record is the refusal of another program, behind which others may get access: it is *missing*, never *seen*.
In observe mode nothing is refused, and the record alone is the proof.
"""

import errno
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from rules.text import Message

AttemptKind = Literal["list", "open", "read"]
Outcome = Literal["seen", "missing", "unknown"]
Inode = tuple[int, int]


class CanaryTry(NamedTuple):
    """One attempt: its error number, 0 when it was allowed, ``None`` when there was no answer."""

    kind: AttemptKind
    inode: Inode
    error: int | None


class WitnessedEvent(NamedTuple):
    """A record of the decider. ``how``: ``open``, ``access``, or ``late`` and ``unseen`` for uncertain events."""

    how: str
    inode: Inode
    passed: bool


class Judgement(NamedTuple):
    """The outcome. ``proven``: attempts that prove it; ``reason``: a key of :data:`REASONS`, empty when all prove."""

    outcome: Outcome
    proven: tuple[AttemptKind, ...] = ()
    reason: str = ""
    error: str = ""


REASONS: Final = {
    "let-in": Message("volumes.canary-let-in"),
    "unrecorded": Message("volumes.canary-refused-without-record"),
    "unwatched": Message("volumes.canary-allowed-without-record"),
    "silent": Message("volumes.canary-attempt-unanswered"),
    "late": Message("volumes.guard-answered-too-late"),
    "decider": Message("volumes.decider-unavailable"),
    "refused": Message("volumes.refused-before-guard"),
    "disk": Message("volumes.volume-unresponsive"),
    "absent": Message("volumes.volume-not-mounted"),
    "unreached": Message("volumes.canary-directory-unreachable"),
    "process": Message("volumes.canary-process-failed"),
}


def judge(
    tries: Sequence[CanaryTry], events: Collection[WitnessedEvent] | None, *, over: bool, enforced: bool
) -> Judgement:
    """Return the outcome that *tries* prove.

    *events* is ``None`` when the decider does not know the canary; *over*: the attempts may be later than announced.
    """
    judged = [(attempt, _reason(attempt, events, over=over, enforced=enforced)) for attempt in tries]
    proven = tuple(attempt.kind for attempt, reason in judged if not reason)
    for wanted in ("let-in", "unwatched", "unrecorded"):
        if any(reason == wanted for _, reason in judged):
            return Judgement("missing", proven, wanted)
    for attempt, reason in judged:
        if reason:
            return Judgement(
                "unknown", proven, reason, errno.errorcode.get(attempt.error or 0, "") if attempt.error else ""
            )
    return Judgement("seen", proven)


def _reason(attempt: CanaryTry, events: Collection[WitnessedEvent] | None, *, over: bool, enforced: bool) -> str:
    """Return the reason why *attempt* proves nothing, "" when it does."""
    how = "access" if attempt.kind == "read" else "open"
    records = [event for event in events or () if (event.how, event.inode) == (how, attempt.inode)]
    guessed = any(event.how in ("late", "unseen") for event in events or ())
    if attempt.error is None:
        return "silent"
    if attempt.error == 0 and enforced:
        return "let-in"
    if attempt.error not in (0, errno.EPERM):
        return "refused"
    if records and (not enforced or not all(event.passed for event in records)):
        return ""
    if events is None:
        return "decider"
    if over or guessed:
        return "late"
    return "unwatched" if attempt.error == 0 else "unrecorded"
