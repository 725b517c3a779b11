"""Handlers: the OS groups of the three roles, which end the trial of a site once and for all.

Rules of this file: naming them the first time is root's, whose one hand the trial still has; afterwards it gives access
and takes two. A group that this host does not have is refused, so that nobody locks the site's officers out by a typo.
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
        if not request.args.flag("anyway"):
            _require_a_pair(request, RoleGroups(**{role.value: group for role, group in groups.items()}))
    change.settings.set(ROLES, stored(RoleGroups(**{role.value: group for role, group in groups.items()})))
    shown = {role.value: group for role, group in groups.items()}
    told = {"groups": shown, "trial_ended": trial}
    return HandlerResult(told, told, on_commit=lambda: trial_file.tell(request.site.home, over=True))


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


def _require_a_pair(request: HandlerRequest, groups: RoleGroups) -> None:
    """Refuse groups by which nobody could ever confirm anything: who is in them now, and may act."""
    facts, rule = request.site.facts, rule_of(request)
    able: dict[Role, set[str]] = {}
    for role in THREE[:2]:
        uids = os_groups.members(groups, role.value, facts.accounts)
        owners = {uid: facts.person_of_uid(uid) for uid in uids if uid != 0}
        able[role] = {owner or f"uid:{uid}" for uid, owner in owners.items() if owner or not rule.registered}
        if not able[role]:
            who = role.text
            more = Text(" whom the registry knows", "已登记的") if rule.registered else Text("", "")
            raise RefusedError(
                Text(
                    f"nobody{more.en} is in the group of the {who.en}: nothing could be given any more",
                    f"{who.zh}组中没有{more.zh}人员：此后将无法授予任何权限",
                ),
                Text(
                    "usermod -aG GROUP NAME, and: shoumi person add ID --account UID; or add --anyway",
                    "usermod -aG 组 账号，并 shoumi person add 编号 --account UID；或加 --anyway",
                ),
            )
    if len(able[Role.SYSTEM] | able[Role.SECURITY]) < 2:
        raise RefusedError(
            Text("both groups are one person, and two have to act", "两组只有同一人，须有两人"),
            Text("add another person to one of them; or add --anyway", "请再增加一人；或加 --anyway"),
        )


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
