r"""Visible text: foreign text made safe to read (contract C9).

File names, badge data, fields from the HR system and log text have foreign authors. A terminal acts on control
bytes, a bidirectional override reorders what is read, and an undecodable byte ends a program. ``visible`` makes all
of them visible and leaves every other character, Chinese included, as it is.

>>> visible("plan\x1b[2J.txt")
'plan\\x1b[2J.txt'
>>> visible(b"\xff\xe8\xae\xa1\xe5\x88\x92")
'\\xff计划'
"""

import re

# Cc (C0, DEL, C1), the line and paragraph separators, every bidirectional control, other invisible format characters
# (zero-width, joiners, the byte order mark, tags) and lone surrogates: what surrogateescape leaves of a foreign byte.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def visible(foreign: str | bytes) -> str:
    r"""Return *foreign* with every control, invisible or undecodable character written out.

    Bytes are read as UTF-8; a byte that is not valid UTF-8 is shown as ``\xff``. The result holds no control
    character and no lone surrogate, so it can be printed, logged and encoded. It is for reading, not for parsing back:
    a literal backslash stays one backslash.
    """
    text = foreign.decode("utf-8", "surrogateescape") if isinstance(foreign, bytes) else foreign
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_written_out, text)


def is_visible(text: str) -> bool:
    """Return whether :func:`visible` leaves *text* as it is."""
    return not _HIDDEN.search(text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte is the low eight bits
        return f"\\x{code & 0xFF:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
