"""Connections of a Samba server: what the person uses is closed, session by session, and what is left is said.

    leaves:  password switched off → connections that are theirs alone end → shares in those that others use are closed
    stays:   shares that lead to what they lost are closed; clients that may use something still connect again

Rules of this file: only what the person has, known by uid (:mod:`agent.offboard.steps.samba_status`). smbd opens files
as root or under a borrowed uid, so its processes are never signalled; they are told by Samba's own messages. A
connection ends as a whole only when a look just before found nobody else in it; a share is closed as
:mod:`agent.offboard.steps.samba_closing` says. A session in a connection that others use cannot be ended by itself: who
leaves is left without a share in it, it is looked at again with the case, and pending until the session is gone. A
password is switched off only where Samba keeps it on this host, and switched on again by an administrator.
"""

import time
from collections.abc import Collection, Mapping, Sequence

from agent.errors import RefusedError
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.guardrails import LENDERS, Process
from agent.offboard.steps import samba_closing, samba_tools
from agent.offboard.steps.samba_paths import SharePaths, lost_by
from agent.offboard.steps.samba_status import IPC, SmbSession, SmbStatus, SmbTree
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text
from rules.visible import visible

_PATIENCE = 1.0  # seconds a process of Samba's has to end
_PAUSE = 0.01
_NOBODY = Text("no connection is left", "已无连接")


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when no Samba is installed."""
    return None if samba_tools.installed(context.root) else Text("no Samba on this host", "本机没有 Samba")


def connected(subjects: Sequence[RevocationSubject], context: RevocationContext) -> list[bool]:
    """Return who uses a share that leads to what they lose; where that is not said, everybody might."""
    if not subjects or not samba_tools.installed(context.root) or not samba_tools.serves():
        return [False] * len(subjects)
    try:
        now = samba_tools.status()
    except RefusedError:
        return [True] * len(subjects)
    paths = SharePaths(context)
    return [bool(lost_by(now, subject, paths)) for subject in subjects]


def take_back(context: RevocationContext) -> None:
    """Take back what somebody who was killed left denied on shares. Raises :class:`RefusedError`."""
    if samba_tools.installed(context.root):
        samba_tools.take_back()


def served_elsewhere(
    leaver: RevocationSubject, context: RevocationContext, acting: Collection[Process]
) -> frozenset[int]:
    """Return which of *acting* are Samba's and have nothing open any more for the person, by its own word.

    A thread of its pool keeps the uid of whom it worked for last, for as long as others in the connection keep it busy.
    """
    pids = frozenset(one.pid for one in acting if one.name.startswith(LENDERS))
    if not pids or not samba_tools.installed(context.root):
        return frozenset()
    try:
        now = samba_tools.status()
    except RefusedError:
        return frozenset()
    known = frozenset(one.pid for one in now.sessions)
    return (pids & known) - {tree.pid for tree in lost_by(now, leaver, SharePaths(context))}


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return what of somebody who leaves would end. Raises :class:`RefusedError` when the server does not say."""
    names = map(visible, sorted(samba_tools.logins(leaver.uids)))
    passwords = tuple(StepTarget(Text(f"Samba password of `{name}`", f"`{name}` 的 Samba 密码")) for name in names)
    now = samba_tools.status() if samba_tools.serves() else SmbStatus()
    count = len(now.sessions_of(leaver.uids))
    sessions = (StepTarget(Text(f"{count} Samba sessions", f"{count} 个 Samba 会话")),) if count else ()
    return passwords + sessions + _shares(now.trees_of(leaver.uids))


