"""Rights gained by a change: comparison of the rights before and after it (contract C12).

    apply → rows touched → people who may have rights there afterwards → after (open change) and before (registry)

Rules of this file: the rows that an act wrote decide whose rights are compared, whatever the act is. A right that
begins later, or returns when something ends, is gained as well: both sides are evaluated again at each instant at which
a verdict may change. Pairs left out because there are too many are counted, and never treated as no gain.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from agent.control.losses import MOST
from agent.errors import ShoumiError
from agent.registry.facts import FactsReader
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.touched import Touched
from rules.decide import decide
from rules.loosening import person_loosened, place_loosened
from rules.model import Action, Facts, Mode, Request
from rules.pack.model import Pack
from rules.rights import Gain, Right, gains, stands
from rules.text import Sentence

_SHOWN = 50  # people, services, areas and places listed one by one
_STEPS = 8  # instants at which a pair is compared, from now on and from each instant that the act has written
_WRITTEN = 50
_AHEAD = timedelta(days=3660)  # a right that begins later than this is ignored


class GainedRights(NamedTuple):
    """Access that a change grants. ``compared`` pairs of person and place were examined, ``left_out`` were not.

    ``services``: areas that a service account may access from then on. ``opened``: areas that refuse no one any more.
    ``loosened``: people and places with weaker requirements, whether or not anyone gains by it now. ``unknown``: why
    nothing could be compared. ``always``: the act needs a second officer whatever it grants. ``outside``: state of the
    host that it records.
    """

    people: tuple[Gain, ...] = ()
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    opened: tuple[str, ...] = ()
    loosened: tuple[str, ...] = ()
    compared: int = 0
    left_out: int = 0
    unknown: Sentence | None = None
    always: bool = False
    outside: Mapping[str, Any] = MappingProxyType({})

    def __bool__(self) -> bool:
        any_gain = self.people or self.services or self.opened or self.loosened or self.left_out
        return bool(any_gain or self.unknown or self.always)

    @property
    def persons(self) -> frozenset[str]:
        """The people who gain something."""
        return frozenset(gain.person for gain in self.people)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON for proposals, entries and clients: the first of each list, and the number of the others.

        ``all`` is the digest of the whole, so that two with the same beginning differ.
        """
        parts = (self.people, self.services, self.opened, self.loosened)
        cut = any(len(part) > _SHOWN for part in parts)
        first = [
            {"person": gain.person, "areas": list(gain.areas), "rooms": list(gain.rooms), "uids": list(gain.uids)}
            for gain in self.people[:_SHOWN]
        ]
        return {
            "people": len(self.people),
            "first": first,
            "services": {service: list(areas) for service, areas in self.services[:_SHOWN]},
            "services_more": max(0, len(self.services) - _SHOWN),
            "opened": list(self.opened[:_SHOWN]),
            "opened_more": max(0, len(self.opened) - _SHOWN),
            "loosened": list(self.loosened[:_SHOWN]),
            "loosened_more": max(0, len(self.loosened) - _SHOWN),
            "all": hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest() if cut else None,
            "not_compared": self.left_out,
            "unknown": self.unknown.to_json() if self.unknown else None,
            "always": self.always,
            "outside": dict(self.outside),
        }


def compare_or_say(
    before: FactsReader,
    change: RegistryTransaction,
    in_force: Callable[[], Pack],
    coming: Pack | None,
    now: datetime,
) -> GainedRights:
    """Return the result of :func:`compare`, or why it failed: then anything may be gained."""
    try:
        pack = in_force()
        return compare(before, change, (pack, coming or pack), now)
    except ShoumiError as error:
        return GainedRights(unknown=error.text)


def compare(before: FactsReader, change: RegistryTransaction, packs: tuple[Pack, Pack], now: datetime) -> GainedRights:
    """Return the rights that the open *change* adds to those *before* it. *packs*: in force, and after the change.

    Raises :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError` when the registry cannot be read.
    """
    touched = change.touched()
    old, new = packs
    if old.digest != new.digest:
        touched = touched._replace(everything=True)
    with before.snapshot():
        pairs = sorted(change.candidates(touched, int(new.grant.from_level)))
        compared_pairs = pairs[:MOST]
        rooms, old_rooms = change.room_names(), before.room_names()
        had: set[Right] = set()
        have: set[Right] = set()
        unclear = 0
        for right in compared_pairs:
            old_facts = before.facts((right.person,), right.place)[1]
            new_facts = change.facts(right.person, right.place)
            try:
                if _more((old_facts, new_facts), right, (old_rooms, rooms), packs, now):
                    have.add(right)
                elif _ever(new_facts, right, rooms, new, now):
                    have.add(right)
                    had.add(right)
            except _TooManyError:
                unclear += 1
        new_accounts = dict(_accounts(before, change, touched))
        services = tuple(_services(before, change, touched))
        opened = tuple(_opened(before, change)) if touched.everything or touched.places else ()
        loosened = tuple(_loosened(before, change, touched))
        _count_badges(before, change, have, had, rooms, now)
    people = tuple(gain for gain in gains(had, have, rooms, new_accounts) if gain.areas or gain.rooms)
    return GainedRights(
        people, services, opened, loosened, len(compared_pairs), len(pairs) - len(compared_pairs) + unclear
    )


