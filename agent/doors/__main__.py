"""The process that faces the wires: ``python -I -m agent.doors channel=FD life=FD uid=N gid=N groups=N,N``, or, as a
service of its own, ``python -I -m agent.doors connect=PATH``.

    channel   its end of the pair to control         life   reaches its end when control is gone, however it went
    connect   the socket of control, where it comes as who it is and no longer as root

Rules of this file: it gives up its privileges after its imports and before it reads a frame or opens a port; as root it
does not run. It holds no right to decide anything: without control it says nothing and opens nothing, and it ends as
soon as control is gone. Doors are left locked: strikes fall back by themselves, boards hold no rights. A frame of
control that is none ends it too, because then nobody knows what was meant.
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

if TYPE_CHECKING:
    from agent.doors.dispatcher import CommandDispatcher

_FAREWELL = 2.0  # seconds to let go of lines and boards
# What the standard library imports when it is first used: by then we may not be allowed to read where Python is.
_LATE_IMPORTS = ("_strptime", "concurrent.futures.thread")


def main(argv: Sequence[str]) -> int:
    """Run until control is gone; return the exit code."""
    words = dict(word.split("=", 1) for word in argv if "=" in word)
    try:
        from agent.doors import dispatcher  # the libraries are an extra that may be missing
    except ImportError as error:
        return _talk(f"the extra `doors` is not installed: no {error.name}")
    for late in _LATE_IMPORTS:
        importlib.import_module(late)
    if not {"channel", "connect"} & words.keys():
        return _talk("started by hand; `shoumi run` starts it")
    try:
        _give_up(words)
    except FatalError as error:
        return _talk(error.text.en)
    os.dup2(2, 1)  # what libraries print is talk
    try:
        channel = _connected(words["connect"]) if "connect" in words else socket.socket(fileno=int(words["channel"]))
    except OSError as error:
        return _talk(f"the agent is not there: {error.strerror}", 1)
    life = int(words["life"]) if "life" in words else os.dup(channel.fileno())
    end = link.doors_end(channel)
    try:
        asyncio.run(_serve(end, dispatcher.CommandDispatcher, life))
    except (link.LinkCorruptError, RefusedError) as error:
        return _talk(error.text.en, 1)
    return 0


async def _serve(end: link.FrameLink[ToDoors, FromDoors], serving: "type[CommandDispatcher]", life: int) -> None:
    await _Process(end, serving).run(life)


def _connected(path: str) -> socket.socket:
    """Come to control. Raises ``OSError``, PermissionError when it is not root who waits there."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        channel.connect(path)
        _, uid, _ = struct.unpack("=iII", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    except BaseException:
        channel.close()
        raise
    if uid != 0:
        channel.close()
        raise PermissionError(errno.EPERM, "it is not root who waits there")
    return channel


def _give_up(words: Mapping[str, str]) -> None:
    if "uid" in words:
        groups = [int(group) for group in words.get("groups", "").split(",") if group]
        become(int(words["uid"]), int(words["gid"]), groups)
    elif os.geteuid() == 0:
        become(0, 0, ())  # says so
    seal(_talk)


def _talk(said: str, code: int = 2) -> int:
    print(f"shoumi: doors: {said}", file=sys.stderr, flush=True)
    return code


class _Process:
    """The loop: frames of control one after the other, what there is to say whenever it fits."""

    def __init__(self, end: link.FrameLink[ToDoors, FromDoors], serving: "type[CommandDispatcher]") -> None:
        self._link = end
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._send)
        self._serving = serving(self._outbox)

    async def run(self, life: int) -> None:
        """Serve until control is gone. Raises :class:`link.LinkCorruptError`; :class:`RefusedError` without chance."""
        self._serving.start()
        threading.Thread(target=self._watch, args=(life,), name="life", daemon=True).start()
        self._loop.add_signal_handler(signal.SIGTERM, self._ended.set)
        obeying = self._loop.create_task(self._obey())
        ending = self._loop.create_task(self._ended.wait())
        await asyncio.wait((obeying, ending), return_when=asyncio.FIRST_COMPLETED)
        for task in (obeying, ending):
            task.cancel()
        farewell = threading.Timer(_FAREWELL, os._exit, (1,))  # a line that does not let go keeps nobody here
        farewell.daemon = True
        farewell.start()
        await self._serving.stop()
        if obeying.done() and not obeying.cancelled() and (error := obeying.exception()):
            raise error

    def _watch(self, life: int) -> None:
        """End with control, also when the loop hangs. In a thread of its own."""
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
