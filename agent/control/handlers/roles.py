"""Handlers: the OS groups of the three roles, which end the trial of a site once and for all.

Rules of this file: naming them the first time is root's, whose one hand the trial still has; afterwards it gives access
and takes two. A group that this host does not have is refused, so that nobody locks the site's officers out by a typo.
"""

from collections.abc import Mapping

from agent.api.roles import THREE, Role
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import by_itself
from agent.control.two_hands import is_trial
from agent.errors import RefusedError, UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.settings import ROLES
from agent.runtime.config import Group, RoleGroups
from agent.runtime.os_groups import gid_of
from agent.site.role_groups import stored
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("role.set")
def _set(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    before, trial = request.site.role_groups(), is_trial(request)
    named = {role: request.args.text(role.value) for role in THREE if role.value in request.args}
    groups = {role: _group(named[role]) if role in named else getattr(before, role.value) for role in THREE}
    if not by_itself(request):  # what the settings of this host name ended the trial there, whatever it was
        for role in named:
            _require_group(named[role])
        _require_two(groups)
    change.settings.set(ROLES, stored(RoleGroups(**{role.value: group for role, group in groups.items()})))
    shown = {role.value: group for role, group in groups.items()}
    return HandlerResult({"groups": shown, "trial_ended": trial}, {"groups": shown, "trial_ended": trial})


@handlers.read("factor.give")
def _give(request: HandlerRequest) -> Json:
    try:
        request.services.factor.give(request.peer, request.args.text("secret"))
    except RefusedError as error:
        fields = {"kind": "factor", "outcome": "refused", "actor": request.actor(), "reason": error.text.to_json()}
        request.services.decider.append(fields)
        raise
    return {"given": True}


@handlers.read("role.list")
def _roles(request: HandlerRequest) -> Json:
    groups, mine = request.site.role_groups(), request.standing
    return {
        "roles": [
            {"role": role.value, "text": role.text.to_json(), "group": getattr(groups, role.value)} for role in THREE
        ],
        "yours": mine.role.value if mine.role else None,
        "because": mine.why_none.to_json() if mine.why_none else None,
        "bootstrap": not groups.configured,
        "factor": request.services.factor.service is not None,
    }


def _group(word: str) -> Group:
    return int(word) if word.isascii() and word.isdigit() else word


def _gid(group: Group | None) -> int | None:
    return gid_of(group) if isinstance(group, str) else group


def _require_group(word: str) -> None:
    group = _group(word)
    said = visible(word)
    if isinstance(group, str) and gid_of(group) is None:
        raise RefusedError(
            Text(f"this host has no group `{said}`", f"本机没有组 `{said}`"),
            Text(f"make it first: groupadd {said}", f"请先建立：groupadd {said}"),
        )
    if _gid(group) == 0:
        raise RefusedError(Text("the group of root is nobody's role", "root 组不能担任角色"))


def _require_two(groups: Mapping[Role, Group | None]) -> None:
    gids = [gid for group in groups.values() if (gid := _gid(group)) is not None]
    if len(gids) != len(set(gids)):
        raise UsageError(Text("two roles never share a group", "三员不得共用一个组"))
    if any(groups[role] is None for role in THREE[:2]):
        raise UsageError(
            Text(
                "name a group for the system administrator and one for the security officer, who act together",
                "须为系统管理员和安全保密管理员各指定一个组，二者共同办理",
            ),
            Text("shoumi role set --system GROUP --security GROUP --auditor GROUP",
                 "shoumi role set --system 组 --security 组 --auditor 组"),
        )  # fmt: skip
