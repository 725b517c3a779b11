"""Supervision of the doors process: start, communication, end and restart; it is never trusted.

Rules of this file:
- the process faces cables and networks, so it has no resource of the agent but one end of a link, whether it is a child
  (:mod:`agent.rooms.field.child`) or a service of its own (:mod:`agent.rooms.field.unit`). Its data are sent over the
  link, keys included, and never as arguments or on disk;
- an invalid frame ends the process and not the agent (:class:`agent.doors.link.LinkCorruptError`);
- its standard error is forwarded line by line, made visible, up to a limit;
- frames that do not fit the socket pair wait here in order, because the kernel takes only a few; a release that has
  waited too long is not sent any more, because the person has left;
- while it keeps dying early it is restarted at growing intervals, and doors stay locked.
"""

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator

from agent.doors import link
from agent.doors.frames import FromDoors, ToDoors
from agent.doors.messages import Flush, Release
from agent.rooms.field.origin import FieldOrigin
from agent.runtime.supervisor import Patience, ProcessSupervisor, Supervised
from rules.visible import visible

_PATIENCE = Patience(young=5.0, first=0.1, death=2.0)
_LINES = 60  # of its standard error per minute
_LINE = 400  # characters
_MOST_WAITING = 5000
_LATE = 2.0  # seconds after which a release is not sent any more


class FieldProcess:
    """One doors process at a time. Belongs to one thread."""

    def __init__(self, origin: FieldOrigin) -> None:
        self._origin = origin
        self._child = ProcessSupervisor(self._launch, _PATIENCE)
        self._link: link.FrameLink[FromDoors, ToDoors] | None = None
        self._life = -1
        self._errors = -1
        self._waiting: deque[tuple[float, ToDoors]] = deque()
        self._given_up: list[Release] = []
        self._spoken: list[float] = []

    @property
    def alive(self) -> bool:
        """Whether it was started and its end has not been handled."""
        return self._child.alive

    @property
    def pid(self) -> int | None:
        """Its process id, ``None`` while there is none."""
        return self._child.pid

    def descriptors(self) -> list[int]:
        """Return the descriptors to wait on: its frames, its standard error."""
        return [fd for fd in (self._link.fileno() if self._link else -1, self._errors) if fd >= 0]

    def start(self) -> bool:
        """Start it unless it died early just now, or has not connected by itself; return whether it was started."""
        if not self._child.due() or not self._origin.ready():
            return False
        with contextlib.suppress(ConnectionAbortedError):
            return self._child.start()
        return False

    def _launch(self) -> Supervised:
        begun = self._origin.begin()
        self._life, self._errors = begun.life, begun.errors
        self._link = link.control_end(begun.end)
        return begun.process

    @property
    def waiting(self) -> bool:
        """Whether frames wait for room in the pair: poll the first descriptor for that, then call :meth:`push`."""
        return bool(self._waiting)

    def send(self, frame: ToDoors) -> None:
        """Send *frame* now or when there is room. Raises :class:`UnreachableError`: it will not be sent."""
        if self._link is None:
            raise link.LinkClosedError
        if isinstance(frame, Flush):
            self._give_up(lambda _at, release: release.door == frame.door)
        if len(self._waiting) >= _MOST_WAITING:
            raise link.LinkFullError
        self._waiting.append((time.monotonic(), frame))
        self._push()

    def push(self) -> list[Release]:
        """Send waiting frames, as far as there is room; return expired releases. Raises ``LinkClosedError``."""
        late = time.monotonic() - _LATE
        self._give_up(lambda at, _release: at < late)
        self._push()
        given_up, self._given_up = self._given_up, []
        return given_up

    def _give_up(self, which: Callable[[float, Release], bool]) -> None:
        remaining = deque[tuple[float, ToDoors]]()
        for at, frame in self._waiting:
            if isinstance(frame, Release) and which(at, frame):
                self._given_up.append(frame)
            else:
                remaining.append((at, frame))
        self._waiting = remaining

    def _push(self) -> None:
        with contextlib.suppress(link.LinkFullError):
            while self._waiting and self._link:
                self._link.send(self._waiting[0][1])
                self._waiting.popleft()

    def receive(self, most: int) -> Iterator[FromDoors]:
        """Yield received frames, at most *most*. After ``LinkCorruptError`` or ``LinkClosedError``, end the process."""
        for _ in range(most):
            frame = self._link.receive() if self._link else None
            if frame is None:
                return
            yield frame

    def stderr_lines(self) -> Iterator[str]:
        """Yield the lines of its standard error, made visible."""
        with contextlib.suppress(BlockingIOError):
            output = os.read(self._errors, 1 << 16) if self._errors >= 0 else b""
            if not output and self._errors >= 0:
                os.close(self._errors)
                self._errors = -1
            now = time.monotonic()
            self._spoken = [at for at in self._spoken if now - at < 60]
            for line in output.decode("utf-8", "replace").splitlines():
                if line.strip() and len(self._spoken) < _LINES:
                    self._spoken.append(now)
                    yield visible(line[:_LINE])

    def ended(self) -> bool:
        """Clean up after it if it has ended; return whether it had."""
        ended = self._child.ended()
        if ended:
            self._let_go()
        return ended

    def end(self) -> None:
        """End it now, and wait for its end."""
        if self.alive:
            self._child.kill()
            self._let_go()

    def close(self) -> None:
        """End it, and start no other."""
        self.end()
        self._origin.close()

    def _let_go(self) -> None:
        self._waiting.clear()
        if self._link:
            self._link.close()
        self._link = None
        for fd in (self._life, self._errors):
            if fd >= 0:
                os.close(fd)
        self._life = self._errors = -1
