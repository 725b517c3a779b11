"""Batch check of the record: whether many lines at once are entries, numbered and stamped in order.

Rules of this file: pure, and part of the reading side, so nothing here is shared with the writer of the record. A
positive result is certain; in doubt there is none, and the caller checks each line. The work on a line is done in C: a
parser that checks all of JSON and keeps two fields, and comparisons of whole lists.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import repeat

import msgspec

STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
LONGEST = 65_535  # bytes of an entry
_STAMPS = re.compile(f"(?:{STAMP})*")
_LENGTH, _SECOND = 27, 19  # characters of a stamp, and of it without the fraction


class Head(msgspec.Struct, gc=False):
    """The fields of every entry. Of repeated keys the last one counts."""

    seq: int
    time: str


_heads = msgspec.json.Decoder(Head).decode_lines


def in_order(lines: Sequence[bytes], due: int, latest: str) -> str | None:
    """Return the stamp of the last of *lines* if they are the entries from number *due* on, ``None`` if in doubt.

    *latest*: none of them may be stamped before it. Lines come without their line breaks.
    """
    text = b"\n".join(lines)
    try:
        text.decode()  # the parser does not check strings it skips
        heads = _heads(text)
    except (ValueError, RecursionError):
        return None
    stamps = [head.time for head in heads]
    beginnings = [b'{"seq":%d,"time":"%b",' % numbered for numbered in enumerate(map(str.encode, stamps), due)]
    if (
        [head.seq for head in heads] != list(range(due, due + len(lines)))
        or not all(map(bytes.startswith, lines, beginnings))
        or not all(map(bytes.endswith, lines, repeat(b"}")))
        or len(max(lines, key=len, default=b"")) > LONGEST
        or not _are_stamps(stamps)
        or stamps != sorted(stamps)
        or stamps[:1] < [latest]
    ):
        return None
    return stamps[-1]


def _are_stamps(stamps: Sequence[str]) -> bool:
    if {*map(len, stamps)} != {_LENGTH} or not _STAMPS.fullmatch("".join(stamps)):
        return False
    try:
        for second in {stamp[:_SECOND] for stamp in stamps}:
            datetime.fromisoformat(second)
    except ValueError:
        return False
    return True
