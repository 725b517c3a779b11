"""Deny entries whose reason has gone are taken away: of somebody rehired, of a uid that was given on or given up.

Rules of this file: what is stale is asked of the registry, by the rule that decides every open; nothing is remembered
but when it was last asked, because time alone can give somebody their rights back. An area's entries go in one pass for
everybody, and an entry of the log says whose and where. Entries that cannot be reached stay remembered, and are tried
again.
"""

import os
import pwd
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from agent.control.offboarding.triggers import allowed
from agent.offboard.context import AreaPath, RevocationContext
from agent.offboard.deny_entries import DeniedAccount, DenyLedger, stale
from agent.offboard.steps import acl
from agent.site.context import SiteContext
from rules.decide import decide
from rules.model import Level, Request, Resource

AGAIN = 30.0  # seconds after which it is asked anew, though nothing was changed


class StaleDenials:
    """Takes them away. Belongs to one thread; *host* walks and remembers."""

    def __init__(self, site: SiteContext, ledger: DenyLedger, host: RevocationContext) -> None:
        self._site = site
        self._ledger = ledger
        self._host = host
        self._asked: tuple[int, float] | None = None

    def step(self) -> None:
        """Take away what is stale, if anything may have become so.

        Raises ``ShoumiError``; the rest waits for the next time.
        """
        epoch, now = self._site.facts.epoch(), time.monotonic()
        if self._asked is not None and self._asked[0] == epoch and now < self._asked[1] + AGAIN:
            return
        areas = {area.name: area for area in self._host.areas()}
        rows = self._ledger.standing(areas.values())
        found = stale_now(self._site, rows) if rows else {}
        for place, uids in found.items():
            self._clear(areas.get(place.name, place), uids)
        self._asked = epoch, now

    def _clear(self, area: AreaPath, uids: frozenset[int]) -> None:
        if self._site.facts.resource(area.name) is None and not os.path.lexists(area.path):
            self._ledger.removed(uids, (area.name,))  # it was deleted, and what refused anybody with it
            return
        tour = acl.take_away(uids, area, self._host)
        if tour.changed or not tour.trouble_count:
            said = {"changed": tour.changed, "not_reached": tour.trouble_count}
            self._host.append({"kind": "deny-entries", "area": area.name, "uids": sorted(uids), **said})
        if not tour.trouble_count:
            self._ledger.removed(uids, (area.name,))


def stale_now(site: SiteContext, rows: list[DeniedAccount]) -> dict[AreaPath, frozenset[int]]:
    """Return what of *rows* is stale by the registry, as :func:`agent.offboard.deny_entries.stale`."""
    return stale(rows, site.facts.person_of_uid, free, may_open(site))


def free(uid: int) -> bool:
    """Whether this host knows no account of *uid*."""
    with suppress(KeyError):
        pwd.getpwuid(uid)
        return False
    return True


def may_open(site: SiteContext) -> Callable[[str, str], bool]:
    """Return whether a person may open an area now; for one that is no area, whether they may open anything.

    Who has left is asked about once: nothing opens to them.
    """
    left: dict[str, bool] = {}

    def may(person: str, area: str) -> bool:
        if person not in left:
            left[person] = _has_left(site, person, area)
        if left[person]:
            return False
        return site.facts.resource(area) is None or allowed(site, person, area)

    return may


def _has_left(site: SiteContext, person: str, area: str) -> bool:
    """Whether their departure is approved, or a hold stands, whatever is asked about."""
    _, facts = site.facts.facts([person], area)
    if person not in facts.persons:
        return True
    if area not in facts.resources:  # of no place nothing is asked
        facts = replace(facts, resources={area: Resource(area, Level.INTERNAL, "")})
    verdict = decide(Request((person,), area), facts, site.pack(), site.now())
    return any(not finding.ok and finding.rule in ("hold", "departure") for finding in verdict.findings)
