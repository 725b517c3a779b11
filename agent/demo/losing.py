"""Rights that end by an act while their holder has the file mapped: no kernel asks about that, so he is ended (C6).

Rules of this file: the end of the process is what its pidfd says, on the clock that all processes of the machine share.
"""

import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from agent.demo.actors import ActorIdentity, acting
from agent.demo.cutting import ENOUGH, MS, PATIENCE, PER_READER, READS, reading_on, ready
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import LossMeasurement


def losing(document: Path, person: ActorIdentity, act: Callable[[], object]) -> LossMeasurement:
    """Let *person* read and map *document*, call *act*, which takes the right to it, and watch the process end."""
    numbers = Numbers(PER_READER)
    with ExitStack() as stack:
        reader = stack.enter_context(acting(person, reading_on(document, numbers, 0, mapped=True)))
        process = os.pidfd_open(reader.pid)
        stack.callback(os.close, process)
        ready(reader)
        wait_until(lambda: numbers[READS] >= ENOUGH, PATIENCE)
        asked = time.monotonic_ns()
        act()
        acknowledged = time.monotonic_ns()
        ended = bool(select.select([process], [], [], PATIENCE)[0])
        gone = time.monotonic_ns()
    return LossMeasurement(act=(acknowledged - asked) / MS, gone=(gone - asked) / MS if ended else None)
