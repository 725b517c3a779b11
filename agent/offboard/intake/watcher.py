"""The watcher of the spool: deliveries are taken up at once. The sweep every second is the guarantee.

Rules of this file: no event carries meaning, each is only a reason to sweep now. Measured of watchdog 7.1: it does not
report files that were there before it, nor that the watched directory is renamed and made again, and a full kernel
queue is a line in a log. So the directory is watched anew when it is another one, and a watcher that cannot start is no
trouble. It also holds back the event of a file that was moved away for half a second, to find out whereto, with
everything behind it in the queue: filing one delivery would delay the next. So that event is not requested, through the
one method of its emitter that selects events. Without overriding it, a delivery renamed from elsewhere waits up to half
a second behind the last one; watching the whole spool, where a filed delivery can be followed, would let the drop user
create directories, each of which costs root an inotify watch.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from watchdog.events import FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import InotifyConstants, Mask

from agent.errors import ShoumiError
from agent.offboard.intake.inbox import Inbox
from rules.text import Sentence

SWEEP_SECONDS: Final = 1.0

_ARRIVALS: Final[list[type[FileSystemEvent]]] = [FileClosedEvent, FileCreatedEvent, FileMovedEvent]  # no reading


class SpoolWatcher:
    """Calls *wake* from a thread of its own soon after something arrives in a directory."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._observer: BaseObserver | None = None
        self._watched: object = None

    def follow(self, folder: Path, identity: tuple[int, int]) -> None:
        """Watch *folder*, which is at present the directory *identity*; nothing happens when it is watched already."""
        if identity == self._watched:
            return
        self.stop()
        observer = BaseObserver(_Emitter)
        try:
            observer.schedule(_Waker(self._wake), str(folder), event_filter=_ARRIVALS)
            observer.start()
        except (OSError, RuntimeError):  # no inotify left, no thread left: the sweep does without
            return
        self._observer, self._watched = observer, identity

    def stop(self) -> None:
        """End watching."""
        if self._observer:
            self._observer.stop()
            self._observer.join()
        self._observer, self._watched = None, None


class _Emitter(InotifyEmitter):
    def get_event_mask_from_filter(self) -> Mask:
        return Mask(super().get_event_mask_from_filter() & ~InotifyConstants.IN_MOVED_FROM)


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, _event: FileSystemEvent) -> None:
        self._wake()


def serve(
    inbox: Inbox,
    clock: Callable[[], datetime],
    stop: threading.Event,
    trouble: Callable[[str, Sentence], None],
) -> None:
    """Sweep at the start, at each arrival, and every second; return within a second after *stop* is set.

    A :class:`ShoumiError` of a sweep goes to *trouble*, once while it lasts, and the next sweep tries again. An
    exception of *trouble* ends nothing. Raises :class:`agent.errors.FatalError`.
    """
    arrived = threading.Event()
    reported: Sentence | None = None
    watch = SpoolWatcher(arrived.set)
    try:
        while not stop.is_set():
            folder = inbox.folder
            watch.follow(*folder)
            arrived.clear()  # before the sweep: what arrives during it causes another one
            try:
                inbox.sweep(clock())
            except ShoumiError as error:
                if error.text != reported:
                    with suppress(ShoumiError):
                        trouble("sweep", error.text)
                        reported = error.text
                stop.wait(SWEEP_SECONDS)
            else:
                reported = None
                if inbox.folder == folder and not inbox.more:  # else it is not watched yet
                    arrived.wait(SWEEP_SECONDS)
    finally:
        watch.stop()
