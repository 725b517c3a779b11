"""How a paper is told: who signed it by hand, its number and day, and who wrote it down."""

from collections.abc import Mapping
from typing import Any

from rules.text import Text
from rules.visible import visible


def approval_note(place: Mapping[str, Any]) -> Text:
    """Return what stands beside an approval: its opinion, and the paper where somebody else wrote it down."""
    opinion = visible(place["opinion"] or "")
    if not place["written_by"] or place["written_by"] == place["by"]:
        return Text(opinion, opinion)
    by, reference = visible(place["written_by"]), visible(place["paper"] or "")
    en = f"on paper {reference}" if reference else "on paper"
    zh = f"纸质审批 {reference}" if reference else "纸质审批"
    day = f" ({place['paper_on']})" if place["paper_on"] else ""
    rest = f"; {opinion}" if opinion else ""
    return Text(f"{en}{day}, written down by {by}{rest}", f"{zh}{day}，由 {by} 登记{rest.replace('; ', '；')}")
