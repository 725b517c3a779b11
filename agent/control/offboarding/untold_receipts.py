"""Unrecorded receipts: stored receipts without a log entry, because their issuer died or the log was full.

Rules of this file: it finds and records nothing. An entry that was requested without an answer may still arrive: it is
awaited, or the result is unknown. The index counts only while it holds all of the log: with an index under rebuild
every receipt would be recorded twice. Receipts older than two weeks are ignored.
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
    """The receipts known to have an entry. Belongs to one thread.

    *settled* waits until every requested entry is in the log or has failed, and raises ``ShoumiError`` when that is
    unknown; *fresh* updates the index.
    """

    def __init__(self, site: SiteContext, settled: Callable[[], object], fresh: Callable[[], object]) -> None:
        self._site = site
        self._settled = settled
        self._fresh = fresh
        self._recorded: set[str] = set()

    def mark_recorded(self, path: Path) -> None:
        """Record that the entry of a receipt is in the log."""
        self._recorded.add(path.name)

    def find(self) -> list[Path]:
        """Return the receipts without an entry, by name; none while that is unknown.

        Raises :class:`agent.errors.ShoumiError`.
        """
        with suppress(OSError):  # the verifier reports an unreadable log
            return self._find(self._site.home)
        return []

    def _find(self, home: Home) -> list[Path]:
        unknown = [path for path in receipt.kept(receipt.receipts_folder(home.root)) if path.name not in self._recorded]
        since = self._site.now() - _NEWS
        recent = [path for path in unknown if datetime.fromtimestamp(path.stat().st_mtime, UTC) >= since]
        self._recorded |= {path.name for path in unknown} - {path.name for path in recent}
        if not recent:
            return []
        self._settled()
        last = backward.last(home.log)
        self._fresh()
        if last_seq(home.index) < last:
            return []
        self._recorded |= {str(row.entry.get("file")) for row in query(home.index, Filter(kind="receipt", limit=_MOST))}
        return [path for path in recent if path.name not in self._recorded]
