"""Column formats of the registry, and their conversion to and from Python values.

Rules of this file: standard library only. An instant is UTC text of fixed width, ``2026-12-31T16:00:00.000000Z``: it
sorts in time order, keeps the full precision of a ``datetime``, and an inspector can read it without this program. A
path is the kernel's bytes. A numbered row (grant, hold, record, departure) is named by a letter and at least six
digits.
"""

import os
from datetime import UTC, datetime
from enum import Enum

from agent.errors import RefusedError
from rules.text import Message, Sentence


class Keep(Enum):
    """The default of an argument for which ``None`` is a value: keep the stored value."""

    KEEP = "keep"


KEEP = Keep.KEEP


def instant(moment: datetime) -> str:
    """Return *moment* in its stored form.

    Raises ``ValueError`` for a naive ``datetime`` and :class:`RefusedError` beyond the year 9999.
    """
    if moment.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {moment!r}")
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        raise RefusedError(
            Message("registry.date-out-of-range"),
            Message("registry.leave-end-open"),
        ) from None
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def maybe_instant(moment: datetime | None) -> str | None:
    """Return *moment* in its stored form, or ``None``."""
    return None if moment is None else instant(moment)


def moment(stored: str) -> datetime:
    """Return the instant that :func:`instant` stored; raise ``ValueError`` for anything else."""
    if len(stored) != 27 or stored[-1] != "Z":
        raise ValueError(f"not a stored instant: {stored!r}")
    return datetime.fromisoformat(stored)


def maybe_moment(stored: str | None) -> datetime | None:
    """Return the instant that :func:`maybe_instant` stored, or ``None``."""
    return None if stored is None else moment(stored)


def path_bytes(path: str) -> bytes:
    """Return the kernel's bytes of *path*; surrogates stand for bytes that are not UTF-8."""
    return os.fsencode(path)


def path_text(stored: bytes) -> str:
    """Return the path as text for :func:`os.open` and similar calls, exact for every byte."""
    return os.fsdecode(stored)


def numbered(letter: str, number: int) -> str:
    """Return the printed number: ``G000123``."""
    return f"{letter}{number:06d}"


def number(letter: str, name: str, term: Sentence) -> int:
    """Return the row number that :func:`numbered` printed; raise :class:`RefusedError` for anything else."""
    digits = name[1:]
    if name[:1] == letter and 6 <= len(digits) <= 18 and digits.isascii() and digits.isdigit():
        return int(digits)
    raise RefusedError(
        Message("registry.invalid-number", name=name, term=term),
        Message("registry.number-format", letter=letter),
    )
