"""People who open files and look at the clock: children that do rounds when they are told to.

Rules of this file: a child takes its identity first and measures around the one call in question. What it measured is
kept until its round is over. It ends with the process that started it, and by itself after five minutes.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from agent.demo.actors import Actor, ActorIdentity, acting, become
from agent.demo.parting import end_with_parent
from tests.bench.machine import Cpus

_CLONE_NEWNS = 0x20000
_PATIENCE = 60.0
_setns = ctypes.CDLL(None, use_errno=True).setns

Act = Callable[[bytes], Any]  # one round: the argument it was told, what it has to say


class Opener:
    """One child at work."""

    def __init__(self, actor: Actor, telling: int) -> None:
        self.pid = actor.pid
        self._actor = actor
        self._telling = telling

    def tell(self, argument: int) -> None:
        """Have it do a round; what *argument* means is the act's business."""
        os.write(self._telling, b"%d\n" % argument)

    def hear(self) -> Any:
        """Wait for the round's result. Raises ``OSError`` with its error when it could not do it."""
        said = self._actor.next(_PATIENCE)
        if not said.allowed:
            raise OSError(f"an opener failed: {said.error}")
        return said.value

    def round(self, argument: int) -> Any:
        """Do a round and return its result."""
        self.tell(argument)
        return self.hear()


@contextmanager
def opener(identity: ActorIdentity | None, act: Act, cpus: Cpus, namespace: int | None = None) -> Iterator[Opener]:
    """Start a child that does *act* as *identity* on *cpus*, in the mount namespace of process *namespace*."""
    heard, telling = os.pipe()

    def serve(say: Callable[[Any], None]) -> None:
        os.close(telling)
        os.sched_setaffinity(0, cpus)
        if namespace is not None:
            _enter(namespace)
        if identity is not None:
            become(identity)
        end_with_parent(signal.SIGKILL)
        with open(heard, "rb") as orders:
            for order in orders:
                say(act(order))

    with ExitStack() as stack:
        stack.callback(os.close, telling)
        actor = stack.enter_context(acting(None, serve))
        os.close(heard)
        yield Opener(actor, telling)


def opens(files: Sequence[bytes]) -> Act:
    """Return an act: go through *files* as often as told; say how long each open took, in nanoseconds."""
    return partial(_opens, files)


def _opens(files: Sequence[bytes], order: bytes) -> list[int]:
    clock, open_, close, flags = time.perf_counter_ns, os.open, os.close, os.O_RDONLY | os.O_CLOEXEC
    took = []
    for _ in range(int(order)):
        for file in files:
            start = clock()
            fd = open_(file, flags)
            took.append(clock() - start)
            close(fd)
    return took


def opens_for(files: Sequence[bytes]) -> Act:
    """Return an act: open *files* over and over for as many milliseconds as told; say how many opens that were."""
    return partial(_opens_for, files)


def _opens_for(files: Sequence[bytes], order: bytes) -> int:
    end = time.monotonic() + int(order) / 1000
    count = 0
    while True:
        for file in files:
            os.close(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
            count += 1
            if time.monotonic() >= end:
                return count


def reads(file: bytes) -> Act:
    """Return an act: open *file* once, then read 4 KiB as often as told; say how long each read took."""
    return partial(_reads, file, [])


def _reads(file: bytes, kept: list[int], order: bytes) -> list[int]:
    if not kept:
        kept.append(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
    clock, pread, fd = time.perf_counter_ns, os.pread, kept[0]
    took = []
    for _ in range(int(order)):
        start = clock()
        pread(fd, 4096, 0)
        took.append(clock() - start)
    return took


def _enter(process: int) -> None:
    fd = os.open(f"/proc/{process}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _setns(fd, _CLONE_NEWNS):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(fd)
