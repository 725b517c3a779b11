"""Covers: the list of enforced areas that are hidden while nothing guards them.

Rules of this file: the list is a plain file in the run directory, written by the control process whenever areas or
mounts change and kept over restarts; reading it needs no registry. Hiding never raises: it is the last act of an ending
process, and the first of a starting one. Descriptors and working directories that processes already have stay usable
(docs/limits.md).
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.kernel.mountinfo import Device
from agent.kernel.mounting import hide
from agent.runtime.ours import private


class GuardedPlace(NamedTuple):
    """An enforced area. ``point``: the mount point of its volume, as last seen. ``alone``: the volume is its own.

    ``doors``: every path to cover to hide it, as last seen. ``hold``: whether the superblock of its volume is kept
    alive while it is not mounted; ``device`` names that, as mountinfo does, as last seen.
    """

    area: str
    path: str
    point: str
    alone: bool
    doors: tuple[str, ...]
    device: Device = (0, 0)
    hold: bool = True


def write_list(file: Path, places: Iterable[GuardedPlace]) -> bool:
    """Replace the list in *file* (:attr:`agent.runtime.home.Home.covers`) atomically; return whether it changed."""
    text = "".join(json.dumps(place) + "\n" for place in places)  # names that are not UTF-8 are written as surrogates
    with contextlib.suppress(OSError):
        if file.read_text(encoding="ascii") == text:
            return False
    fresh = file.with_suffix(".new")
    with open(fresh, "w", encoding="ascii", opener=private) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    return True


def read_list(file: Path) -> tuple[GuardedPlace, ...]:
    """Return the listed places; unreadable lines and an absent file give none."""
    return tuple(_places(file))


def _places(file: Path) -> Iterator[GuardedPlace]:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in file.read_text(encoding="ascii").splitlines():
            with contextlib.suppress(ValueError, TypeError, OverflowError, RecursionError):
                area, path, point, alone, doors, (major, minor), hold = json.loads(line)
                door_paths, device = tuple(map(str, doors)), (int(major), int(minor))
                yield GuardedPlace(str(area), str(path), str(point), bool(alone), door_paths, device, bool(hold))


def hide_all(file: Path) -> None:
    """Hide every area listed in *file* that exists."""
    for door in dict.fromkeys(door for place in read_list(file) for door in place.doors):
        with contextlib.suppress(OSError, ValueError):
            hide(door)
