"""Offboarding with an open and mapped file: the process of the leaver ends, the bystander is not affected (C6).

Rules of this file: every instant is on the clock that all processes of the machine share, and counts from before the
rename that puts HR's notice into the spool. The end of the leaver's process is what its pidfd says.
"""

import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from agent.demo.actors import ActorIdentity, acting
from agent.demo.cutting import ENDED, ENOUGH, LONGEST, MS, PATIENCE, PER_READER, READS, REFUSED, SEEN, reading_on, ready
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import DepartureMeasurement


def leaving(
    document: Path,
    leaver: ActorIdentity,
    bystander: ActorIdentity,
    drop: Callable[[], object],
    quiet: Callable[[], bool],
) -> DepartureMeasurement:
    """Let both read *document*, call *drop*, and wait until the process of the leaver has ended.

    *quiet* tells whether the agent has stopped checking each read; only then is the measurement meaningful.
    """
    numbers = Numbers(2 * PER_READER)
    with ExitStack() as stack:
        readers = [
            stack.enter_context(acting(identity, reading_on(document, numbers, index * PER_READER, mapped=True)))
            for index, identity in enumerate((leaver, bystander))
        ]
        process = os.pidfd_open(readers[0].pid)
        stack.callback(os.close, process)
        for reader in readers:
            ready(reader)
        wait_until(lambda: min(numbers[READS], numbers[PER_READER + READS]) >= ENOUGH, PATIENCE)
        wait_until(quiet, PATIENCE)
        numbers[PER_READER + LONGEST] = 0
        before = numbers[PER_READER + READS]
        dropped = time.monotonic_ns()
        drop()
        ended = bool(select.select([process], [], [], PATIENCE)[0])
        ended_at = time.monotonic_ns()
        later = numbers[PER_READER + READS] + ENOUGH
        wait_until(lambda: numbers[PER_READER + READS] >= later, PATIENCE)
        numbers.end()
        readers[1].next()
    return DepartureMeasurement(
        last=(numbers[ENDED] - dropped) / MS,
        mapped_last=(numbers[SEEN] - dropped) / MS,
        ended_after=(ended_at - dropped) / MS if ended else None,
        bystander_reads=numbers[PER_READER + READS] - before,
        bystander_errors=numbers[PER_READER + REFUSED],
        bystander_longest=numbers[PER_READER + LONGEST] / MS,
    )
