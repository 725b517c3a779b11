"""Worker threads that run jobs in the order of :class:`FairTurns`.

Rules of this file: a job has a future; one cancelled before its turn is skipped. A kind with a share of the time rests
after each job for a multiple of its duration.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from agent.control.reception.budgets import CallerKind
from agent.control.reception.turns import FairTurns, TurnLimits
from agent.errors import RefusedError
from agent.runtime.time_share import TimeShare
from rules.text import Message

_T = TypeVar("_T")
_LONGEST_REST = 0.25  # seconds


class _Job:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            answer = self.work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            self.future.set_exception(error)
        else:
            self.future.set_result(answer)


class TurnWorkers:
    """*count* threads of *threads*, which this object owns. For any thread."""

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        count: int,
        limits: Mapping[CallerKind, TurnLimits],
        parts: Mapping[CallerKind, float],
    ) -> None:
        self._turns: FairTurns[CallerKind, _Job] = FairTurns(limits)
        self._shares = {kind: TimeShare(part, _LONGEST_REST) for kind, part in parts.items() if part > 1}
        self._changed = threading.Condition()
        self._closing = False
        self._threads = threads
        for _ in range(count):
            threads.submit(self._serve)

    def ask(self, kind: CallerKind, uid: int, work: Callable[[], _T]) -> "Future[_T]":
        """Queue *work* and return its future. Raises :class:`RefusedError` when too many jobs of this uid wait."""
        job = _Job(work)
        with self._changed:
            if self._closing:
                raise RuntimeError("the workers are closed")
            if not self._turns.ask(kind, uid, job):
                raise RefusedError(
                    Message("control.too-many-requests"),
                    Message("control.wait-for-answers"),
                )
            self._changed.notify()
        return job.future

    def close(self, *, drop: bool) -> None:
        """End after the jobs under way and, unless *drop*, the pending ones."""
        with self._changed:
            self._closing = True
            for job in self._turns.drop() if drop else ():
                job.future.cancel()
            self._changed.notify_all()
        self._threads.shutdown()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while (turn := self._turns.next(self._resting())) is None:
                    if self._closing:
                        return
                    self._changed.wait(self._until_rested())
            began = time.monotonic()
            turn.job.run()
            with self._changed:
                if share := self._shares.get(turn.kind):
                    share.spent(began, time.monotonic())
                self._turns.over(turn)
                self._changed.notify()

    def _resting(self) -> frozenset[CallerKind]:
        now = time.monotonic()
        return frozenset(kind for kind, share in self._shares.items() if share.rests(now) and not self._closing)

    def _until_rested(self) -> float | None:
        now = time.monotonic()
        return min((share.rests_until - now for share in self._shares.values() if share.rests(now)), default=None)
