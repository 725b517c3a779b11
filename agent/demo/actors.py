"""People as processes: a child under somebody's uid and login uid that tries something and says how it went.

Rules of this file: a child is forked, takes the identity, does one thing, reports over a pipe and ends; it never runs
Python code from a protected volume, and no login account of the machine is ever used: uids are numbers nobody has.
A child that does not report in time is killed and its outcome says so, so nothing here can hang.
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
UNSET = 0xFFFFFFFF  # a login uid that nobody has


class ActorIdentity(NamedTuple):
    """A file-system uid, and the login uid behind it: :data:`UNSET` for no login, ``None`` to leave it as it is."""

    uid: int
    login: int | None = None


class ActorReply(NamedTuple):
    """What came of it: a JSON value, or the name of the error (``EPERM``, ``timeout``)."""

    value: Any
    error: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it went through."""
        return not self.error


def attempt(identity: ActorIdentity, act: Callable[[], Any], patience: float = _PATIENCE) -> ActorReply:
    """Do *act* as *identity* in a child, wait for its outcome."""
    with acting(identity, lambda say: say(act())) as actor:
        return actor.next(patience)


def reading(path: str | os.PathLike[str]) -> Callable[[], int]:
    """Return an act that opens *path*, reads it to its end and says how many bytes there were."""

    def act() -> int:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return sum(len(part) for part in iter(lambda: os.read(fd, 65536), b""))
        finally:
            os.close(fd)

    return act


class Actor:
    """A child at work."""

    def __init__(self, pid: int, told: int) -> None:
        self.pid = pid
        self._told = told
        self._rest = b""
        self._reaped = False

    def next(self, patience: float = _PATIENCE) -> ActorReply:
        """Return the next thing it says. A child that says nothing in time, or ends, gives an error."""
        while b"\n" not in self._rest:
            if not select.select([self._told], [], [], patience)[0]:
                return ActorReply(None, "timeout")
            data = os.read(self._told, 65536)
            if not data:
                return ActorReply(None, "ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return ActorReply(*json.loads(line))

    def heard(self) -> list[ActorReply]:
        """Return everything it has said by now, without waiting."""
        found = []
        while b"\n" in self._rest or select.select([self._told], [], [], 0)[0]:
            outcome = self.next(0)
            if outcome.error in ("ended", "timeout"):
                break
            found.append(outcome)
        return found

    def end(self) -> None:
        """Kill it and wait for its end."""
        if not self._reaped:
            self._reaped = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._told)


@contextmanager
def acting(identity: ActorIdentity | None, act: Callable[[Callable[[Any], None]], object]) -> Iterator[Actor]:
    """Start a child that runs *act*, which gets a function to say things with; end it on leaving.

    It takes *identity*, which needs root; ``None``: it stays who we are.
    """
    told, telling = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # the parent's handlers must never run in the child
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _child(identity, act, telling)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(telling)
    actor = Actor(pid, told)
    try:
        yield actor
    finally:
        actor.end()


def _child(identity: ActorIdentity | None, act: Callable[[Callable[[Any], None]], object], telling: int) -> NoReturn:
    for number in (*_ENDING, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    signal.alarm(300)  # the last resort against an act that hangs

    def say(value: Any, error: str = "") -> None:
        os.write(telling, json.dumps([value, error]).encode() + b"\n")

    try:
        if identity is not None:
            become(identity)
        end_with_parent(signal.SIGKILL)
        act(say)
    except OSError as failed:
        say(None, errno.errorcode.get(failed.errno or 0, "EIO"))
    except BaseException as failed:  # noqa: BLE001 - whatever it was, the parent is told and nothing is cleaned up twice
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
