"""What a canary's attempts prove. Pure: error numbers and what the decider saw in, an outcome out.

    seen      the guard answered each attempt, and this very decider saw each: the thread, the device and the inode
    missing   somebody got in, or was refused and the guard knows nothing of it: enforcement is not proven
    unknown   nothing can be said: it could not be tried, or something else refuses before the guard is asked

Rules of this file: only EPERM with its own record is a proof; EACCES and every other error number is none. EPERM
without a record is somebody else's refusal, behind which anybody else may be let in: it is *missing*, never *seen*.
Where an area is only observed nothing is refused, and the record alone is the proof.
"""

import errno
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from rules.text import Text

What = Literal["list", "open", "read"]
Outcome = Literal["seen", "missing", "unknown"]
Inode = tuple[int, int]


class CanaryTry(NamedTuple):
    """One attempt: the error number it met, 0 when it was let in, ``None`` when there was no answer."""

    what: What
    inode: Inode
    error: int | None


class WitnessedEvent(NamedTuple):
    """What the decider saw. ``how``: ``open``, ``access``, or ``late`` and ``unseen`` for what it had to guess."""

    how: str
    inode: Inode
    passed: bool


class Judgement(NamedTuple):
    """``proven`` are the attempts that prove something; ``why`` is a word of :data:`REASONS`, empty when all do."""

    outcome: Outcome
    proven: tuple[What, ...] = ()
    why: str = ""
    error: str = ""


REASONS: Final = {
    "let-in": Text("an uncleared user was let in", "未授权用户得以访问"),
    "unrecorded": Text(
        "an attempt was refused, and the guard knows nothing of it: somebody else refused it",
        "尝试被拒绝，但守护进程没有记录：系由其他程序拒绝",
    ),
    "unwatched": Text("an attempt went through, and the guard knows nothing of it", "尝试已放行，但守护进程没有记录"),
    "silent": Text("the attempt was not answered", "尝试没有得到应答"),
    "late": Text("the guard answered too late to be believed", "守护进程应答过迟，无法采信"),
    "decider": Text("the decider was replaced meanwhile, or does not answer", "判定进程在此期间被替换或没有应答"),
    "refused": Text(
        "something refuses it before the guard is asked (see the error), so nothing is proven",
        "在守护进程之前已被其他机制拒绝（见错误码），无法证明",
    ),
    "disk": Text("the volume does not answer", "卷没有应答"),
    "absent": Text("the volume is not mounted", "卷未挂载"),
    "unreached": Text("the directory could not be reached (see the error)", "无法到达该目录（见错误码）"),
    "process": Text("no process could be made for the attempt (see the error)", "无法创建尝试所需的进程（见错误码）"),
}


def judge(
    tries: Sequence[CanaryTry], seen: Collection[WitnessedEvent] | None, *, over: bool, enforced: bool
) -> Judgement:
    """Return what *tries* prove.

    *seen* is ``None`` when the decider does not know of the canary; *over*: it may have come after its announcement.
    """
    judged = [(one, _why(one, seen, over=over, enforced=enforced)) for one in tries]
    proven = tuple(one.what for one, why in judged if not why)
    for wanted in ("let-in", "unwatched", "unrecorded"):
        if any(why == wanted for _, why in judged):
            return Judgement("missing", proven, wanted)
    for one, why in judged:
        if why:
            return Judgement("unknown", proven, why, errno.errorcode.get(one.error or 0, "") if one.error else "")
    return Judgement("seen", proven)


def _why(one: CanaryTry, seen: Collection[WitnessedEvent] | None, *, over: bool, enforced: bool) -> str:
    """Return why *one* proves nothing, "" when it does."""
    how = "access" if one.what == "read" else "open"
    records = [event for event in seen or () if (event.how, event.inode) == (how, one.inode)]
    guessed = any(event.how in ("late", "unseen") for event in seen or ())
    if one.error is None:
        return "silent"
    if one.error == 0 and enforced:
        return "let-in"
    if one.error not in (0, errno.EPERM):
        return "refused"
    if records and (not enforced or not all(event.passed for event in records)):
        return ""
    if seen is None:
        return "decider"
    if over or guessed:
        return "late"
    return "unwatched" if one.error == 0 else "unrecorded"
