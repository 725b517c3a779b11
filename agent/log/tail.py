"""Following the record as it grows.

Rules of this file:

* It reads the record itself, not the index: only what is on disk is shown.
* Waiting is a check of the end of the last segment, ten times a second. That costs about 20 µs a second, needs no
  descriptor, and is right after any event; inotify would need ctypes, a limit raised on busy hosts, and the same check
  as a fallback.
* A line that was shown and then undone (:exc:`segments.DisplacedSegmentError`) cannot be withdrawn. Following continues
  from its number, so that its replacement is shown as well.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from agent.log import segments

_INTERVAL = 0.1  # seconds


def follow(folder: Path, from_seq: int, wait: Callable[[float], bool]) -> Iterator[bytes]:
    """Yield the records from number *from_seq* on, then new ones as they come, without their newlines.

    At the end of the log ``wait(seconds)`` is called: it waits that long at most and returns True to end the following.
    ``threading.Event().wait`` fits. Lines that are no entries are yielded as they are. Raises OSError.
    """
    cursor = segments.seek(folder, from_seq)
    while True:
        try:
            chunk = segments.read(folder, cursor)
        except segments.DisplacedSegmentError:
            head = segments.head(cursor.last)
            cursor = segments.seek(folder, head[0] if head else from_seq)
            continue
        cursor = chunk.end
        yield from chunk.lines
        if not chunk.lines and wait(_INTERVAL):
            return
