"""The Samba step: the person's connections are closed, session by session, and the remaining ones are reported.

    leaves:  password switched off → connections that are theirs alone end → shares in those that others use are closed
    stays:   shares that lead to what they lost are closed; clients that may use something still connect again

Rules of this file: only what the person has, known by uid (:mod:`agent.offboard.steps.samba_status`). smbd opens files
as root or under a borrowed uid, so its processes are never signalled; they are told by Samba's own messages. A
connection ends as a whole only when a query just before found no other user in it; a share is closed as
:mod:`agent.offboard.steps.samba_closing` says. A session in a connection that others use cannot be ended by itself: a
leaver keeps no share in it, it is checked again with the case, and pending until the session is gone. A password is
switched off only where Samba keeps it on this host, and switched on again by an administrator.
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
from rules.text import Message, Sentence
from rules.visible import visible

_PATIENCE = 1.0  # seconds a process of Samba's has to end
_PAUSE = 0.01
_NOBODY = Message("offboard.no-samba-connection")


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when no Samba is installed."""
    return None if samba_tools.installed(context.root) else Message("offboard.no-samba")


def connected(subjects: Sequence[RevocationSubject], context: RevocationContext) -> list[bool]:
    """Return which subjects use a share that leads to what they lose; if that is unknown, all of them."""
    if not subjects or not samba_tools.installed(context.root) or not samba_tools.serves():
        return [False] * len(subjects)
    try:
        now = samba_tools.status()
    except RefusedError:
        return [True] * len(subjects)
    paths = SharePaths(context)
    return [bool(lost_by(now, subject, paths)) for subject in subjects]


def take_back(context: RevocationContext) -> None:
    """Take back denials on shares left by a killed run. Raises :class:`RefusedError`."""
    if samba_tools.installed(context.root):
        samba_tools.take_back()


def served_elsewhere(
    leaver: RevocationSubject, context: RevocationContext, acting: Collection[Process]
) -> frozenset[int]:
    """Return which of *acting* belong to Samba and have nothing open any more for the person, by its own report.

    A thread of its pool keeps the uid of the user it served last, as long as others in the connection keep it busy.
    """
    pids = frozenset(process.pid for process in acting if process.name.startswith(LENDERS))
    if not pids or not samba_tools.installed(context.root):
        return frozenset()
    try:
        now = samba_tools.status()
    except RefusedError:
        return frozenset()
    session_pids = frozenset(process.pid for process in now.sessions)
    return (pids & session_pids) - {tree.pid for tree in lost_by(now, leaver, SharePaths(context))}


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the targets for a leaver. Raises :class:`RefusedError` when the server does not report."""
    names = map(visible, sorted(samba_tools.logins(leaver.uids)))
    passwords = tuple(StepTarget(Message("offboard.samba-password", name=name)) for name in names)
    now = samba_tools.status() if samba_tools.serves() else SmbStatus()
    count = len(now.sessions_of(leaver.uids))
    sessions = (StepTarget(Message("offboard.samba-sessions", count=count)),) if count else ()
    return passwords + sessions + _shares(now.trees_of(leaver.uids))


def find_targets_staying(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the shares that would be closed. Raises as :func:`find_targets`."""
    now = samba_tools.status() if samba_tools.serves() else SmbStatus()
    return _shares(lost_by(now, leaver, SharePaths(context)))


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """End all connections of a leaver."""
    [outcome] = together([(leaver, case)], context)
    return outcome


def together(many: Sequence[tuple[RevocationSubject, str]], _context: RevocationContext) -> list[StepResult]:
    """End all connections of leavers. Raises ``ShoumiError`` when the server does not report."""
    leavers = [leaver for leaver, _ in many]
    everybody = frozenset(uid for leaver in leavers for uid in leaver.uids)
    passwords, unknown = _without_passwords(everybody)
    before = after = samba_tools.status() if samba_tools.serves() else SmbStatus()
    open_trees: frozenset[SmbTree] = frozenset()
    if before.sessions:
        now = _end_alone(before, everybody)
        open_trees = samba_closing.close([tree for tree in now.trees_of(everybody) if tree.share != IPC], everybody)
        after = samba_tools.status() if now.sessions_of(everybody) else now
        samba_tools.take_back(everybody)
    return [
        _with_passwords(_disconnected(leaver, before, after, open_trees), leaver, passwords, unknown)
        for leaver in leavers
    ]


def _without_passwords(uids: Collection[int]) -> tuple[dict[str, tuple[int, Sentence | None]], Sentence | None]:
    """Switch off the passwords of *uids*; return by name the uid and the error, and the error that hid all names.

    The connections end in either case.
    """
    try:
        return {name: (uid, samba_tools.disable(name)) for name, uid in samba_tools.logins(uids).items()}, None
    except RefusedError as error:
        return {}, error.text


