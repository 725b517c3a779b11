"""``shoumi init``: creation of a site, and the next steps."""

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, printable
from agent.cli.pack import source
from agent.cli.parser import Command
from rules.text import Message

_PACK = Param(
    "pack",
    "text",
    Message("cli.param-init-pack"),
    metavar="PACK",
)


def _init(context: CliContext, args: Args) -> int:
    from agent.site.init import make  # no other command needs the registry's modules

    pack = make(context.home, source(args["pack"] or "minimal"))
    root = printable(context.home.root)
    start = f"shoumi --home {root}"
    context.terminal.emit(
        {"home": str(context.home.root), "pack": pack.id},
        Message("cli.site-created", root=root, pack=pack.id),
    )
    for line in (f"{start} doctor", f"{start} run", f"{start} area add PATH --name NAME --level LEVEL --domain DOMAIN"):
        context.terminal.talk(Message("cli.next", text=line))
    return 0


COMMANDS = (Command(("init",), Message("cli.help-init"), (_PACK,), _init),)
