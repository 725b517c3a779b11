"""Hooks: the functions of the agent that the inbox calls.

Rules of this file: names and shapes only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.offboard.intake.filing import Received
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.subject import Lookup, unmapped
from rules.text import Sentence


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions of the agent that the inbox calls."""

    known: Callable[[str], bool]  # whether a person here has this employee number
    acts: Callable[[str], bool]  # whether an approver may act for others now; an unknown one may
    wanted: Callable[[], int]  # the least number of approvers of a departure here, besides what the keys require
    received: Callable[[HrNotice], None]  # act on it; may come twice; an error means: again at the next sweep
    note: Callable[[Received], None]  # write the entry of one delivery; may come twice
    trouble: Callable[
        [str, Sentence], None
    ]  # report a trouble of the channel: a word and a sentence; once while it lasts
    lookup: Lookup = unmapped  # the site's mapping of HR's names
