"""Label tours: a walk over the labels of a whole volume or below one path, which counts and writes labels.

Rules of this file: ``label_rules`` decides on labels; here they are read, top down, so that the nearest labelled
directory above an inode is known. No file is opened. The caller provides a path that needs no verdict, because a walk
reads no content.
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

_EVERY = 0.25  # seconds between two progress reports of a tour
_NAMED_KINDS: frozenset[Kind] = frozenset({"unlabelled", "foreign"})  # kinds whose first ones are named


@dataclass(slots=True)
class TourCounts:
    """The counts of a tour so far: inodes by kind, the first irregular ones, and paths not reached."""

    seen: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Kind.__args__, 0))  # type: ignore[attr-defined]
    first: list[tuple[str, str]] = field(default_factory=list)  # (kind, path)
    trouble_count: int = 0
    troubles: list[WalkFailure] = field(default_factory=list)
    ended: bool = False

    @property
    def complete(self) -> bool:
        """Whether every inode was visited, and got its label."""
        return self.ended and not self.trouble_count

    @property
    def wrong(self) -> int:
        """The number of inodes without access until an officer acts."""
        return self.kinds["unlabelled"] + self.kinds["foreign"]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        first = [{"kind": kind, "path": path} for kind, path in self.first]
        troubles = [{"path": failure.path, "error": os.strerror(failure.error)} for failure in self.troubles]
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
    """Walk over *top*, whose path for people is *named*; yield the counts four times a second, and at the end.

    *places* are the areas of that filesystem by their paths for people; *above* is the area of the nearest labelled
    directory above *top*. Without *write* nothing is changed. Raises ``OSError`` when *top* cannot be opened. A
    directory on another filesystem is not entered.
    """
    counts, due = TourCounts(), time.monotonic() + _EVERY
    folders = _Folders(places, above)
    for walked in walk(top, named):
        if isinstance(walked, WalkFailure):
            _failed(counts, walked)
        elif not stat.S_ISLNK(walked.found.st_mode):
            _visit(counts, folders, walked, lambda inode: judge(inode, areas, kind), write=write)
        if time.monotonic() >= due:
            yield counts
            due = time.monotonic() + _EVERY
    counts.ended = True
    yield counts


class _Folders:
    """The directories on the way down: the area each is in, and the area of its label."""

    def __init__(self, places: Mapping[str, str], above: str) -> None:
        self._places = places
        self._above = above
        self._down: list[tuple[str, str, str]] = []  # path, area by place, area by label

    def go(self, path: str) -> None:
        """Leave the directories that do not contain *path*."""
        while self._down and not within(path, self._down[-1][0]):
            self._down.pop()

    def enter(self, path: str, place: str, label: str) -> None:
        """Enter a directory, whose *label* names this area."""
        self._down.append((path, place, label))

    def around(self, path: str, *, folder: bool) -> tuple[str, str]:
        """Return the area *path* is in, and the area of the label of the directory above it."""
        place, above = (self._down[-1][1], self._down[-1][2]) if self._down else ("", self._above)
        if folder and not place:  # a file is in the area of its directory
            place = next((area for at, area in self._places.items() if within(path, at)), "")
        return place, above


def _visit(
    counts: TourCounts, folders: _Folders, entry: WalkEntry, judged: Callable[[LabelSeen], LabelStep], *, write: bool
) -> None:
    mode = entry.found.st_mode
    folder = stat.S_ISDIR(mode)
    if folder:
        folders.go(entry.path)
    place, above = folders.around(entry.path, folder=folder)
    try:
        label = labels.read(entry.at)
        step = judged(LabelSeen(label, place, above, not labels.has_content(entry.found)))
        if step.write is not None:
            label = _write(entry.at, step) if write else step.write
    except FileNotFoundError:  # deleted since it was listed
        return
    except OSError as error:
        _failed(counts, WalkFailure(entry.path, error.errno or errno.EIO))
        return
    if folder:
        folders.enter(entry.path, place, above if label is None else labels.area_of(label))
    counts.seen += 1
    counts.kinds[step.kind] += 1
    if step.kind in _NAMED_KINDS and len(counts.first) < labels.SHOWN:
        counts.first.append((step.kind, entry.path))


def _write(at: str, step: LabelStep) -> str:
    assert step.write is not None
    if step.kind == "foreign":
        labels.replace(at, step.write)
        return step.write
    return labels.write(at, step.write)


def _failed(counts: TourCounts, failure: WalkFailure) -> None:
    counts.trouble_count += 1
    if len(counts.troubles) < labels.SHOWN:
        counts.troubles.append(failure)
