"""The doors process: ``python -I -m agent.doors channel=FD life=FD uid=N gid=N groups=N,N``, or, as a service of its
own, ``python -I -m agent.doors connect=PATH``.

    channel   its end of the socket pair to control  life   reaches end of file when control has ended for any reason
    connect   the socket of control, to which the process connects under its own account, not as root

Rules of this file: it drops its privileges after its imports and before it reads a frame or opens a port; it does not
run as root. It decides nothing: without control it reports nothing and opens nothing, and it ends as soon as control
has ended. Doors are left locked: strikes fall back by themselves, boards hold no rights. An invalid frame from control
ends it too, because its meaning is unknown.
"""

import asyncio
import errno
import importlib
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.doors import link
from agent.doors.frames import FromDoors, ToDoors
from agent.doors.outbox import Outbox
from agent.doors.privileges import become, seal
from agent.errors import FatalError, RefusedError
from agent.language.catalogue import localized, own_words
from rules.text import Message, Sentence

if TYPE_CHECKING:
    from agent.doors.dispatcher import CommandDispatcher

_FAREWELL = 2.0  # seconds to release lines and boards
# Modules the standard library imports on first use: by then this account may be unable to read Python's folders.
_LATE_IMPORTS = ("_strptime", "concurrent.futures.thread")


def main(argv: Sequence[str]) -> int:
    """Run until control has ended; return the exit code."""
    options = dict(argument.split("=", 1) for argument in argv if "=" in argument)
    try:
        from agent.doors import dispatcher  # the libraries are an extra that may be missing
    except ImportError as error:
        return _talk(Message("doors.extra-missing", library=error.name))
    for late in _LATE_IMPORTS:
        importlib.import_module(late)
    with suppress(FatalError):
        own_words("en")  # read before the privileges are dropped, like the late imports
    if not {"channel", "connect"} & options.keys():
        return _talk(Message("doors.started-by-hand"))
    try:
        _give_up(options)
    except FatalError as error:
        return _talk(error.text)
    os.dup2(2, 1)  # output of libraries goes to standard error
    try:
        channel = (
            _connected(options["connect"]) if "connect" in options else socket.socket(fileno=int(options["channel"]))
        )
    except OSError as error:
        return _talk(Message("doors.agent-unreachable", error=error.strerror), 1)
    life = int(options["life"]) if "life" in options else os.dup(channel.fileno())
    end = link.doors_end(channel)
    try:
        asyncio.run(_serve(end, dispatcher.CommandDispatcher, life))
    except (link.LinkCorruptError, RefusedError) as error:
        return _talk(error.text, 1)
    return 0


async def _serve(end: link.FrameLink[ToDoors, FromDoors], serving: "type[CommandDispatcher]", life: int) -> None:
    await _Process(end, serving).run(life)


def _connected(path: str) -> socket.socket:
    """Return a connection to control. Raises ``OSError``; ``PermissionError`` when the peer is not root."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        channel.connect(path)
        _, uid, _ = struct.unpack("=iII", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    except BaseException:
        channel.close()
        raise
    if uid != 0:
        channel.close()
        raise PermissionError(errno.EPERM, "the peer is not root")
    return channel


def _give_up(options: Mapping[str, str]) -> None:
    if "uid" in options:
        groups = [int(group) for group in options.get("groups", "").split(",") if group]
        become(int(options["uid"]), int(options["gid"]), groups)
    elif os.geteuid() == 0:
        become(0, 0, ())  # raises the error
    seal(_print)


def _talk(sentence: Sentence, code: int = 2) -> int:
    _print(localized(sentence, "en"))
    return code


def _print(line: str) -> None:
    print(f"shoumi: doors: {line}", file=sys.stderr, flush=True)


class _Process:
    """The loop: it handles frames of control in order, and sends its own frames when the link has room."""

    def __init__(self, end: link.FrameLink[ToDoors, FromDoors], serving: "type[CommandDispatcher]") -> None:
        self._link = end
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._send)
        self._serving = serving(self._outbox)

    async def run(self, life: int) -> None:
        """Serve until control ends. Raises :class:`link.LinkCorruptError`; :class:`RefusedError` without randomness."""
        self._serving.start()
        threading.Thread(target=self._watch, args=(life,), name="life", daemon=True).start()
        self._loop.add_signal_handler(signal.SIGTERM, self._ended.set)
        obeying = self._loop.create_task(self._obey())
        ending = self._loop.create_task(self._ended.wait())
        await asyncio.wait((obeying, ending), return_when=asyncio.FIRST_COMPLETED)
        for task in (obeying, ending):
            task.cancel()
        farewell = threading.Timer(_FAREWELL, os._exit, (1,))  # a line that hangs on closing does not delay the end
        farewell.daemon = True
        farewell.start()
        await self._serving.stop()
        if obeying.done() and not obeying.cancelled() and (error := obeying.exception()):
            raise error

    def _watch(self, life: int) -> None:
        """End the process when control ends, also while the loop hangs. Runs in its own thread."""
        ended = select.poll()
        ended.register(life, select.POLLRDHUP)  # of a pipe and of a socket
        ended.poll()
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._ended.set)
        time.sleep(2 * _FAREWELL)
        os._exit(1)

    async def _obey(self) -> None:
        with suppress(link.LinkClosedError):
            while True:
                frame = self._link.receive()
                if frame is None:
                    await self._readable()
                else:
                    await self._serving.obey(frame)

    async def _readable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_reader(self._link.fileno(), ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_reader(self._link.fileno())

    def _send(self, frame: FromDoors) -> None:
        try:
            self._link.send(frame)
        except link.LinkClosedError:
            self._ended.set()
        except link.LinkFullError:
            self._loop.add_writer(self._link.fileno(), self._drain)
            raise

    def _drain(self) -> None:
        self._loop.remove_writer(self._link.fileno())
        self._outbox.drain()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
