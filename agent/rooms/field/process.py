"""The doors process from outside: begun, listened to, ended, begun again; never trusted.

Rules of this file:
- the process faces cables and networks, so it has nothing of ours but one end of a link, whether it is our child
  (:mod:`agent.rooms.field.child`) or a service of its own (:mod:`agent.rooms.field.unit`). What it needs to know is
  sent, keys included, and never in words or on disk;
- what it says that is no frame ends it and not us (:class:`agent.doors.link.LinkCorruptError`);
- what it writes on its standard error reaches ours line by line, made visible, and not without limit;
- frames that do not fit the pair wait here in order, for the kernel takes only a few; a release that has waited too
  long is not sent any more, because whoever it was for has gone away;
- while it keeps dying young it is started again ever more slowly, and doors stay locked.
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
        """Whether it was started and has not been buried."""
        return self._child.alive

    @property
    def pid(self) -> int | None:
        """Its process id, ``None`` while there is none."""
        return self._child.pid

    def descriptors(self) -> list[int]:
        """Return what to wait on: its frames, its standard error."""
        return [fd for fd in (self._link.fileno() if self._link else -1, self._errors) if fd >= 0]

    def start(self) -> bool:
        """Start it unless it died young a moment ago, or does not come by itself; return whether it was started."""
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
        """Whether frames wait for room in the pair: wait for that on the first descriptor, then :meth:`push`."""
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
        """Send what waits, as far as there is room; return releases that are given up. Raises ``LinkClosedError``."""
        late = time.monotonic() - _LATE
        self._give_up(lambda at, _release: at < late)
        self._push()
        given_up, self._given_up = self._given_up, []
        return given_up

    def _give_up(self, which: Callable[[float, Release], bool]) -> None:
        kept = deque[tuple[float, ToDoors]]()
        for at, frame in self._waiting:
            if isinstance(frame, Release) and which(at, frame):
                self._given_up.append(frame)
            else:
                kept.append((at, frame))
        self._waiting = kept

    def _push(self) -> None:
        with contextlib.suppress(link.LinkFullError):
            while self._waiting and self._link:
                self._link.send(self._waiting[0][1])
                self._waiting.popleft()

    def receive(self, most: int) -> Iterator[FromDoors]:
        """Yield the frames that are there, at most *most*; after ``LinkCorruptError``, ``LinkClosedError`` end it."""
        for _ in range(most):
            frame = self._link.receive() if self._link else None
            if frame is None:
                return
            yield frame

    def said(self) -> Iterator[str]:
        """Yield what it wrote on its standard error, fit to be shown."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._errors, 1 << 16) if self._errors >= 0 else b""
            if not data and self._errors >= 0:
                os.close(self._errors)
                self._errors = -1
            now = time.monotonic()
            self._spoken = [at for at in self._spoken if now - at < 60]
            for line in data.decode("utf-8", "replace").splitlines():
                if line.strip() and len(self._spoken) < _LINES:
                    self._spoken.append(now)
                    yield visible(line[:_LINE])

    def ended(self) -> bool:
        """Bury it if it has ended; return whether it had."""
        ended = self._child.ended()
        if ended:
            self._let_go()
        return ended

    def end(self) -> None:
        """End it now, and wait until it is gone."""
        if self.alive:
            self._child.kill()
            self._let_go()

    def close(self) -> None:
        """End it, and have no other."""
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
