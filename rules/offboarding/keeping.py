"""What a leaver is still named for when the case is to end: areas in his keeping, a role nobody else has, a key.

Rules of this file: pure. It is seen anew at every try, and never ticked off: a line of the hand-over list says that
something was handed over, the registry, the host and the pinned keys say whether it was.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.offboarding.machine import DepartureRefusedError
from rules.text import Text
from rules.visible import visible


class Kept(NamedTuple):
    """One thing that somebody else has to take over first, and how."""

    what: Text
    remedy: Text


def kept(places: Iterable[str], roles: Iterable[str], keys: Iterable[str]) -> tuple[Kept, ...]:
    """Return what is kept: custody of *places* (areas and rooms), *roles* no other account holds, approvers' *keys*."""
    found = [
        Kept(
            Text(f"custodian of `{visible(place)}`", f"仍是 `{visible(place)}` 的保管人"),
            Text(
                "name another custodian: `shoumi area set` or `room set`",
                "请另定保管人：`shoumi area set` 或 `room set`",
            ),
        )
        for place in places
    ]
    found += [
        Kept(
            Text(f"the only one in the role `{visible(role)}`", f"角色 `{visible(role)}` 仅有此人"),
            Text("add a successor to the role's group", "请将继任者加入该角色的用户组"),
        )
        for role in roles
    ]
    found += [
        Kept(
            Text(f"approver by the pinned key `{visible(key)}`", f"仍持有审批密钥 `{visible(key)}`"),
            Text(
                "take the key out of hr-keys.json and pin a successor's",
                "请从 hr-keys.json 删除该密钥并登记继任者的密钥",
            ),
        )
        for key in keys
    ]
    return tuple(found)


def nothing_kept(still: Sequence[Kept]) -> None:
    """Raise :class:`.DepartureRefusedError` naming everything of *still*; the hint says how to hand over the first."""
    if still:
        en, zh = "; ".join(one.what.en for one in still), "；".join(one.what.zh for one in still)
        raise DepartureRefusedError(Text(f"not handed over: {en}", f"尚未移交：{zh}"), still[0].remedy)
