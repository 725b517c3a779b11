"""A hold, while the person has the file open: his reads stop, and the person beside him notices nothing (contract C6).

Rules of this file: both read the same file through descriptors opened before, and stamp each read on the clock that all
processes of the machine share. A read counts as late only if it *began* after the hold was acknowledged: one that was
inside the kernel at that moment had been let through before.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from agent.demo.actors import Actor, Identity, acting
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import Cut
from agent.errors import Refused
from rules.text import Text

_ENOUGH = 300  # reads of each before the hold, and of the bystander after it
_REFUSALS = 50  # the person on hold tries this often again
_PATIENCE = 10.0
_PACE = 0.0002
_MS = 1_000_000

_READS, _BEGAN, _ENDED, _REFUSED, _LONGEST = range(5)  # numbers of one reader; instants in monotonic nanoseconds
_PER_READER = 5


def holding(
    document: Path, person: Identity, bystander: Identity, hold: Callable[[], object], quiet: Callable[[], bool]
) -> Cut:
    """Let both read *document*, call *hold*, which returns once it is acknowledged, and watch what happens.

    *quiet* tells whether the agent has stopped asking about each read. That is when there is something to show, and
    again when the hold must stay in force: the bystander is quiet then, on the very inode.
    """
    numbers = Numbers(2 * _PER_READER)
    with ExitStack() as stack:
        readers = [
            stack.enter_context(acting(who, _reading(document, numbers, index * _PER_READER)))
            for index, who in enumerate((person, bystander))
        ]
        for reader in readers:
            _ready(reader)
        wait_until(lambda: min(numbers[_READS], numbers[_PER_READER + _READS]) >= _ENOUGH, _PATIENCE)
        wait_until(quiet, _PATIENCE)
        numbers[_PER_READER + _LONGEST] = 0
        before = numbers[_PER_READER + _READS]
        asked = time.monotonic_ns()
        hold()
        acknowledged = time.monotonic_ns()
        stopped = wait_until(lambda: numbers[_REFUSED] >= _REFUSALS, _PATIENCE)
        wait_until(quiet, _PATIENCE)
        later = numbers[_PER_READER + _READS] + _ENOUGH
        wait_until(lambda: numbers[_PER_READER + _READS] >= later, _PATIENCE)
        numbers.end()
        for reader in readers:
            reader.next()
    return Cut(
        act=(acknowledged - asked) / _MS,
        last=(numbers[_ENDED] - asked) / _MS,
        late=numbers[_BEGAN] > acknowledged,
        stopped=stopped,
        bystander_reads=numbers[_PER_READER + _READS] - before,
        bystander_errors=numbers[_PER_READER + _REFUSED],
        bystander_longest=numbers[_PER_READER + _LONGEST] / _MS,
    )


def _ready(reader: Actor) -> None:
    outcome = reader.next()
    if not outcome.allowed:
        raise Refused(Text(f"the reader could not begin: {outcome.error}", f"读取者未能开始：{outcome.error}"))


def _reading(document: Path, numbers: Numbers, base: int) -> Callable[[Callable[[object], None]], None]:
    def act(say: Callable[[object], None]) -> None:
        fd = os.open(document, os.O_RDONLY | os.O_CLOEXEC)
        say("open")
        while not numbers.over:
            began = time.monotonic_ns()
            try:
                os.pread(fd, 64, 0)
            except PermissionError:
                numbers[base + _REFUSED] += 1
            else:
                ended = time.monotonic_ns()
                numbers[base + _BEGAN], numbers[base + _ENDED] = began, ended
                numbers[base + _READS] += 1
                numbers[base + _LONGEST] = max(numbers[base + _LONGEST], ended - began)
            time.sleep(_PACE)
        say("over")

    return act
