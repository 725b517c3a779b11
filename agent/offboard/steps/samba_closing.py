"""Closing of the shares that some people use of a Samba server, and of nothing that others in the same connection use.

    deny a right on the share → the process closes it for the users whose access has changed → take the denial back

Rules of this file:
- smbd compares the access of every user of a share with that at the time they connected, and closes the share for those
  where it differs. So one right that nobody misses, denied for a moment to one person, closes it for that person alone,
  however many others use it in the same connection; smbd itself does the check, so nothing can come in between;
- a denied right is given back at once, so nothing remains that would have to be removed later; users who connected
  again meanwhile have to connect once more. If the agent is killed in between, the next run of that person takes it
  back;
- where that right is one they never had, everything is denied for that moment. Where a share has no list of access of
  its own (``[homes]``), or is used under another name (``force user``), it is closed in that process if nobody else
  uses it there; else it stays open and is reported.
"""

import time
from collections.abc import Collection, Sequence

from agent.offboard.guardrails import ordinary
from agent.offboard.steps import samba_tools
from agent.offboard.steps.samba_status import SmbStatus, SmbTree
from agent.offboard.steps.samba_tools import EVERYTHING, HARMLESS

_ANSWER = 0.25  # seconds after which an open share will nearly always stay open
_PATIENCE = 1.0  # and after which it is reported as open: smbd finishes its reads and writes first
_PAUSE = 0.01


def close(trees: Collection[SmbTree], uids: Collection[int]) -> frozenset[SmbTree]:
    """Close *trees*, which are those of *uids*; return those still open. Raises ``ShoumiError``."""
    ordinary_uids = frozenset(uid for uid in uids if ordinary(uid))
    open_trees, unlisted = _by_denial(frozenset(trees), ordinary_uids, HARMLESS)
    if open_trees:
        open_trees, also_unlisted = _by_denial(open_trees, ordinary_uids, EVERYTHING)
        unlisted |= also_unlisted
    open_trees |= unlisted
    now = samba_tools.status() if open_trees else SmbStatus()
    alone = frozenset(tree for tree in open_trees if now.sole(tree, uids))
    for pid, share in _places(alone):
        samba_tools.close_all(pid, share)
    return _still_open(open_trees, _PATIENCE)


def _by_denial(
    trees: frozenset[SmbTree], uids: Collection[int], rights: str
) -> tuple[frozenset[SmbTree], frozenset[SmbTree]]:
    """Return the trees still open, and those on shares without a list of access."""
    shares = sorted({tree.share for tree in trees})
    listed: set[str] = set()
    places: Sequence[tuple[int, str]] = ()
    try:
        listed = {share for share in shares if samba_tools.deny(share, uids, rights) is None}
        open_trees = frozenset(tree for tree in trees if tree.share in listed)
        places = _places(open_trees)
        _close_changed(places)
        open_trees = _still_open(open_trees)
    finally:
        for share in shares:
            samba_tools.allow(share, uids)
    _close_changed(places)  # users who reconnected meanwhile, and denials of an earlier run
    return _still_open(open_trees), frozenset(tree for tree in trees if tree.share not in listed)


def _close_changed(places: Sequence[tuple[int, str]]) -> None:
    for pid, share in places:
        samba_tools.close_changed(pid, share)


def _places(trees: Collection[SmbTree]) -> Sequence[tuple[int, str]]:
    return sorted({(tree.pid, tree.share) for tree in trees})


def _still_open(trees: frozenset[SmbTree], patience: float = _ANSWER) -> frozenset[SmbTree]:
    """Return which of *trees* are still open after smbd has had the time to close them."""
    until = time.monotonic() + patience
    while trees:
        ids = {tree.id for tree in samba_tools.status().trees}
        trees = frozenset(tree for tree in trees if tree.id in ids)
        if not trees or time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    return trees
