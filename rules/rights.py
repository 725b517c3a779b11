"""Rights: lasting access of people to areas and rooms, and what a change gives or revokes.

Rules of this file: pure. A person has a right if no lasting rule denies. Momentary rules (hours, who else is present, a
badge or PIN not given yet) revoke nothing for good, and each attempt is judged by them anyway. Only an existing right
can be lost.
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
"""Momentary rules: their denial ends without a change of the facts about the person."""


class Right(NamedTuple):
    """The right of *person* to open or enter *place* (the name of an area or room)."""

    person: str
    place: str


class Loss(NamedTuple):
    """The losses of one person by one change: areas, rooms, and accounts that are no longer theirs.

    ``uids`` empty: every account of the person loses it; else only these.
    """

    person: str
    areas: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()


def stands(verdict: Verdict) -> bool:
    """Whether *verdict* leaves the right itself: nothing denies, or only momentary rules do."""
    return verdict.allow or (
        bool(verdict.findings) and all(finding.ok or finding.rule in MOMENTARY for finding in verdict.findings)
    )


def losses(
    before: AbstractSet[Right],
    after: AbstractSet[Right],
    rooms: AbstractSet[str],
    taken: Mapping[str, Iterable[int]] | None = None,
) -> tuple[Loss, ...]:
    """Return what each person loses, in order of their ids.

    *rooms* are the places that are rooms. *taken* are accounts removed from people who keep their rights: files
    open under such an account belong to no one now.
    """
    lost: dict[str, set[str]] = {}
    for right in before - after:
        lost.setdefault(right.person, set()).add(right.place)
    by_person = {person: _loss(person, places, rooms) for person, places in lost.items()}
    for person, uids in (taken or {}).items():
        had = {right.place for right in before if right.person == person} - rooms
        if person not in by_person and had:
            by_person[person] = _loss(person, had, rooms)._replace(uids=tuple(sorted(uids)))
        elif had:
            by_person[person] = _loss(person, had | lost[person], rooms)  # both: all of it, by every account
    return tuple(by_person[person] for person in sorted(by_person))


class Gain(NamedTuple):
    """The gains of one person by one change: areas, rooms, and accounts that become theirs."""

    person: str
    areas: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()


def gains(
    before: AbstractSet[Right],
    after: AbstractSet[Right],
    rooms: AbstractSet[str],
    bound_accounts: Mapping[str, Iterable[int]] | None = None,
) -> tuple[Gain, ...]:
    """Return what each person gains, in order of their ids; the mirror of :func:`losses`.

    *bound_accounts* are accounts newly bound to a person: each has all rights of its person.
    """
    new: dict[str, set[str]] = {}
    for right in after - before:
        new.setdefault(right.person, set()).add(right.place)
    for person in bound_accounts or ():
        new.setdefault(person, set()).update({right.place for right in after if right.person == person} - rooms)
    return tuple(
        Gain(
            person,
            tuple(sorted(places - rooms)),
            tuple(sorted(places & rooms)),
            tuple(sorted((bound_accounts or {}).get(person, ()))),
        )
        for person, places in sorted(new.items())
    )


def _loss(person: str, places: AbstractSet[str], rooms: AbstractSet[str]) -> Loss:
    return Loss(person, tuple(sorted(places - rooms)), tuple(sorted(places & rooms)))
