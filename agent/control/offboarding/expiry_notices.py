"""A word in time: what ends by itself is announced 14, 7 and 1 days before, and when it has ended; each once.

Rules of this file: it announces and ends nothing. Access ends on time by the verdict's ``until``, in the decider,
whether this process runs or not. What has been said is kept in a file, so that a restart repeats nothing.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from agent.offboard.expiring import GivenWarning, Sort, UpcomingExpiry, due, endings
from agent.registry.columns import moment
from agent.site.context import SiteContext
from rules.model import Grant

_EVERY = 600.0  # seconds between two looks
_MOST = 100  # sentences in one entry


class ExpiryNotices:
    """The warnings of one agent. One thread at a time."""

    def __init__(self, site: SiteContext) -> None:
        self._site = site
        self._file = site.home.root / "expiry.json"
        self._next = 0.0

    def step(self) -> None:
        """Say what is due, if it is time to look. Raises :class:`agent.errors.ShoumiError` when it is not recorded."""
        if time.monotonic() < self._next:
            return
        found = due(self._endings(), _read(self._file), self._site.now())
        for start in range(0, len(found.now), _MOST):
            lines = [one.text.to_json() for one in found.now[start : start + _MOST]]
            self._site.audit.append({"kind": "expiring", "count": len(lines), "what": lines})
        _write(self._file, found.said)
        self._next = time.monotonic() + _EVERY

    def _endings(self) -> Iterator[UpcomingExpiry]:
        site, pack, now = self._site, self._site.pack(), self._site.now()
        grants: defaultdict[str, list[Grant]] = defaultdict(list)
        for row in site.lists.grants.find(now):
            if row["until"]:
                grants[str(row["person"])].append(
                    Grant(
                        str(row["id"]),
                        str(row["person"]),
                        str(row["resource"]),
                        str(row["reason"]),
                        str(row["approver"]),
                        moment(str(row["since"])),
                        moment(str(row["until"])),
                        temporary=True,
                    )
                )
        for row in site.lists.people.find():
            name = str(row["id"])
            _, facts = site.facts.facts([name], "")
            person = facts.persons.get(name)
            if person:
                yield from endings(replace(person, grants=tuple(grants[name])), pack)


def _read(file: Path) -> frozenset[GivenWarning]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return frozenset(
            GivenWarning(Sort(sort), person, name, datetime.fromisoformat(until), int(days))
            for sort, person, name, until, days in rows
        )
    except (OSError, ValueError, TypeError):  # lost: something is said twice, which does no harm
        return frozenset()


def _write(file: Path, said: frozenset[GivenWarning]) -> None:
    rows = sorted([one.sort.value, one.person, one.name, one.until.isoformat(), one.days] for one in said)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(file)
