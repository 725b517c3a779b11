"""When nobody is left to ask, the areas are out of reach: an empty directory is mounted over each of them.

Rules of this file: the list of areas to hide is a plain file in the run directory, one escaped path per line, written
by the control process whenever areas change; reading it needs no registry. Hiding never raises: it is done on the way
out. What it cannot do: take away descriptors and working directories that processes already have (docs/limits.md).
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from agent.kernel.mounting import hide


def write_list(file: Path, paths: Iterable[bytes]) -> None:
    """Replace the list in *file* (:attr:`agent.runtime.home.Home.covers`) with *paths*, atomically."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(b"".join(path.hex().encode() + b"\n" for path in paths))
    fresh.replace(file)


def read_list(file: Path) -> list[str]:
    """Return the listed paths; an absent or unreadable list is empty."""
    with contextlib.suppress(OSError, ValueError):
        return [os.fsdecode(bytes.fromhex(line)) for line in file.read_text().splitlines()]
    return []


def hide_all(file: Path) -> None:
    """Hide every area listed in *file* that is there."""
    for path in read_list(file):
        with contextlib.suppress(OSError):
            hide(path)
