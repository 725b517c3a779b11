"""The simulator process: ``python -I -m agent.simulator SOCKET``; the description comes as JSON on stdin.

    ← ready line on stdout: {"doors": {NAME: {…addresses…}}}
    → one JSON object a line at SOCKET: {"do": "swipe", "door": D, "side": "in", "card": 4660, "facility": 0}
    ← {"ok": true, …} or {"ok": false, "error": …}

    swipe door side card [facility]      key door side digits          tamper door side [active]     rex door
    hold door    force door              contact door open             power door failed             state
    offline, online door side            opened door times seconds (waits)                           stop

Rules of this file: keys come on stdin and stay in memory. Only the owner can reach the socket. The process ends when
stdin ends, so that no device outlives the process that started it.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from agent.doors import codec
from agent.doors.messages import Card, Side
from agent.errors import RefusedError, ShoumiError, UsageError
from agent.language.errors import error_lines
from agent.runtime.unix_server import serve_unix
from agent.simulator.doors import SimulatedDoor
from agent.simulator.site import Description, SimulatedSite
from rules.text import Message, Text

LONGEST = 1 << 20  # bytes of a description, or of a line


class SimulatorCommand(codec.WireStruct, frozen=True):
    """One command. The members used depend on ``do``."""

    do: str
    door: Annotated[str, Meta(max_length=100)] = ""
    side: Side = "in"
    card: Card = 0
    facility: Annotated[int, Meta(ge=0, le=2**16)] = 0
    digits: Annotated[str, Meta(max_length=32)] = ""
    active: bool = True
    open: bool = True
    failed: bool = True
    times: Annotated[int, Meta(ge=1, le=2**31)] = 1
    seconds: Annotated[float, Meta(ge=0, le=600)] = 10.0


_command = codec.decoder(SimulatorCommand)
_description = codec.decoder(Description)


def _hold(door: SimulatedDoor, _act: SimulatorCommand) -> None:
    door.contact(is_open=True)
    door.alarm("held")


def _force(door: SimulatedDoor, _act: SimulatorCommand) -> None:
    door.contact(is_open=True)
    door.alarm("forced")


HANDS: dict[str, Callable[[SimulatedDoor, SimulatorCommand], None]] = {
    "swipe": lambda door, act: door.swipe(act.side, act.card, act.facility),
    "key": lambda door, act: door.press(act.side, act.digits),
    "tamper": lambda door, act: door.tamper(act.side, active=act.active),
    "hold": _hold,
    "force": _force,
    "contact": lambda door, act: door.contact(is_open=act.open),
    "rex": lambda door, _act: door.rex(),
    "power": lambda door, act: door.power(failed=act.failed),
    "offline": lambda door, act: door.reach(act.side, online=False),
    "online": lambda door, act: door.reach(act.side, online=True),
}


async def serve(
    description: Description, path: Path, ready: Callable[[dict[str, Any]], None], stop: asyncio.Event
) -> None:
    """Create the devices, pass their doors to *ready*, and serve commands at the socket *path* until *stop*.

    Raises :class:`RefusedError` for a description or a socket that cannot be created.
    """
    site = SimulatedSite(description)
    try:
        await site.start()
        listening = _listen(path)
        server = await serve_unix(partial(_hear, site, stop), listening, LONGEST)
        try:
            ready({"doors": site.state()})
            await stop.wait()
        finally:
            server.close()
            path.unlink(missing_ok=True)  # noqa: ASYNC240 - a socket's name
    finally:
        await site.stop()


async def obey(site: SimulatedSite, stop: asyncio.Event, act: SimulatorCommand) -> dict[str, Any]:
    """Carry out one command; return its result. Raises :class:`RefusedError` and :class:`UsageError`."""
    if act.do in HANDS:
        HANDS[act.do](site.door(act.door), act)
        return {}
    match act.do:
        case "state":
            return {"doors": site.state()}
        case "opened":
            return {"opened": await site.opened(act.door, act.times, act.seconds)}
        case "stop":
            stop.set()
            return {}
    commands = ", ".join((*HANDS, "state", "opened", "stop"))
    raise UsageError(Message("simulator.unknown-operation", commands=commands))


async def _hear(
    site: SimulatedSite, stop: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with contextlib.suppress(OSError, ValueError):  # the client disconnected, or sent an overlong line
        while line := await reader.readline():
            try:
                answer = {"ok": True, **await obey(site, stop, _command(line))}
            except codec.InvalidMessageError as error:
                answer = {"ok": False, "error": UsageError(Text(str(error), str(error))).to_json()}
            except ShoumiError as error:
                answer = {"ok": False, "error": error.to_json()}
            writer.write(codec.encode(answer) + b"\n")
            await writer.drain()
    writer.close()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        error_text = error.strerror or ""
        raise RefusedError(Message("simulator.socket-not-created", error=error_text)) from None
    finally:
        os.umask(before)
    return listener


def main(argv: Sequence[str]) -> int:
    """Run until stdin ends, SIGTERM, or ``stop``; return the exit code."""
    try:
        description = _description(sys.stdin.buffer.readline(LONGEST))
        asyncio.run(_main(description, Path(argv[0])))
    except (codec.InvalidMessageError, IndexError) as error:
        print(f"shoumi: simulator: {error}", file=sys.stderr)
        return 2
    except ShoumiError as error:
        print("\n".join(error_lines(error, "en")), file=sys.stderr)
        return error.exit_code
    return 0


async def _main(description: Description, path: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def heard() -> None:
        if not os.read(0, 4096):
            stop.set()

    loop.add_reader(0, heard)

    def ready(doors: dict[str, Any]) -> None:
        sys.stdout.buffer.write(codec.encode(doors) + b"\n")
        sys.stdout.buffer.flush()

    await serve(description, path, ready, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
