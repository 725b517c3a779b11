"""Actors: child processes under the uid and login uid of a person that attempt an act and report its outcome.

Rules of this file: a child is forked, takes the identity, performs one act, reports over a pipe and ends; it never runs
Python code from a protected volume, and it uses no login account of the host: the uids are unused numbers. A child
that does not report in time is killed and its reply says so, so nothing here can hang.
"""

import contextlib
import errno
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from agent.demo.parting import end_with_parent

_PATIENCE = 10.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNSET = 0xFFFFFFFF  # a login uid that no account has


class ActorIdentity(NamedTuple):
    """A file-system uid, and the login uid behind it: :data:`UNSET` for no login, ``None`` to leave it as it is."""

    uid: int
    login: int | None = None


class ActorReply(NamedTuple):
    """The outcome: a JSON value, or the name of the error (``EPERM``, ``timeout``)."""

    value: Any
    error: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the act succeeded."""
        return not self.error


def attempt(identity: ActorIdentity, act: Callable[[], Any], patience: float = _PATIENCE) -> ActorReply:
    """Perform *act* as *identity* in a child and return its outcome."""
    with acting(identity, lambda say: say(act())) as actor:
        return actor.next(patience)


def reading(path: str | os.PathLike[str]) -> Callable[[], int]:
    """Return an act that opens *path*, reads it to its end and returns the number of bytes."""

    def act() -> int:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return sum(len(part) for part in iter(lambda: os.read(fd, 65536), b""))
        finally:
            os.close(fd)

    return act


class Actor:
    """A running child."""

    def __init__(self, pid: int, read_end: int) -> None:
        self.pid = pid
        self._read_end = read_end
        self._buffer = b""
        self._reaped = False

    def next(self, patience: float = _PATIENCE) -> ActorReply:
        """Return the next reply. A child that does not reply in time, or ends, gives an error."""
        while b"\n" not in self._buffer:
            if not select.select([self._read_end], [], [], patience)[0]:
                return ActorReply(None, "timeout")
            chunk = os.read(self._read_end, 65536)
            if not chunk:
                return ActorReply(None, "ended")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return ActorReply(*json.loads(line))

    def heard(self) -> list[ActorReply]:
        """Return all replies received so far, without waiting."""
        replies = []
        while b"\n" in self._buffer or select.select([self._read_end], [], [], 0)[0]:
            outcome = self.next(0)
            if outcome.error in ("ended", "timeout"):
                break
            replies.append(outcome)
        return replies

    def end(self) -> None:
        """Kill it and wait for its end."""
        if not self._reaped:
            self._reaped = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._read_end)


@contextmanager
def acting(identity: ActorIdentity | None, act: Callable[[Callable[[Any], None]], object]) -> Iterator[Actor]:
    """Start a child that runs *act*, which receives a function to report with; end it on leaving.

    It takes *identity*, which needs root; ``None``: it keeps the identity of this process.
    """
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # the parent's handlers must never run in the child
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        _child(identity, act, write_end)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(write_end)
    actor = Actor(pid, read_end)
    try:
        yield actor
    finally:
        actor.end()


def _child(identity: ActorIdentity | None, act: Callable[[Callable[[Any], None]], object], write_end: int) -> NoReturn:
    for number in (*_ENDING, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    signal.alarm(300)  # the last resort against an act that hangs

    def say(reply: Any, error: str = "") -> None:
        os.write(write_end, json.dumps([reply, error]).encode() + b"\n")

    try:
        if identity is not None:
            become(identity)
        end_with_parent(signal.SIGKILL)
        act(say)
    except OSError as failed:
        say(None, errno.errorcode.get(failed.errno or 0, "EIO"))
    except BaseException as failed:  # noqa: BLE001 - any error is reported to the parent, nothing is cleaned up twice
        say(None, type(failed).__name__)
    os._exit(0)


def become(identity: ActorIdentity) -> None:
    """Take *identity* for good: login uid first, then groups, then the uid. Raises ``OSError`` without the rights."""
    if identity.login is not None:
        with open("/proc/self/loginuid", "w") as file:
            file.write(str(identity.login))
    os.setgroups([])
    os.setresgid(identity.uid, identity.uid, identity.uid)
    os.setresuid(identity.uid, identity.uid, identity.uid)
