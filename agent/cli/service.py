"""``shoumi service``: programs that may touch areas, such as a backup."""

from agent.cli.context import act, column, listing, shown
from rules.text import Text

NOUN = Text("programs that may touch areas", "可访问目录的程序")

COMMANDS = (
    act(
        "service.add",
        lambda r: Text(f"service `{shown(r['service'])}` is added", f"已新增服务账户 `{shown(r['service'])}`"),
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
            column("areas", "目录", "areas"),
        ),
        Text("no services", "没有服务账户"),
    ),
)