def run_staying(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Close the shares that lead to what the person lost."""
    [outcome] = together_staying([(leaver, case)], context)
    return outcome


def together_staying(many: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """Close the shares that lead to what people lost. Raises ``ShoumiError`` when the server does not report."""
    if not samba_tools.serves():
        return [StepResult(StepState.CONFIRMED, _NOBODY)] * len(many)
    now, paths = samba_tools.status(), SharePaths(context)
    trees_of = [frozenset(lost_by(now, leaver, paths)) for leaver, _ in many]
    uids = frozenset(uid for (leaver, _), trees in zip(many, trees_of, strict=True) if trees for uid in leaver.uids)
    open_trees = samba_closing.close(frozenset[SmbTree]().union(*trees_of), uids)
    samba_tools.take_back(frozenset(uid for leaver, _ in many for uid in leaver.uids))
    return [_closed(trees, trees & open_trees) for trees in trees_of]


def _end_alone(before: SmbStatus, uids: Collection[int]) -> SmbStatus:
    """End the connections that only *uids* use; return the status after that."""
    alone = before.alone(uids)
    if not alone:
        return before
    ending = samba_tools.status().alone(uids) & alone  # another user may have joined one meanwhile
    for pid in sorted(ending):
        samba_tools.shut_down(pid)
    until = time.monotonic() + _PATIENCE
    while (now := samba_tools.status()) and any(session.pid in ending for session in now.sessions):
        if time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    return now


def _disconnected(
    leaver: RevocationSubject, before: SmbStatus, after: SmbStatus, open_trees: Collection[SmbTree]
) -> StepResult:
    """Return the result for the connections of a leaver."""
    sessions = after.sessions_of(leaver.uids)
    facts = {"sessions": len(before.sessions_of(leaver.uids)), "left": len(sessions)}
    if not sessions:
        return StepResult(StepState.CONFIRMED, _NOBODY, facts)
    ids = {session.id for session in sessions}
    trees = [tree for tree in open_trees if tree.session in ids]
    return StepResult(StepState.PENDING, _still(trees) if trees else _shared(sessions), facts)


def _with_passwords(
    outcome: StepResult,
    leaver: RevocationSubject,
    passwords: Mapping[str, tuple[int, Sentence | None]],
    unknown: Sentence | None,
) -> StepResult:
    """Return *outcome* with the result for the passwords (:func:`_without_passwords`)."""
    errors = [reason for uid, reason in passwords.values() if uid in leaver.uids]
    facts = {**outcome.facts, "disabled": errors.count(None)}
    reason = next((error for error in errors if error), unknown)
    return StepResult(StepState.PENDING, reason, facts) if reason else StepResult(outcome.state, outcome.detail, facts)


def _closed(trees: Collection[SmbTree], open_trees: Collection[SmbTree]) -> StepResult:
    facts = {"closed": len(trees) - len(open_trees), "left": len(open_trees)}
    if open_trees:
        return StepResult(StepState.PENDING, _still(open_trees), facts)
    if not trees:
        return StepResult(StepState.CONFIRMED, Message("offboard.no-share-in-use"), facts)
    return StepResult(StepState.CONFIRMED, Message("offboard.shares-closed", shares=_named(trees)), facts)


def _still(trees: Collection[SmbTree]) -> Sentence:
    return Message("offboard.shares-still-in-use", shares=_named(trees))


def _shared(sessions: Sequence[SmbSession]) -> Sentence:
    pids = sorted({session.pid for session in sessions})
    return Message("offboard.session-in-shared-connection", pids=pids)


def _shares(trees: Collection[SmbTree]) -> tuple[StepTarget, ...]:
    names = [visible(name) for name in sorted({tree.share for tree in trees} - {IPC})]
    return tuple(StepTarget(Message("offboard.share", name=name)) for name in names)


def _named(trees: Collection[SmbTree]) -> list[str]:
    return [f"`{visible(name)}`" for name in sorted({tree.share for tree in trees})]


_TITLE = Message("common.samba-connections")
_LASTING = Message("offboard.network-writes-may-be-incomplete")

STEP = RevocationStep("samba", _TITLE, probe, find_targets, run, _LASTING, early=True, together=together)
STAYING = RevocationStep(
    STEP.id, _TITLE, probe, find_targets_staying, run_staying, _LASTING, early=True, together=together_staying
)
"""The same where the person stays: only shares that lead to lost areas are closed."""
