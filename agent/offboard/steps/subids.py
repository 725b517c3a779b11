"""Subordinate uids: which uids a person may take in a user namespace, and nobody else (subuid(5), newuidmap(1)).

    login or uid:first:count        a line of /etc/subuid

Rules of this file: a range is somebody's only as long as it cannot be anybody else's. One that meets a range of another
owner, an account of this host or of the registry, or a uid of the system, counts for nobody, the whole of it: where the
file gives a uid away twice, a process under it is left alone and said to be. The file is read anew at every look,
because the host may give a range to somebody else while a run waits. Ranges of a directory service are not seen.
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
    """A well-formed line that gives something."""

    owner: str
    uids: range


def lines(text: str) -> list[SubidLine]:
    """Return the lines of *text*; what is none gives nobody anything, for newuidmap(1) no more than here."""
    matches = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    found = [SubidLine(m[1], range(int(m[2]), int(m[2]) + int(m[3]))) for m in matches if m]
    return [line for line in found if line.uids]


def attributed(
    given: Sequence[SubidLine], mine: Iterable[Account], logins: Sequence[Login], taken: Collection[int]
) -> tuple[range, ...]:
    """Return the ranges that are those of the accounts *mine*, beyond doubt.

    *logins*: the accounts of the host; *taken*: other uids that are somebody's, those of the registry for instance.
    """
    accounts = [account for account in mine if ordinary(account.uid)]
    uids = {account.uid for account in accounts}
    names = {name for account in accounts for name in account.names}
    names -= {login.name for login in logins if login.uid not in uids}  # two accounts of one name
    owners = names | {str(uid) for uid in uids}
    used = {*taken, *SHARED, *(login.uid for login in logins)}
    return tuple(
        line.uids
        for line in given
        if line.owner in owners
        and line.uids.start >= FIRST_ORDINARY
        and line.uids.stop <= FIRST_UNUSED
        and not any(uid in line.uids for uid in used)
        and not any(_meet(line.uids, other.uids) for other in given if other.owner not in owners)
    )


def of(leaver: RevocationSubject, context: RevocationContext) -> tuple[range, ...]:
    """Return the subordinate uids of *leaver* on this host, none when the file is missing or cannot be read."""
    try:
        given = lines((context.root / "etc/subuid").read_text(errors="surrogateescape"))
    except OSError:
        return ()
    theirs = {name for account in leaver.accounts for name in (*account.names, str(account.uid))}
    if not any(line.owner in theirs for line in given):  # most have none: nothing else is read in the path of the cut
        return ()
    services = {uid for uid, _ in context.rails().services}
    return attributed(given, leaver.accounts, places.local_logins(context.root), {*context.taken(), *services})


def _meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop
