"""``shoumi door simulate``: the doors of the site as software devices, and actions at them.

    shoumi door simulate --serve                       real readers and boards on loopback, until Ctrl-C
    shoumi door simulate DOOR swipe --card 4660        in another terminal: swipe a badge, press keys, force the door …

Rules of this file: the devices have the names and addresses of the registry, and the agent cannot tell them from real
ones. Keys of commissioned readers are read from the agent's own store, which takes root; a reader without a key waits
to be commissioned. No real door opens: the devices use loopback, and serial ports with names that no hardware has. A
door at another address is reported and left out.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, printable
from agent.cli.parser import Command
from agent.errors import UsageError
from agent.presentation.terms import SIDES, word
from rules.text import Message, Sentence

_ACTIONS = ("swipe", "key", "tamper", "hold", "force", "contact", "rex", "power", "offline", "online", "state")
_LIGHTS = {
    "off": Message("cli.light-off"),
    "red": Message("cli.light-red"),
    "green": Message("cli.light-green"),
    "amber": Message("cli.light-amber"),
}
_PARAMS = (
    Param("door", "text", Message("common.name-door"), positional=True, metavar="DOOR"),
    Param("what", "text", Message("cli.param-action"), positional=True, choices=_ACTIONS),
    Param("serve", "flag", Message("cli.param-serve")),
    Param("side", "text", Message("cli.param-side"), choices=("in", "out")),
    Param("card", "number", Message("cli.param-card"), metavar="NUMBER"),
    Param("facility", "number", Message("cli.param-facility"), metavar="NUMBER"),
    Param("digits", "text", Message("cli.param-digits")),
    Param("off", "flag", Message("cli.param-off")),
)


def _simulate(context: CliContext, args: Args) -> int:
    path = context.home.run / "simulator.sock"
    if args["serve"]:
        return _serve(context, path)
    if not args["door"] or not args["what"]:
        raise UsageError(
            Message("cli.simulate-usage"),
            Message("cli.simulate-serve-hint"),
        )
    from agent.simulator.client import command  # no other command needs it

    order, members = _act(args)
    answer = command(path, order, **members)
    reply = answer["doors"].get(args["door"]) if order == "state" else {"door": args["door"], "done": args["what"]}
    if reply is None:
        from agent.simulator.site import no_door  # needed for this error only

        raise no_door(args["door"])
    context.terminal.emit(reply, *_sentences(reply, args))
    return 0


def _serve(context: CliContext, path: Path) -> int:
    """Start the devices of the site, print their addresses, and wait for Ctrl-C or their end."""
    import msgspec

    from agent.simulator.client import start
    from agent.simulator.site_doors import of_site

    terminal = context.terminal
    description, left_out = of_site(context.home)
    for omitted in left_out:
        name = printable(omitted.door)
        terminal.talk(Message("cli.door-not-simulated", name=name, reason=omitted.why))
    path.unlink(missing_ok=True)  # a killed simulator leaves its socket
    with start(msgspec.to_builtins(description), path) as running:
        if terminal.json:
            terminal.emit(running.doors)
        for name, door in () if terminal.json else running.doors.items():
            locations = [reader["address"] for reader in door["readers"].values()] or [door.get("address", "")]
            terminal.line(terminal.say(Message("cli.simulated-door", name=name, addresses=locations)))
        terminal.talk(Message("cli.simulate-try-hint"))
        terminal.out.flush()
        with suppress(KeyboardInterrupt):
            while running.process.poll() is None:
                time.sleep(0.2)
    return 0


def _act(args: Args) -> tuple[str, dict[str, Any]]:
    """Return the order to the simulator and its members; raise :class:`UsageError` where an option is missing."""
    action, on = args["what"], not args["off"]
    members: dict[str, Any] = {"door": args["door"], "side": args["side"] or "in"}
    match action:
        case "swipe":
            if args["card"] is None:
                raise UsageError(Message("cli.swipe-needs-card"))
            members |= {"card": args["card"], "facility": args["facility"] or 0}
        case "key":
            if not args["digits"]:
                raise UsageError(Message("cli.key-needs-digits"))
            members["digits"] = args["digits"]
        case "tamper":
            members["active"] = on
        case "contact":
            members["open"] = on
        case "power":
            members["failed"] = on
        case "state":
            members = {}
        case _ if action not in _ACTIONS:
            raise UsageError(Message("cli.simulate-action-unknown", actions=_ACTIONS))
    return action, members


def _sentences(answer: dict[str, Any], args: Args) -> tuple[Sentence, ...]:
    name = printable(args["door"])
    if args["what"] != "state":
        return (Message("common.named", name=name, text=args["what"]),)
    lock = Message("common.released") if answer["unlocked"] else Message("cli.lock-locked")
    leaf = Message("cli.leaf-open") if answer["open"] else Message("common.closed")
    lines = [Message("cli.simulated-door-state", name=name, lock=lock, leaf=leaf, releases=answer["opened"])]
    for side, reader in answer["readers"].items():
        light, text = printable(reader["light"]), printable(reader["text"])
        colour = word(_LIGHTS, light)
        lines.append(Message("cli.reader-display", side=word(SIDES, side), colour=colour, text=text))
    return tuple(lines)


COMMAND = Command(
    ("door", "simulate"),
    Message("cli.help-door-simulate"),
    _PARAMS,
    _simulate,
)
