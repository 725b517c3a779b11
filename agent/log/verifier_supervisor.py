"""Supervisor of the verifier in the control process: it knows how far the record is verified.

Rules of this file: the verifier is another process, so that no check of a long record delays an act. Its reports are
kept in memory for status and doctor; each fault is one alarm in the record.
"""

import json
import os
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

from agent.errors import RefusedError, ShoumiError
from agent.runtime.home import Home
from agent.runtime.supervisor import ProcessSupervisor, launcher, python
from rules.text import Message, Sentence, from_json

MODULE: Final = "agent.log.verifier"
_TICK = 0.5  # seconds
_READ = 65_536


class VerifiedState(NamedTuple):
    """*to*: all entries up to this one were read, ``None`` before the first; *at*: when it was last the newest one.

    *trouble* is the first fault, or the reason why the record cannot be read.
    """

    to: int | None
    at: datetime | None
    trouble: Sentence | None


NOTHING_YET: Final = VerifiedState(None, None, None)


class VerifierSupervisor:
    """One verifier at a time. :meth:`serve` belongs to one thread, :attr:`now` to any."""

    def __init__(self, home: Home, append: Callable[[dict[str, Any]], int], clock: Callable[[], datetime]) -> None:
        self.now = NOTHING_YET
        self._append = append
        self._clock = clock
        self._reported: set[str] = set()
        self._output, self._input = os.pipe2(os.O_CLOEXEC)
        self._child = ProcessSupervisor(launcher(python(MODULE, str(home.log)), {"say": self._input}))
        self._stopped = threading.Event()

    def serve(self) -> None:
        """Start the verifier, take its reports, and restart it when it ends, until :meth:`stop`."""
        remainder = b""
        try:
            while not self._stopped.is_set():
                self._child.ended()
                self._child.start()
                if select.select([self._output], [], [], _TICK)[0]:
                    *lines, remainder = (remainder + os.read(self._output, _READ)).split(b"\n")
                    for line in lines:
                        self._take(json.loads(line))
        finally:
            self._child.kill()

    def stop(self) -> None:
        """End serving within half a second."""
        self._stopped.set()

    def close(self) -> None:
        """Close the pipe, after serving has ended."""
        os.close(self._output)
        os.close(self._input)

    def _take(self, report: dict[str, Any]) -> None:
        if "unread" in report:
            reason = report["unread"]
            self.now = self.now._replace(trouble=Message("log.log-unreadable", reason=reason))
            return
        trouble = _trouble(report)
        newest = self._clock() if report["at_end"] else self.now.at
        reached = report["to"] if report["at_end"] else max(report["to"], self.now.to or 0)  # a new pass starts behind
        self.now = VerifiedState(reached, newest, trouble)
        first = json.dumps(report["first"]["text"]) if trouble else ""
        if trouble and first not in self._reported:  # the count may grow while the pass goes on
            fields = {"kind": "log-damaged", "alarm": True, "faults": report["faults"], "reason": trouble.to_json()}
            with suppress(ShoumiError):  # repeated with the next report
                self._append(fields)
                self._reported.add(first)


def once(home: Home, known_last: int) -> dict[str, Any]:
    """Verify the whole record in a separate process; return its report as JSON.

    Raises :class:`RefusedError` when it cannot be read.
    """
    argv = python(MODULE, str(home.log), f"known={known_last}")
    completed = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        report: dict[str, Any] = json.loads(completed.stdout)
    except ValueError:
        raise RefusedError(
            Message("log.verification-incomplete"),
            Message("log.run-doctor"),
        ) from None
    return report


def _trouble(report: dict[str, Any]) -> Sentence | None:
    first = report["first"]
    if not first:
        return None
    text, count = from_json(first["text"]), report["faults"]
    return Message("log.faults-found", count=count, first=text)
