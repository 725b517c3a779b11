"""What the bench reports: one row per question, with the bar it has to meet.

Rules of this file: pure. A bar that cannot be judged on this machine is not met and not missed: it says why.
"""

from dataclasses import asdict, dataclass, field
from typing import Literal

from rules.text import Text
from tests.bench.samples import Latency

Verdict = Literal["met", "missed", "not judged", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``shown`` is the value for people; ``numbers`` are the same and more for programs.

    ``ratio`` is against ``against``; ``bar`` is what the design asks for, ``verdict`` empty where it asks for nothing.
    """

    id: str
    what: Text
    shown: str
    ratio: float | None = None
    against: Text | None = None
    bar: str = ""
    verdict: Verdict = ""
    numbers: dict[str, float] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """Return the row for the JSON report; texts as ``{"en", "zh"}``."""
        row = asdict(self)
        row["what"] = self.what.to_json()
        row["against"] = self.against.to_json() if self.against else None
        return row


def judged(met: bool) -> Verdict:
    """Return the word for a bar that could be judged."""
    return "met" if met else "missed"


def spread(found: Latency) -> str:
    """Return a latency: its median, and in brackets its 99th percentile and what a quiet tenth of the rounds took."""
    return f"{microseconds(found.median)} (p99 {microseconds(found.p99)}, quiet {microseconds(found.quiet)})"


def microseconds(nanoseconds: float) -> str:
    """Return a duration with two digits behind the point: ``17.20 µs``."""
    return f"{nanoseconds / 1000:,.2f} µs"


def milliseconds(nanoseconds: float) -> str:
    """Return a duration: ``3.05 ms``."""
    return f"{nanoseconds / 1e6:,.2f} ms"
