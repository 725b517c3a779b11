"""End of the trial: evidence in the log for a site whose registry names no role groups (any more).

    newest act        meaning
    role.set, done    the role groups were set: the trial has ended
    one-hand          a trial at that time; older acts do not matter
    any other         none; the previous act is examined

Rules of this file: the log itself is read from its end, because an index may be behind. Only a site whose registry
names no groups is examined, so the cost is one entry for a trial and nothing for others.
"""

import json
from collections.abc import Iterable
from contextlib import closing

from agent.control.services import ControlServices
from agent.control.two_hands import ONE_HAND
from agent.log import backward
from agent.site import trial
from rules.text import Message

ROLES_LOST = "roles-lost"  # the kind of the entry, and the code of the finding
_ACT = b'"kind":"act"'


def settle(services: ControlServices) -> None:
    """Determine at a start whether this is a trial, and record when the registry has lost the role groups.

    Raises ``OSError`` when the log cannot be read, and :class:`agent.errors.ShoumiError` when it cannot be recorded.
    """
    site = services.site
    named = site.role_groups().configured
    if not named:
        with closing(backward.lines(site.home.log)) as lines:
            site.trial_over = proven(line for _, line in lines)
    trial.tell(site.home, over=named or site.trial_over)
    if not named and site.trial_over:
        reason = Message("control.role-groups-lost")
        services.decider.append(
            {"kind": ROLES_LOST, "alarm": True, "epoch": site.facts.epoch(), "reason": reason.to_json()}
        )


def proven(lines: Iterable[bytes]) -> bool:
    """Return whether these entries, newest first, prove that the trial has ended."""
    undone = set()
    for line in lines:
        if _ACT not in line:
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if entry.get("kind") != "act":
            continue
        change = entry.get("epoch"), entry.get("change")
        if entry.get("act") == "role.set" and entry.get("outcome") == "not-completed":
            undone.add(change)
        elif entry.get("act") == "role.set" and entry.get("outcome") == "done":
            if change not in undone:
                return True
        elif entry.get("hands") == ONE_HAND:
            return False
    return False
