"""Warnings to holders: 7 days, 1 day and 10 minutes before they lose access at a known instant.

Rules of this file: it ends nothing, and never warns of a hold. Queries of the registry narrow the people down, because
the check is frequent; their loss is computed from facts. A warning goes to the terminals and the mail of each account
of the person, is an entry, and is given once, even across a restart.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from agent.control.offboarding.given_warnings import grant_of, read_warnings, write_warnings
from agent.language.catalogue import localized
from agent.offboard.expiring import HOLDERS, Sort, UpcomingExpiry, due_to_holders, losses
from agent.offboard.warning import mail, terminals
from agent.site.context import SiteContext
from rules.decide import decide
from rules.model import Action, Grant, Person, Request
from rules.rights import stands
from rules.text import Message, Sentence

_EVERY = 20.0  # seconds between two checks of grants and leave dates
_RECORDS = 600.0  # seconds between two checks of all records
_MOST = 20  # warnings given at a time; the others follow at the next check
_ACCOUNTS = 4  # accounts of one person that get a warning
_AHEAD = max(HOLDERS)


class WarningDelivery(NamedTuple):
    """Delivery of a warning: the number of terminals, and the mail (:class:`agent.offboard.warning.mail.Mailed`)."""

    terminals: int
    mail: tuple[str, ...]


def tell(uids: list[int], text: Sentence, now: datetime) -> WarningDelivery:
    """Write *text*, in both languages, to the terminals and the mail of *uids*."""
    lines = [localized(Message("control.notice-from-shoumi", text=text), language) for language in ("zh", "en")]
    subject = " ".join(localized(Message("control.warning-subject"), language) for language in ("en", "zh"))
    boxes = [box for uid in uids if (box := mail.mailbox_of(uid))]
    return WarningDelivery(
        sum(terminals.write(uid, lines) for uid in uids),
        tuple(mail.deliver(box, subject, lines, now).value for box in boxes),
    )


class HolderWarnings:
    """The warnings of one agent to people who lose access. One thread at a time."""

    def __init__(
        self, site: SiteContext, tell: Callable[[list[int], Sentence, datetime], WarningDelivery] = tell
    ) -> None:
        self._site = site
        self._tell = tell
        self._file = site.home.root / "warned.json"
        self._next = self._next_records = 0.0
        self._recorded: frozenset[str] = frozenset()  # people whose records expire soon

    def step(self) -> None:
        """Give the warnings that are due, if it is time to check. Raises :class:`agent.errors.ShoumiError`."""
        if time.monotonic() < self._next:
            return
        site, now = self._site, self._site.now()
        given_before = read_warnings(self._file)
        due = due_to_holders(self._losses(now), given_before, now, timezone(site.pack().utc_offset))
        needed = [notice for notice in due.now if self._takes(notice.ending)]
        batch = needed[:_MOST]
        postponed = {notice.warning for notice in needed[_MOST:]}
        if (
            due.said - postponed != given_before
        ):  # stored first: a lost warning is better than one repeated every minute
            write_warnings(self._file, due.said - postponed)
        for notice in batch:
            uids = [int(str(row["uid"])) for row in site.lists.accounts.find(notice.ending.person)]
            delivery = self._tell(uids[:_ACCOUNTS], notice.text, now)
            site.audit.append(
                {
                    "kind": "warned",
                    "person": notice.ending.person,
                    "what": [notice.text.to_json()],
                    "terminals": delivery.terminals,
                    "mail": list(delivery.mail),
                }
            )
        self._next = time.monotonic() + (0.0 if postponed else _EVERY)

    def _losses(self, now: datetime) -> Iterator[UpcomingExpiry]:
        site, pack, until = self._site, self._site.pack(), now + _AHEAD
        grants: defaultdict[str, list[Grant]] = defaultdict(list)
        for row in site.lists.grants.ending(now, until):
            grants[str(row["person"])].append(grant_of(row))
        leaving = {case.person for case in site.lists.cases.leaving(now, until)}
        for person in sorted({*grants, *leaving, *self._records(now)}):
            if holder := self._person(person):
                yield from losses(replace(holder, grants=tuple(grants[person])), pack, now)

    def _takes(self, ending: UpcomingExpiry) -> bool:
        """Return whether access ends with *ending*, that is, no other grant allows it at that instant."""
        if ending.sort is not Sort.GRANT:
            return True
        site = self._site
        place = str(site.lists.grants.get(ending.name)["resource"])
        _, facts = site.facts.facts([ending.person], place)
        action = Action.ENTER if place in site.facts.room_names() else Action.OPEN
        return not stands(decide(Request((ending.person,), place, action), facts, site.pack(), ending.until))

    def _person(self, name: str) -> Person | None:
        _, facts = self._site.facts.facts([name], "")
        return facts.persons.get(name)

    def _records(self, now: datetime) -> frozenset[str]:
        if time.monotonic() >= self._next_records:
            kinds = self._site.pack().records
            valid = {name: kind.valid_days for name, kind in kinds.items() if kind.valid_days}
            days = (_AHEAD + timedelta(days=1)).days
            rows = self._site.lists.records.due(now, days, valid_days=valid)
            self._recorded = frozenset(str(row["person"]) for row in rows if row["kind"] in kinds)
            self._next_records = time.monotonic() + _RECORDS
        return self._recorded
