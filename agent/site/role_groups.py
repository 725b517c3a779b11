"""The OS groups of the three roles, as the site has named them: a setting of the registry, given once and never undone.

Rules of this file: while nothing is set the site is a trial. Groups that cannot be read are nobody's, not root's.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from agent.runtime.config import RoleGroups

NOBODY = RoleGroups(system="!", security="!!", auditor="!!!")  # no group is called so (groupadd(8))


def stored(groups: RoleGroups) -> str:
    """Return *groups* as the setting has them."""
    named = {role: getattr(groups, role) for role in RoleGroups.__struct_fields__}
    return json.dumps(named, ensure_ascii=False)


def read(setting: str) -> RoleGroups:
    """Return the groups of a stored setting; of ``""``, which is a trial, none."""
    if not setting:
        return RoleGroups()
    try:
        found: Mapping[str, Any] = json.loads(setting)
        groups = msgspec.convert(found, RoleGroups, strict=True)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return NOBODY
    return groups if groups.configured else NOBODY
