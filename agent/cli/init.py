"""``shoumi init``: make a new site, and say what comes next."""

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, shown
from agent.cli.pack import source
from agent.cli.parser import Command
from rules.text import Text

_PACK = Param(
    "pack",
    "text",
    Text("a shipped pack's name, or a TOML file (default minimal)", "内置规则包名称，或 TOML 文件（默认 minimal）"),
    metavar="PACK",
)


def _init(context: CliContext, args: Args) -> int:
    from agent.site.init import make  # the registry's modules are of no use to any other command

    pack = make(context.home, source(args["pack"] or "minimal"))
    root = shown(context.home.root)
    start = f"shoumi --home {root}"
    context.terminal.data(
        {"home": str(context.home.root), "pack": pack.id},
        Text(f"a site is made at `{root}` with the pack {pack.id}", f"已在 `{root}` 建立站点，规则包 {pack.id}"),
    )
    for line in (f"{start} doctor", f"{start} run", f"{start} area add PATH --name NAME --level LEVEL --domain DOMAIN"):
        context.terminal.talk(Text(f"next: {line}", f"下一步：{line}"))
    return 0


COMMANDS = (Command(("init",), Text("make a new site", "建立新站点"), (_PACK,), _init),)
