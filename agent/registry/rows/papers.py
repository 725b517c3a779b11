"""A paper: what somebody signed by hand, as another wrote it down. It is no act of theirs (contract C12)."""

from datetime import date
from typing import NamedTuple


class Paper(NamedTuple):
    """Who signed it, its number, and the day on it. Who wrote it down is who did the act it belongs to."""

    by: str
    reference: str
    on: date | None

    def to_json(self) -> dict[str, str | None]:
        """Return it as entries and clients have it."""
        return {"by": self.by, "reference": self.reference, "on": self.on.isoformat() if self.on else None}


def columns(paper: Paper | None) -> dict[str, str | None]:
    """Return *paper* as the columns of a row, in the order of the tables that have them."""
    if paper is None:
        return {"paper_by": "", "paper": "", "paper_on": None}
    return {"paper_by": paper.by, "paper": paper.reference, "paper_on": paper.on.isoformat() if paper.on else None}
