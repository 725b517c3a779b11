"""``shoumi door simulate``: the site's own doors, made of software, and what people do at them.

    shoumi door simulate --serve                       real readers and boards on loopback, until Ctrl-C
    shoumi door simulate DOOR swipe --card 4660        in another terminal: show a badge, press keys, force the door …

Rules of this file: the devices are those the registry names, at the addresses it names, so that nothing of the agent
knows the difference. The keys of readers that were commissioned are read from the agent's own store, which takes root;
a reader without one waits to be commissioned. What is done here opens no real door: loopback, and serial ports of names
that no hardware has. A door that is elsewhere is named and left out.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, shown
from agent.cli.parser import Command
from agent.errors import UsageError
from agent.presentation.terms import SIDES, word
from rules.text import Text

_HANDS = ("swipe", "key", "tamper", "hold", "force", "contact", "rex", "power", "offline", "online", "state")
_LIGHTS = {
    "off": Text("off", "灭"),
    "red": Text("red", "红"),
    "green": Text("green", "绿"),
    "amber": Text("amber", "琥珀色"),
}
_PARAMS = (
    Param("door", "text", Text("name of a door", "门的名称"), positional=True, metavar="DOOR"),
    Param("what", "text", Text("what somebody does there", "在门前的动作"), positional=True, choices=_HANDS),
    Param("serve", "flag", Text("be the readers and boards, until Ctrl-C", "模拟读卡器与控制板，直至 Ctrl-C")),
    Param("side", "text", Text("where he stands (default in)", "所在一侧（默认 in）"), choices=("in", "out")),
    Param("card", "number", Text("number of the badge, to swipe", "刷卡卡号"), metavar="NUMBER"),
    Param("facility", "number", Text("facility code of the badge", "卡内厂区码"), metavar="NUMBER"),
    Param("digits", "text", Text("keys to press, 4711#", "按键，如 4711#")),
    Param("off", "flag", Text("the opposite: closed again, mended", "相反动作：关上、恢复")),
)


def _simulate(context: CliContext, args: Args) -> int:
    path = context.home.run / "simulator.sock"
    if args["serve"]:
        return _serve(context, path)
    if not args["door"] or not args["what"]:
        raise UsageError(
            Text("name a door and what is done there", "请写明门和动作"),
            Text("or start the devices: shoumi door simulate --serve", "或启动设备：shoumi door simulate --serve"),
        )
    from agent.simulator.client import command  # of no use to any other command

    word, members = _act(args)
    answer = command(path, word, **members)
    found = answer["doors"].get(args["door"]) if word == "state" else {"door": args["door"], "done": args["what"]}
    if found is None:
        from agent.simulator.site import no_door  # of no use to anybody who knows his doors

        raise no_door(args["door"])
    context.terminal.data(found, *_said(found, args))
    return 0


def _serve(context: CliContext, path: Path) -> int:
    """Make the devices of the site, say where they are, and wait until somebody ends it."""
    import msgspec

    from agent.simulator.client import start
    from agent.simulator.site_doors import of_site

    terminal = context.terminal
    description, left_out = of_site(context.home)
    for one in left_out:
        name = shown(one.door)
        terminal.talk(Text(f"NOT SIMULATED: `{name}`: {one.why.en}", f"未模拟：`{name}`：{one.why.zh}"))
    path.unlink(missing_ok=True)  # one that was killed leaves its socket
    with start(msgspec.to_builtins(description), path) as running:
        if terminal.json:
            terminal.data(running.doors)
        for name, door in () if terminal.json else running.doors.items():
            where = [reader["address"] for reader in door["readers"].values()] or [door.get("address", "")]
            addresses = ", ".join(map(shown, where))
            terminal.line(terminal.say(Text(f"`{shown(name)}` at {addresses}", f"`{shown(name)}`：{addresses}")))
        terminal.talk(
            Text(
                "try: shoumi door simulate DOOR swipe --card NUMBER, then contact: the door opens; Ctrl-C ends it",
                "可运行：shoumi door simulate DOOR swipe --card 卡号，再以 contact 开门；按 Ctrl-C 结束",
            )
        )
        terminal.out.flush()
        with suppress(KeyboardInterrupt):
            while running.process.poll() is None:
                time.sleep(0.2)
    return 0


def _act(args: Args) -> tuple[str, dict[str, Any]]:
    """Return the word of the simulator and its members; raise :class:`UsageError` for one that lacks what it needs."""
    what, on = args["what"], not args["off"]
    members: dict[str, Any] = {"door": args["door"], "side": args["side"] or "in"}
    match what:
        case "swipe":
            if args["card"] is None:
                raise UsageError(Text("`swipe` needs `--card`", "`swipe` 需要 `--card`"))
            members |= {"card": args["card"], "facility": args["facility"] or 0}
        case "key":
            if not args["digits"]:
                raise UsageError(Text("`key` needs `--digits`", "`key` 需要 `--digits`"))
            members["digits"] = args["digits"]
        case "tamper":
            members["active"] = on
        case "contact":
            members["open"] = on
        case "power":
            members["failed"] = on
        case "state":
            members = {}
        case _ if what not in _HANDS:
            right = ", ".join(_HANDS)
            raise UsageError(Text(f"`what` must be one of {right}", f"`what` 应为以下之一：{right}"))
    return what, members


def _said(found: dict[str, Any], args: Args) -> tuple[Text, ...]:
    name = shown(args["door"])
    if args["what"] != "state":
        return (Text(f"`{name}`: {args['what']}", f"`{name}`：{args['what']}"),)
    lock = Text("released", "已放行") if found["unlocked"] else Text("locked", "锁闭")
    leaf = Text("open", "敞开") if found["open"] else Text("closed", "关闭")
    lines = [
        Text(
            f"`{name}`: {lock.en}, {leaf.en}, released {found['opened']} times",
            f"`{name}`：{lock.zh}，{leaf.zh}，放行 {found['opened']} 次",
        )
    ]
    for side, reader in found["readers"].items():
        light, text = shown(reader["light"]), shown(reader["text"])
        where, colour = word(SIDES, side), word(_LIGHTS, light)
        lines.append(
            Text(f"{where.en}: light {colour.en}, text `{text}`", f"{where.zh}：指示灯 {colour.zh}，显示 `{text}`")
        )
    return tuple(lines)


COMMAND = Command(
    ("door", "simulate"),
    Text("readers and boards made of software, and what people do there", "软件模拟的读卡器与控制板及门前动作"),
    _PARAMS,
    _simulate,
)
