"""What the inbox needs of the rest of the agent.

Rules of this file: names and shapes only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.offboard.intake.filing import Received
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.subject import Lookup, unmapped
from rules.text import Text


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the inbox needs of the rest of the agent."""

    known: Callable[[str], bool]  # whether somebody here has this employee number
    acts: Callable[[str], bool]  # whether an approver may act for others now; who is not known here may
    wanted: Callable[[], int]  # how many approvers a departure takes here at the least, besides what the keys ask for
    received: Callable[[HrNotice], None]  # act on it; may come twice; an error means: again at the next sweep
    note: Callable[[Received], None]  # write the entry of one delivery; may come twice
    trouble: Callable[[str, Text], None]  # the channel itself is in trouble: a word and a sentence; once while it lasts
    lookup: Lookup = unmapped  # whom the site says a name of HR's is
