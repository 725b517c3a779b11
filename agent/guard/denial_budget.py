"""Denial budget: the first denials of a user are recorded whole, later ones as counts at growing intervals (C13).

A denied reader in a tight loop must not fill the disk that every allow depends on, with any number of threads, files or
users.

Rules of this file: denials are counted per person (the login uid, else the file-system uid) and area. The first
:data:`WHOLE` denials are recorded one by one, and one more for every :data:`REFILL` that has passed; further ones are
counted, and the count is recorded after one second, then two, four and so on, up to :data:`SLOWEST`. A person gets
:data:`OF_ONE` over all areas, and all together :data:`WHOLE_A_MINUTE`; at most :data:`MOST` accounts are kept apart,
the others share one. Every denial is either recorded or counted. Allowed accesses never pass through here. Pure;
nanoseconds of the monotonic clock.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

SECOND = 1_000_000_000
WHOLE = 500
OF_ONE = 2 * WHOLE
REFILL = 10 * SECOND
WHOLE_A_MINUTE = 3_000
SLOWEST = 3600 * SECOND
MOST = 4096
_OTHERS = "others"
_PERSON = "person"  # before the person, among the names of accounts


class CountedDenials(NamedTuple):
    """Counted denials: the text of the last one, their number, and whether they are the first beyond the whole ones.

    ``first``: the person has just exceeded what is recorded whole; that raises an alarm.
    """

    fields: bytes
    times: int
    first: bool


@dataclass(slots=True)
class _Account:
    refilled: int
    whole: int = 0  # recorded one by one, less the refill since
    counted: int = 0
    fields: bytes = b""
    due: int = 0
    interval: int = SECOND
    over: bool = False  # more than what is recorded whole
    announced: bool = False

    def refill(self, now: int) -> None:
        back = (now - self.refilled) // REFILL
        self.refilled += back * REFILL
        self.whole = max(0, self.whole - back)
        if not self.whole and not self.counted:
            self.interval, self.over, self.announced = SECOND, False, False


class DenialBudget:
    """The whole entries and counts of denials. Belongs to the loop that answers."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[Hashable, _Account] = OrderedDict()  # the account denied last stands last
        self._minute = 0
        self._this_minute = 0

    def record(
        self, account_key: Hashable, fields: bytes, now: int, *, counted: bool = False, person: Hashable = None
    ) -> bool:
        """Return whether this denial of *account_key* is to be recorded now; if not, it has been counted.

        *person*: the owner, where *account_key* is one of several of theirs.

        With *counted* it is counted in any case.
        """
        account = self._account(account_key, now)
        account.refill(now)
        if now // (60 * SECOND) != self._minute:
            self._minute, self._this_minute = now // (60 * SECOND), 0
        person_over = person is not None and self._of_person(person, now) >= OF_ONE
        if account.whole < WHOLE and self._this_minute < WHOLE_A_MINUTE and not counted and not person_over:
            account.whole += 1
            self._this_minute += 1
            if person is not None:
                self._account((_PERSON, person), now).whole += 1
            return True
        if not account.counted:
            account.due = now + account.interval
        account.over = account.over or account.whole >= WHOLE or person_over
        account.counted += 1
        account.fields = fields
        return False

    def due(self, now: int) -> Iterator[CountedDenials]:
        """Yield the counts that are due."""
        for account in self._accounts.values():
            if account.counted and now >= account.due:
                yield CountedDenials(account.fields, account.counted, first=account.over and not account.announced)
                account.counted, account.announced = 0, account.over
                account.interval = min(2 * account.interval, SLOWEST) if account.over else SECOND

    def _of_person(self, person: Hashable, now: int) -> int:
        account = self._account((_PERSON, person), now)
        account.refill(now)
        return account.whole

    def _account(self, account_key: Hashable, now: int) -> _Account:
        existing = self._accounts.get(account_key)
        if existing is not None:
            self._accounts.move_to_end(account_key)
            return existing
        if len(self._accounts) >= MOST:
            oldest, account = next(iter(self._accounts.items()))
            account.refill(now)
            if account.counted or account.whole or oldest == _OTHERS:  # a recent denial is not forgotten
                return self._accounts.setdefault(_OTHERS, _Account(now))
            del self._accounts[oldest]
        created = self._accounts[account_key] = _Account(now)
        return created
