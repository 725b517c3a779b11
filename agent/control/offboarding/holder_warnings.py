"""A word in time to holders: 7 days, 1 day and 10 minutes before they lose something at a known instant.

Rules of this file: it ends nothing, and holds are not its matter: nobody is told of one. Whom to ask about is narrowed
by the registry's own questions, because it is asked often; what they lose is judged from their facts. A warning goes to
the terminals of each account of the person and to its mail, is an entry, and is given once, also over a restart.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from agent.control.offboarding.given_warnings import grant_of, read_warnings, write_warnings
from agent.offboard.expiring import HOLDERS, Sort, UpcomingExpiry, due_to_holders, losses
from agent.offboard.warning import mail, terminals
from agent.site.context import SiteContext
from rules.decide import decide
from rules.model import Action, Grant, Person, Request
from rules.rights import stands
from rules.text import Text

_EVERY = 20.0  # seconds between two looks at grants and leave dates
_RECORDS = 600.0  # seconds between two looks at everybody's records
_MOST = 20  # warnings given at a time: what is left is given next time
_ACCOUNTS = 4  # of one person, that are written to
_AHEAD = max(HOLDERS)
_SUBJECT = "Shoumi 守密: access ends soon 权限即将结束"


class Told(NamedTuple):
    """How a warning went: on how many terminals, and by which mail (:class:`agent.offboard.warning.mail.Mailed`)."""

    terminals: int
    mail: tuple[str, ...]


def tell(uids: list[int], text: Text, now: datetime) -> Told:
    """Say *text*, in both languages, on the terminals of *uids* and in their mail."""
    lines = [f"守密: {text.zh}", f"Shoumi: {text.en}"]
    boxes = [box for uid in uids if (box := mail.mailbox_of(uid))]
    return Told(
        sum(terminals.write(uid, lines) for uid in uids),
        tuple(mail.deliver(box, _SUBJECT, lines, now).value for box in boxes),
    )


class HolderWarnings:
    """The warnings of one agent to those who lose something. One thread at a time."""

    def __init__(self, site: SiteContext, tell: Callable[[list[int], Text, datetime], Told] = tell) -> None:
        self._site = site
        self._tell = tell
        self._file = site.home.root / "warned.json"
        self._next = self._next_records = 0.0
        self._recorded: frozenset[str] = frozenset()  # whose records end soon

    def step(self) -> None:
        """Give the warnings that are due, if it is time to look. Raises :class:`agent.errors.ShoumiError`."""
        if time.monotonic() < self._next:
            return
        site, now = self._site, self._site.now()
        said = read_warnings(self._file)
        found = due_to_holders(self._losses(now), said, now, timezone(site.pack().utc_offset))
        needed = [one for one in found.now if self._takes(one.ending)]
        given = needed[:_MOST]
        left = {one.warning for one in needed[_MOST:]}
        if found.said - left != said:  # kept first: a warning that is lost is better than one that comes every minute
            write_warnings(self._file, found.said - left)
        for one in given:
            uids = [int(str(row["uid"])) for row in site.lists.accounts.find(one.ending.person)]
            told = self._tell(uids[:_ACCOUNTS], one.text, now)
            site.audit.append(
                {
                    "kind": "warned",
                    "person": one.ending.person,
                    "what": [one.text.to_json()],
                    "terminals": told.terminals,
                    "mail": list(told.mail),
                }
            )
        self._next = time.monotonic() + (0.0 if left else _EVERY)

    def _losses(self, now: datetime) -> Iterator[UpcomingExpiry]:
        site, pack, until = self._site, self._site.pack(), now + _AHEAD
        grants: defaultdict[str, list[Grant]] = defaultdict(list)
        for row in site.lists.grants.ending(now, until):
            grants[str(row["person"])].append(grant_of(row))
        leaving = {case.person for case in site.lists.cases.leaving(now, until)}
        for person in sorted({*grants, *leaving, *self._records(now)}):
            if found := self._person(person):
                yield from losses(replace(found, grants=tuple(grants[person])), pack, now)

    def _takes(self, ending: UpcomingExpiry) -> bool:
        """Whether access ends with it: not where another grant lets its person in at that instant all the same."""
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
