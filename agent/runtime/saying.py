"""Output of a process about itself, written only when the reader takes it at once.

A stopped journal, or a pipe without a reader, must not stop a process that others wait for. Rules of this file: a line
is written only when the descriptor takes it at once; otherwise it is lost, or kept by the caller for another attempt.
Source: pipe(7): a pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting.
"""

import os
import select
import traceback

_MOST = select.PIPE_BUF
STDERR = 2


def say(line: str, to: int = STDERR) -> bool:
    """Write *line* to the descriptor *to* if that does not wait; return whether it was written."""
    encoded = line.encode("utf-8", "backslashreplace")[: _MOST - 1] + b"\n"
    try:
        if not select.select([], [to], [], 0)[1]:
            return False
        os.write(to, encoded)
    except (OSError, ValueError):
        return False
    return True


def say_traceback(error: BaseException) -> None:
    """Write the traceback of *error*, line by line, until a line is not taken."""
    for part in traceback.format_exception(error):
        for line in part.rstrip("\n").split("\n"):
            if not say(line):
                return