def look_staying(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the shares that would be closed. Raises as :func:`look`."""
    now = samba_tools.status() if samba_tools.serves() else SmbStatus()
    return _shares(lost_by(now, leaver, SharePaths(context)))


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """End everything of somebody who leaves."""
    [one] = together([(leaver, case)], context)
    return one


def together(many: Sequence[tuple[RevocationSubject, str]], _context: RevocationContext) -> list[StepResult]:
    """End everything of people who leave. Raises ``ShoumiError`` when the server does not say."""
    leavers = [leaver for leaver, _ in many]
    everybody = frozenset(uid for leaver in leavers for uid in leaver.uids)
    passwords, unknown = _without_passwords(everybody)
    before = after = samba_tools.status() if samba_tools.serves() else SmbStatus()
    left: frozenset[SmbTree] = frozenset()
    if before.sessions:
        now = _end_alone(before, everybody)
        left = samba_closing.close([tree for tree in now.trees_of(everybody) if tree.share != IPC], everybody)
        after = samba_tools.status() if now.sessions_of(everybody) else now
        samba_tools.take_back(everybody)
    return [_with_passwords(_gone(leaver, before, after, left), leaver, passwords, unknown) for leaver in leavers]


def _without_passwords(uids: Collection[int]) -> tuple[dict[str, tuple[int, Text | None]], Text | None]:
    """Switch off the passwords of *uids*: by name, whose it is, and why it still lets them in; and why none is known.

    Whether Samba says which there are or not, the connections end.
    """
    try:
        return {name: (uid, samba_tools.disable(name)) for name, uid in samba_tools.logins(uids).items()}, None
    except RefusedError as error:
        return {}, error.text


def run_staying(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Close what leads to what the person lost."""
    [one] = together_staying([(leaver, case)], context)
    return one


def together_staying(many: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """Close what leads to what people lost. Raises ``ShoumiError`` when the server does not say."""
    if not samba_tools.serves():
        return [StepResult(StepState.CONFIRMED, _NOBODY)] * len(many)
    now, paths = samba_tools.status(), SharePaths(context)
    theirs = [frozenset(lost_by(now, leaver, paths)) for leaver, _ in many]
    uids = frozenset(uid for (leaver, _), trees in zip(many, theirs, strict=True) if trees for uid in leaver.uids)
    left = samba_closing.close(frozenset[SmbTree]().union(*theirs), uids)
    samba_tools.take_back(frozenset(uid for leaver, _ in many for uid in leaver.uids))
    return [_closed(trees, trees & left) for trees in theirs]


def _end_alone(before: SmbStatus, uids: Collection[int]) -> SmbStatus:
    """End the connections that nobody but *uids* uses; return what there is then."""
    alone = before.alone(uids)
    if not alone:
        return before
    ending = samba_tools.status().alone(uids) & alone  # somebody else may have come into one meanwhile
    for pid in sorted(ending):
        samba_tools.shut_down(pid)
    until = time.monotonic() + _PATIENCE
    while (now := samba_tools.status()) and any(one.pid in ending for one in now.sessions):
        if time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    return now


def _gone(leaver: RevocationSubject, before: SmbStatus, after: SmbStatus, left: Collection[SmbTree]) -> StepResult:
    """Return what came of the connections of somebody who leaves."""
    sessions = after.sessions_of(leaver.uids)
    facts = {"sessions": len(before.sessions_of(leaver.uids)), "left": len(sessions)}
    if not sessions:
        return StepResult(StepState.CONFIRMED, _NOBODY, facts)
    ids = {one.id for one in sessions}
    trees = [tree for tree in left if tree.session in ids]
    return StepResult(StepState.PENDING, _still(trees) if trees else _shared(sessions), facts)


def _with_passwords(
    found: StepResult,
    leaver: RevocationSubject,
    passwords: Mapping[str, tuple[int, Text | None]],
    unknown: Text | None,
) -> StepResult:
    """Return *found* with what came of the passwords (:func:`_without_passwords`)."""
    theirs = [why for uid, why in passwords.values() if uid in leaver.uids]
    facts = {**found.facts, "disabled": theirs.count(None)}
    why = next((one for one in theirs if one), unknown)
    return StepResult(StepState.PENDING, why, facts) if why else StepResult(found.state, found.detail, facts)


def _closed(trees: Collection[SmbTree], left: Collection[SmbTree]) -> StepResult:
    facts = {"closed": len(trees) - len(left), "left": len(left)}
    if left:
        return StepResult(StepState.PENDING, _still(left), facts)
    if not trees:
        return StepResult(StepState.CONFIRMED, Text("no share was in use", "没有正在使用的共享"), facts)
    shown = _named(trees)
    return StepResult(StepState.CONFIRMED, Text(f"closed: {shown}", f"已关闭：{shown}"), facts)


def _still(trees: Collection[SmbTree]) -> Text:
    shown = _named(trees)
    return Text(f"still in use: {shown}", f"仍在使用：{shown}")


def _shared(sessions: Sequence[SmbSession]) -> Text:
    pids = ", ".join(str(pid) for pid in sorted({one.pid for one in sessions}))
    return Text(
        f"their shares are closed; a session is left in a connection that others use (smbd {pids})",
        f"其共享已关闭；尚有会话位于与他人共用的连接中（smbd {pids}）",
    )


def _shares(trees: Collection[SmbTree]) -> tuple[StepTarget, ...]:
    names = [visible(name) for name in sorted({tree.share for tree in trees} - {IPC})]
    return tuple(StepTarget(Text(f"share `{name}`", f"共享 `{name}`")) for name in names)


def _named(trees: Collection[SmbTree]) -> str:
    return ", ".join(f"`{visible(name)}`" for name in sorted({tree.share for tree in trees}))


_TITLE = Text("Samba connections", "Samba 连接")
_LASTING = Text("files being written over the network may be cut short", "网络写入中的文件可能不完整")

STEP = RevocationStep("samba", _TITLE, probe, look, run, _LASTING, early=True, together=together)
STAYING = RevocationStep(
    STEP.id, _TITLE, probe, look_staying, run_staying, _LASTING, early=True, together=together_staying
)
"""The same where the person stays: only what leads to what they lost is closed."""
