"""Hold with an open file: the reads of the person stop, their process ends, the bystander is not affected (C6).

Rules of this file: both read the same file through descriptors opened before, and stamp each read on the clock that all
processes of the machine share. A read counts as late only if it *began* after the hold was acknowledged: one that was
inside the kernel at that moment had been let through before.
"""

import mmap
import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from agent.demo.actors import Actor, ActorIdentity, acting
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import CutMeasurement
from agent.errors import RefusedError
from rules.text import Message

ENOUGH = 300  # reads of each before the hold, and of the bystander after it
PATIENCE = 10.0
_PACE = 0.0002
MS = 1_000_000

READS, BEGAN, ENDED, REFUSED, LONGEST, SEEN = range(6)  # numbers of one reader; instants in monotonic nanoseconds
PER_READER = 6


def holding(
    document: Path,
    person: ActorIdentity,
    bystander: ActorIdentity,
    hold: Callable[[], object],
    quiet: Callable[[], bool],
) -> CutMeasurement:
    """Let both read *document*, call *hold*, which returns once it is acknowledged, and measure the effect.

    *quiet* tells whether the agent has stopped checking each read. Only then is the measurement meaningful, and the
    hold must stay in force when the bystander is quiet on the same inode.
    """
    numbers = Numbers(2 * PER_READER)
    with ExitStack() as stack:
        readers = [
            stack.enter_context(acting(identity, reading_on(document, numbers, index * PER_READER)))
            for index, identity in enumerate((person, bystander))
        ]
        process = os.pidfd_open(readers[0].pid)
        stack.callback(os.close, process)
        for reader in readers:
            ready(reader)
        wait_until(lambda: min(numbers[READS], numbers[PER_READER + READS]) >= ENOUGH, PATIENCE)
        wait_until(quiet, PATIENCE)
        numbers[PER_READER + LONGEST] = 0
        before = numbers[PER_READER + READS]
        requested = time.monotonic_ns()
        hold()
        acknowledged = time.monotonic_ns()
        stopped = bool(select.select([process], [], [], PATIENCE)[0])
        wait_until(quiet, PATIENCE)
        later = numbers[PER_READER + READS] + ENOUGH
        wait_until(lambda: numbers[PER_READER + READS] >= later, PATIENCE)
        numbers.end()
        for reader in readers:
            reader.next()
    return CutMeasurement(
        act=(acknowledged - requested) / MS,
        last=(numbers[ENDED] - requested) / MS,
        late=numbers[BEGAN] > acknowledged,
        stopped=stopped,
        bystander_reads=numbers[PER_READER + READS] - before,
        bystander_errors=numbers[PER_READER + REFUSED],
        bystander_longest=numbers[PER_READER + LONGEST] / MS,
    )


def ready(reader: Actor) -> None:
    """Wait until *reader* has the document open. Raises :class:`RefusedError` when it could not open it."""
    outcome = reader.next()
    if not outcome.allowed:
        raise RefusedError(Message("demo.reader-cannot-open", error=outcome.error))


def reading_on(
    document: Path, numbers: Numbers, base: int, *, mapped: bool = False
) -> Callable[[Callable[[object], None]], None]:
    """Return an act that reads through one open descriptor until :attr:`Numbers.over`, and counts from *base* on.

    *mapped*: it also reads the pages through a mapping, which no kernel checks, and stamps that as ``SEEN``.
    """

    def act(say: Callable[[object], None]) -> None:
        fd = os.open(document, os.O_RDONLY | os.O_CLOEXEC)
        pages = mmap.mmap(fd, 0, prot=mmap.PROT_READ) if mapped else b""
        say("open")
        while not numbers.over:
            began = time.monotonic_ns()
            try:
                os.pread(fd, 64, 0)
            except PermissionError:
                numbers[base + REFUSED] += 1
            else:
                ended = time.monotonic_ns()
                numbers[base + BEGAN], numbers[base + ENDED] = began, ended
                numbers[base + READS] += 1
                numbers[base + LONGEST] = max(numbers[base + LONGEST], ended - began)
            if pages[:64]:
                numbers[base + SEEN] = time.monotonic_ns()
            time.sleep(_PACE)
        say("over")

    return act
