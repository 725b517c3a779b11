"""Whether the log proves that the trial of this site has ended, where the registry does not say so (any more).

    newest act        says of the site
    role.set, done    named its groups: no trial any more
    one-hand          was a trial then, and no older act says otherwise
    any other         nothing; the one before it is looked at

Rules of this file: the record itself is read, from its end: an index may be behind. Only a site whose registry names no
groups is looked at, so this costs a trial a look at its newest act, and others nothing.
"""

import json
from collections.abc import Iterable
from contextlib import closing

from agent.control.services import ControlServices
from agent.control.two_hands import ONE_HAND
from agent.log import backward
from agent.site import trial
from rules.text import Text

ROLES_LOST = "roles-lost"  # the kind of the entry, and the code of the finding
_ACT = b'"kind":"act"'


def settle(services: ControlServices) -> None:
    """Settle at a start whether this is a trial, and record it when the registry has lost the groups of the roles.

    Raises ``OSError`` when the log cannot be read, and :class:`agent.errors.ShoumiError` when it cannot be recorded.
    """
    site = services.site
    named = site.role_groups().configured
    if not named:
        with closing(backward.lines(site.home.log)) as lines:
            site.trial_over = proven(line for _, line in lines)
    trial.tell(site.home, over=named or site.trial_over)
    if not named and site.trial_over:
        reason = Text(
            "the registry names no role groups, and the log says that they were named: nobody has a role",
            "登记库未记录角色组，而日志表明已经指定：任何人均无角色",
        )
        services.decider.append(
            {"kind": ROLES_LOST, "alarm": True, "epoch": site.facts.epoch(), "reason": reason.to_json()}
        )


def proven(lines: Iterable[bytes]) -> bool:
    """Whether these entries, newest first, prove that the trial has ended."""
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
