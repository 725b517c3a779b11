"""Responsibilities that a leaver still holds when the case is to end: custody of areas and rooms, sole roles, keys.

Rules of this file: pure. They are determined anew at every attempt and never ticked off: a line of the hand-over list
states that something was handed over; the registry, the host and the pinned keys show whether it was.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.offboarding.machine import DepartureRefusedError
from rules.text import Message, Sentence, series


class Kept(NamedTuple):
    """One responsibility that another person has to take over first, and the remedy."""

    what: Sentence
    remedy: Sentence


def kept(places: Iterable[str], roles: Iterable[str], keys: Iterable[str]) -> tuple[Kept, ...]:
    """Return the responsibilities: custody of *places* (areas and rooms), sole *roles*, approvers' *keys*."""
    responsibilities = [
        Kept(
            Message("departure.still-custodian", place=place),
            Message("departure.appoint-custodian"),
        )
        for place in places
    ]
    responsibilities += [
        Kept(
            Message("departure.still-last-in-role", role=role),
            Message("departure.appoint-successor"),
        )
        for role in roles
    ]
    responsibilities += [
        Kept(
            Message("departure.still-approver", key=key),
            Message("departure.replace-pinned-key"),
        )
        for key in keys
    ]
    return tuple(responsibilities)


def nothing_kept(still: Sequence[Kept]) -> None:
    """Raise :class:`.DepartureRefusedError` naming everything of *still*; the hint is the remedy of the first."""
    if still:
        titles = series(responsibility.what for responsibility in still)
        raise DepartureRefusedError(Message("departure.responsibilities-remain", titles=titles), still[0].remedy)
