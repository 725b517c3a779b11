"""Faults of the agent's own parts: killed in pairs, stopped, without a reader for what they say, without a gate.

Whatever happens, nobody gets what they may not have, nobody gets it without an entry, and the agent serves again by
itself. In an agent that only observes, nobody is ever denied.
"""

import contextlib
import fcntl
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.demo.actors import acting, attempt, reading
from agent.demo.stage import stage
from agent.kernel import mounting
from tests.enforcement.killing import FLOWING, documents, killed, label_worker, successor, survived, verified
from tests.enforcement.load import load, unrecorded
from tests.enforcement.scene import (
    CLEARED,
    SIZE,
    TOO_LOW,
    UNKNOWN,
    Area,
    Scene,
    alive,
    dead_man,
    error_of,
    scene,
    until,
    write,
)
from tests.sentences import en
from tests.stopped import stopped

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-faults")]

PARTS = ("decider", "control", "watcher", "labels")
PAIRS = tuple(itertools.combinations(PARTS, 2))


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene(settings=("heartbeat_seconds = 1.0",)) as made:
        yield made


@pytest.fixture(scope="module")
def files(site: Scene) -> list[Path]:
    return documents(site, 40)


@pytest.fixture
def watched(site: Scene) -> Iterator[None]:
    with dead_man(site.site, 300):
        site.mark()
        yield


def test_the_death_of_any_two_parts_lets_nobody_in_and_loses_no_entry(site: Scene, files: list[Path]) -> None:
    chance = random.Random(11)
    with load(files) as people:
        for victims in PAIRS:
            time.sleep(chance.uniform(0, 0.1))  # so that death comes at any point of their work
            dead = killed(site, victims)
            survived(site, {name: pid for name, pid in dead.items() if name != "labels"}, people)
            assert people.wrongly_opened() == []
    assert unrecorded(people.opened(), site.news()) == []
    verified(site)


@pytest.mark.parametrize("part", ["decider", "control", "watcher", "labels", "holder"])
def test_a_part_that_is_stopped_for_a_while_lets_nobody_in(site: Scene, files: list[Path], part: str) -> None:
    pids: dict[str, Callable[[], int]] = {
        "holder": lambda: site.site.agent.pid if site.site.agent else 0,
        "labels": lambda: label_worker(site),
    }
    site.serving()  # whoever died before has a successor
    pid = pids[part]() if part in pids else site.site.process(part)
    with load(files) as people:
        until(people.count)
        with stopped(pid):
            time.sleep(1.5)  # the span itself: longer than the heartbeat
        before = people.count()
        until(lambda: people.count() > before + FLOWING)
        assert people.wrongly_opened() == []
    assert unrecorded(people.opened(), site.news()) == []
    until(site.answers)


def full_pipe() -> tuple[int, int]:
    """Make a pipe that takes not one byte more; nobody ever reads it."""
    reading_end, writing_end = os.pipe()
    os.set_blocking(writing_end, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing_end, b"x" * 4096):
            pass
    with contextlib.suppress(BlockingIOError):
        while os.write(writing_end, b"x"):
            pass
    os.set_blocking(writing_end, True)
    return reading_end, writing_end


def test_an_output_that_nobody_reads_stops_nothing(able: None) -> None:
    reading_end, writing_end = full_pipe()
    try:
        with scene(stderr=writing_end, settings=("heartbeat_seconds = 1.0",)) as made, dead_man(made.site, 120):
            for name in PARTS:
                killed(made, (name,))
                until(lambda: attempt(CLEARED, reading(made.plans / "doc.txt")).allowed)
                assert attempt(TOO_LOW, reading(made.plans / "doc.txt")).error == "EPERM"
            until(made.answers)
    finally:
        os.close(reading_end)
        os.close(writing_end)


def test_an_agent_that_only_observes_denies_nobody_whatever_breaks(able: None) -> None:
    observing = scene((Area("plans", options=("--observe",)),), settings=("heartbeat_seconds = 1.0",))
    with observing as made, dead_man(made.site, 120):
        path = made.plans / "doc.txt"
        assert attempt(TOO_LOW, reading(path)).value == SIZE
        os.mknod(made.plans / "unlabelled", 0o666)
        (made.plans / "unlabelled").chmod(0o666)

        def trying(say: Callable[[object], None]) -> None:
            while True:
                for file in (path, made.plans / "unlabelled"):
                    say(error_of(lambda file=file: os.close(os.open(file, os.O_RDONLY))))
                time.sleep(0.01)

        with acting(UNKNOWN, trying) as stranger:
            for name in PARTS:
                dead = killed(made, (name,))
                time.sleep(0.3)
            until(lambda: successor(made, "labels") not in (None, dead["labels"]))
            with stopped(label_worker(made)):
                os.mknod(made.plans / "later", 0o666)
                (made.plans / "later").chmod(0o666)
                assert attempt(UNKNOWN, reading(made.plans / "later")).value == 0
            with stopped(made.site.process("decider")):
                time.sleep(1.5)
            registry = made.site.home.registry
            aside = registry.with_suffix(".aside")
            os.rename(registry, aside)
            try:
                killed(made, ("decider",))
                time.sleep(1.5)
            finally:
                os.rename(aside, registry)
            until(lambda: attempt(UNKNOWN, reading(path)).allowed)
            said = {reply.value for reply in stranger.heard()}
        assert said == {""}


