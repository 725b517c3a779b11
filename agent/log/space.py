"""Disk space: the free part, the time until it is full at the present rate, and the alarm stages.

Rules of this file: conclusions are a pure function of samples; one function reads the disk. The rate is the loss since
the oldest sample, whoever caused it. A disk without losses lasts for ever (``None`` hours).
"""

import os
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

Stage = Literal["good", "low", "urgent"]
STAGES: tuple[Stage, ...] = ("good", "low", "urgent")

LOW, URGENT = 0.10, 0.03  # parts of the disk
ENOUGH = 16 << 30  # bytes: of a large disk a small part is still a lot
LOW_HOURS, URGENT_HOURS = 24.0, 4.0
SHORTEST = timedelta(minutes=5)  # shorter spans give no rate
LONGEST = timedelta(hours=1)
INDEX_SHARE, INDEX_MOST = 16, 256 << 20  # reserved for the log by the index: a part of the disk, bytes


class DiskRoom(NamedTuple):
    """One sample of a disk: bytes available, and all of them."""

    at: datetime
    free: int
    whole: int


class Outlook(NamedTuple):
    """The forecast: ``hours`` until the disk is full, ``None`` while it loses nothing."""

    stage: Stage
    part: float
    hours: float | None


def look(path: Path, at: datetime) -> DiskRoom:
    """Return the free space on the disk of *path*. Raises ``OSError``."""
    status = os.statvfs(path)
    return DiskRoom(at, status.f_bavail * status.f_frsize, max(1, status.f_blocks * status.f_frsize))


def outlook(samples: Sequence[DiskRoom], before: Stage = "good") -> Outlook:
    """Return the forecast after *samples*, the newest last; *before* is the stage so far.

    A stage is left only with a tenth more than its threshold, so that an alarm does not come and go.
    """
    first, now = samples[0], samples[-1]
    part = now.free / now.whole
    took, lost = now.at - first.at, first.free - now.free
    hours = None
    if took >= SHORTEST and lost > 0:
        hours = now.free / lost * (took / timedelta(hours=1))
    stage = _stage(now, part, hours, 1.0)
    if STAGES.index(stage) < STAGES.index(before):
        stage = min(before, _stage(now, part, hours, 1.1), key=STAGES.index)
    return Outlook(stage, part, hours)


def kept(samples: deque[DiskRoom], new: DiskRoom) -> None:
    """Add *new*, and drop samples older than the span of the rate."""
    if samples and (new.whole != samples[-1].whole or new.at < samples[-1].at):
        samples.clear()  # another disk, or another clock
    samples.append(new)
    while len(samples) > 2 and new.at - samples[1].at >= LONGEST:
        samples.popleft()


def short_for_index(free: int, whole: int) -> int:
    """Return the bytes the disk lacks until the index may grow: the log's reserve stays free."""
    return max(0, min(INDEX_MOST, whole // INDEX_SHARE) - free)


def _stage(now: DiskRoom, part: float, hours: float | None, more: float) -> Stage:
    if _below(now, part, URGENT * more) or (hours is not None and hours < URGENT_HOURS * more):
        return "urgent"
    if _below(now, part, LOW * more) or (hours is not None and hours < LOW_HOURS * more):
        return "low"
    return "good"


def _below(now: DiskRoom, part: float, least: float) -> bool:
    return part < least and now.free < ENOUGH * least / LOW
