"""When the kernel need not ask about data that passes through an open descriptor: "armed but quiet".

Every read and write of a marked filesystem raises an event, and an ignore mark on its inode silences it again. All
these marks go in one call when anybody's rights change, so what is open is asked about afresh.

Rules of this file: silence is given only for what a look by the control process has cleared since the last change, and
only as long as the shortest verdict it rests on. Loud is slower and never less safe; so whatever is in doubt is loud:
an inode somebody without rights holds (``noisy``), one that came into an area lately (``fresh``: somebody may have
opened it before), one of which a server's opener was forgotten, who may have passed it on, one in two areas, and one in
an area whose every read is to be asked about. One mark silences its inode for every kind of event the kernel has,
whichever of them asks about its filesystem.
"""

import contextlib
import time
from collections.abc import Iterable

from agent.guard.objects import Object
from agent.guard.pinned_marks import PinnedMarks
from agent.guard.verdicts import NEVER
from agent.kernel import fanotify, mark_flags
from agent.kernel.mark_flags import MarkFlags

_LOOK = 5_000_000_000  # between two looks at who holds what, when nothing but new files is the reason
_EARLY = 10_000_000  # silence ends so long before the verdict does: waking takes time, and loud is never less safe
_SHORTEST = (
    250_000_000  # a verdict that ends sooner earns none: the loop looks at the end of silence ten times a second
)
_EVICTABLE = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_EVICTABLE

_MOST_FRESH = 65_536

Inode = tuple[int, int]


class IgnoreMarks:
    """The ignore marks of the *access* group, which is -1 where open descriptors are not asked about."""

    def __init__(self, access: int, flags: MarkFlags | None = None) -> None:
        """*flags*: what the kernel knows; it is asked where that is not given."""
        self._access = access
        known = flags or (mark_flags.known() if access >= 0 else MarkFlags(0, evictable=True))
        self._mask = known.access
        self._pinned = None if known.evictable else PinnedMarks(access, known.access)
        self._noisy: frozenset[Inode] = frozenset()
        self._fresh: set[Inode] = set()  # came into an area since the last look was reported
        self._fresh_before: set[Inode] = set()  # … before it, perhaps while control was looking
        self._asked_to_look = 0
        self._until = NEVER
        self.loud_areas: frozenset[str] = frozenset()
        self.granted = False
        self.ended = time.monotonic_ns()  # another number after each end, and in each process

    def end(self) -> None:
        """Have everything asked about again, at once."""
        self.ended += 1
        if self._access >= 0:
            fanotify.flush_ignored(self._access)
        if self._pinned:
            self._pinned.forget()
        self.granted = False
        self._until = NEVER

    def grant(self, noisy: Iterable[Inode]) -> None:
        """Allow silence after a look, except for the inodes *noisy*."""
        self._noisy = frozenset(noisy)
        self._fresh_before, self._fresh = self._fresh, set()  # the look may have begun before they came
        self.granted = True

    def opened(self, until: int) -> None:
        """Take note that an open was allowed that holds *until*: then whoever holds the file is looked at again."""
        self._until = min(self._until, until)

    def left(self, now: int) -> int:
        """Return how long silence may still last at *now*, in nanoseconds; none is left when it is 0 or less."""
        return self._until - _EARLY - now

    def wants_look(self, moment: int) -> bool:
        """Whether it is time to ask for another look, for the sake of new files (monotonic nanoseconds)."""
        if not (self._fresh or self._fresh_before) or moment - self._asked_to_look <= _LOOK:
            return False
        self._asked_to_look = moment
        return True

    def came(self, thing: Object, fd: int) -> None:
        """Take note that *thing*, open as *fd*, has come into an area; it may be silent for who opened it before."""
        self._fresh.add((thing.device, thing.inode))
        self.wake(fd)

    def doubt(self, inodes: Iterable[Inode]) -> None:
        """Take note that somebody who had *inodes* open was forgotten: a look has to say whether anybody has them."""
        self._fresh.update(inodes)
        if len(self._fresh) > _MOST_FRESH:  # no look has come for long: everything is asked about until one does
            self.end()
            self._fresh = {next(iter(self._fresh))}  # for which another look is asked

    def wake(self, fd: int) -> None:
        """Have the inode open as *fd* asked about again."""
        if self._access >= 0:
            with contextlib.suppress(FileNotFoundError):
                mark_flags.ignore_access(self._access, fanotify.FAN_MARK_REMOVE, self._mask, fd)

    def allows(self, thing: Object, until: int, now: int) -> bool:
        """Whether *thing* may be silent after a verdict given *now* that holds *until*."""
        inode = (thing.device, thing.inode)
        if not self.granted or until - now < _SHORTEST:
            return False
        if inode in self._noisy or inode in self._fresh or inode in self._fresh_before:
            return False
        if len(thing.areas) > 1 or not self.loud_areas.isdisjoint(thing.areas):
            return False
        if thing.directory and self._pinned:
            return False
        self._until = min(self._until, until)
        return True

    def hush(self, fd: int) -> None:
        """Silence the inode open as *fd*; where the kernel can, it may leave memory, and the next read asks again."""
        with contextlib.suppress(OSError):
            if self._pinned:
                self._pinned.place(fd)
            else:
                mark_flags.ignore_access(self._access, _EVICTABLE, self._mask, fd)
