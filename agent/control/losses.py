"""Rights lost by a change (contract C14): comparison of the rights before and after it, inside the transaction.

    apply → rows touched → people who may have had rights there → before (stored registry) and after (open change)

Rules of this file: the rows that an act wrote decide whose rights are compared, whatever the act is. It reads and
evaluates, and cuts nothing. A person loses their rooms with their last valid badge. A change with too many pairs is
compared only for people who have a process now or are inside a room: no one else holds anything that could be cut; the
number left out is reported.
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
from rules.text import Sentence

MOST = 4000  # pairs; about half a second
_SHOWN = 50  # losses an entry names


class ComparedRights(NamedTuple):
    """Rights that a change ends. ``compared`` pairs of person and place were examined, ``left_out`` were not.

    ``services``: areas that a service account loses; scans of all holders end what its processes hold there.
    ``unknown``: why nothing could be compared.
    """

    losses: tuple[Loss, ...] = ()
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    compared: int = 0
    left_out: int = 0
    unknown: Sentence | None = None

    @property
    def by_looks(self) -> bool:
        """Return whether only a scan of all holders finds files held without a right."""
        return bool(self.services or self.left_out or self.unknown)

    def to_json(self) -> dict[str, Any]:
        """Return the fields for the entry of the act: none when no one lost anything."""
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
    """Return the result of :func:`compare`, or why it failed: no act that ends rights waits for a broken rule pack.

    *in_force* reads the pack before the act, *coming* is another one that it puts in force. *cut*: see :func:`compare`.
    Scans of all holders end what is held without a right meanwhile (:mod:`agent.control.holder_cuts`). Raises
    :class:`agent.errors.FatalError`.
    """
    try:
        pack = in_force()
        return compare(before, change, (pack, coming or pack), now, cut)
    except ShoumiError as error:
        return ComparedRights(unknown=error.text)


def compare(
    before: FactsReader, change: RegistryTransaction, packs: tuple[Pack, Pack], now: datetime, cut: AbstractSet[str]
) -> ComparedRights:
    """Return the rights *before* the open *change* that it ends. *packs*: in force, and after the change.

    People in *cut* are not compared: they lose everything, by a run that the act itself requests. Raises
    :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError` when the registry cannot be read.
    """
    touched = change.touched().without(cut)
    old, new = packs
    if old.digest != new.digest:
        touched = touched._replace(everything=True)
    with before.snapshot():
        pairs = before.candidates(touched, int(old.grant.from_level))
        compared_pairs = pairs if len(pairs) <= MOST else _of_those_here(before, pairs)
        rooms = before.room_names()
        had = {
            right
            for right in compared_pairs
            if _has(before.facts((right.person,), right.place)[1], right, rooms, old, now)
        }
        services = before.services() if touched.services else ()
        entering = {right.person for right in had if right.place in rooms}
        carried = {badge.person for badge in before.badges() if badge.good(now)} & entering if entering else set()
    cardless = {person for person in carried if not change.badges.opens(person, now)}
    retained = {
        right
        for right in had
        if not (right.place in rooms and right.person in cardless)
        and _keeps(change.facts(right.person, right.place), right, rooms, new, now)
    }
    lost = losses(had, retained, rooms, _taken(touched, change))
    service_losses = [
        (row.id, tuple(sorted(row.areas - change.services.areas(row.id))))
        for row in services
        if row.active and row.id in touched.services
    ]
    lost_by_services = tuple((service, areas) for service, areas in service_losses if areas)
    return ComparedRights(lost, lost_by_services, len(compared_pairs), len(pairs) - len(compared_pairs))


def _keeps(facts: Facts, right: Right, rooms: AbstractSet[str], pack: Pack, now: datetime) -> bool:
    # A removed place denies no one any more.
    return right.place not in facts.resources or _has(facts, right, rooms, pack, now)


def _has(facts: Facts, right: Right, rooms: AbstractSet[str], pack: Pack, now: datetime) -> bool:
    action = Action.ENTER if right.place in rooms else Action.OPEN
    return stands(decide(Request((right.person,), right.place, action), facts, pack, now))


def _taken(touched: Touched, change: RegistryTransaction) -> dict[str, list[int]]:
    """Return the accounts that no longer belong to their person, by person."""
    taken: dict[str, list[int]] = {}
    for uid, person in touched.uids:
        if change.accounts.owner(uid) != person:
            taken.setdefault(person, []).append(uid)
    return taken


def _of_those_here(before: FactsReader, pairs: Iterable[Right]) -> frozenset[Right]:
    accounts = before.accounts()
    acting = {accounts[uid] for uid in _acting() if uid in accounts} | {row.person for row in before.presence()}
    return frozenset(right for right in pairs if right.person in acting)


def _acting() -> frozenset[int]:
    """Return the uids and login uids of all processes."""
    uids: set[int] = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - inside a change
        if name.isdigit():
            with suppress(OSError, ValueError):
                uids.add(os.stat(f"/proc/{name}").st_uid)  # noqa: PTH116
                with open(f"/proc/{name}/loginuid", "rb") as file:
                    uids.add(int(file.read()))
    return frozenset(uids)
