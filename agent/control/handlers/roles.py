"""Handlers: the OS groups of the three roles; setting them ends the trial of a site for good.

Rules of this file: root sets them the first time, alone, because the trial allows it; afterwards the act grants access
and needs two officers. A group that does not exist on this host is refused, so that a typo cannot lock the officers
out.
"""

from collections.abc import Mapping

from agent.api.roles import THREE, Role
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import by_itself
from agent.control.two_hands import is_trial, rule_of
from agent.errors import RefusedError, UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.settings import ROLES
from agent.runtime import os_groups
from agent.runtime.config import Group, RoleGroups
from agent.runtime.os_groups import gid_of
from agent.site import trial as trial_file
from agent.site.role_groups import stored
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("role.set")
def _set(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    before, trial = request.site.role_groups(), is_trial(request)
    named = {role: request.args.text(role.value) for role in THREE if role.value in request.args}
    groups = {role: _group(named[role]) if role in named else getattr(before, role.value) for role in THREE}
    if not by_itself(request):  # groups from config.toml ended the trial already
        for role in named:
            _require_group(named[role])
        _require_two(groups)
        if not request.args.flag("anyway"):
            _require_a_pair(request, RoleGroups(**{role.value: group for role, group in groups.items()}))
    change.settings.set(ROLES, stored(RoleGroups(**{role.value: group for role, group in groups.items()})))
    group_fields = {role.value: group for role, group in groups.items()}
    reply = {"groups": group_fields, "trial_ended": trial}
    return HandlerResult(reply, reply, on_commit=lambda: trial_file.tell(request.site.home, over=True))


@handlers.read("factor.give")
def _give(request: HandlerRequest) -> Json:
    services = request.services
    try:
        services.factor.give(request.peer, request.args.text("secret"))
    except RefusedError as error:
        fields = {"kind": "factor", "outcome": "refused", "actor": request.actor(), "reason": error.text.to_json()}
        if services.factor.service is not None:
            services.refusals.record(request.peer.uid, lambda: fields, with_role=True)
        raise
    return {"given": True}


@handlers.read("role.list")
def _roles(request: HandlerRequest) -> Json:
    groups, caller = request.site.role_groups(), request.standing
    return {
        "roles": [
            {"role": role.value, "text": role.text.to_json(), "group": getattr(groups, role.value)} for role in THREE
        ],
        "yours": caller.role.value if caller.role else None,
        "because": caller.why_none.to_json() if caller.why_none else None,
        "bootstrap": not groups.configured,
        "factor": request.services.factor.service is not None,
    }


def _require_a_pair(request: HandlerRequest, groups: RoleGroups) -> None:
    """Refuse groups whose present, eligible members could never confirm a proposal."""
    facts, rule = request.site.facts, rule_of(request)
    able: dict[Role, set[str]] = {}
    for role in THREE[:2]:
        uids = os_groups.members(groups, role.value, facts.accounts)
        owners = {uid: facts.person_of_uid(uid) for uid in uids if uid != 0}
        able[role] = {owner or f"uid:{uid}" for uid, owner in owners.items() if owner or not rule.registered}
        if not able[role]:
            empty = Message("control.role-group-empty", role=role.text)
            unregistered = Message("control.role-group-without-registered-person", role=role.text)
            raise RefusedError(unregistered if rule.registered else empty, Message("control.fill-role-group"))
    if len(able[Role.SYSTEM] | able[Role.SECURITY]) < 2:
        raise RefusedError(
            Message("control.officers-are-one-person"),
            Message("control.add-second-officer"),
        )


def _group(name: str) -> Group:
    return int(name) if name.isascii() and name.isdigit() else name


def _gid(group: Group | None) -> int | None:
    return gid_of(group) if isinstance(group, str) else group


def _require_group(name: str) -> None:
    group = _group(name)
    shown_name = visible(name)
    if isinstance(group, str) and gid_of(group) is None:
        raise RefusedError(
            Message("control.group-not-found", group=shown_name),
            Message("control.create-group", group=shown_name),
        )
    if _gid(group) == 0:
        raise RefusedError(Message("control.root-group-not-allowed"))


def _require_two(groups: Mapping[Role, Group | None]) -> None:
    gids = [gid for group in groups.values() if (gid := _gid(group)) is not None]
    if len(gids) != len(set(gids)):
        raise UsageError(Message("control.role-groups-must-differ"))
    if any(groups[role] is None for role in THREE[:2]):
        raise UsageError(
            Message("control.two-role-groups-required"),
            Message("control.set-all-role-groups"),
        )  # fmt: skip
