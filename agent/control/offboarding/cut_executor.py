"""The thread that cuts: whoever waits when it is free is cut together, by the same looks (contract C14).

    stop what they hold (one look for all) → write the runs down (one commit) → end it (two looks for all)

Rules of this file: nobody's cut waits for anybody's proof, and none for another's end: everybody who came meanwhile is
the next batch. While they come one after another, a batch begins when nobody comes any more, or after a moment: the
last of many is not cut before it is denied, and cutting would slow that down. Nothing is ended before it is written
down. One that cannot be begun (its number is unknown, the disk is full) fails alone. Journal and runner are made in the
thread, and belong to it.
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

# Seconds since the last one came, after which nobody comes any more, and seconds to that at the most.
_CALM, _REST = 0.04, 0.4
_CALM_STOPPED, _REST_STOPPED = 0.4, 2.0  # where the processes of all in the last batch had been stopped at the commit


class _Asked(NamedTuple):
    name: str
    callers: tuple[Caller, ...]
    holding: bool
    done: "Future[bool]"


class CutExecutor:
    """Cuts what is submitted by name. *wanted* says what a name asks for, ``None`` when it has lost its reason.

    *cut* is told after each batch. Public methods may be called from any thread.
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
        self._asked: deque[_Asked] = deque()
        self._came_at = self._rests_until = 0.0
        self._begin: list[_Asked] = []  # of the batch under way, as long as they have no run
        self._under_way = False
        self._stopped = False
        self._closing = threading.Event()
        self._journal: RevocationJournal | None = None
        self._made: Runner | None = None

    def submit(self, name: str, callers: tuple[Caller, ...] = (), *, holding: bool = False) -> "Future[bool]":
        """Have *name* cut; the future ends with the cut, or raises what kept it from that, and says if there is a run.

        *holding*: only if the person holds something; else there is none, and nothing to prove.
        """
        asked = _Asked(name, callers, holding, Future())
        with self._turn:
            self._asked.append(asked)
            self._came_at = time.monotonic()
        self._thread.submit(self._batch)
        return asked.done

    @property
    def waiting(self) -> frozenset[str]:
        """Who waits to be cut, and has no run yet; not who may hold nothing, and then has none."""
        with self._turn:
            return frozenset(one.name for one in (*self._begin, *self._asked) if not one.holding)

    @property
    def busy(self) -> bool:
        """Whether somebody is being cut, or waits for it."""
        with self._turn:
            return bool(self._asked or self._under_way)

    def close(self) -> None:
        """End after the batch under way; what has not begun is taken up at the next start."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._made:
            self._made.close()
            self._made = None
        if self._journal:
            self._journal.close()
            self._journal = None

    def _batch(self) -> None:
        calm = _CALM_STOPPED if self._stopped else _CALM
        while (rest := min(self._rests_until, self._came_at + calm) - time.monotonic()) > 0:
            if self._closing.wait(rest):
                break
        with self._turn:
            batch, self._asked = list(self._asked), deque()
            self._begin, self._under_way = batch, bool(batch)
        if not batch:
            return  # an earlier batch has taken it along
        try:
            begun = self._begun(batch)
            with self._turn:
                self._begin = []
            if begun:
                self._runner().cut_together(dict.fromkeys(one.name for one in begun))
                self._cut()
        except Exception as error:  # noqa: BLE001 - whoever waits for one of them is told, whatever it is
            _fail(batch, error)
        else:
            for one in batch:
                if not one.done.done():
                    one.done.set_result(one in begun)
        with self._turn:
            self._begin, self._under_way = [], False
        if self._asked:
            self._rests_until = time.monotonic() + (_REST_STOPPED if self._stopped else _REST)

    def _begun(self, batch: list[_Asked]) -> list[_Asked]:
        wanted: list[tuple[_Asked, WantedRun]] = []
        for one in batch:
            try:
                run = self._wanted(one.name, one.callers)
            except Exception as error:  # noqa: BLE001 - as above
                _fail([one], error)
            else:
                if run is not None:
                    wanted.append((one, run))
        self._stopped = all(run.cause is Cause.DEPARTURE for _, run in wanted)
        held = freeze_holders(self._host, [run for _, run in wanted])
        begun = [(one, run) for (one, run), had in zip(wanted, held, strict=True) if had or not one.holding]
        self._runner().begin_together(run for _, run in begun)
        return [one for one, _ in begun]

    def _runner(self) -> Runner:
        if self._made is None:
            self._journal = RevocationJournal(database.path(self._home.root), checkpoints=False)
            self._made = Runner(self._journal, self._host, MORE, alongside=False)
        return self._made


def _fail(asked: list[_Asked], error: Exception) -> None:
    for one in asked:
        if not one.done.done():
            one.done.set_exception(error)
