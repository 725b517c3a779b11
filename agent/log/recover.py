"""Recovery of the end of a log by reading it: the first step of every opening, after a crash as after a clean stop.

Rules of this file: the end is the last line that is a whole entry. Anything after it was never acknowledged, is not
part of the record, and is moved to a side file for inspection; the side file is durable before the segment is cut. A
repetition (after a crash in between) creates a second side file and loses nothing.
"""

import json
import os
import re
from datetime import datetime
from typing import NamedTuple

from agent.errors import FatalError
from agent.log import folder, segments
from rules.text import Message

_SIDE_FILE = re.compile(r"torn-[0-9]+-([0-9]+)\.bin")
_WINDOW = 128 << 10
_SHORTEST = 40  # bytes: no entry with a sequence number and a time is shorter


class End(NamedTuple):
    """The last whole entry of a segment, and the size of the segment up to and including it."""

    seq: int
    time: datetime | None
    size: int
    line: bytes = b""

    @property
    def clocks(self) -> tuple[int, str] | None:
        """Boot time in microseconds, and the beginning of the boot's id; ``None`` where the entry has neither."""
        fields = json.loads(self.line or b"{}")
        mono, boot = fields.get("mono"), fields.get("boot")
        return (mono, boot) if isinstance(mono, int) and isinstance(boot, str) and mono >= 0 and boot else None


def find_end(descriptor: int, first: int) -> End:
    """Return the end of the segment that begins with *first*; for one without entries ``End(first - 1, None, 0)``.

    Raises :exc:`FatalError` when the last entry carries a number that cannot be right, and OSError.
    """
    length = os.fstat(descriptor).st_size
    window = _WINDOW
    while True:
        begin = max(length - window, 0)
        block = os.pread(descriptor, window, begin)
        stop = block.rfind(b"\n")
        while stop >= 0:
            line_begin = block.rfind(b"\n", 0, stop) + 1
            if line_begin == 0 and begin:
                break  # the line begins before the window
            if head := _entry(block[line_begin:stop]):
                if not first <= head[0] <= first + length // _SHORTEST:
                    raise FatalError(Message("log.segment-numbers-inconsistent", first=first, last=head[0]))
                return End(*head, begin + stop + 1, block[line_begin:stop])
            stop = line_begin - 1
        if not begin:
            return End(first - 1, None, 0)
        window *= 4


def put_aside(directory: int, segment: int, size: int, next_seq: int) -> int:
    """Move the bytes after *size* in *segment* to ``torn-<next_seq>-<n>.bin``; return their number.

    Raises OSError (no space, for instance) with the segment as it was.
    """
    tail = os.fstat(segment).st_size - size
    if tail:
        taken = [int(match[1]) for file in os.listdir(directory) if (match := _SIDE_FILE.fullmatch(file))]
        name = f"torn-{next_seq}-{max(taken, default=0) + 1}.bin"
        side = folder.open_file(directory, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with open(side, "wb", closefd=False) as file:
                places = range(size, size + tail, segments.CHUNK)
                file.writelines(os.pread(segment, segments.CHUNK, begin) for begin in places)
            os.fsync(side)
        except OSError:
            os.unlink(name, dir_fd=directory)
            raise
        finally:
            os.close(side)
        os.fsync(directory)
        os.ftruncate(segment, size)
    return tail


def _entry(line: bytes) -> tuple[int, datetime] | None:
    head = segments.head(line)
    if head is None or len(line) > segments.MAX_RECORD:
        return None
    try:
        if not isinstance(json.loads(line), dict):
            return None
        return head[0], datetime.fromisoformat(head[1])
    except (ValueError, RecursionError):
        return None
