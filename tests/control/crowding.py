"""Hostile callers: processes of users without a role, each of which asks for as much as it can, until it is ended.

Rules of this file: a caller is a fork that becomes an unused uid without any group; its parent ends it by its number.
It says when what it does is at its height, and goes on afterwards.
"""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from agent.api import protocol
from agent.api.sockets import path
from agent.runtime.home import Home

Tell = Callable[[], None]
Attack = Callable[[Home, Tell], None]

_CONNECTIONS = 400  # of one process: more than the agent has places for everybody
_TRIES = 21  # after so many connections, made or not, it has begun
_BROKEN = (ConnectionError, BrokenPipeError, TimeoutError, BlockingIOError)


def idle(home: Home, tell: Tell) -> None:
    """Hold connections and say nothing; make them again when they are ended."""
    _hold(home, tell, b"")


def half_lines(home: Home, tell: Tell) -> None:
    """Hold connections with half a request on each."""
    _hold(home, tell, b'{"op":"role')


def long_lines(home: Home, tell: Tell) -> None:
    """Send requests of 960 kB on sixty connections."""
    line = b'{"op":"hold.add","args":{"reason":"' + b"x" * 960_000 + b'"}}\n'

    def send() -> None:
        while True:
            with contextlib.suppress(*_BROKEN), _connected(home) as end:
                end.sendall(line)
                end.recv(1 << 16)

    _threads(send, 60, tell)


def comings(home: Home, tell: Tell) -> None:
    """Connect and hang up, over and over."""
    tell()
    while True:
        with contextlib.suppress(*_BROKEN), _connected(home):
            pass


def blocked(home: Home, tell: Tell) -> None:
    """Have as many threads as there may be wait in front of the socket."""

    def wait() -> None:
        while True:
            with contextlib.suppress(*_BROKEN), _connected(home) as end:
                end.recv(1)

    _threads(wait, 200, tell)


def forbidden(home: Home, tell: Tell) -> None:
    """Ask for acts that need a role."""
    _ask(home, tell, protocol.request("1", "hold.add", {"person": "E1", "reason": "x" * 2000}))


def questions(home: Home, tell: Tell) -> None:
    """Ask what everybody may ask."""
    _ask(home, tell, protocol.request("1", "role.list", {}))


def nested(home: Home, tell: Tell) -> None:
    """Send what is hard to read and never a request."""
    _ask(home, tell, b"[" * 4000 + b"\n")


ATTACKS: tuple[Attack, ...] = (idle, half_lines, long_lines, comings, blocked, forbidden, questions, nested)


@contextmanager
def attacking(home: Home, uids: range, attacks: tuple[Attack, ...]) -> Iterator[None]:
    """Have each of *uids* do all *attacks*, each in a process of its own; all are at their height in the block."""
    with ExitStack() as stack:
        heights = [stack.enter_context(_process(home, uid, attacks)) for uid in uids]
        for height in heights:
            for _ in attacks:
                assert select.select([height], [], [], 60)[0], "a hostile caller never began"
                assert os.read(height, 1), "a hostile caller has ended"
        yield


def as_officer(gid: int, uid: int) -> None:
    """Become an officer: *uid*, in the group *gid* and no other. For a child process."""
    os.setsid()
    os.setgroups([gid])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


@contextmanager
def _process(home: Home, uid: int, attacks: tuple[Attack, ...]) -> Iterator[int]:
    """Start the session of *uid*, with a process for each attack."""
    reading, writing = os.pipe()
    leader = os.fork()
    if leader == 0:
        _become(home, uid, attacks, writing)
    os.close(writing)
    try:
        yield reading
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
        os.waitpid(leader, 0)
        os.close(reading)


def _become(home: Home, uid: int, attacks: tuple[Attack, ...], height: int) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
        os.setsid()  # as a login has one, and with it a share of the processors
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        attack = next((one for one in attacks[1:] if os.fork() == 0), attacks[0])
        attack(home, lambda: (os.write(height, b"."), None)[1])
    except BaseException as error:
        print(f"a hostile caller, {uid}: {error!r}", file=sys.stderr)
    finally:
        os._exit(0)


def _connected(home: Home, *, seconds: float | None = None) -> socket.socket:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.settimeout(seconds)
        end.connect(str(path(home)))
    except BaseException:
        end.close()
        raise
    return end


def _hold(home: Home, tell: Tell, first: bytes) -> None:
    held: dict[int, socket.socket] = {}
    look = select.poll()
    tries = 0
    while True:
        while len(held) < _CONNECTIONS:
            tries += 1
            with contextlib.suppress(*_BROKEN):
                end = _connected(home, seconds=1)
                if first:
                    end.send(first)
                held[end.fileno()] = end
                look.register(end, select.POLLRDHUP)
            if tries == _TRIES:  # however many of them it holds: beside the others it may get no place any more
                tell()
            _let_go(held, look, 0)
        _let_go(held, look, 1000)


def _let_go(held: dict[int, socket.socket], look: select.poll, milliseconds: int) -> None:
    for fd, _ in look.poll(milliseconds):
        look.unregister(fd)
        held.pop(fd).close()


def _ask(home: Home, tell: Tell, line: bytes) -> None:
    def ask() -> None:
        while True:
            with contextlib.suppress(*_BROKEN), _connected(home) as end, end.makefile("rb") as lines:
                while True:
                    end.sendall(line)
                    if not json.loads(lines.readline() or b"0"):
                        break

    _threads(ask, 20, tell)


def _threads(work: Callable[[], None], count: int, tell: Tell) -> None:
    for _ in range(count):
        threading.Thread(target=work, daemon=True).start()
    tell()
    threading.Event().wait()
