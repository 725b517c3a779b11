"""Checks of programs and logins: is each service what was registered, and does everybody else need a login?

Rules of this file: looking only, and what is good is said as well.
"""

import os
from collections.abc import Callable, Iterable, Iterator

from agent.api.findings import Finding
from agent.kernel.program import FirstNamespaces
from agent.registry.rows.services import ServiceProgram
from agent.site import program_file
from agent.site.program_file import TROUBLE, ProgramTrouble
from rules.text import Text
from rules.visible import visible


def services(
    rows: Iterable[ServiceProgram], trouble: Callable[[ServiceProgram], ProgramTrouble | None]
) -> Iterator[Finding]:
    """Say which services are refused because their program is not the file that was registered."""
    for row in rows:
        name, path = visible(row.service), visible(os.fsdecode(row.path))
        if (found := trouble(row)) is not None:
            loose = found is ProgramTrouble.WRITABLE
            mend = f"chown root {path} && chmod go-w {path}" if loose else f"shoumi service renew {name}"
            why = TROUBLE[found]
            text = (
                Text(f"the service `{name}`: {why.en}", f"服务账户 `{name}`：{why.zh}")
                if loose
                else Text(f"the service `{name}` is refused: {why.en}", f"服务账户 `{name}` 被拒绝：{why.zh}")
            )
            yield Finding("serious", "service-program", text, Text(mend, mend))
        elif row.lets_in:
            text = Text(
                f"`{path}` lets people in: below it nobody needs a login uid",
                f"`{path}` 放入人员：其下的人员不需要登录 uid",
            )
            yield Finding("good", "lets-in", text)
        elif program_file.is_interpreter(os.fsdecode(row.path)):
            yield Finding(
                "warning",
                "service-interpreter",
                Text(
                    f"whatever uid {row.uid} runs with `{path}` is the service `{name}`",
                    f"uid {row.uid} 用 `{path}` 运行的一切均视为服务账户 `{name}`",
                ),
                Text("let that uid run nothing else", "请勿以该 uid 运行其他程序"),
            )


def logins(*, trial: bool, first: FirstNamespaces | None = None) -> Iterator[Finding]:
    """Say whether people need a login uid, and whether this process can tell the initial namespaces."""
    if trial:
        yield Finding(
            "warning",
            "logins",
            Text("logins are not asked for: this site is a trial", "不要求登录：本站点处于试用中"),
            Text("name the groups of the roles: shoumi role set", "请指定三员的系统组：shoumi role set"),
        )
    else:
        text = Text(
            "a person without a login uid is refused, unless Samba or a registered program has let them in",
            "没有登录 uid 的人员被拒绝，除非由 Samba 或已登记的程序放入",
        )
        yield Finding("good", "logins", text)
    if first is None:
        return
    if not first.told:
        yield Finding(
            "warning",
            "namespaces",
            Text(
                "PID 1 may not be looked into: the agent's own mount namespace is taken for the initial one",
                "无法查看 1 号进程：以代理自身的挂载命名空间为初始命名空间",
            ),
            Text("run the agent with CAP_SYS_PTRACE on the host", "请在主机上以 CAP_SYS_PTRACE 运行代理"),
        )
    elif not first.ours:
        yield Finding(
            "serious",
            "namespaces",
            Text(
                "the agent runs in a mount namespace of its own: covers do not reach the host",
                "代理运行于独立的挂载命名空间：遮盖无法作用于主机",
            ),
            Text(
                "start it without options that make one (PrivateTmp=, ProtectSystem=)",
                "启动时请勿使用 PrivateTmp=、ProtectSystem= 等选项",
            ),
        )
