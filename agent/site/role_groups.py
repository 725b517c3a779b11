"""OS groups of the three roles: a setting of the registry, made once and never undone.

Rules of this file: while nothing is set the site is a trial. If the groups cannot be read nobody has a role, not root.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from agent.runtime.config import RoleGroups

NOBODY = RoleGroups(system="!", security="!!", auditor="!!!")  # no group can have these names (groupadd(8))


def stored(groups: RoleGroups) -> str:
    """Return *groups* in the form of the setting."""
    named = {role: getattr(groups, role) for role in RoleGroups.__struct_fields__}
    return json.dumps(named, ensure_ascii=False)


def read(setting: str) -> RoleGroups:
    """Return the groups of a stored setting; no groups for ``""``, which is a trial."""
    if not setting:
        return RoleGroups()
    try:
        names: Mapping[str, Any] = json.loads(setting)
        groups = msgspec.convert(names, RoleGroups, strict=True)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return NOBODY
    return groups if groups.configured else NOBODY
