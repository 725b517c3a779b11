"""Whether somebody has a right at all, whatever hour it is and wherever they stand, and what a change takes of it.

Rules of this file: pure. A right is that no lasting rule denies: what depends on the moment (hours, who else is
there, a badge not shown or a PIN not entered yet) takes nothing from anybody for good, and each attempt is judged by
it anyway. Only what somebody had before can be lost.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from rules.model import Verdict

MOMENTARY = frozenset(
    [
        "hours",
        "in-room",
        "one-place",
        "badge",
        "purpose",
        "declaration",
        "pin",
        "first-in",
        "limit",
        "escort",
        "two-person",
        "lockdown",
    ]
)
"""Rules whose denial ends with the moment."""


class Right(NamedTuple):
    """That *person* may open, or enter, *place* (an area or room by its name)."""

    person: str
    place: str


class Loss(NamedTuple):
    """What one person loses by one change: areas and rooms, and accounts in whose name nobody of theirs acts now.

    ``uids`` empty: every account of theirs loses it; else these alone do.
    """

    person: str
    areas: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()


def stands(verdict: Verdict) -> bool:
    """Whether *verdict* leaves the right itself: nothing denies, or only what the moment lacks."""
    return verdict.allow or (
        bool(verdict.findings) and all(found.ok or found.rule in MOMENTARY for found in verdict.findings)
    )


def losses(
    before: AbstractSet[Right],
    after: AbstractSet[Right],
    rooms: AbstractSet[str],
    taken: Mapping[str, Iterable[int]] | None = None,
) -> tuple[Loss, ...]:
    """Return what each person loses, in order of their ids.

    *rooms* are the places that are rooms. *taken* are accounts that were taken from people who keep their rights: what
    was open in the name of such an account is nobody's now. Giving nobody less than before loses nothing.
    """
    gone: dict[str, set[str]] = {}
    for right in before - after:
        gone.setdefault(right.person, set()).add(right.place)
    found = {person: _loss(person, places, rooms) for person, places in gone.items()}
    for person, uids in (taken or {}).items():
        had = {right.place for right in before if right.person == person} - rooms
        if person not in found and had:
            found[person] = _loss(person, had, rooms)._replace(uids=tuple(sorted(uids)))
        elif had:
            found[person] = _loss(person, had | gone[person], rooms)  # both: all of it, by every account
    return tuple(found[person] for person in sorted(found))


class Gain(NamedTuple):
    """What one person gains by one change: areas and rooms, and accounts in whose name they act from then on."""

    person: str
    areas: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()


def gains(
    before: AbstractSet[Right],
    after: AbstractSet[Right],
    rooms: AbstractSet[str],
    given: Mapping[str, Iterable[int]] | None = None,
) -> tuple[Gain, ...]:
    """Return what each person gains, in order of their ids; the mirror of :func:`losses`.

    *given* are accounts that became a person's: whoever acts under one has all that its person has.
    """
    new: dict[str, set[str]] = {}
    for right in after - before:
        new.setdefault(right.person, set()).add(right.place)
    for person in given or ():
        new.setdefault(person, set()).update({right.place for right in after if right.person == person} - rooms)
    return tuple(
        Gain(
            person,
            tuple(sorted(places - rooms)),
            tuple(sorted(places & rooms)),
            tuple(sorted((given or {}).get(person, ()))),
        )
        for person, places in sorted(new.items())
    )


def _loss(person: str, places: AbstractSet[str], rooms: AbstractSet[str]) -> Loss:
    return Loss(person, tuple(sorted(places - rooms)), tuple(sorted(places & rooms)))
