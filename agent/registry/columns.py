"""How values lie in the registry, and the one place that converts them.

Rules of this file: standard library only. An instant is UTC text of fixed width, ``2026-12-31T16:00:00.000000Z``: it
sorts as it reads, loses nothing of a ``datetime``, and an inspector can read it without this program. A path is the
kernel's bytes. A numbered row (grant, hold, record, departure) is known to people by a letter and six digits or more.
"""

import os
from datetime import UTC, datetime
from enum import Enum

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible


class Keep(Enum):
    """The default of an argument for which ``None`` is a value: leave what is stored."""

    KEEP = "keep"


KEEP = Keep.KEEP


def instant(moment: datetime) -> str:
    """Return *moment* as stored.

    Raises ``ValueError`` for a naive one and :class:`RefusedError` beyond the year 9999.
    """
    if moment.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {moment!r}")
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        raise RefusedError(
            Text("the date is outside the years 1 to 9999", "日期不在公元 1 年至 9999 年之内"),
            Text("leave the end open instead", "如无期限，请不要填写结束日期"),
        ) from None
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def maybe_instant(moment: datetime | None) -> str | None:
    """Return *moment* as stored, or ``None``."""
    return None if moment is None else instant(moment)


def moment(stored: str) -> datetime:
    """Read what :func:`instant` wrote; raise ``ValueError`` for anything else."""
    if len(stored) != 27 or stored[-1] != "Z":
        raise ValueError(f"not a stored instant: {stored!r}")
    return datetime.fromisoformat(stored)


def maybe_moment(stored: str | None) -> datetime | None:
    """Read what :func:`maybe_instant` wrote."""
    return None if stored is None else moment(stored)


def path_bytes(path: str) -> bytes:
    """Return the bytes the kernel knows *path* by; surrogates stand for bytes that are not UTF-8."""
    return os.fsencode(path)


def path_text(stored: bytes) -> str:
    """Return the path for :func:`os.open` and friends, exact for every byte."""
    return os.fsdecode(stored)


def numbered(letter: str, number: int) -> str:
    """Return the name people use: ``G000123``."""
    return f"{letter}{number:06d}"


def number(letter: str, name: str, what: Text) -> int:
    """Read what :func:`numbered` wrote; raise :class:`RefusedError` for anything else."""
    digits = name[1:]
    if name[:1] == letter and 6 <= len(digits) <= 18 and digits.isascii() and digits.isdigit():
        return int(digits)
    raise RefusedError(
        Text(f"`{visible(name)}` is not the number of a {what.en}", f"`{visible(name)}` 不是{what.zh}编号"),
        Text(f"it looks like {letter}000123", f"形如 {letter}000123"),
    )
