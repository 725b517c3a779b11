"""The doors process as control starts it, with control's end of the link; and boards and readers for it in a thread."""

import asyncio
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from agent.doors import link
from agent.doors.frames import FromDoors, ToDoors
from agent.simulator.uhppote_board import Board

UNUSED = 64_777  # a uid and gid no account has
PATIENCE = 30.0

Kind = TypeVar("Kind")
Value = TypeVar("Value")


class Control:
    """What control does: sends, and waits for what it wants to hear."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket, life: int) -> None:
        self.process, self.life = process, life
        self.end = end
        self.link = link.control_end(end)
        self.frames: list[FromDoors] = []

    def send(self, frame: ToDoors) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.link.send(frame)
            except link.LinkFullError:
                assert time.monotonic() < deadline
                select.select([], [self.link], [], PATIENCE)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def hear(self, kind: type[Kind], true: Callable[[Kind], object] = lambda _: True, many: int = 1) -> Kind:
        deadline = time.monotonic() + PATIENCE
        while len(found := [frame for frame in self.of(kind) if true(frame)]) < many:
            left = deadline - time.monotonic()
            assert left > 0, f"no {kind.__name__}; heard {self.frames[-20:]}"
            if select.select([self.link], [], [], left)[0] and (frame := self.link.receive()) is not None:
                self.frames.append(frame)
        return found[many - 1]


@contextmanager
def doors_process(*words: str, uid: int | None = UNUSED) -> Iterator[Control]:
    ours, theirs = link.pair()
    life, held = os.pipe2(os.O_CLOEXEC)
    named = [f"channel={theirs.fileno()}", f"life={life}", *words]
    if uid is not None and os.geteuid() == 0:
        named += [f"uid={uid}", f"gid={uid}", "groups="]
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "agent.doors", *named],
        pass_fds=(theirs.fileno(), life), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
        extra_groups=[0, UNUSED + 1] if os.geteuid() == 0 else None,  # something to give up
    )  # fmt: skip
    theirs.close()
    os.close(life)
    control = Control(process, ours, held)
    try:
        yield control
    finally:
        process.kill()
        process.communicate()
        control.link.close()
        if control.life >= 0:
            os.close(control.life)


class Loop:
    """An event loop in a thread of its own, for boards while the test itself waits on the link."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def call(self, work: Callable[[], Value]) -> Value:
        async def called() -> Value:
            return work()

        return self.do(called())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def boards(*serials: int) -> Iterator[tuple[Loop, list[Board]]]:
    loop = Loop()
    made = [Board(serial) for serial in serials]
    try:
        for board in made:
            loop.do(board.start())
        yield loop, made
    finally:
        for board in made:
            loop.do(board.stop())
        loop.close()
