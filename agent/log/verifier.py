"""The verifier process: it reads the record from its first byte on, repeatedly, and reports how far it is intact.

    python -I -m agent.log.verifier LOG say=FD       a line after each check, until the reader is gone
    python -I -m agent.log.verifier LOG known=N      one pass; the report on stdout

Rules of this file: it has the lowest priority and one right, to read; it trusts nothing it reads. It continues where it
stopped as the record grows, and begins again every hour, less often where a pass takes long: exchanged data is found
then. It remembers how far the last pass came, so a shortened record is noticed although every line of it is in order.
"""

import json
import os
import select
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.log.verify import LogReport, Pass, verify
from agent.runtime.saying import say
from rules.visible import visible

_LOOK: Final = 2.0  # seconds between two checks for new entries
_TOLD: Final = 1.0  # … between two reports of progress
_AGAIN: Final = 3600.0  # … at least, between the starts of two passes
_SHARE: Final = 50  # … and this many times the duration of the last one


class _Listener:
    """The reader of the reports. It owns the pipe's end."""

    def __init__(self, say: int) -> None:
        self._say = say
        self._poll = select.poll()
        self._poll.register(say, 0)  # POLLERR is always reported: the reader is gone
        self._reported_at = 0.0

    def tell(self, report: LogReport, *, at_end: bool) -> None:
        """Report how far the pass is; during the pass once a second."""
        if at_end or time.monotonic() - self._reported_at >= _TOLD:
            self._reported_at = time.monotonic()
            self._line(summary(report) | {"at_end": at_end})

    def trouble(self, error: OSError) -> None:
        """Report why the record cannot be read."""
        self._line({"unread": visible(error.strerror or str(error))})

    def wait(self) -> None:
        """Wait *_LOOK* seconds. Raises BrokenPipeError when the reader is gone."""
        if self._poll.poll(_LOOK * 1000):
            raise BrokenPipeError

    def _line(self, fields: dict[str, Any]) -> None:
        os.write(self._say, json.dumps(fields).encode() + b"\n")  # far below PIPE_BUF: never torn


def summary(report: LogReport) -> dict[str, Any]:
    """Return the summary of *report*: the number reached, the count of faults, and the first fault."""
    faults = [problem for problem in report.problems if problem.severity == "error"]
    first = faults[0] if faults else None
    return {
        "to": report.last or 0,
        "faults": len(faults) + report.more,
        "first": {"file": visible(first.file)[:100], "seq": first.seq, "text": first.text.to_json()} if first else None,
    }


def watch(folder: Path, listener: _Listener) -> None:
    """Read *folder* repeatedly. Raises BrokenPipeError when the reader is gone."""
    known_last = 0
    while True:
        try:
            known_last = _one_pass(folder, listener, known_last)
        except BrokenPipeError:
            raise
        except OSError as error:
            listener.trouble(error)
            listener.wait()


def _one_pass(folder: Path, listener: _Listener, known_last: int) -> int:
    reading, begun, interval = Pass(folder), time.monotonic(), 0.0
    while True:
        for _ in reading.go_on():
            listener.tell(reading.report(), at_end=False)
        listener.tell(reading.report(known_last), at_end=True)
        now = time.monotonic()
        interval = interval or max(_AGAIN, _SHARE * (now - begun))
        if now - begun >= interval:
            return max(known_last, reading.reached)
        listener.wait()


def main(argv: Sequence[str]) -> int:
    """Run as described above; return the exit code."""
    folder, options = Path(argv[1]), dict(argument.split("=", 1) for argument in argv[2:])
    os.nice(19)
    confine(process_rights.VERIFIER, say)
    if "known" in options:
        json.dump(verify(folder, int(options["known"])).to_json(), sys.stdout)
        return 0
    with suppress(BrokenPipeError):
        watch(folder, _Listener(int(options["say"])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
