"""What a process says of itself on its output: said when somebody takes it, and never waited for.

A journal that has stopped, or a pipe nobody reads, must not stop a process that others wait for. Rules of this file: a
line is written only when the descriptor takes it at once; else it is lost, or kept by the caller to be said again.
Source: pipe(7): a pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting.
"""

import os
import select
import traceback

_MOST = select.PIPE_BUF
STDERR = 2


def say(line: str, to: int = STDERR) -> bool:
    """Write *line* to the descriptor *to* if that does not wait; return whether it was written."""
    data = line.encode("utf-8", "backslashreplace")[: _MOST - 1] + b"\n"
    try:
        if not select.select([], [to], [], 0)[1]:
            return False
        os.write(to, data)
    except (OSError, ValueError):
        return False
    return True


def say_traceback(error: BaseException) -> None:
    """Say where *error* came from, line by line, as far as it is taken."""
    for part in traceback.format_exception(error):
        for line in part.rstrip("\n").split("\n"):
            if not say(line):
                return
