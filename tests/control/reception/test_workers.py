"""The threads that do what waits: in turn, as many as may be, with rests for whoever has only a part of the time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import pytest

from agent.control.reception.budgets import CallerKind
from agent.control.reception.turns import TurnLimits
from agent.control.reception.workers import TurnWorkers
from agent.errors import RefusedError

ROLE, STRANGER = CallerKind.ROLE, CallerKind.STRANGER
LIMITS = {ROLE: TurnLimits(2, 1, 30), STRANGER: TurnLimits(1, 1, 3)}


@pytest.fixture
def workers() -> Iterator[TurnWorkers]:
    made = TurnWorkers(ThreadPoolExecutor(2), 2, LIMITS, {STRANGER: 4.0})
    yield made
    made.close(drop=True)


def test_who_asks_for_much_waits_behind_who_asks_for_little(workers: TurnWorkers) -> None:
    gate, order = threading.Event(), list[str]()
    busy = [workers.ask(ROLE, uid, partial(gate.wait, 10)) for uid in (1, 9)]
    asked: list[Future[None]] = [workers.ask(ROLE, 1, lambda n=n: order.append(f"much {n}")) for n in range(20)]  # type: ignore[misc]
    asked += [workers.ask(STRANGER, 3, lambda: order.append("stranger"))]
    asked += [workers.ask(ROLE, 2, lambda: order.append("little"))]
    gate.set()
    for future in (*busy, *asked):
        future.result(30)
    assert order.index("little") <= 2
    assert order.index("stranger") > order.index("little")
    assert [word for word in order if word.startswith("much")] == [f"much {n}" for n in range(20)]


def test_too_much_of_one_uid_is_turned_away_and_another_is_not(workers: TurnWorkers) -> None:
    gate = threading.Event()
    busy = workers.ask(STRANGER, 1, partial(gate.wait, 10))
    turned_away = 0
    for _ in range(10):
        try:
            workers.ask(STRANGER, 1, lambda: None)
        except RefusedError:
            turned_away += 1
    assert turned_away in (7, 8)  # the first is under way by then, or waits like the others
    other = workers.ask(STRANGER, 2, lambda: "done")
    gate.set()
    assert other.result(30) == "done"
    assert busy.result(30)


def test_strangers_have_a_part_of_the_time(workers: TurnWorkers) -> None:
    def work() -> float:
        began = time.monotonic()
        while time.monotonic() - began < 0.02:
            pass
        return began

    began = [future.result(30) for future in [workers.ask(STRANGER, uid, work) for uid in range(4)]]
    assert all(later - earlier >= 4 * 0.02 for earlier, later in pairwise(began))


def test_what_was_cancelled_is_passed_over_and_what_fails_is_raised(workers: TurnWorkers) -> None:
    gate, done = threading.Event(), list[int]()
    busy = [workers.ask(ROLE, uid, partial(gate.wait, 10)) for uid in (1, 2)]
    dropped = workers.ask(ROLE, 3, lambda: done.append(1))
    assert dropped.cancel()
    failing = workers.ask(ROLE, 3, lambda: 1 // 0)
    gate.set()
    with pytest.raises(ZeroDivisionError):
        failing.result(30)
    assert all(one.result(30) for one in busy)
    assert not done


@pytest.mark.parametrize("drop", [True, False])
def test_closing_ends_what_waits_or_does_it(drop: bool) -> None:
    workers = TurnWorkers(ThreadPoolExecutor(2), 2, LIMITS, {STRANGER: 4.0})
    gate = threading.Event()
    busy = [workers.ask(ROLE, uid, partial(gate.wait, 10)) for uid in (1, 2)]
    waiting = [workers.ask(kind, 5, lambda: "done") for kind in (ROLE, STRANGER)]
    threading.Timer(0.05, gate.set).start()
    workers.close(drop=drop)
    assert all(one.done() for one in (*busy, *waiting))
    for one in waiting:
        if drop:
            with pytest.raises(CancelledError):
                one.result()
        else:
            assert one.result() == "done"
    with pytest.raises(RuntimeError):
        workers.ask(ROLE, 1, lambda: None)
