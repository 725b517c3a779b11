"""Loss of rights with a mapped file: no kernel checks mappings, so the holder process is ended (C6).

Rules of this file: the end of the process is taken from its pidfd, on the clock that all processes of the host share;
the time of the denial is taken from the receipt. Both count from the request.
"""

import json
import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.demo.actors import ActorIdentity, acting
from agent.demo.cutting import ENOUGH, LONGEST, MS, PATIENCE, PER_READER, READS, REFUSED, reading_on, ready
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import Bystander, Entry, LossReceipt
from agent.demo.stage import DemoStage
from agent.offboard.receipt import receipt

_PATIENCE = 30.0  # seconds for a receipt with nothing open


@dataclass(frozen=True, slots=True)
class EndedHolder:
    """``ended_after``: milliseconds from the request to the end of the process; ``None``: still running."""

    ended_after: float | None
    bystander: Bystander


def losing(document: Path, person: ActorIdentity, bystander: ActorIdentity, act: Callable[[], object]) -> EndedHolder:
    """Let both read and map *document*, call *act*, which revokes the right of *person*, and wait for their process."""
    numbers = Numbers(2 * PER_READER)
    with ExitStack() as stack:
        readers = [
            stack.enter_context(acting(identity, reading_on(document, numbers, index * PER_READER, mapped=True)))
            for index, identity in enumerate((person, bystander))
        ]
        process = os.pidfd_open(readers[0].pid)
        stack.callback(os.close, process)
        for reader in readers:
            ready(reader)
        wait_until(lambda: min(numbers[READS], numbers[PER_READER + READS]) >= ENOUGH, PATIENCE)
        numbers[PER_READER + LONGEST] = 0
        before = numbers[PER_READER + READS]
        requested = time.monotonic_ns()
        act()
        ended = bool(select.select([process], [], [], PATIENCE)[0])
        ended_at = time.monotonic_ns()
        later = numbers[PER_READER + READS] + ENOUGH
        wait_until(lambda: numbers[PER_READER + READS] >= later, PATIENCE)
        numbers.end()
        readers[1].next()
    bystander_reads = Bystander(
        numbers[PER_READER + READS] - before, numbers[PER_READER + REFUSED], numbers[PER_READER + LONGEST] / MS
    )
    return EndedHolder((ended_at - requested) / MS if ended else None, bystander_reads)


def certified(stage: DemoStage, person: str, since: int, entries: Callable[[], list[Entry]]) -> LossReceipt | None:
    """Wait for the receipt of the loss of *person*, and verify it with the public key alone.

    Its entry comes after the first *since* of *entries*. ``None``: no receipt in time.
    """

    def issued() -> list[str]:
        return [
            str(row["case"]) for row in entries()[since:] if (row["kind"], row.get("person")) == ("receipt", person)
        ]

    if not wait_until(lambda: bool(issued()), _PATIENCE):
        return None
    run = issued()[0]
    public = stage.home.root.parent / "agent.pem"
    public.write_text(stage.shoumi("keys", "show").stdout, encoding="ascii")

    def newest() -> tuple[Path, dict[str, Any]]:
        file = receipt.kept(receipt.receipts_folder(stage.home.root), run)[-1]
        completed = stage.shoumi("case", "receipt", "--verify", str(file), "--key", str(public), "--json", check=False)
        return file, json.loads(completed.stdout)

    wait_until(lambda: bool(newest()[1]["complete"]), _PATIENCE)  # steps open at first are tried again
    file, verification = newest()
    body = json.loads(file.read_text(encoding="utf-8").partition("\n")[0])
    denied = next((mark["after_us"] for mark in body["timeline"] if mark["mark"] == "denied"), None)
    return LossReceipt(
        run=run,
        areas=tuple(str(area["area"]) for area in body["lost"]),
        complete=bool(verification["ok"] and verification["complete"]),
        denied=None if denied is None else denied / 1000,
        entry=int(body["seq"]),
    )
