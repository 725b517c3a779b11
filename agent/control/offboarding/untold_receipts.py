"""Receipts that are kept and that no entry tells of: who issued them died before it could, or could not write it.

Rules of this file: it looks and tells nothing. An entry that was asked for without an answer may still come: it is
waited for, or nothing is known. The index is believed only while it holds all of the log: what is being made again
would have every receipt told of twice. What is older than two weeks was dealt with.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.log import backward
from agent.log.search import Filter, last_seq, query
from agent.offboard.receipt import receipt
from agent.runtime.home import Home
from agent.site.context import SiteContext

_NEWS = timedelta(days=14)
_MOST = 100_000


class UntoldReceipts:
    """Which receipts are told of. Belongs to one thread.

    *settled* returns when every entry that was asked for is in the log, or never will be, and raises ``ShoumiError``
    when that cannot be known; *fresh* has the index take in what is new.
    """

    def __init__(self, site: SiteContext, settled: Callable[[], object], fresh: Callable[[], object]) -> None:
        self._site = site
        self._settled = settled
        self._fresh = fresh
        self._told: set[str] = set()

    def told(self, path: Path) -> None:
        """Take note that the entry of a receipt is in the log."""
        self._told.add(path.name)

    def find(self) -> list[Path]:
        """Return those that no entry tells of, in the order of their names; none while that cannot be known.

        Raises :class:`agent.errors.ShoumiError`.
        """
        with suppress(OSError):  # whether the log can be read is the verifier's matter
            return self._find(self._site.home)
        return []

    def _find(self, home: Home) -> list[Path]:
        unknown = [one for one in receipt.kept(receipt.receipts_folder(home.root)) if one.name not in self._told]
        since = self._site.now() - _NEWS
        recent = [one for one in unknown if datetime.fromtimestamp(one.stat().st_mtime, UTC) >= since]
        self._told |= {one.name for one in unknown} - {one.name for one in recent}
        if not recent:
            return []
        self._settled()
        last = backward.last(home.log)
        self._fresh()
        if last_seq(home.index) < last:
            return []
        self._told |= {str(row.entry.get("file")) for row in query(home.index, Filter(kind="receipt", limit=_MOST))}
        return [one for one in recent if one.name not in self._told]
