"""Rights before and after a change (contract C14): who lost what by it, found inside the change itself.

    apply → what was touched → who may have had rights there → before (the stored registry) and after (the open change)

Rules of this file: whatever the act was called, what it wrote says whose rights to compare. It reads and decides, and
cuts nothing. Whoever had a badge that opened rooms loses these with the last one. A change that touches more pairs than
can be compared while others wait is compared for those alone who have a process now, or are inside a room: nobody else
holds anything that could be cut; how many were left out is said.
"""

import os
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from agent.errors import ShoumiError
from agent.registry.facts import FactsReader
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.touched import Touched
from rules.decide import decide
from rules.model import Action, Facts, Request
from rules.pack.model import Pack
from rules.rights import Loss, Right, losses, stands
from rules.text import Text

MOST = 4000  # pairs; about half a second
_SHOWN = 50  # losses an entry names


class ComparedRights(NamedTuple):
    """What a change takes. ``compared`` pairs of person and place were looked at, ``left_out`` were not.

    ``services``: which areas a service loses; what its processes hold of these is ended by the looks at all holders.
    ``unknown``: why nothing could be compared.
    """

    losses: tuple[Loss, ...] = ()
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    compared: int = 0
    left_out: int = 0
    unknown: Text | None = None

    @property
    def by_looks(self) -> bool:
        """Whether what somebody holds without a right to it is found by a look at all holders alone."""
        return bool(self.services or self.left_out or self.unknown)

    def to_json(self) -> dict[str, Any]:
        """Return what the entry of the act says of it: nothing when nobody lost anything."""
        if self.unknown:
            return {"lost": {"unknown": self.unknown.to_json()}}
        if not (self.losses or self.services or self.left_out):
            return {}
        named = [
            {"person": loss.person, "areas": list(loss.areas), "rooms": list(loss.rooms)}
            | ({"uids": list(loss.uids)} if loss.uids else {})
            for loss in self.losses[:_SHOWN]
        ]
        services = {"services": {service: list(areas) for service, areas in self.services}} if self.services else {}
        left_out = {"not_compared": self.left_out} if self.left_out else {}
        return {"lost": {"people": len(self.losses), "first": named, **services, **left_out}}


def compare_or_say(
    before: FactsReader,
    change: RegistryTransaction,
    in_force: Callable[[], Pack],
    coming: Pack | None,
    now: datetime,
    cut: AbstractSet[str],
) -> ComparedRights:
    """Return what :func:`compare` does, or why it cannot: no act that takes rights waits for a rule pack to be mended.

    *in_force* reads the pack before the act, *coming* is another one that it puts in force. *cut*: see :func:`compare`.
    What is held meanwhile by somebody without rights is ended by the looks at all holders
    (:mod:`agent.control.holder_cuts`). Raises :class:`agent.errors.FatalError`.
    """
    try:
        pack = in_force()
        return compare(before, change, (pack, coming or pack), now, cut)
    except ShoumiError as error:
        return ComparedRights(unknown=error.text)


def compare(
    before: FactsReader, change: RegistryTransaction, packs: tuple[Pack, Pack], now: datetime, cut: AbstractSet[str]
) -> ComparedRights:
    """Return what the open *change* takes of what stood *before* it. *packs*: the one in force, and the one to come.

    Nothing is compared for people who are *cut*: they lose everything, by a run that the act asks for itself.
    Raises :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError` when the registry cannot be read.
    """
    touched = change.touched().without(cut)
    old, new = packs
    if old.digest != new.digest:
        touched = touched._replace(everything=True)
    with before.snapshot():
        pairs = before.candidates(touched, int(old.grant.from_level))
        asked = pairs if len(pairs) <= MOST else _of_those_here(before, pairs)
        rooms = before.room_names()
        had = {right for right in asked if _has(before.facts((right.person,), right.place)[1], right, rooms, old, now)}
        services = before.services() if touched.services else ()
        entering = {right.person for right in had if right.place in rooms}
        carried = {badge.person for badge in before.badges() if badge.good(now)} & entering if entering else set()
    cardless = {person for person in carried if not change.badges.opens(person, now)}
    kept = {
        right
        for right in had
        if not (right.place in rooms and right.person in cardless)
        and _keeps(change.facts(right.person, right.place), right, rooms, new, now)
    }
    found = losses(had, kept, rooms, _taken(touched, change))
    gone = [
        (one.id, tuple(sorted(one.areas - change.services.areas(one.id))))
        for one in services
        if one.active and one.id in touched.services
    ]
    lost_by_services = tuple((service, areas) for service, areas in gone if areas)
    return ComparedRights(found, lost_by_services, len(asked), len(pairs) - len(asked))


def _keeps(facts: Facts, right: Right, rooms: AbstractSet[str], pack: Pack, now: datetime) -> bool:
    # A place that is removed is closed to nobody any more.
    return right.place not in facts.resources or _has(facts, right, rooms, pack, now)


def _has(facts: Facts, right: Right, rooms: AbstractSet[str], pack: Pack, now: datetime) -> bool:
    action = Action.ENTER if right.place in rooms else Action.OPEN
    return stands(decide(Request((right.person,), right.place, action), facts, pack, now))


def _taken(touched: Touched, change: RegistryTransaction) -> dict[str, list[int]]:
    """Return the accounts that are not their person's any more, by person."""
    found: dict[str, list[int]] = {}
    for uid, person in touched.uids:
        if change.accounts.owner(uid) != person:
            found.setdefault(person, []).append(uid)
    return found


def _of_those_here(before: FactsReader, pairs: Iterable[Right]) -> frozenset[Right]:
    accounts = before.accounts()
    here = {accounts[uid] for uid in _acting() if uid in accounts} | {row.person for row in before.presence()}
    return frozenset(right for right in pairs if right.person in here)


def _acting() -> frozenset[int]:
    """Return every uid that a process has, and every login uid."""
    found: set[int] = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - inside a change
        if name.isdigit():
            with suppress(OSError, ValueError):
                found.add(os.stat(f"/proc/{name}").st_uid)  # noqa: PTH116
                with open(f"/proc/{name}/loginuid", "rb") as file:
                    found.add(int(file.read()))
    return frozenset(found)
