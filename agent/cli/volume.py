"""``shoumi volume``: disks that the agent mounts, guards before they become visible, and releases.

Rules of this file: ``create`` works on an empty, unguarded disk with the rights of the caller, and needs no agent. The
other commands are acts of the agent that take time; they wait for the outcome.
"""

import os
from typing import Any

from agent.api.operations.schema import Param
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, column, command, printable, table
from agent.cli.parser import Command
from agent.disks import creation
from agent.errors import RefusedError
from agent.presentation import seen
from agent.presentation.terms import VOLUME_STATES, word
from rules.text import Message, from_json

NOUN = Message("cli.noun-volume")

_YES = Param("yes", "flag", Message("cli.param-yes"))
_CREATE = (
    Param(
        "device",
        "path",
        Message("cli.param-volume-device"),
        required=True,
        positional=True,
        metavar="DEVICE|FILE",
    ),
    Param("fstype", "text", Message("cli.param-fstype"), required=True, choices=("ext4", "xfs")),
    Param("size", "number", Message("cli.param-size"), metavar="MIB"),
    Param("luks", "flag", Message("cli.param-luks")),
    Param("luks_key", "path", Message("cli.param-luks-key"), metavar="FILE"),
    _YES,
)


def _create(context: CliContext, args: Args) -> int:
    device, key = _absolute(args["device"]), args["luks_key"]
    if args["fstype"] not in ("ext4", "xfs"):
        raise RefusedError(Message("cli.filesystem-unsupported"))
    size = None if args["size"] is None else int(args["size"]) << 20
    wanted = creation.plan(device, args["fstype"], size, encrypted=bool(args["luks"]), key=_absolute(key))
    terminal = context.terminal
    if not args["yes"]:
        terminal.emit({"steps": [step.to_json() for step in wanted.steps()]}, *wanted.steps())
        raise RefusedError(Message("cli.nothing-changed"), Message("cli.add-yes-hint"))
    for step in wanted.steps():
        terminal.talk(step)
    volume = creation.make(wanted)
    device_name = printable(volume.device)
    terminal.emit(volume.to_json(), Message("cli.volume-created", device=device_name, fstype=volume.fstype))
    encrypted = " --luks-key FILE" if volume.luks else ""
    following = f"shoumi volume attach {device_name} --at POINT{encrypted}"
    terminal.talk(Message("cli.next", text=following))
    return 0


def _attach(context: CliContext, args: Args) -> int:
    if not args["uuid"]:
        volume = context.call("volume.show", {"volume": args["device"]})
        args = {**args, "uuid": volume["uuid"] or None}
    outcome = _outcome(context, context.call("volume.attach", args))
    point = printable(outcome["point"])
    context.terminal.emit(
        outcome,
        Message("cli.volume-attached", point=point),
    )
    return 0


def _publish(context: CliContext, args: Args) -> int:
    outcome = _outcome(context, context.call("volume.publish", args))
    point, state = printable(outcome["point"]), word(VOLUME_STATES, outcome["state"])
    context.terminal.emit(outcome, Message("common.named", name=point, text=state))
    return int(outcome["state"] not in ("published", "guarded"))


def _hide(context: CliContext, args: Args) -> int:
    terminal = context.terminal
    if not args["yes"]:
        plan = context.call("volume.show", {"volume": args["point"]})
        areas, point = plan["areas"] or "-", printable(args["point"])
        terminal.emit(
            plan,
            Message("cli.volume-hide-areas", areas=areas),
            *(from_json(holder["text"]) for holder in plan["holders"]),
        )
        raise RefusedError(
            Message("cli.nothing-changed"),
            Message("cli.volume-hide-hint", point=point),
        )
    outcome = _outcome(context, context.call("volume.hide", args))
    point = printable(outcome["point"])
    if outcome["free"]:
        terminal.emit(outcome, Message("cli.volume-hidden", point=point))
        return 0
    still_held = Message("cli.volume-hidden-held", point=point)
    kernel = Message("cli.held-by-kernel")
    terminal.emit(outcome, still_held, *([from_json(holder["text"]) for holder in outcome["holders"]] or [kernel]))
    return 1


def _show(context: CliContext, args: Args) -> int:
    volume = context.call("volume.show", args)
    rows = [
        (Message("common.device"), volume["device"]),
        (Message("cli.mount-point"), volume["point"]),
        (Message("cli.volume-content"), volume["kind"]),
        (Message("cli.uuid"), volume["uuid"]),
        (Message("common.areas"), volume["areas"]),
    ]
    terminal = context.terminal
    if terminal.json:
        terminal.emit(volume)
        return 0
    terminal.table([Message("cli.field"), Message("cli.value")], [(terminal.say(label), text) for label, text in rows])
    for holder in volume["holders"]:
        terminal.line(terminal.say(from_json(holder["text"])))
    return 0


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column(Message("cli.mount-point"), "point"),
        column(Message("common.device"), "device"),
        column(Message("cli.filesystem-type"), "fstype"),
        OutputColumn(Message("common.state"), lambda row: word(VOLUME_STATES, row["state"])),
        column(Message("common.areas"), "areas"),
        OutputColumn(Message("common.guard-seen"), lambda row: seen.short(row["seen"], local) if row["seen"] else None),
        column(Message("cli.operator"), "by"),
        OutputColumn(Message("common.since"), lambda row: local(row["since"]) if row["since"] else None),
        OutputColumn(Message("cli.problem"), lambda row: from_json(row["trouble"]) if row["trouble"] else None),
    )
    return table(context, context.stream("volume.list", args), columns, Message("cli.no-volumes-yet"))


def _outcome(context: CliContext, act: dict[str, Any]) -> dict[str, Any]:
    """Wait for the outcome of an act. Raises :class:`RefusedError` with the reason when the act failed."""
    [outcome] = context.stream("volume.outcome", {"point": act["point"], "at": act["at"]})
    if outcome["error"]:
        raise RefusedError(from_json(outcome["error"]), from_json(outcome["hint"]) if outcome["hint"] else None)
    return {**outcome, **{name: act[name] for name in act if name.endswith("milliseconds")}}


def _absolute(path: str | None) -> str:
    return os.path.abspath(path) if path else ""  # noqa: PTH100 - links stay, as for every path argument


COMMANDS = (
    Command(("volume", "create"), Message("cli.help-volume-create"), _CREATE, _create),
    command("volume.attach", _attach),
    command("volume.publish", _publish),
    command("volume.hide", _hide, extra=(_YES,)),
    command("volume.show", _show),
    command("volume.list", _list, note=Message("cli.explains-guard-seen")),
)
