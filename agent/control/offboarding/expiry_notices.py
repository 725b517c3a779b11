"""Expiry notices to officers: 14, 7 and 1 days before something ends by itself, and when it has ended; each once.

Rules of this file: it announces and ends nothing. Access ends on time by the verdict's ``until``, in the decider,
whether this process runs or not. A file keeps the notices given, so that a restart repeats none.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from agent.control.offboarding.given_warnings import grant_of, read_warnings, write_warnings
from agent.control.offboarding.holder_warnings import HolderWarnings
from agent.offboard.expiring import UpcomingExpiry, due, endings
from agent.site.context import SiteContext
from rules.model import Grant

_EVERY = 600.0  # seconds between two checks
_MOST = 100  # sentences in one entry


class ExpiryNotices:
    """The expiry notices of one agent. One thread at a time."""

    def __init__(self, site: SiteContext) -> None:
        self._site = site
        self._file = site.home.root / "expiry.json"
        self._next = 0.0
        self._holders = HolderWarnings(site)

    def step(self) -> None:
        """Give the warnings and notices that are due, if it is time to check.

        Raises :class:`agent.errors.ShoumiError` when they cannot be recorded.
        """
        self._holders.step()
        if time.monotonic() < self._next:
            return
        expiries = due(self._endings(), read_warnings(self._file), self._site.now())
        for start in range(0, len(expiries.now), _MOST):
            lines = [expiry.text.to_json() for expiry in expiries.now[start : start + _MOST]]
            self._site.audit.append({"kind": "expiring", "count": len(lines), "what": lines})
        write_warnings(self._file, expiries.said)
        self._next = time.monotonic() + _EVERY

    def _endings(self) -> Iterator[UpcomingExpiry]:
        site, pack, now = self._site, self._site.pack(), self._site.now()
        grants: defaultdict[str, list[Grant]] = defaultdict(list)
        for row in site.lists.grants.find(now):
            if row["until"]:
                grants[str(row["person"])].append(replace(grant_of(row), temporary=True))  # it ends by itself
        for row in site.lists.people.find():
            name = str(row["id"])
            _, facts = site.facts.facts([name], "")
            person = facts.persons.get(name)
            if person:
                yield from endings(replace(person, grants=tuple(grants[name])), pack)
