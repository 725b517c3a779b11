"""Marking 密级标志: a level and the end of its secrecy period in one, as it is printed on documents.

Rules of this file: the star stands for state secrets only (保守国家秘密法; GB/T 9704). What is stored is the day on
which the period ends, so this day is printed and no number of years.
"""

from rules.text import Message, Sentence

_STATE = "state"


def marking(level: Sentence, domain: str, until: str | None) -> Sentence:
    """Return *level*, with the end of the secrecy period where it has one (*until*, as it is shown)."""
    if not until:
        return level
    if domain == _STATE:
        return Message("presentation.marking-state", level=level, day=until)
    return Message("presentation.marking", level=level, day=until)
