"""A child that is kept alive: of what it died, and how long the next one has to wait. Real processes."""

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from agent.runtime import last_death
from agent.runtime.supervisor import Death, Patience, ProcessSupervisor, launcher

PATIENCE = Patience(young=0.0, first=10.0, slowest=100.0, often=3)  # nobody is young; the fourth death is one too many


def child(program: str, patience: Patience = PATIENCE) -> ProcessSupervisor:
    return ProcessSupervisor(launcher([sys.executable, "-S", "-c", program], {}), patience)


def ended(one: ProcessSupervisor) -> Death:
    assert one.pid
    os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
    assert one.ended()
    assert one.died
    return one.died


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGBUS)", "SIGBUS"),
        ("import os, signal; os.kill(os.getpid(), 40)", "signal 40"),
        ("raise SystemExit(3)", "exit 3"),
    ],
)
def test_of_what_it_died_is_known_and_told_to_the_next_one(program: str, how: str) -> None:
    one = child(program)
    one.start()
    pid, died = one.pid, ended(one)
    assert (died.how, died.number, died.pid, died.ours) == (how, 1, pid, False)
    [word] = last_death.arguments(died)
    name, _, said = word.partition("=")
    told = last_death.entry("control", {name: said})
    assert told
    assert (told["how"], told["deaths"], told["process"], told["alarm"]) == (how, 1, "control", True)


def test_whoever_dies_again_and_again_waits_ever_longer_however_long_they_lived() -> None:
    one, waits = child("pass"), []
    for _ in range(6):
        one._started = time.monotonic() - 1e6  # noqa: SLF001 - long ago: nothing is waited for here
        assert one.start()
        died = ended(one)
        waits.append(round(one.delay - died.lived))
    assert [max(0, wait) for wait in waits] == [0, 0, 0, 20, 40, 80]
    assert not one.due()


@pytest.mark.parametrize("end", [ProcessSupervisor.kill, ProcessSupervisor.terminate])
def test_an_end_of_our_making_is_told_apart(end: Callable[[ProcessSupervisor], None]) -> None:
    one = child("import time; time.sleep(60)")
    one.start()
    end(one)
    assert one.died
    assert one.died.ours
    assert one.died.code in (-signal.SIGKILL, -signal.SIGTERM)


@pytest.mark.parametrize("said", ["", "SIGBUS", "SIGBUS,x,1,2", "a,b,c,d,e"])
def test_a_word_that_is_not_understood_says_nothing(said: str) -> None:
    assert last_death.entry("control", {last_death.NAME: said}) is None
    assert last_death.entry("control", {}) is None
