"""A walk over labels: of a whole volume, or below one path. Counts, and writes what the rules say.

Rules of this file: what is written is decided in ``label_rules``; here it is looked at, top down, so that the nearest
labelled folder above an inode is known. No file is opened. Somebody who walks along counts as somebody who reads
nothing: the caller gives a way in that asks nobody.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.kernel import labels
from agent.kernel.mountinfo import within
from agent.kernel.walk import WalkEntry, WalkFailure, walk
from agent.volumes.label_rules import Kind, LabelSeen, LabelStep, Tour, judge

_EVERY = 0.25  # seconds between two states of a tour
_TOLD: frozenset[Kind] = frozenset({"unlabelled", "foreign"})  # kinds whose first ones are named


@dataclass(slots=True)
class TourCounts:
    """What a tour has met so far: inodes by kind, the first ones that are not in order, and places not reached."""

    seen: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Kind.__args__, 0))  # type: ignore[attr-defined]
    first: list[tuple[str, str]] = field(default_factory=list)  # (kind, path)
    trouble_count: int = 0
    troubles: list[WalkFailure] = field(default_factory=list)
    ended: bool = False

    @property
    def complete(self) -> bool:
        """Whether every inode was seen, and got what it was to get."""
        return self.ended and not self.trouble_count

    @property
    def wrong(self) -> int:
        """How many inodes nobody gets into before an officer acts."""
        return self.kinds["unlabelled"] + self.kinds["foreign"]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        first = [{"kind": kind, "path": path} for kind, path in self.first]
        troubles = [{"path": one.path, "error": os.strerror(one.error)} for one in self.troubles]
        return {
            "seen": self.seen,
            **self.kinds,
            "first": first,
            "troubles": self.trouble_count,
            "not_reached": troubles,
        }


def tour(
    top: str,
    named: str,
    places: Mapping[str, str],
    areas: Collection[str],
    kind: Tour,
    *,
    above: str = "",
    write: bool = True,
) -> Iterator[TourCounts]:
    """Walk over *top*, which people call *named*; yield the counts four times a second, and at the end.

    *places* are the areas of that filesystem by their paths, as people call them; *above* is the area that labels the
    nearest labelled folder above *top*. Without *write* nothing is changed. Raises ``OSError`` when *top* cannot be
    opened. A directory that became another filesystem's is not gone into.
    """
    counts, due = TourCounts(), time.monotonic() + _EVERY
    folders = _Folders(places, above)
    for item in walk(top, named):
        if isinstance(item, WalkFailure):
            _failed(counts, item)
        elif not stat.S_ISLNK(item.found.st_mode):
            _visit(counts, folders, item, lambda seen: judge(seen, areas, kind), write=write)
        if time.monotonic() >= due:
            yield counts
            due = time.monotonic() + _EVERY
    counts.ended = True
    yield counts


class _Folders:
    """The folders on the way down: in which area each lies, and which area labels what is new in it."""

    def __init__(self, places: Mapping[str, str], above: str) -> None:
        self._places = places
        self._above = above
        self._down: list[tuple[str, str, str]] = []  # path, area by place, area by label

    def go(self, path: str) -> None:
        """Leave what *path* is not in."""
        while self._down and not within(path, self._down[-1][0]):
            self._down.pop()

    def enter(self, path: str, place: str, label: str) -> None:
        """Go into a folder, whose *label* names this area."""
        self._down.append((path, place, label))

    def around(self, path: str, *, folder: bool) -> tuple[str, str]:
        """Return the area *path* lies in, and the one that labels the folder above it."""
        place, above = (self._down[-1][1], self._down[-1][2]) if self._down else ("", self._above)
        if folder and not place:  # a file lies where its folder does
            place = next((area for at, area in self._places.items() if within(path, at)), "")
        return place, above


def _visit(
    counts: TourCounts, folders: _Folders, item: WalkEntry, judged: Callable[[LabelSeen], LabelStep], *, write: bool
) -> None:
    mode = item.found.st_mode
    folder = stat.S_ISDIR(mode)
    if folder:
        folders.go(item.path)
    place, above = folders.around(item.path, folder=folder)
    try:
        label = labels.read(item.at)
        step = judged(LabelSeen(label, place, above, not labels.has_content(item.found)))
        if step.write is not None:
            label = _write(item.at, step) if write else step.write
    except FileNotFoundError:  # deleted since it was listed
        return
    except OSError as error:
        _failed(counts, WalkFailure(item.path, error.errno or errno.EIO))
        return
    if folder:
        folders.enter(item.path, place, above if label is None else labels.area_of(label))
    counts.seen += 1
    counts.kinds[step.kind] += 1
    if step.kind in _TOLD and len(counts.first) < labels.SHOWN:
        counts.first.append((step.kind, item.path))


def _write(at: str, step: LabelStep) -> str:
    assert step.write is not None
    if step.kind == "foreign":
        labels.replace(at, step.write)
        return step.write
    return labels.write(at, step.write)


def _failed(counts: TourCounts, item: WalkFailure) -> None:
    counts.trouble_count += 1
    if len(counts.troubles) < labels.SHOWN:
        counts.troubles.append(item)
