"""Checks of ``doctor`` on the three roles, and on what waits for a second hand.

Rules of this file: looking only. What is good is said too, in one line.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from agent.api.findings import Finding
from agent.api.roles import missing
from agent.registry.rows.break_glass import BreakGlass
from agent.runtime.config import RoleGroups
from agent.site.role_groups import NOBODY
from rules.text import Text
from rules.visible import visible


def roles(groups: RoleGroups, settings: RoleGroups, gid_of: Callable[[str], int | None]) -> Iterator[Finding]:
    """Say whether the three roles are in three hands. *settings*: the groups that config.toml names."""
    if not groups.configured:
        yield Finding(
            "serious",
            "bootstrap",
            Text(
                "this is a trial: no role group is set, and root's one hand does everything",
                "试用中：未设置角色组，root 一人可办理一切，权力没有分离",
            ),
            Text(
                "make one group for each (groupadd shoumi-system …), then: shoumi role set --system GROUP …",
                "为每个角色建立一个系统组，再运行 shoumi role set",
            ),
        )
        return
    if groups == NOBODY:
        yield lost()
        return
    if settings.configured and settings != groups:
        yield Finding(
            "warning",
            "roles-in-settings",
            Text(
                "[roles] of config.toml is not read any more, and differs",
                "config.toml 的 [roles] 已不再读取，且与登记不符",
            ),
            Text("remove it there; groups are changed with: shoumi role set", "请删除；修改角色组请用 shoumi role set"),
        )
    lacking = missing(groups, gid_of)
    for role in lacking:
        yield Finding(
            "serious",
            f"role-{role.value}",
            Text(
                f"nobody can be {role.text.en}: its group is not set or does not exist",
                f"没有人能担任{role.text.zh}：组未设置或不存在",
            ),
            Text(
                f"make the group, or name another one: shoumi role set --{role.value} GROUP",
                f"建立该组，或改用其他组：shoumi role set --{role.value} 组",
            ),
        )
    if not lacking:
        yield Finding("good", "roles", Text("the three roles have three groups", "三员各有其组"))


def lost() -> Finding:
    """Say that the registry does not name the groups of the roles any more."""
    return Finding(
        "serious",
        "roles-lost",
        Text(
            "the registry does not say which groups the roles are, and the trial has ended: nobody has a role",
            "登记库未记录角色组，而试用已结束：任何人均无角色",
        ),
        Text(
            "put the right registry back and restart the agent; or root names groups with the code of the envelope: "
            "shoumi breakglass open",
            "恢复正确的登记库并重启代理；或由 root 用信封内的代码重新指定：shoumi breakglass open",
        ),
    )


def proposals(waiting: int) -> Iterator[Finding]:
    """Say how many acts wait for a second officer; nothing where none does."""
    if waiting:
        yield Finding(
            "warning",
            "proposals",
            Text(
                f"{waiting} {'acts wait' if waiting > 1 else 'act waits'} for a second officer",
                f"{waiting} 项操作待第二人确认",
            ),
            Text("shoumi proposal list", "shoumi proposal list"),
        )


def break_glass(found: BreakGlass, groups: RoleGroups, now: datetime) -> Iterator[Finding]:
    """Say whether the glass is broken, and whether a code is sealed for the day when no officer is left."""
    if found.broken_until and now < found.broken_until:
        yield Finding(
            "serious",
            "break-glass",
            Text(
                "THE GLASS IS BROKEN: root restores offices with one hand",
                "应急状态：root 一人可恢复三员",
            ),
            Text(
                "when officers act again: shoumi breakglass close --reason WHY",
                "恢复后：shoumi breakglass close --reason 理由",
            ),
        )
    elif groups.configured and found.sealed_at is None:
        yield Finding(
            "warning",
            "break-glass",
            Text(
                "no code of the break-glass is sealed: a site without officers could not name new ones",
                "没有封存的应急代码：三员全部离任时无法恢复",
            ),
            Text("shoumi breakglass seal", "shoumi breakglass seal"),
        )


def second_factor(service: str | None, *, there: bool) -> Iterator[Finding]:
    """Say where nobody can give or cut because the second factor cannot be asked."""
    if service and not there:
        said = visible(service)
        yield Finding(
            "serious",
            "second-factor",
            Text(
                f"there is no PAM service `{said}`: nobody can give or cut access",
                f"没有 PAM 服务 `{said}`：无人可授予或终止权限",
            ),
            Text(
                f"make /etc/pam.d/{said}, or take second_factor out of config.toml and restart the agent",
                f"请建立 /etc/pam.d/{said}，或从 config.toml 中去掉 second_factor 并重启",
            ),
        )
