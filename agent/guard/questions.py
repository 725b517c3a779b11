"""Questions of the loop to the label worker, and the events that wait for the answers.

Rules of this file: nothing here waits. An answer about a place that was asked for before the areas changed is stale,
and is asked for again. One server process is swept at a time, without a waiting event. Belongs to the loop.
"""

import time
from collections.abc import Iterator

from agent.errors import FatalError
from agent.guard import worker_packets as packets
from agent.guard.label_worker import LabelWorkerClient
from agent.guard.openers import Inode, Openers, ServerLook
from agent.guard.parked import ParkedEvent, ParkedEvents
from agent.guard.placing import AreaPlace, Placement
from agent.guard.verdicts import CROWDED, LATE
from agent.guard.worker_packets import Closed, Kind
from rules.model import Verdict
from rules.text import Message, Sentence

_SILENT = 10_000_000_000  # nanoseconds after which a silent label worker counts as failed
_OPENED_BEFORE = 1_000_000_000  # … after which the descriptor of an open exists


class WorkerQuestions:
    """Questions by number, and the worker they go to."""

    def __init__(self, worker: LabelWorkerClient, openers: Openers) -> None:
        self._worker = worker
        self._openers = openers
        self._parked = ParkedEvents()
        self._last_number = self._first_current = packets.FIRST
        self._heard = time.monotonic_ns()
        self._swept: tuple[int, int, tuple[Inode, ...], int] | None = None  # number, process, its files, when

    def fileno(self) -> int:
        """The descriptor to wait on for answers."""
        return self._worker.fileno()

    def heard(self) -> None:
        """Restart the measurement of the worker's silence."""
        self._heard = time.monotonic_ns()

    def replace_areas(self, areas: list[AreaPlace]) -> None:
        """Send the present areas to the worker."""
        self._worker.replace(areas)
        self._first_current = self._last_number + 1

    def park(self, event: ParkedEvent) -> Verdict | None:
        """Ask about *event* and let it wait; return the verdict when it cannot wait."""
        if not self._parked.room_for(event.person):
            return CROWDED
        self._last_number += 1
        if self._parked.park(self._last_number, event) and not self._ask(self._last_number, event):
            self._parked.answered(self._last_number)
            return LATE
        return None

    def answers(self) -> Iterator[tuple[ParkedEvent, Placement | ServerLook | None]]:
        """Yield the answered events, and ask the next questions; ``None`` is a stale answer.

        Raises :class:`FatalError` when the worker is gone.
        """
        try:
            for number, reply in self._worker.answers():
                self._heard = time.monotonic_ns()
                if isinstance(reply, Closed):
                    self._take_closed(number, reply)
                elif (event := self._parked.answered(number)) is not None:
                    stale = event.kind is Kind.PLACE and number < self._first_current
                    yield event, None if stale else reply
        except EOFError:
            raise _worker_failed(Message("guard.label-worker-ended")) from None
        finally:
            for number, event in self._parked.next_questions():
                self._ask(number, event)  # one that is not taken is denied at its deadline

    def overdue(self, moment: int) -> list[ParkedEvent]:
        """Return the events whose deadline is over at *moment*; they wait no more."""
        return list(self._parked.overdue(moment))

    def tend(self, moment: int) -> None:
        """Ping the worker, and ask which files a server has closed. Raises :class:`FatalError`."""
        self._worker.ping()
        if moment - self._heard > _SILENT:
            raise _worker_failed(Message("guard.label-worker-not-responding"))
        self._openers.forget_ended()
        if self._swept is None or moment - self._swept[3] >= _SILENT:
            self._sweep(moment)

    def _sweep(self, moment: int) -> None:
        """Ask which files a server has closed, if one has opened many."""
        if (grown := next(self._openers.sweepable(), None)) is not None:
            pid, files = grown
            self._last_number += 1
            if self._worker.sweep(self._last_number, pid, files):
                self._swept = self._last_number, pid, files, moment

    def close_there(self, fd: int) -> None:
        """See :meth:`LabelWorkerClient.close_there`."""
        self._worker.close_there(fd)

    def discard(self, fd: int, owner: int) -> None:
        """See :meth:`LabelWorkerClient.discard`."""
        self._worker.discard(fd, owner)

    def end(self) -> None:
        """End the worker."""
        self._worker.kill()

    def _ask(self, number: int, event: ParkedEvent) -> bool:
        return self._worker.ask(number, event.fd, event.tid, event.kind)

    def _take_closed(self, number: int, reply: Closed) -> None:
        if self._swept is not None and self._swept[0] == number:
            _, pid, files, asked_at = self._swept
            closed = (files[place] for place in reply.places)
            dropped = self._openers.swept(pid, closed, asked_at - _OPENED_BEFORE, more=reply.more)
            self._swept = None
            if reply.more and dropped:
                self._sweep(time.monotonic_ns())


def _worker_failed(text: Sentence) -> FatalError:
    return FatalError(text)
