"""Checks of ``doctor`` on deny entries on the disk: those of offboarding cases, and those that deny people with rights.

Rules of this file: as :mod:`agent.doctor.registry_checks`: reading only, and good states are reported too. The stored
entries are compared with the registry, and the entries on the top directory of each area with both: an unknown entry
there was set by hand, or by an agent that lost its offboarding data.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from agent.api.findings import Finding
from agent.offboard.context import AreaPath
from agent.offboard.deny_entries import DeniedAccount
from agent.offboard.steps import acl_bytes
from rules.text import Message
from rules.visible import visible

_SHOWN = 5
MayOpen = Callable[[str, str], bool]


def entries(
    rows: Collection[DeniedAccount],
    left_over: Mapping[AreaPath, Collection[int]],
    areas: Iterable[AreaPath],
    accounts: Mapping[int, str],
    may_open: MayOpen,
) -> Iterator[Finding]:
    """Yield the number of accounts with entries, and the wrong entries.

    *left_over*: the stale part of *rows*; *accounts*: the person of each uid.
    """
    for area, uids in left_over.items():
        yield _refuses(area, uids, accounts, remembered=True)
    remembered = {(uid, area.name) for area, uids in left_over.items() for uid in uids}
    remembered |= {(row.uid, name) for row in rows for name in row.areas or ()}
    unnamed = {row.uid for row in rows if row.areas is None}
    for area in areas:
        uids = [
            uid
            for uid in on_top(area.path)
            if uid in accounts
            and uid not in unnamed
            and (uid, area.name) not in remembered
            and may_open(accounts[uid], area.name)
        ]
        if uids:
            yield _refuses(area, uids, accounts, remembered=False)
    count = len({row.uid for row in rows})
    if count and not left_over:
        text = Message("doctor.leavers-denied-on-disk", count=count)
        yield Finding("good", "deny-entries", text)


def on_top(path: str) -> list[int]:
    """Return the uids with an empty entry in the ACL of *path*; none where there is no readable ACL."""
    with suppress(OSError, ValueError):
        acl_entries = acl_bytes.parse(os.getxattr(path, acl_bytes.ACCESS, follow_symlinks=False))
        return [acl_entry.id for acl_entry in acl_entries if acl_entry.tag == acl_bytes.USER and not acl_entry.perm]
    return []


def _refuses(area: AreaPath, uids: Collection[int], accounts: Mapping[int, str], *, remembered: bool) -> Finding:
    name, path = visible(area.name), visible(area.path)
    first_uids = sorted(uids)[:_SHOWN]
    shown_uids = ", ".join(f"{uid} ({visible(accounts[uid])})" if uid in accounts else str(uid) for uid in first_uids)
    text = Message("doctor.wrong-deny-entries", name=name, count=len(uids), uids=shown_uids)
    by_hand = f"setfacl -R -x u:{first_uids[0]} {path}"
    hint = (
        Message("doctor.deny-entries-removed-soon", by_hand=by_hand)
        if remembered
        else Message("doctor.deny-entries-of-no-case", by_hand=by_hand)
    )
    return Finding("warning", "deny-entries", text, hint)
