"""Checks of ``doctor`` on the three roles, and on acts that wait for a second officer.

Rules of this file: reading only. Good states are reported too, in one line.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from agent.api.findings import Finding
from agent.api.roles import missing
from agent.registry.rows.break_glass import BreakGlass
from agent.runtime.config import RoleGroups
from agent.site.role_groups import NOBODY
from rules.text import Message
from rules.visible import visible


def roles(groups: RoleGroups, settings: RoleGroups, gid_of: Callable[[str], int | None]) -> Iterator[Finding]:
    """Yield whether the three roles are separate. *settings*: the groups in config.toml."""
    if not groups.configured:
        yield Finding(
            "serious",
            "bootstrap",
            Message("doctor.trial"),
            Message("doctor.create-three-role-groups"),
        )
        return
    if groups == NOBODY:
        yield lost()
        return
    if settings.configured and settings != groups:
        yield Finding(
            "warning",
            "roles-in-settings",
            Message("doctor.roles-in-config-ignored"),
            Message("doctor.remove-roles-from-config"),
        )
    lacking = missing(groups, gid_of)
    for role in lacking:
        yield Finding(
            "serious",
            f"role-{role.value}",
            Message("doctor.role-without-group", text=role.text),
            Message("doctor.create-role-group", role=role.value),
        )
    if not lacking:
        yield Finding("good", "roles", Message("doctor.three-role-groups"))


def lost() -> Finding:
    """Return the finding that the registry no longer names the groups of the roles."""
    return Finding(
        "serious",
        "roles-lost",
        Message("doctor.role-groups-lost"),
        Message("doctor.restore-registry-or-break-glass"),
    )


def proposals(waiting: int) -> Iterator[Finding]:
    """Yield the number of acts that wait for a second officer, if any."""
    if waiting:
        yield Finding(
            "warning",
            "proposals",
            Message("doctor.proposals-waiting", count=waiting),
            Message("doctor.shoumi-proposal-list"),
        )


def break_glass(state: BreakGlass, groups: RoleGroups, now: datetime) -> Iterator[Finding]:
    """Yield whether break-glass access is open, and whether a code is sealed for a site without officers."""
    if state.broken_until and now < state.broken_until:
        yield Finding(
            "serious",
            "break-glass",
            Message("doctor.break-glass-open"),
            Message("doctor.close-break-glass"),
        )
    elif groups.configured and state.sealed_at is None:
        yield Finding(
            "warning",
            "break-glass",
            Message("doctor.no-sealed-code"),
            Message("doctor.shoumi-breakglass-seal"),
        )


def second_factor(service: str | None, *, there: bool) -> Iterator[Finding]:
    """Yield a finding when the second factor cannot be checked, so nobody can grant or end access."""
    if service and not there:
        shown_service = visible(service)
        yield Finding(
            "serious",
            "second-factor",
            Message("doctor.pam-service-missing", service=shown_service),
            Message("doctor.create-pam-service", service=shown_service),
        )
