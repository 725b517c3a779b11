"""What a page shows: its fenced blocks in their order, the commands of a ``console`` block, and what stands below each.

Rules of this file: the standard library alone, because a clean root has nothing else when it follows a page.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

REFUSED = "NT_STATUS_ACCESS_DENIED"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`(/[^`\s]+)`")


class Block(NamedTuple):
    """A fenced block; ``file`` is the one that the text names last before it."""

    kind: str
    text: str
    file: str


class Shown(NamedTuple):
    """A command of a page and what stands below it."""

    command: str
    said: tuple[str, ...]


def blocks(text: str) -> Iterator[Block]:
    for found in _FENCE.finditer(text):
        named = _FILE.findall(_FENCE.sub("", text[: found.start()]))
        yield Block(found[1], found[2], named[-1] if named else "")


def shown(block: str) -> Iterator[Shown]:
    for part in block.removeprefix("$ ").split("\n$ "):
        command, *said = part.rstrip("\n").split("\n")
        yield Shown(command, tuple(said))


def plain(text: str) -> str:
    """What is the same in every run: numbers, blanks and tiers are not."""
    return re.sub(r"(tier|等级) ?[A-Z-]+", r"\1", re.sub(r"\s+", " ", re.sub(r"\d+([.:-]\d+)*", "0", text))).strip()


def wrong(one: Shown, code: int, said: str) -> str:
    """Return what of a command of a page that works with Samba is not as the page has it; nothing when all is.

    Each line of the page has to be in what was *said*, in that order; there may be more of it.
    """
    fine = {0, 1} if one.command == "shoumi doctor" else {int(any(REFUSED in line for line in one.said))}
    if code not in fine:
        return f"{one.command}: ends with {code}\n{said}"
    left = iter(plain(line) for line in said.splitlines())
    for line in one.said:
        if not any(plain(line) in found for found in left):
            return f"{one.command}: says no `{line}`\n{said}"
    if one.command == "shoumi doctor" and "Samba" in said:
        return f"{one.command}: names Samba\n{said}"
    return ""
