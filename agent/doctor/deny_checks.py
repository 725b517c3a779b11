"""What ``doctor`` says of deny entries on the disk: who has them by a departure, and which refuse somebody with rights.

Rules of this file: as :mod:`agent.doctor.registry_checks`: looking only, and what is good is said too. What is
remembered is compared with the registry, and what stands on the top of each area with both: an entry there that nobody
remembers was set by hand, or by an agent whose memory of departures was lost.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from agent.api.findings import Finding
from agent.offboard.context import AreaPath
from agent.offboard.deny_entries import DeniedAccount
from agent.offboard.steps import acl_bytes
from rules.text import Text
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
    """Say how many accounts have entries, and which entries should not be there.

    *left_over*: what of *rows* is stale; *accounts*: whose each uid is.
    """
    for area, uids in left_over.items():
        yield _refuses(area, uids, accounts, known=True)
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
            yield _refuses(area, uids, accounts, known=False)
    count = len({row.uid for row in rows})
    if count and not left_over:
        text = Text(
            f"{count} accounts of people who left are denied on the disk as well",
            f"{count} 个离岗人员的账号在磁盘上也被拒绝",
        )
        yield Finding("good", "deny-entries", text)


def on_top(path: str) -> list[int]:
    """Return the uids with an empty entry in the ACL of *path*; none where there is no ACL, or it cannot be read."""
    with suppress(OSError, ValueError):
        found = acl_bytes.parse(os.getxattr(path, acl_bytes.ACCESS, follow_symlinks=False))
        return [one.id for one in found if one.tag == acl_bytes.USER and not one.perm]
    return []


def _refuses(area: AreaPath, uids: Collection[int], accounts: Mapping[int, str], *, known: bool) -> Finding:
    name, path = visible(area.name), visible(area.path)
    some = sorted(uids)[:_SHOWN]
    shown = ", ".join(f"{uid} ({visible(accounts[uid])})" if uid in accounts else str(uid) for uid in some)
    text = Text(
        f"deny entries in `{name}` refuse {len(uids)} accounts that they should not: uid {shown}",
        f"目录 `{name}` 中的拒绝项误拒 {len(uids)} 个账号：uid {shown}",
    )
    by_hand = f"setfacl -R -x u:{some[0]} {path}"
    hint = (
        Text(f"they are taken away within a minute; if they stay: {by_hand}", f"将在一分钟内移除；若仍存在：{by_hand}")
        if known
        else Text(f"no departure remembers them; if they are not meant: {by_hand}", f"无离岗记录；如非有意：{by_hand}")
    )
    return Finding("warning", "deny-entries", text, hint)
