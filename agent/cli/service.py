"""``shoumi service``: programs that may touch areas, such as a backup, and programs that let people in."""

from agent.api.client import Json
from agent.cli.context import act, coded, column, flag, listing, shown
from agent.presentation.terms import PROGRAMS
from rules.text import Text

NOUN = Text("programs that may touch areas, or let people in", "可访问目录或放入人员的程序")


def _added(result: dict[str, Json]) -> Text:
    name, path = shown(result["service"]), shown(result["program"]["path"])
    if result["lets_in"]:
        return Text(
            f"service `{name}` is added: whoever `{path}` lets in needs no login uid",
            f"已新增服务账户 `{name}`：由 `{path}` 放入的人员不需要登录 uid",
        )
    if result["interpreter"]:
        return Text(
            f"service `{name}` is added; `{path}` runs whatever it is given: all that its uid runs with it is `{name}`",
            f"已新增服务账户 `{name}`；`{path}` 可运行任意脚本：该 uid 用它运行的一切均视为 `{name}`",
        )
    return Text(f"service `{name}` is added", f"已新增服务账户 `{name}`")


COMMANDS = (
    act("service.add", _added),
    act(
        "service.renew",
        lambda r: Text(
            f"service `{shown(r['service'])}`: its program counts as it is now",
            f"服务账户 `{shown(r['service'])}`：已按现状认定其程序",
        ),
    ),
    act(
        "service.remove",
        lambda r: Text(f"service `{shown(r['service'])}` is removed", f"已删除服务账户 `{shown(r['service'])}`"),
    ),
    listing(
        "service.list",
        (
            column("service", "服务账户", "id"),
            column("uid", "uid", "uid"),
            column("executable", "程序", "executable"),
            coded("program", "程序状态", "program", PROGRAMS),
            flag("lets in", "放入人员", "lets_in"),
            column("areas", "目录", "areas"),
        ),
        Text("no services", "没有服务账户"),
    ),
)
