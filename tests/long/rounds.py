"""One run of a part: its rounds, what they counted, what failed, and the state that lets it go on after a cut.

Rules of this file: the state is saved after every round and holds everything the result line needs. It belongs to one
commit and one form of the part; what another commit began is not gone on with.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple


class Part(NamedTuple):
    """A part of the long tests. ``run`` takes a :class:`Run` and does its rounds."""

    name: str
    what: str
    run: Callable[["Run"], None]
    rounds: int
    """How many in the long form."""
    short: int
    """How many in the short form, which ends after :data:`SHORT_SECONDS` at the latest."""
    needs: tuple[str, ...] = ()
    """Packages, by their Debian names, that only this part needs."""


SHORT_SECONDS = 140.0


@dataclass
class State:
    """What a run has come to."""

    commit: str
    short: bool
    started: str
    rounds: int = 0
    seconds: float = 0.0
    counts: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Run:
    """A run that is going on. ``folder`` is its own, kept until the part is through."""

    def __init__(
        self, part: Part, state: State, folder: Path, rounds: int, seconds: float | None, say: Callable[[str], None]
    ) -> None:
        self.part = part
        self.state = state
        self.folder = folder
        self.wanted = rounds
        self.saved = state.rounds
        self.say = say
        self._before = state.seconds
        self._begun = time.monotonic()
        self._ends = None if seconds is None else self._begun + seconds

    @property
    def short(self) -> bool:
        """Whether this is the short form."""
        return self.state.short

    @property
    def seconds_left(self) -> float:
        """Return how long this run may go on; without a limit, for ever."""
        return float("inf") if self._ends is None else self._ends - time.monotonic()

    def more(self, need: float = 0.0) -> bool:
        """Whether a round is left, and *need* seconds for it."""
        return self.state.rounds < self.wanted and self.seconds_left > need

    def rounds(self, need: float = 0.0, most: int | None = None, *, checked: bool = True) -> Iterator[int]:
        """Yield the number of each round that is left, from 0 and *most* of them, while :meth:`more`.

        A round that is not *checked* when it ends is saved by whoever checks it, with :meth:`save`: what nobody looked
        at is not done.
        """
        last = self.wanted if most is None else self.state.rounds + most
        while self.state.rounds < last and self.more(need):
            yield self.state.rounds
            self.state.rounds += 1
            if checked:
                self.save()

    def chance(self, number: int) -> random.Random:
        """Return the chance of round *number*: the same for the same commit, another one for the next."""
        return random.Random(f"{self.state.commit} {self.part.name} {number}")

    def count(self, name: str, more: float = 1) -> None:
        """Add to a count of the result."""
        self.state.counts[name] = self.state.counts.get(name, 0) + more

    def measure(self, name: str, value: float) -> None:
        """Set a number of the result."""
        self.state.counts[name] = round(value, 3)

    def check(self, name: str, wrong: Any) -> None:
        """Count what must not be (a list, or a number), and fail with it when there is any."""
        number = wrong if isinstance(wrong, int | float) else len(wrong)
        self.count(name, number)
        if wrong:
            self.fail(f"{name}: {wrong}")

    def fail(self, why: str) -> None:
        """Keep a failure; the run goes on."""
        self.state.failures.append(f"round {self.state.rounds}: {why}"[:2000])
        self.say(f"FAILED {self.state.failures[-1]}")

    def note(self, text: str) -> None:
        """Keep what the result should say in words."""
        self.state.notes.append(text)
        self.say(text)

    def save(self) -> None:
        """Write the state down."""
        self.state.seconds = round(self._before + time.monotonic() - self._begun, 1)
        file = self.folder / "state.json"
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self.state)), encoding="utf-8")
        fresh.replace(file)
        self.saved = self.state.rounds


def begin(folder: Path, commit: str, *, short: bool, resume: bool) -> State:
    """Return the state to go on with: what is in *folder* if it fits, else a new one."""
    file = folder / "state.json"
    if resume and file.exists():
        state = State(**json.loads(file.read_text(encoding="utf-8")))
        if (state.commit, state.short) == (commit, short):
            return state
    return State(commit, short, datetime.now(UTC).isoformat(timespec="seconds"))
