"""Rights before and after a change, the other way round: who gains what by it (contract C12).

    apply → what was touched → who may have rights there afterwards → after (the open change) and before (the registry)

Rules of this file: whatever an act is called, what it wrote says whose rights to compare. A right that begins later, or
comes back when something ends, is gained as well: both sides are asked again at each instant at which one of the two
verdicts may change. What is not compared because it is too much is said, and never counts as nothing.
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
from rules.text import Text

_SHOWN = 50  # people, services, areas and places that are told one by one
_STEPS = 8  # instants at which a pair is compared, from now on and from each instant that the act has written
_WRITTEN = 50
_AHEAD = timedelta(days=3660)  # what begins later than that is a mistake somebody will see


class GainedRights(NamedTuple):
    """What a change gives. ``compared`` pairs of person and place were looked at, ``left_out`` were not.

    ``services``: areas that a service may touch from then on. ``opened``: areas in which nobody is refused any more.
    ``loosened``: people and places of whom less is asked, whether or not anybody gains by it now.
    ``unknown``: why nothing could be compared. ``always``: such an act waits whatever it gives.
    ``outside``: what of the host is written down by it.
    """

    people: tuple[Gain, ...] = ()
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    opened: tuple[str, ...] = ()
    loosened: tuple[str, ...] = ()
    compared: int = 0
    left_out: int = 0
    unknown: Text | None = None
    always: bool = False
    outside: Mapping[str, Any] = MappingProxyType({})

    def __bool__(self) -> bool:
        found = self.people or self.services or self.opened or self.loosened or self.left_out
        return bool(found or self.unknown or self.always)

    @property
    def persons(self) -> frozenset[str]:
        """Everybody who gains something."""
        return frozenset(gain.person for gain in self.people)

    def to_json(self) -> dict[str, Any]:
        """Return it as proposals, entries and clients have it: the first of each, and how many more there are.

        Two that begin alike and go on otherwise differ in their digest, ``all``.
        """
        told = (self.people, self.services, self.opened, self.loosened)
        cut = any(len(one) > _SHOWN for one in told)
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
            "all": hashlib.sha256(repr(told).encode(errors="surrogateescape")).hexdigest() if cut else None,
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
    """Return what :func:`compare` does, or why it cannot: then anything may be gained."""
    try:
        pack = in_force()
        return compare(before, change, (pack, coming or pack), now)
    except ShoumiError as error:
        return GainedRights(unknown=error.text)


def compare(before: FactsReader, change: RegistryTransaction, packs: tuple[Pack, Pack], now: datetime) -> GainedRights:
    """Return what the open *change* gives beyond what stood *before* it. *packs*: the one in force, the one to come.

    Raises :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError` when the registry cannot be read.
    """
    touched = change.touched()
    old, new = packs
    if old.digest != new.digest:
        touched = touched._replace(everything=True)
    with before.snapshot():
        pairs = sorted(change.candidates(touched, int(new.grant.from_level)))
        asked = pairs[:MOST]
        rooms, old_rooms = change.room_names(), before.room_names()
        had: set[Right] = set()
        have: set[Right] = set()
        unclear = 0
        for right in asked:
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
        given = dict(_accounts(before, change, touched))
        services = tuple(_services(before, change, touched))
        opened = tuple(_opened(before, change)) if touched.everything or touched.places else ()
        loosened = tuple(_loosened(before, change, touched))
        _count_badges(before, change, have, had, rooms, now)
    found = tuple(gain for gain in gains(had, have, rooms, given) if gain.areas or gain.rooms)
    return GainedRights(found, services, opened, loosened, len(asked), len(pairs) - len(asked) + unclear)


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
    """Whether there is an instant at which the right stands afterwards and would not have stood before."""
    (before, after), (old, new) = facts, packs
    if right.place not in before.resources:
        return False  # what was not guarded before is closed to more people than before, whoever may enter
    for at in _moments(facts, right, rooms[1], packs, now):
        if stands(decide(_request(right, rooms[1]), after, new, at)) and not stands(
            decide(_request(right, rooms[0]), before, old, at)
        ):
            return True
    return False


def _dates(value: object) -> frozenset[datetime]:
    """Return every instant that stands anywhere in *value*."""
    if isinstance(value, datetime):
        return frozenset((value,))
    if is_dataclass(value):
        return frozenset().union(*(_dates(getattr(value, one.name)) for one in fields(value)))
    if isinstance(value, Mapping):
        return frozenset().union(*map(_dates, value.values()))
    if isinstance(value, tuple | frozenset):
        return frozenset().union(*map(_dates, value))
    return frozenset()


def _moments(
    facts: tuple[Facts, Facts], right: Right, rooms: frozenset[str], packs: tuple[Pack, Pack], now: datetime
) -> Iterator[datetime]:
    """Yield the instants from now on, and from each at which only one of the two sides has anything written.

    However many changes of the verdict lie between, what the act wrote is tried when it begins.
    Raises :class:`_TooManyError` where these are more than can be tried.
    """
    yield from _instants(facts, right, rooms, packs, now)
    before, after = (_dates((one.persons, one.resources)) for one in facts)
    written = sorted(at for at in before ^ after if now < at <= now + _AHEAD)
    if len(written) > _WRITTEN:
        raise _TooManyError
    for at in written:
        yield from _instants(facts, right, rooms, packs, at)


class _TooManyError(Exception):
    """A right changes at more instants than are compared: nobody says that nothing is gained."""


def _instants(
    facts: tuple[Facts, ...], right: Right, rooms: frozenset[str], packs: tuple[Pack, ...], now: datetime
) -> Iterator[datetime]:
    """Yield *now*, and the instants at which a verdict may become another one."""
    at = now
    for _ in range(_STEPS):
        yield at
        ends = [
            until
            for one, pack in zip(facts, packs, strict=True)
            if (until := decide(_request(right, rooms), one, pack, at).until) and until > at
        ]
        if not ends or min(ends) > now + _AHEAD:
            return
        at = min(ends)


def _request(right: Right, rooms: frozenset[str]) -> Request:
    return Request((right.person,), right.place, Action.ENTER if right.place in rooms else Action.OPEN)


def _accounts(before: FactsReader, change: RegistryTransaction, touched: Touched) -> Iterator[tuple[str, list[int]]]:
    """Yield who has accounts that were nobody's, or somebody else's."""
    for person in sorted(touched.persons):
        new = [uid for uid in sorted(change.accounts.of(person)) if before.person_of_uid(uid) != person]
        if new:
            yield person, new


def _services(
    before: FactsReader, change: RegistryTransaction, touched: Touched
) -> Iterator[tuple[str, tuple[str, ...]]]:
    had = {one.id: one.areas for one in before.services() if one.active} if touched.services else {}
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
    """Take from what people *had* the rooms they had no badge to enter, if they have one by now."""
    entering = {right.person for right in have if right.place in rooms}
    carried = {badge.person for badge in before.badges() if badge.good(now)} if entering else set()
    fresh = {person for person in entering - carried if change.badges.opens(person, now)}
    had -= {right for right in had if right.place in rooms and right.person in fresh}


def _opened(before: FactsReader, change: RegistryTransaction) -> Iterator[str]:
    """Yield areas that were enforced, and are not any more, or are gone."""
    enforced = {row.resource.id for row in change.area_rows() if row.resource.mode is Mode.ENFORCE}
    for row in before.areas():
        if row.resource.mode is Mode.ENFORCE and row.resource.id not in enforced:
            yield row.resource.id
