"""``shoumi breakglass``: the sealed code by which root restores the offices of a site that has lost them."""

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, command, shown
from rules.text import Text

NOUN = Text("the sealed code for the day without officers", "应急代码（三员全部离任时使用）")


def _seal(context: CliContext, args: Args) -> int:
    result = context.call("breakglass.seal", args)
    context.terminal.data(
        result, Text(f"the code, shown once: {result['code']}", f"应急代码（仅显示一次）：{result['code']}")
    )
    return 0


def _show(context: CliContext, args: Args) -> int:
    found, terminal = context.call("breakglass.show", args), context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    if found["broken_until"]:
        until, by = local(found["broken_until"]), shown(found["broken_by"])
        terminal.line(terminal.say(Text(f"BROKEN by `{by}` until {until}", f"应急状态：由 `{by}` 开启，至 {until}")))
    if found["sealed_at"]:
        at, by = local(found["sealed_at"]), shown(found["sealed_by"])
        terminal.line(terminal.say(Text(f"a code is sealed since {at}, by `{by}`", f"代码由 `{by}` 于 {at} 封存")))
    else:
        terminal.line(terminal.say(Text("no code is sealed", "没有封存的代码")))
    return 0


COMMANDS = (
    command("breakglass.seal", _seal),
    act(
        "breakglass.open",
        lambda r: Text(
            f"THE GLASS IS BROKEN until {local(r['until'])}: root restores offices, and everything is an alarm",
            f"已应急开启，至 {local(r['until'])}：root 可恢复三员，全程报警",
        ),
    ),
    act("breakglass.close", lambda _r: Text("it is over", "应急状态已结束")),
    command("breakglass.show", _show),
)
