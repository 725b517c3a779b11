"""Ignore marks: inodes whose data accesses the kernel need not ask about ("armed but quiet").

Every read and write of a marked filesystem raises an event, and an ignore mark on its inode suppresses it. All these
marks are removed in one call when any rights change, so that open files are asked about afresh.

Rules of this file: silence is given only to what a scan by the control process has cleared since the last change, and
only as long as the shortest verdict it relies on. Loud is slower and never less safe, so every doubtful inode is loud:
one held by a process without rights (contested), one that came into an area recently (recent: it may have been
opened before), one whose opener in a server was forgotten, who may have passed it on, one in two areas, and one in an
area whose every read is to be asked about. One mark silences its inode for every kind of event, whichever of them asks
about its filesystem.
"""

import contextlib
import time
from collections.abc import Iterable

from agent.guard.objects import Object
from agent.guard.pinned_marks import PinnedMarks
from agent.guard.verdicts import NEVER
from agent.kernel import fanotify, mark_flags
from agent.kernel.mark_flags import MarkFlags

_LOOK = 5_000_000_000  # between two holder scans, when new files are the only reason
_EARLY = 10_000_000  # silence ends this long before the verdict: waking takes time, and loud is never less safe
_SHORTEST = (
    250_000_000  # a verdict that ends sooner earns none: the loop looks at the end of silence ten times a second
)
_EVICTABLE = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_EVICTABLE

_MOST_FRESH = 65_536

Inode = tuple[int, int]


class IgnoreMarks:
    """The ignore marks of the *access* group, which is -1 where open descriptors are not asked about."""

    def __init__(self, access: int, flags: MarkFlags | None = None) -> None:
        """*flags*: the marks the kernel supports; asked of the kernel when not given."""
        self._access = access
        supported = flags or (mark_flags.known() if access >= 0 else MarkFlags(0, evictable=True))
        self._mask = supported.access
        self._pinned = None if supported.evictable else PinnedMarks(access, supported.access)
        self._contested: frozenset[Inode] = frozenset()
        self._recent: set[Inode] = set()  # came into an area since the last scan was reported
        self._recent_before: set[Inode] = set()  # … before it, perhaps while control was scanning
        self._asked_to_look = 0
        self._until = NEVER
        self.always_ask: frozenset[str] = frozenset()
        self.granted = False
        self.ended = time.monotonic_ns()  # differs after each end, and in each process

    def end(self) -> None:
        """Remove all ignore marks, so that every access is asked about again."""
        self.ended += 1
        if self._access >= 0:
            fanotify.flush_ignored(self._access)
        if self._pinned:
            self._pinned.forget()
        self.granted = False
        self._until = NEVER

    def grant(self, contested: Iterable[Inode]) -> None:
        """Allow silence after a scan, except for the inodes *contested*."""
        self._contested = frozenset(contested)
        self._recent_before, self._recent = self._recent, set()  # the scan may have begun before they came
        self.granted = True

    def opened(self, until: int) -> None:
        """Record an allowed open whose verdict holds *until*: then the holders of the file are checked again."""
        self._until = min(self._until, until)

    def remaining(self, now: int) -> int:
        """Return the nanoseconds that silence may still last at *now*; it is over at 0 or less."""
        return self._until - _EARLY - now

    def wants_look(self, moment: int) -> bool:
        """Return whether another scan is due because of new files (monotonic nanoseconds)."""
        if not (self._recent or self._recent_before) or moment - self._asked_to_look <= _LOOK:
            return False
        self._asked_to_look = moment
        return True

    def note_arrival(self, target: Object, fd: int) -> None:
        """Record that *target*, open as *fd*, came into an area; earlier openers may have it silenced."""
        self._recent.add((target.device, target.inode))
        self.unignore(fd)

    def doubt(self, inodes: Iterable[Inode]) -> None:
        """Record that an opener of *inodes* was forgotten: a scan has to find out whether they are still open."""
        self._recent.update(inodes)
        if len(self._recent) > _MOST_FRESH:  # no scan for long: everything is asked about until the next
            self.end()
            self._recent = {next(iter(self._recent))}  # for which another scan is requested

    def unignore(self, fd: int) -> None:
        """Make the kernel ask about the inode open as *fd* again."""
        if self._access >= 0:
            with contextlib.suppress(FileNotFoundError):
                mark_flags.ignore_access(self._access, fanotify.FAN_MARK_REMOVE, self._mask, fd)

    def allows(self, target: Object, until: int, now: int) -> bool:
        """Return whether *target* may be silenced after a verdict given *now* that holds *until*."""
        inode = (target.device, target.inode)
        if not self.granted or until - now < _SHORTEST:
            return False
        if inode in self._contested or inode in self._recent or inode in self._recent_before:
            return False
        if len(target.areas) > 1 or not self.always_ask.isdisjoint(target.areas):
            return False
        if target.directory and self._pinned:
            return False
        self._until = min(self._until, until)
        return True

    def ignore(self, fd: int) -> None:
        """Silence the inode open as *fd*; an evictable mark may leave memory, and the next read asks again."""
        with contextlib.suppress(OSError):
            if self._pinned:
                self._pinned.place(fd)
            else:
                mark_flags.ignore_access(self._access, _EVICTABLE, self._mask, fd)
