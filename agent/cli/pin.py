"""``shoumi pin``: what a person types at a door. It is typed here too, unseen, and stands on no command line.

From a terminal the PIN is asked for twice. Otherwise stdin has it: the first line is the PIN, the second, if there is
one, the PIN for duress.
"""

import getpass
import sys

from agent.api.operations import TABLE
from agent.api.operations.people import PERSON
from agent.cli.context import Args, CliContext, act, column, flag, listing, moment, shown
from agent.cli.parser import Command
from agent.errors import UsageError
from rules.text import Text

NOUN = Text("PINs typed at doors", "门禁密码")


def _set(context: CliContext, args: Args) -> int:
    pin, duress = _typed(context) if sys.stdin.isatty() else _piped()
    result = context.call("pin.set", {"person": args["person"], "pin": pin, "duress": duress or None})
    who = shown(result["person"])
    said = Text(f"`{who}` has a PIN", f"已为 `{who}` 设置密码")
    if result["duress"]:
        said = Text(f"`{who}` has a PIN, and one for duress", f"已为 `{who}` 设置密码和胁迫密码")
    context.terminal.data(result, said)
    return 0


def _typed(context: CliContext) -> tuple[str, str]:
    say = context.terminal.say
    pin = getpass.getpass(say(Text("PIN: ", "密码：")))
    if pin != getpass.getpass(say(Text("again: ", "再输一次："))):
        raise UsageError(Text("the two are not the same", "两次输入不一致"))
    duress = getpass.getpass(say(Text("PIN for duress (empty: none): ", "胁迫密码（可留空）：")))
    if duress and duress != getpass.getpass(say(Text("again: ", "再输一次："))):
        raise UsageError(Text("the two are not the same", "两次输入不一致"))
    return pin, duress


def _piped() -> tuple[str, str]:
    lines = [line.strip() for line in sys.stdin.read().splitlines()]
    if not lines or not lines[0] or len(lines) > 2:
        raise UsageError(
            Text("stdin must have the PIN in its first line", "标准输入首行应为密码"),
            Text("and the one for duress in the second, if any", "如有胁迫密码，写在第二行"),
        )
    return lines[0], lines[1] if len(lines) > 1 else ""


COMMANDS = (
    Command(("pin", "set"), TABLE["pin.set"].help, (PERSON,), _set),
    act(
        "pin.remove",
        lambda r: Text(f"`{shown(r['person'])}` has no PIN now", f"已删除 `{shown(r['person'])}` 的密码"),
    ),
    listing(
        "pin.list",
        (
            column("person", "人员", "person"),
            flag("duress", "胁迫密码", "duress"),
            moment("since", "设置时间", "set_at"),
        ),
        Text("nobody has a PIN", "没有人设置密码"),
    ),
)
