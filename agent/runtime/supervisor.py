"""Supervision of a child process: it is started, watched and restarted.

Rules of this file: a child that dies young, or repeatedly at any age, is restarted ever more slowly, up to
:attr:`Patience.slowest` apart, and its last death is kept (:class:`Death`). Nothing here waits for that:
:meth:`ProcessSupervisor.start` returns whether it was started. A killed process that is stuck in the kernel is
abandoned, because it runs no code any more. Standard library only: the holder depends on it.
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
    """Protocol of a supervised process; :class:`subprocess.Popen` is one."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Return its exit status, ``None`` while it runs."""

    def kill(self) -> None:
        """SIGKILL it."""

    def terminate(self) -> None:
        """Ask it to end."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises :class:`subprocess.TimeoutExpired`."""


Launch = Callable[[], "Supervised"]


class Patience(NamedTuple):
    """The treatment of a dying child, in seconds.

    ``young``: an end sooner after its start than this slows down the next one. ``first``: the least wait then, doubled
    each time up to ``slowest``. ``death``: how long a killed process gets to disappear. ``often``: more deaths than
    that within ``window`` slow it down as well, at any age.
    """

    young: float = 1.0
    first: float = 0.05
    slowest: float = 5.0
    death: float = 1.0
    often: int = 5
    window: float = 60.0


class Death(NamedTuple):
    """One death: the process, its exit code or minus the signal number (``None``: still there), after how many seconds,
    its ordinal number, and whether the agent killed it.
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


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of the own *module*: neither folder nor environment can put code into it (-I)."""
    return (sys.executable, "-I", "-m", module, *arguments)


def launcher(argv: Sequence[str], descriptors: Mapping[str, int], more: Callable[[], Sequence[str]] = tuple) -> Launch:
    """Return the function that starts *argv* with ``name=fd`` arguments for its *descriptors*, and *more*."""

    def launch() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*argv, *(f"{name}={fd}" for name, fd in descriptors.items()), *more()],
            pass_fds=tuple(descriptors.values()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the holder, which ends the processes in order
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
        self._recent_deaths: deque[float] = deque()
        self._killed = False
        self.died: Death | None = None  # the last death since the first start

    @property
    def delay(self) -> float:
        """The seconds between its last start and the next one, at least."""
        return self._delay

    @property
    def alive(self) -> bool:
        """Whether it was started and its end was not collected yet."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its process id, ``None`` while there is none."""
        return self._process.pid if self._process else None

    def due(self) -> bool:
        """Return whether it may be started: it does not run, and its delay is over."""
        return self._process is None and time.monotonic() - self._started >= self._delay

    def age(self) -> float:
        """Return the seconds it has run; 0.0 while there is none."""
        return time.monotonic() - self._started if self._process is not None else 0.0

    def start(self) -> bool:
        """Start it, unless it is not :meth:`due`; return whether it was started."""
        if not self.due():
            return False
        self._killed = False
        self._process, self._started = self._launch(), time.monotonic()
        return True

    def ended(self) -> bool:
        """Collect its end; return whether it had ended."""
        if self._process is None or self._process.poll() is None:
            return False
        self._bury()
        return True

    def kill(self) -> None:
        """Send SIGKILL and wait for its end."""
        if self._process is not None:
            self._killed = self._killed or self._process.poll() is None
            self._process.kill()
            self._wait(self._process)
            self._bury()

    def terminate(self) -> None:
        """Ask it to end, wait as long as for a killed one, then :meth:`kill`."""
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
        self._recent_deaths.append(now)
        while now - self._recent_deaths[0] > patience.window:
            self._recent_deaths.popleft()
        self._young = min(patience.slowest, self._young * 2 + patience.first) if lived < patience.young else 0.0
        over = len(self._recent_deaths) - patience.often
        repeated = min(patience.slowest, patience.first * 2.0**over) if over > 0 else 0.0
        # The delay counts from the last start: a long life has waited already.
        self._delay = max(self._young, lived + repeated if repeated else 0.0)
