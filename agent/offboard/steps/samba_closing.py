"""Closing what some people use of a Samba server, and nothing that anybody else in the same connection uses.

    deny them a right on the share → the process closes it for whose access has changed → take the denial back

Rules of this file:
- smbd compares the access of every user of a share with that at the time they connected, and closes the share for those
  where it differs. So one right that nobody misses, denied for a moment to one person, closes it for that person alone,
  however many others use it in the same connection; it is asked by smbd itself, so nobody can come in between;
- what is denied is given back at once, so nothing is left that would have to be taken away later; whoever connected
  again meanwhile is made to connect once more. What somebody leaves who is killed in between, the next run of that
  person takes back;
- where that right is one they never had, everything is denied for that moment. Where a share has no list of access of
  its own (``[homes]``), or is used under another name (``force user``), it is closed in that process if nobody else
  uses it there; else it is left and said to be.
"""

import time
from collections.abc import Collection, Sequence

from agent.offboard.guardrails import ordinary
from agent.offboard.steps import samba_tools
from agent.offboard.steps.samba_status import SmbStatus, SmbTree
from agent.offboard.steps.samba_tools import EVERYTHING, HARMLESS

_ANSWER = 0.25  # seconds after which what is not closed will not be, nearly always
_PATIENCE = 1.0  # and after which it is said to be left: smbd finishes what it reads and writes first
_PAUSE = 0.01


def close(trees: Collection[SmbTree], uids: Collection[int]) -> frozenset[SmbTree]:
    """Close *trees*, which are those of *uids*; return those that are left. Raises ``ShoumiError``."""
    theirs = frozenset(uid for uid in uids if ordinary(uid))
    left, unlisted = _by_denial(frozenset(trees), theirs, HARMLESS)
    if left:
        left, more = _by_denial(left, theirs, EVERYTHING)
        unlisted |= more
    left |= unlisted
    now = samba_tools.status() if left else SmbStatus()
    alone = frozenset(tree for tree in left if now.sole(tree, uids))
    for pid, share in _places(alone):
        samba_tools.close_all(pid, share)
    return _left(left, _PATIENCE)


def _by_denial(
    trees: frozenset[SmbTree], uids: Collection[int], rights: str
) -> tuple[frozenset[SmbTree], frozenset[SmbTree]]:
    """Return what is left of *trees*, and what is on shares that have no list of access."""
    shares = sorted({tree.share for tree in trees})
    listed: set[str] = set()
    places: Sequence[tuple[int, str]] = ()
    try:
        listed = {share for share in shares if samba_tools.deny(share, uids, rights) is None}
        left = frozenset(tree for tree in trees if tree.share in listed)
        places = _places(left)
        _close_changed(places)
        left = _left(left)
    finally:
        for share in shares:
            samba_tools.allow(share, uids)
    _close_changed(places)  # whoever came back meanwhile, and what had the denial from an earlier run
    return _left(left), frozenset(tree for tree in trees if tree.share not in listed)


def _close_changed(places: Sequence[tuple[int, str]]) -> None:
    for pid, share in places:
        samba_tools.close_changed(pid, share)


def _places(trees: Collection[SmbTree]) -> Sequence[tuple[int, str]]:
    return sorted({(tree.pid, tree.share) for tree in trees})


def _left(trees: frozenset[SmbTree], patience: float = _ANSWER) -> frozenset[SmbTree]:
    """Return which of *trees* are still there when smbd has had the time to close them."""
    until = time.monotonic() + patience
    while trees:
        ids = {tree.id for tree in samba_tools.status().trees}
        trees = frozenset(tree for tree in trees if tree.id in ids)
        if not trees or time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    return trees
