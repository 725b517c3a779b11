"""Cut executor: one thread that cuts all waiting requests together, with shared scans (contract C14).

    stop holders (one scan for all) → record the runs (one commit) → end holders (two scans for all)

Rules of this file: no cut waits for the proof or the end of another run: requests that arrive meanwhile form the next
batch. During a series of requests a batch begins when the series pauses, or after a bound: a person is not cut before
being denied, and cutting would slow down the denials. Nothing is ended before it is recorded. A run that cannot begin
(unknown number, full disk) fails alone. Journal and runner are created in the thread and belong to it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from agent.control.offboarding.host import MORE
from agent.offboard import database
from agent.offboard.callers import Caller
from agent.offboard.context import RevocationContext
from agent.offboard.freezing import freeze_holders
from agent.offboard.journal import RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner
from agent.runtime.home import Home

# Seconds without a request after which a series has paused, and the longest wait for that.
_CALM, _REST = 0.04, 0.4
_CALM_STOPPED, _REST_STOPPED = 0.4, 2.0  # when the last batch had all its processes stopped at the commit


class _CutRequest(NamedTuple):
    name: str
    callers: tuple[Caller, ...]
    holding: bool
    future: "Future[bool]"


class CutExecutor:
    """Cuts triggers submitted by name. *wanted* returns the run of a name, ``None`` when its reason no longer holds.

    *cut* is called after each batch. Public methods are for any thread.
    """

    def __init__(
        self,
        home: Home,
        host: RevocationContext,
        wanted: Callable[[str, tuple[Caller, ...]], WantedRun | None],
        cut: Callable[[], object],
    ) -> None:
        self._home = home
        self._host = host
        self._wanted = wanted
        self._cut = cut
        self._thread = ThreadPoolExecutor(1, "cuts")
        self._turn = threading.Lock()
        self._queue: deque[_CutRequest] = deque()
        self._came_at = self._rests_until = 0.0
        self._begin: list[_CutRequest] = []  # requests of the batch under way that have no run yet
        self._under_way = False
        self._stopped = False
        self._closing = threading.Event()
        self._journal: RevocationJournal | None = None
        self._open_runner: Runner | None = None

    def submit(self, name: str, callers: tuple[Caller, ...] = (), *, holding: bool = False) -> "Future[bool]":
        """Queue a cut of *name*; the future resolves to whether there is a run, or raises the error of the cut.

        *holding*: begin a run only if the person holds something.
        """
        request = _CutRequest(name, callers, holding, Future())
        with self._turn:
            self._queue.append(request)
            self._came_at = time.monotonic()
        self._thread.submit(self._batch)
        return request.future

    @property
    def waiting(self) -> frozenset[str]:
        """The triggers that wait for a cut and have no run yet, except those that may need none."""
        with self._turn:
            return frozenset(request.name for request in (*self._begin, *self._queue) if not request.holding)

    @property
    def busy(self) -> bool:
        """Return whether a cut is under way or queued."""
        with self._turn:
            return bool(self._queue or self._under_way)

    def close(self) -> None:
        """End after the batch under way; the next start takes up the others."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._open_runner:
            self._open_runner.close()
            self._open_runner = None
        if self._journal:
            self._journal.close()
            self._journal = None

    def _batch(self) -> None:
        calm = _CALM_STOPPED if self._stopped else _CALM
        while (pause := min(self._rests_until, self._came_at + calm) - time.monotonic()) > 0:
            if self._closing.wait(pause):
                break
        with self._turn:
            batch, self._queue = list(self._queue), deque()
            self._begin, self._under_way = batch, bool(batch)
        if not batch:
            return  # an earlier batch included it
        try:
            begun = self._begun(batch)
            with self._turn:
                self._begin = []
            if begun:
                self._runner().cut_together(dict.fromkeys(request.name for request in begun))
                self._cut()
        except Exception as error:  # noqa: BLE001 - every waiting caller gets the error, whatever it is
            _fail(batch, error)
        else:
            for request in batch:
                if not request.future.done():
                    request.future.set_result(request in begun)
        with self._turn:
            self._begin, self._under_way = [], False
        if self._queue:
            self._rests_until = time.monotonic() + (_REST_STOPPED if self._stopped else _REST)

    def _begun(self, batch: list[_CutRequest]) -> list[_CutRequest]:
        wanted: list[tuple[_CutRequest, WantedRun]] = []
        for request in batch:
            try:
                run = self._wanted(request.name, request.callers)
            except Exception as error:  # noqa: BLE001 - as above
                _fail([request], error)
            else:
                if run is not None:
                    wanted.append((request, run))
        self._stopped = all(run.cause is Cause.DEPARTURE for _, run in wanted)
        held = freeze_holders(self._host, [run for _, run in wanted])
        begun = [(request, run) for (request, run), had in zip(wanted, held, strict=True) if had or not request.holding]
        self._runner().begin_together(run for _, run in begun)
        return [request for request, _ in begun]

    def _runner(self) -> Runner:
        if self._open_runner is None:
            self._journal = RevocationJournal(database.path(self._home.root), checkpoints=False)
            self._open_runner = Runner(self._journal, self._host, MORE, alongside=False)
        return self._open_runner


def _fail(requests: list[_CutRequest], error: Exception) -> None:
    for request in requests:
        if not request.future.done():
            request.future.set_exception(error)
