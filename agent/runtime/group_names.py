"""OS groups by name. The one place of the control process that asks the name service."""

import grp


def gid_of(name: str) -> int | None:
    """Return the number of the group *name*, ``None`` when this host has no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