def test_whoever_opened_a_file_while_no_agent_ran_is_named_and_ended_as_the_area_says(able: None) -> None:
    with scene(settings=("heartbeat_seconds = 1.0",)) as made, dead_man(made.site, 120):
        made.site.shoumi("area", "set", "plans", "--held", "end")
        agent = made.site.agent
        assert agent is not None
        everybody = [agent.pid, *(made.site.process(name) for name in ("decider", "control", "watcher"))]
        for pid in everybody:  # first none of them can run any more, then all die: nobody is left to hide the area
            os.kill(pid, signal.SIGSTOP)
        for pid in everybody:
            os.kill(pid, signal.SIGKILL)
        agent.wait()
        assert agent.stdout
        agent.stdout.close()
        made.site.agent = None

        def holding(say: Callable[[object], None]) -> None:
            kept = os.open(made.plans / "doc.txt", os.O_RDONLY)
            say("opened")
            while True:
                with contextlib.suppress(PermissionError):  # opened while the old marks died, it is asked about
                    os.pread(kept, 10, 0)
                time.sleep(0.01)

        with acting(UNKNOWN, holding) as thief, acting(CLEARED, holding) as reader:
            assert (thief.next().value, reader.next().value) == ("opened", "opened")
            made.site.start()
            until(lambda: b"Z" in Path(f"/proc/{thief.pid}/stat").read_bytes().rpartition(b")")[2].split()[0])
            [entry] = [entry for entry in made.site.entries() if entry["kind"] == "held-before"]
            assert {holder["pid"]: holder["may"] for holder in entry["holders"]} == {thief.pid: False, reader.pid: True}
            assert (entry["ended"], entry["why"], entry["alarm"]) == (1, "start", True)
            found = made.shown()["findings"]
            assert str(reader.pid) in next(en(f["text"]) for f in found if f["code"] == "held-before")


def test_from_the_first_moment_of_a_start_nobody_uncleared_opens_though_nothing_is_labelled(able: None) -> None:
    with scene(size=512 << 20) as made, dead_man(made.site, 200):
        count = 20_000
        made.site.stop()
        for door in (made.site.root,):
            mounting.unhide(str(door))
        for number in range(count):
            os.mknod(made.plans / f"new{number}", 0o666)
        write(made.plans / "last.txt")

        def trying(say: Callable[[object], None]) -> None:
            chance = random.Random()
            said = ""
            while True:
                path = made.plans / f"new{chance.randrange(count)}"
                came = error_of(lambda path=path: os.close(os.open(path, os.O_RDONLY))) or "opened"
                if came != said:
                    said = came
                    say([came, time.monotonic()])

        with acting(UNKNOWN, trying) as stranger:
            assert stranger.next().value[0] == "opened"
            made.site.start()
            ready = time.monotonic()
            until(lambda: made.shown()["files"] > count, 60)
            heard = [reply.value for reply in stranger.heard()]
        assert "opened" not in [came for came, _ in heard[1:]]
        assert heard[0][1] < ready
        assert attempt(CLEARED, reading(made.plans / "last.txt")).value == SIZE


def test_two_agents_never_guard_one_volume(site: Scene) -> None:
    with stage() as other:
        other.start()
        refused = other.shoumi(
            "area", "add", str(site.site.root / "public"), "--name", "mine", "--level", "secret", "--domain", "state",
            check=False,
        )  # fmt: skip
        assert refused.returncode == 1
        assert str(site.site.home.root) in refused.stderr
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE


def test_a_home_has_one_agent(site: Scene) -> None:
    refused = site.site.shoumi("run", check=False)
    assert refused.returncode == 1
    assert "an agent already runs" in refused.stderr


def test_a_lock_that_a_dying_decider_still_holds_kills_no_successor(site: Scene) -> None:
    """Somebody else holds the log's lock: the holder denies, and afterwards everything goes on by itself."""
    lock, holder = os.open(site.site.home.log / ".lock", os.O_RDWR), site.site.agent
    assert holder
    site.serving()
    try:
        decider = site.site.process("decider")
        with stopped(holder.pid):  # so that no successor has it first
            os.kill(decider, signal.SIGKILL)
            until(lambda: not alive(decider))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
        assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    finally:
        os.close(lock)
    until(lambda: attempt(CLEARED, reading(site.plans / "doc.txt")).allowed)
    until(site.answers)


@pytest.mark.parametrize(("part", "signal_", "how"), [("control", signal.SIGBUS, "SIGBUS"), ("decider", 11, "SIGSEGV")])
def test_of_what_a_part_died_is_recorded_by_the_next_one(site: Scene, part: str, signal_: int, how: str) -> None:
    site.serving()
    site.mark()
    died = site.site.process(part)
    os.kill(died, signal_)
    until(lambda: [entry for entry in site.news() if entry["kind"] == "process-died"])
    [told] = [entry for entry in site.news() if entry["kind"] == "process-died"]
    assert (told["process"], told["how"], told["pid"], told["alarm"]) == (part, how, died, True)
    site.serving()
