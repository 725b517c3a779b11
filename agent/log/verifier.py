"""The process that reads the record from its first byte on, again and again, and tells how far it is whole.

    python -I -m agent.log.verifier LOG say=FD       a line after each look, until nobody listens
    python -I -m agent.log.verifier LOG known=N      one pass; the report on stdout

Rules of this file: it has the lowest priority and one right, to read; what it reads was written by others and is
believed nothing. It goes on where it stopped as the record grows, and begins again every hour, more rarely where a
pass takes long: what is exchanged behind its back it sees then. It remembers how far the last pass came, so a record
that has become shorter is noticed although every line of it is in order.
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

_LOOK: Final = 2.0  # seconds between two looks at what is new
_TOLD: Final = 1.0  # … between two words of progress
_AGAIN: Final = 3600.0  # … between the beginnings of two passes, at least
_SHARE: Final = 50  # … and this many times what the last one took


class _Listener:
    """The other end of the pipe. Its end is ours."""

    def __init__(self, say: int) -> None:
        self._say = say
        self._poll = select.poll()
        self._poll.register(say, 0)  # POLLERR needs no asking: nobody reads any more
        self._told = 0.0

    def tell(self, report: LogReport, *, at_end: bool) -> None:
        """Say how far the pass is; between its beginning and its end once a second."""
        if at_end or time.monotonic() - self._told >= _TOLD:
            self._told = time.monotonic()
            self._line(summary(report) | {"at_end": at_end})

    def trouble(self, error: OSError) -> None:
        """Say why the record cannot be read."""
        self._line({"unread": visible(error.strerror or str(error))})

    def wait(self) -> None:
        """Let *_LOOK* seconds pass. Raises BrokenPipeError when nobody listens any more."""
        if self._poll.poll(_LOOK * 1000):
            raise BrokenPipeError

    def _line(self, fields: dict[str, Any]) -> None:
        os.write(self._say, json.dumps(fields).encode() + b"\n")  # far below PIPE_BUF: never torn


def summary(report: LogReport) -> dict[str, Any]:
    """Return what is told of *report*: the number reached, how many faults there are, and the first in words."""
    faults = [problem for problem in report.problems if problem.severity == "error"]
    first = faults[0] if faults else None
    return {
        "to": report.last or 0,
        "faults": len(faults) + report.more,
        "first": {"file": visible(first.file)[:100], "seq": first.seq, "text": first.text.to_json()} if first else None,
    }


def watch(folder: Path, listener: _Listener) -> None:
    """Read *folder* for ever. Raises BrokenPipeError when nobody listens any more."""
    known = 0
    while True:
        try:
            known = _one_pass(folder, listener, known)
        except BrokenPipeError:
            raise
        except OSError as error:
            listener.trouble(error)
            listener.wait()


def _one_pass(folder: Path, listener: _Listener, known: int) -> int:
    reading, begun, again = Pass(folder), time.monotonic(), 0.0
    while True:
        for _ in reading.go_on():
            listener.tell(reading.report(), at_end=False)
        listener.tell(reading.report(known), at_end=True)
        now = time.monotonic()
        again = again or max(_AGAIN, _SHARE * (now - begun))
        if now - begun >= again:
            return max(known, reading.reached)
        listener.wait()


def main(argv: Sequence[str]) -> int:
    """Run as the docstring above says; return the exit code."""
    folder, words = Path(argv[1]), dict(word.split("=", 1) for word in argv[2:])
    os.nice(19)
    confine(process_rights.VERIFIER, say)
    if "known" in words:
        json.dump(verify(folder, int(words["known"])).to_json(), sys.stdout)
        return 0
    with suppress(BrokenPipeError):
        watch(folder, _Listener(int(words["say"])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
