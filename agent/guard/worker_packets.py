"""What the decider and its label worker say to each other: one packet for each question, and one for each answer.

Rules of this file: bytes to values and back, and nothing else. The numbers below :data:`FIRST` are no questions.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from agent.guard.openers import Inode, ServerLook
from agent.guard.placing import Placement

ALIVE: Final = 0
AREAS: Final = 1
CLOSE: Final = 2
DISCARD: Final = 3  # an empty file that a refused open has made
FIRST: Final = 16
LONGEST: Final = 1 << 16

_QUESTION = struct.Struct("=QBI")  # number, kind, thread or process or owner
_HEAD = struct.Struct("=QB")
_PLACED = struct.Struct("=iQQq?????H")  # errno, device, inode, changed, five flags, length of the label
_LOOKED = struct.Struct("=?HH")  # whether it is told, how many descriptors, how many threads
_INODE = struct.Struct("=QQ")
_MOST_SHOWN = 1000
MOST_CLOSED = 16_000


class Kind(IntEnum):
    """What is asked."""

    PLACE = 0  # where the file lies: its label
    LOOK = 1  # who has it open in the process of the thread
    SWEEP = 2  # which files of a list the process has closed


class Closed(NamedTuple):
    """Places in the list of a sweep; ``more``: there are others, which are told when it is asked again."""

    places: tuple[int, ...]
    more: bool = False


Found = Placement | ServerLook | Closed


def question(number: int, kind: Kind, task: int) -> bytes:
    """Return a question about thread or process *task*."""
    return _QUESTION.pack(number, kind, task)


def parse_question(data: bytes) -> tuple[int, Kind, int]:
    """Return number, kind and task."""
    number, kind, task = _QUESTION.unpack(data)
    return number, Kind(kind), task


def inodes(files: Sequence[Inode]) -> bytes:
    """Return the list of a sweep."""
    return b"".join(_INODE.pack(*inode) for inode in files)


def parse_inodes(data: bytes) -> tuple[Inode, ...]:
    """Return the list of a sweep."""
    return tuple((int(device), int(inode)) for device, inode in _INODE.iter_unpack(data))


def answer(number: int, found: Found) -> bytes:
    """Return the answer to question *number*; of closed files it may be a part."""
    if isinstance(found, Placement):
        labelled, inside = (text.encode("utf-8", "surrogateescape") for text in (found.labelled, found.inside))
        head = _PLACED.pack(found.error, found.device, found.inode, found.changed, found.fresh, found.directory,
                            found.stripped, found.top, found.newborn, len(labelled))  # fmt: skip
        return _HEAD.pack(number, Kind.PLACE) + head + labelled + inside
    if isinstance(found, ServerLook):
        opening = sorted(found.opening)
        told = found.told and len(opening) + len(found.descriptors) < _MOST_SHOWN
        numbers = (*found.descriptors, *opening) if told else ()
        counts = (len(found.descriptors), len(opening)) if told else (0, 0)
        return _HEAD.pack(number, Kind.LOOK) + _LOOKED.pack(told, *counts) + struct.pack(f"={len(numbers)}I", *numbers)
    places = found.places[:MOST_CLOSED]
    more = found.more or len(found.places) > MOST_CLOSED
    return _HEAD.pack(number, Kind.SWEEP) + struct.pack(f"=?{len(places)}I", more, *places)


def parse_answer(data: bytes) -> tuple[int, Found]:
    """Return number and answer."""
    number, kind = _HEAD.unpack_from(data)
    rest = data[_HEAD.size :]
    if kind == Kind.PLACE:
        *values, length = _PLACED.unpack_from(rest)
        names = rest[_PLACED.size :]
        labelled, inside = (text.decode("utf-8", "surrogateescape") for text in (names[:length], names[length:]))
        error, device, inode, changed, fresh, directory, stripped, top, newborn = values
        place = Placement(error, labelled, inside, fresh, device, inode, changed, directory, stripped, top, newborn)
        return number, place
    if kind == Kind.LOOK:
        told, descriptors, opening = _LOOKED.unpack_from(rest)
        numbers = struct.unpack_from(f"={descriptors + opening}I", rest, _LOOKED.size)
        return number, ServerLook(frozenset(numbers[:descriptors]), frozenset(numbers[descriptors:]), told)
    more, *places = struct.unpack(f"=?{len(rest) // 4}I", rest)
    return number, Closed(tuple(places), more)
