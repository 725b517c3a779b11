"""Papers: documents signed by hand, as recorded by an officer. A paper is not an act of its signer (contract C12)."""

from datetime import date
from typing import NamedTuple


class Paper(NamedTuple):
    """The signer, number and date of a paper. The officer of the act it belongs to recorded it."""

    by: str
    reference: str
    on: date | None

    def to_json(self) -> dict[str, str | None]:
        """Return it as JSON for log entries and clients."""
        return {"by": self.by, "reference": self.reference, "on": self.on.isoformat() if self.on else None}


def columns(paper: Paper | None) -> dict[str, str | None]:
    """Return *paper* as the columns of a row, in the order of the tables that have them."""
    if paper is None:
        return {"paper_by": "", "paper": "", "paper_on": None}
    return {"paper_by": paper.by, "paper": paper.reference, "paper_on": paper.on.isoformat() if paper.on else None}
