"""Packets between the decider and its label worker: one for each question, and one for each answer.

Rules of this file: bytes to values and back, and nothing else. Numbers below :data:`FIRST` are not questions.
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
DISCARD: Final = 3  # an empty file that a refused open has created
FIRST: Final = 16
LONGEST: Final = 1 << 16

_QUESTION = struct.Struct("=QBI")  # number, kind, thread or process or owner
_HEAD = struct.Struct("=QB")
_PLACED = struct.Struct("=iQQq?????H")  # errno, device, inode, changed, five flags, length of the label
_LOOKED = struct.Struct("=?HH")  # whether it is complete, number of descriptors, number of threads
_INODE = struct.Struct("=QQ")
_MOST_SHOWN = 1000
MOST_CLOSED = 16_000


class Kind(IntEnum):
    """The kinds of questions."""

    PLACE = 0  # the place of the file, and its label
    LOOK = 1  # its openers in the process of the thread
    SWEEP = 2  # which files of a list the process has closed


class Closed(NamedTuple):
    """Positions in the list of a sweep; ``more``: further ones follow when it is asked again."""

    places: tuple[int, ...]
    more: bool = False


Reply = Placement | ServerLook | Closed


def question(number: int, kind: Kind, task: int) -> bytes:
    """Return a question about thread or process *task*."""
    return _QUESTION.pack(number, kind, task)


def parse_question(packet: bytes) -> tuple[int, Kind, int]:
    """Return number, kind and task."""
    number, kind, task = _QUESTION.unpack(packet)
    return number, Kind(kind), task


def inodes(files: Sequence[Inode]) -> bytes:
    """Return the packed list of a sweep."""
    return b"".join(_INODE.pack(*inode) for inode in files)


def parse_inodes(page: bytes) -> tuple[Inode, ...]:
    """Return the list of a sweep."""
    return tuple((int(device), int(inode)) for device, inode in _INODE.iter_unpack(page))


def answer(number: int, reply: Reply) -> bytes:
    """Return the answer to question *number*; of closed files it may be a part."""
    if isinstance(reply, Placement):
        labelled, inside = (text.encode("utf-8", "surrogateescape") for text in (reply.labelled, reply.inside))
        head = _PLACED.pack(reply.error, reply.device, reply.inode, reply.changed, reply.fresh, reply.directory,
                            reply.stripped, reply.top, reply.newborn, len(labelled))  # fmt: skip
        return _HEAD.pack(number, Kind.PLACE) + head + labelled + inside
    if isinstance(reply, ServerLook):
        opening = sorted(reply.opening)
        complete = reply.complete and len(opening) + len(reply.descriptors) < _MOST_SHOWN
        numbers = (*reply.descriptors, *opening) if complete else ()
        counts = (len(reply.descriptors), len(opening)) if complete else (0, 0)
        return (
            _HEAD.pack(number, Kind.LOOK) + _LOOKED.pack(complete, *counts) + struct.pack(f"={len(numbers)}I", *numbers)
        )
    places = reply.places[:MOST_CLOSED]
    more = reply.more or len(reply.places) > MOST_CLOSED
    return _HEAD.pack(number, Kind.SWEEP) + struct.pack(f"=?{len(places)}I", more, *places)


def parse_answer(packet: bytes) -> tuple[int, Reply]:
    """Return number and answer."""
    number, kind = _HEAD.unpack_from(packet)
    body = packet[_HEAD.size :]
    if kind == Kind.PLACE:
        *values, length = _PLACED.unpack_from(body)
        names = body[_PLACED.size :]
        labelled, inside = (text.decode("utf-8", "surrogateescape") for text in (names[:length], names[length:]))
        error, device, inode, changed, fresh, directory, stripped, top, newborn = values
        place = Placement(error, labelled, inside, fresh, device, inode, changed, directory, stripped, top, newborn)
        return number, place
    if kind == Kind.LOOK:
        complete, descriptors, opening = _LOOKED.unpack_from(body)
        numbers = struct.unpack_from(f"={descriptors + opening}I", body, _LOOKED.size)
        return number, ServerLook(frozenset(numbers[:descriptors]), frozenset(numbers[descriptors:]), complete)
    more, *places = struct.unpack(f"=?{len(body) // 4}I", body)
    return number, Closed(tuple(places), more)
