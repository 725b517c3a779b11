"""A child process that is kept alive: started, watched, started again.

Rules of this file: a child that dies young, or again and again however long it lives, is started ever more slowly, up
to :attr:`Patience.slowest` apart, and of what it died is kept (:class:`Death`). Nothing here waits for that:
:meth:`ProcessSupervisor.start` says whether it was started. A killed process that is stuck in the kernel is left
behind, because it runs no code any more. Standard library only: the holder rests on it.
"""

import contextlib
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Supervised(Protocol):
    """A process as it is supervised; :class:`subprocess.Popen` is one."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Return how it ended, ``None`` while it runs."""

    def kill(self) -> None:
        """SIGKILL it."""

    def terminate(self) -> None:
        """Ask it to end."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises :class:`subprocess.TimeoutExpired`."""


Launch = Callable[[], "Supervised"]


class Patience(NamedTuple):
    """How a child is treated that dies, in seconds.

    ``young``: an end sooner after its start than this slows down the next one. ``first``: how long it then waits at the
    least, and twice as long each time up to ``slowest``. ``death``: how long a killed process gets to disappear.
    ``often``: more deaths than that within ``lately`` slow it down as well, whatever age it reached each time.
    """

    young: float = 1.0
    first: float = 0.05
    slowest: float = 5.0
    death: float = 1.0
    often: int = 5
    lately: float = 60.0


class Death(NamedTuple):
    """One death: of which process, its exit code or the number of the signal below zero (``None``: still there), after
    how many seconds, the how manieth it was, and whether we killed it ourselves.
    """

    pid: int
    code: int | None
    lived: float
    number: int
    ours: bool = False

    @property
    def how(self) -> str:
        """Return ``SIGBUS``, ``exit 1`` or ``stuck``."""
        if self.code is None:
            return "stuck"
        if self.code >= 0:
            return f"exit {self.code}"
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"


_USUAL = Patience()


def python(module: str, *words: str) -> tuple[str, ...]:
    """Return the command line that runs *module* of ours: neither folder nor environment can put code into it (-I)."""
    return (sys.executable, "-I", "-m", module, *words)


def launcher(argv: Sequence[str], descriptors: Mapping[str, int], more: Callable[[], Sequence[str]] = tuple) -> Launch:
    """Return what starts *argv* with ``name=fd`` words for the *descriptors* it inherits, and *more* words."""

    def launch() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*argv, *(f"{name}={fd}" for name, fd in descriptors.items()), *more()],
            pass_fds=tuple(descriptors.values()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the holder, which ends things in the right order
        )

    return launch


class ProcessSupervisor:
    """One child at a time. Belongs to one thread."""

    def __init__(self, launch: Launch, patience: Patience = _USUAL) -> None:
        self._launch = launch
        self._patience = patience
        self._process: Supervised | None = None
        self._started = 0.0
        self._delay = 0.0
        self._young = 0.0
        self._lately: deque[float] = deque()
        self._killed = False
        self.died: Death | None = None  # the last death since it was started first

    @property
    def delay(self) -> float:
        """Return how many seconds lie between its last start and the next one at the least."""
        return self._delay

    @property
    def alive(self) -> bool:
        """Whether it was started and has not been buried."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its process id, ``None`` while there is none."""
        return self._process.pid if self._process else None

    def due(self) -> bool:
        """Whether it may be started: it does not live, and has not died young a moment ago."""
        return self._process is None and time.monotonic() - self._started >= self._delay

    def age(self) -> float:
        """Return for how many seconds it has lived; 0.0 while there is none."""
        return time.monotonic() - self._started if self._process is not None else 0.0

    def start(self) -> bool:
        """Start it, unless it is not :meth:`due`; return whether it was started."""
        if not self.due():
            return False
        self._killed = False
        self._process, self._started = self._launch(), time.monotonic()
        return True

    def ended(self) -> bool:
        """Bury it if it has ended; return whether it had."""
        if self._process is None or self._process.poll() is None:
            return False
        self._bury()
        return True

    def kill(self) -> None:
        """SIGKILL it and wait for its end."""
        if self._process is not None:
            self._killed = self._killed or self._process.poll() is None
            self._process.kill()
            self._wait(self._process)
            self._bury()

    def terminate(self) -> None:
        """Ask it to end, give it as long as a killed one gets, then :meth:`kill`."""
        if self._process is not None:
            self._killed = self._process.poll() is None
            self._process.terminate()
            self._wait(self._process)
            self.kill()

    def _wait(self, process: Supervised) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self._patience.death)

    def _bury(self) -> None:
        process, self._process = self._process, None
        now, patience = time.monotonic(), self._patience
        lived = now - self._started
        if process is not None:
            number = self.died.number + 1 if self.died else 1
            self.died = Death(process.pid, process.poll(), lived, number, self._killed)
        self._lately.append(now)
        while now - self._lately[0] > patience.lately:
            self._lately.popleft()
        self._young = min(patience.slowest, self._young * 2 + patience.first) if lived < patience.young else 0.0
        over = len(self._lately) - patience.often
        repeated = min(patience.slowest, patience.first * 2.0**over) if over > 0 else 0.0
        # A start is timed from the last one: who lived for long would have waited already.
        self._delay = max(self._young, lived + repeated if repeated else 0.0)
