"""Approvals given on paper: their signer, number and day, and the person who recorded them."""

from collections.abc import Mapping
from typing import Any

from rules.text import NOTHING, Message, Sentence, foreign, series


def approval_note(place: Mapping[str, Any]) -> Sentence:
    """Return the note of an approval: its opinion, and the paper where another person recorded it."""
    opinion = foreign(place["opinion"]) if place["opinion"] else NOTHING
    if not place["written_by"] or place["written_by"] == place["by"]:
        return opinion
    paper = Message("presentation.on-paper")
    if place["paper"]:
        paper = Message("presentation.on-paper-numbered", number=place["paper"])
    if place["paper_on"]:
        paper = Message("common.with-note", text=paper, more=place["paper_on"])
    note = Message("presentation.paper-recorded", paper=paper, person=place["written_by"])
    return series([note, opinion]) if place["opinion"] else note
