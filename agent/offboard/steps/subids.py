"""Subordinate uids: the uids that one person alone may take in a user namespace (subuid(5), newuidmap(1)).

    login or uid:first:count        a line of /etc/subuid

Rules of this file: a range belongs to a person only as long as it can belong to nobody else. One that overlaps a range
of another owner, an account of this host or of the registry, or a uid of the system, counts for nobody, the whole of
it: where the file gives a uid away twice, a process under it is spared and reported. The file is read anew at every
scan, because the host may give a range to another person while a run waits. Ranges of a directory service are not seen.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from agent.offboard.context import Account, RevocationContext, RevocationSubject
from agent.offboard.guardrails import FIRST_ORDINARY, FIRST_UNUSED, SHARED, ordinary
from agent.offboard.steps import places
from agent.offboard.steps.places import Login

_LINE = re.compile(r"([^:]+):([0-9]{1,10}):([0-9]{1,10})")


class SubidLine(NamedTuple):
    """A well-formed line with a non-empty range."""

    owner: str
    uids: range


def lines(text: str) -> list[SubidLine]:
    """Return the well-formed lines of *text*; others give no range, for newuidmap(1) as well."""
    matches = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    subid_lines = [SubidLine(m[1], range(int(m[2]), int(m[2]) + int(m[3]))) for m in matches if m]
    return [line for line in subid_lines if line.uids]


def attributed(
    entries: Sequence[SubidLine], own_accounts: Iterable[Account], logins: Sequence[Login], taken: Collection[int]
) -> tuple[range, ...]:
    """Return the ranges that belong to the accounts *own_accounts*, beyond doubt.

    *logins*: the accounts of the host; *taken*: other uids in use, for instance those of the registry.
    """
    accounts = [account for account in own_accounts if ordinary(account.uid)]
    uids = {account.uid for account in accounts}
    names = {name for account in accounts for name in account.names}
    names -= {login.name for login in logins if login.uid not in uids}  # two accounts of one name
    owners = names | {str(uid) for uid in uids}
    used = {*taken, *SHARED, *(login.uid for login in logins)}
    return tuple(
        line.uids
        for line in entries
        if line.owner in owners
        and line.uids.start >= FIRST_ORDINARY
        and line.uids.stop <= FIRST_UNUSED
        and not any(uid in line.uids for uid in used)
        and not any(_meet(line.uids, other_line.uids) for other_line in entries if other_line.owner not in owners)
    )


def of(leaver: RevocationSubject, context: RevocationContext) -> tuple[range, ...]:
    """Return the subordinate uids of *leaver* on this host, none when the file is missing or cannot be read."""
    try:
        entries = lines((context.root / "etc/subuid").read_text(errors="surrogateescape"))
    except OSError:
        return ()
    own_owners = {name for account in leaver.accounts for name in (*account.names, str(account.uid))}
    if not any(
        line.owner in own_owners for line in entries
    ):  # most have none: nothing else is read in the path of the cut
        return ()
    services = {uid for uid, _ in context.rails().services}
    return attributed(entries, leaver.accounts, places.local_logins(context.root), {*context.taken(), *services})


def _meet(first: range, second: range) -> bool:
    return first.start < second.stop and second.start < first.stop
