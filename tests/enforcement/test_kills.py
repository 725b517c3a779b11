"""Whoever of the agent dies, and whenever: nobody gets a file that was not allowed, and none without an entry (C2, C3).

The decider and the control process are killed while eight openers are at work, a few times here and hundreds of times
in ``tests.long.kills``; the holder is killed, stopped in order, and frozen. After every death the agent must serve
again by itself.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.demo.actors import acting, attempt, reading
from agent.kernel import mounting
from tests.enforcement.killing import (
    FLOWING,
    documents,
    everybody,
    holder_killed,
    killed,
    successor,
    survived,
    verified,
)
from tests.enforcement.load import load, unrecorded
from tests.enforcement.scene import CLEARED, TOO_LOW, Scene, alive, asked, dead_man, error_of, scene, until
from tests.stopped import stopped

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-kills")]

ROUNDS = (("decider",), ("control",), ("decider", "control"), ("decider",))  # 300 of them are in tests/long/kills.py
FILES = 40


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene(settings=("heartbeat_seconds = 1.0",)) as made:
        yield made


@pytest.fixture(scope="module")
def files(site: Scene) -> list[Path]:
    return documents(site, FILES)


@pytest.fixture
def watched(site: Scene) -> Iterator[None]:
    """More patience than elsewhere: deaths take their time."""
    with dead_man(site.site, 300):
        site.mark()
        yield


def test_no_death_of_decider_or_control_lets_anybody_in_or_loses_an_entry(site: Scene, files: list[Path]) -> None:
    chance = random.Random(6)
    with load(files) as people:
        for victims in ROUNDS:
            time.sleep(chance.uniform(0, 0.1))  # so that death comes at any point of its work
            survived(site, killed(site, victims), people)
            assert people.wrongly_opened() == []
    opened, entries = people.opened(), site.news()
    assert people.wrongly_opened() == []
    assert unrecorded(opened, entries) == []
    assert len(opened) > FLOWING * len(ROUNDS)
    starts = [entry for entry in entries if entry["kind"] == "decider-started"]
    assert len(starts) >= sum("decider" in victims for victims in ROUNDS)
    verified(site)


def test_a_frozen_decider_is_replaced_and_lets_nobody_in_when_it_thaws(site: Scene, files: list[Path]) -> None:
    with load(files) as people:
        until(people.count)
        frozen = site.site.process("decider")
        os.kill(frozen, signal.SIGSTOP)
        until(lambda: successor(site, "decider") not in (None, frozen))
        before = people.count()
        until(lambda: people.count() > before + 20)
        assert not alive(frozen)
    assert people.wrongly_opened() == []
    assert unrecorded(people.opened(), site.news()) == []
    verified(site)


def test_while_no_decider_can_start_opens_are_denied_soon(site: Scene) -> None:
    """Killed as soon as it starts, it is started ever more slowly, and the holder says no in its place."""
    denied_before = denied_by_holder(site)
    site.mark()
    outcomes: list[tuple[str, float]] = []

    def trying(say: Callable[[object], None]) -> None:
        while True:
            started = time.monotonic()
            say([error_of(lambda: os.close(os.open(site.plans / "doc.txt", os.O_RDONLY))), time.monotonic() - started])

    with acting(TOO_LOW, trying) as forbidden:
        deadline = time.monotonic() + 1.5

        def enough() -> bool:
            pid = successor(site, "decider")
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):  # the one before, which was just buried
                    os.kill(pid, signal.SIGKILL)
            outcomes.extend(outcome.value for outcome in forbidden.heard())
            return len(outcomes) > 5 and time.monotonic() >= deadline

        until(enough)
    assert {error for error, _ in outcomes} == {"EPERM"}
    assert max(seconds for _, seconds in outcomes) < 20  # nobody waits for a decider that never comes
    site.serving()
    by_deciders = site.denials(TOO_LOW)  # some live long enough for it
    by_holder = denied_by_holder(site) - denied_before  # counted, and recorded by the next decider
    assert by_holder + len(by_deciders) >= len(outcomes) - 1


def denied_by_holder(site: Scene) -> int:
    """Return how many opens the holder had denied in place of a decider when the present one started."""
    return max(entry["denied_meanwhile"] for entry in site.site.entries() if entry["kind"] == "decider-started")


def test_stopping_in_order_hides_the_area_and_starting_shows_it_again(site: Scene, files: list[Path]) -> None:
    with load(files) as people:
        until(people.count)
        site.site.stop()
        assert mounting.hidden(str(site.plans))
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error in ("EACCES", "ENOENT")
        assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error in ("EACCES", "ENOENT")
        time.sleep(0.2)  # the openers go on against a gate that nobody holds any more
        site.site.start()
        until(lambda: not mounting.hidden(str(site.plans)))
        before = people.count()
        until(lambda: people.count() > before + 20)
    assert people.wrongly_opened() == []
    assert unrecorded(people.opened(), site.news()) == []
    verified(site)


def test_the_death_of_the_holder_hides_the_area(site: Scene, files: list[Path]) -> None:
    with load(files) as people:
        until(people.count)
        holder_killed(site)
        site.site.stop()
        assert mounting.hidden(str(site.plans))
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error in ("EACCES", "ENOENT")
        time.sleep(0.2)
        site.site.start()
        before = people.count()
        until(lambda: people.count() > before + 20)
    assert people.wrongly_opened() == []
    assert unrecorded(people.opened(), site.news()) == []
    site.serving()
    verified(site)


def crowd(path: Path, size: int) -> Callable[[Callable[[object], None]], None]:
    """Open *path* in *size* threads at once, and say how that went."""

    def act(say: Callable[[object], None]) -> None:
        threading.stack_size(128 << 10)
        everybody = threading.Barrier(size)  # no thread is still being made while others open

        def open_it() -> None:
            everybody.wait()
            os.close(os.open(path, os.O_RDONLY))

        with ThreadPoolExecutor(size) as pool:
            opens = [pool.submit(error_of, open_it) for _ in range(size)]
            say(sorted({opened.result() for opened in opens}))

    return act


def test_whoever_waits_while_the_agent_is_stopped_in_order_is_denied(site: Scene) -> None:
    holder = site.site.agent
    assert holder
    with site.stopped("decider"), acting(TOO_LOW, crowd(site.plans / "doc.txt", 20)) as people:
        with stopped(holder.pid):  # so that it does not replace the decider meanwhile
            until(lambda: asked(holder.pid) == 20)
            holder.terminate()
        site.site.stop()
        assert people.next().value == ["EPERM"]
    site.site.start()


def test_whoever_waits_while_the_holder_dies_is_denied_by_the_decider(site: Scene) -> None:
    """More than one turn of the decider can take: the rest it must deny on its way out."""
    size = 700
    holder, left = site.site.agent, everybody(site)
    assert holder
    with (
        site.stopped("decider") as decider,
        stopped(holder.pid),  # so that it does not replace the decider meanwhile
        acting(TOO_LOW, crowd(site.plans / "doc.txt", size)) as people,
    ):
        until(lambda: asked(holder.pid) == size)
        holder.kill()
        os.kill(decider, signal.SIGCONT)
        assert people.next(60).value == ["EPERM"]
    until(lambda: not any(map(alive, left)))
    site.site.stop()
    site.site.start()
    site.serving()