def _ever(facts: Facts, right: Right, rooms: frozenset[str], pack: Pack, now: datetime) -> bool:
    return any(
        stands(decide(_request(right, rooms), facts, pack, at))
        for at in _instants((facts,), right, rooms, (pack,), now)
    )


def _more(
    facts: tuple[Facts, Facts],
    right: Right,
    rooms: tuple[frozenset[str], frozenset[str]],
    packs: tuple[Pack, Pack],
    now: datetime,
) -> bool:
    """Return whether the right holds at some instant after the change and would not have held before it."""
    (before, after), (old, new) = facts, packs
    if right.place not in before.resources:
        return False  # an unguarded place was open to everyone, so no one gains
    for at in _moments(facts, right, rooms[1], packs, now):
        if stands(decide(_request(right, rooms[1]), after, new, at)) and not stands(
            decide(_request(right, rooms[0]), before, old, at)
        ):
            return True
    return False


def _dates(fact: object) -> frozenset[datetime]:
    """Return every instant anywhere in *fact*."""
    if isinstance(fact, datetime):
        return frozenset((fact,))
    if is_dataclass(fact):
        return frozenset().union(*(_dates(getattr(fact, attribute.name)) for attribute in fields(fact)))
    if isinstance(fact, Mapping):
        return frozenset().union(*map(_dates, fact.values()))
    if isinstance(fact, tuple | frozenset):
        return frozenset().union(*map(_dates, fact))
    return frozenset()


def _moments(
    facts: tuple[Facts, Facts], right: Right, rooms: frozenset[str], packs: tuple[Pack, Pack], now: datetime
) -> Iterator[datetime]:
    """Yield the instants to compare: from now on, and from each date that only one side contains.

    So the dates written by the act are tried, however many changes of the verdict lie in between. Raises
    :class:`_TooManyError` where there are too many.
    """
    yield from _instants(facts, right, rooms, packs, now)
    before, after = (_dates((side.persons, side.resources)) for side in facts)
    written = sorted(at for at in before ^ after if now < at <= now + _AHEAD)
    if len(written) > _WRITTEN:
        raise _TooManyError
    for at in written:
        yield from _instants(facts, right, rooms, packs, at)


class _TooManyError(Exception):
    """Raised when a right changes at more instants than are compared; a gain is then assumed."""


def _instants(
    facts: tuple[Facts, ...], right: Right, rooms: frozenset[str], packs: tuple[Pack, ...], now: datetime
) -> Iterator[datetime]:
    """Yield *now*, and the instants at which a verdict may become another one."""
    at = now
    for _ in range(_STEPS):
        yield at
        ends = [
            until
            for side, pack in zip(facts, packs, strict=True)
            if (until := decide(_request(right, rooms), side, pack, at).until) and until > at
        ]
        if not ends or min(ends) > now + _AHEAD:
            return
        at = min(ends)


def _request(right: Right, rooms: frozenset[str]) -> Request:
    return Request((right.person,), right.place, Action.ENTER if right.place in rooms else Action.OPEN)


def _accounts(before: FactsReader, change: RegistryTransaction, touched: Touched) -> Iterator[tuple[str, list[int]]]:
    """Yield people and their accounts that did not belong to them before."""
    for person in sorted(touched.persons):
        new = [uid for uid in sorted(change.accounts.of(person)) if before.person_of_uid(uid) != person]
        if new:
            yield person, new


def _services(
    before: FactsReader, change: RegistryTransaction, touched: Touched
) -> Iterator[tuple[str, tuple[str, ...]]]:
    had = {row.id: row.areas for row in before.services() if row.active} if touched.services else {}
    for service in sorted(touched.services):
        if new := change.services.areas(service) - had.get(service, frozenset()):
            yield service, tuple(sorted(new))


def _loosened(before: FactsReader, change: RegistryTransaction, touched: Touched) -> Iterator[str]:
    for person in sorted(touched.persons):
        old, new = before.facts((person,), "")[1], change.facts(person, "")
        if person_loosened(old.persons.get(person), new.persons.get(person)):
            yield person
    for name in change.place_names(touched.places):
        if place_loosened(before.resource(name), change.facts("", name).resources.get(name)):
            yield name


def _count_badges(
    before: FactsReader,
    change: RegistryTransaction,
    have: AbstractSet[Right],
    had: set[Right],
    rooms: AbstractSet[str],
    now: datetime,
) -> None:
    """Remove from *had* the rooms of people who had no badge before and have one now."""
    entering = {right.person for right in have if right.place in rooms}
    carried = {badge.person for badge in before.badges() if badge.good(now)} if entering else set()
    fresh = {person for person in entering - carried if change.badges.opens(person, now)}
    had -= {right for right in had if right.place in rooms and right.person in fresh}


def _opened(before: FactsReader, change: RegistryTransaction) -> Iterator[str]:
    """Yield areas that were enforced and now are not, or no longer exist."""
    enforced = {row.resource.id for row in change.area_rows() if row.resource.mode is Mode.ENFORCE}
    for row in before.areas():
        if row.resource.mode is Mode.ENFORCE and row.resource.id not in enforced:
            yield row.resource.id
