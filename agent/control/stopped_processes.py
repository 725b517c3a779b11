"""Stopped processes that are to be ended: a file in the run directory for the next control process.

Rules of this file: a process is in the file before it is stopped, and until it is continued or ended. It is identified
by pid and start time; the instant is on the monotonic clock, which survives a restart of the agent and not of the
machine. An unreadable file counts as empty: no process is ended because of it. A failed write does not prevent
stopping.
"""

import contextlib
import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from agent.runtime.ours import private

Stopped = tuple[int, int]
"""Process id and start, in clock ticks since boot (proc_pid_stat(5))."""


class StoppedProcesses(MutableMapping[Stopped, float]):
    """Map of stopped processes to the instant they were stopped; every change is written to *file*."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._since = dict(_read(file))

    def __getitem__(self, process: Stopped) -> float:
        return self._since[process]

    def __setitem__(self, process: Stopped, since: float) -> None:
        self._write({**self._since, process: since})

    def __delitem__(self, process: Stopped) -> None:
        self._write({other_process: since for other_process, since in self._since.items() if other_process != process})

    def __iter__(self) -> Iterator[Stopped]:
        return iter(tuple(self._since))

    def __len__(self) -> int:
        return len(self._since)

    def _write(self, since: dict[Stopped, float]) -> None:
        text = "".join(json.dumps([*process, instant]) + "\n" for process, instant in since.items())
        self._since = since
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            with open(fresh, "w", encoding="ascii", opener=private) as file:
                file.write(text)
            fresh.replace(self._file)


def _read(file: Path) -> Iterator[tuple[Stopped, float]]:
    with contextlib.suppress(OSError, ValueError, TypeError, OverflowError, RecursionError):
        for line in file.read_text(encoding="ascii").splitlines():
            pid, started, since = json.loads(line)
            yield (int(pid), int(started)), float(since)
