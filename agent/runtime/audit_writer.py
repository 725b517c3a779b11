"""Who records: the decider, as far as those need it who write entries and change rights.

Rules of this file: a protocol, so that rooms and departures need neither the control process nor its channel. An entry
is in the log when ``append`` returns; what ends in :class:`agent.errors.UnreachableError` may be there or not, and only
the log can say.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class AuditWriter(Protocol):
    """Appends entries and takes over rights. Every method raises :class:`agent.errors.ShoumiError`."""

    def append(self, fields: Mapping[str, Any]) -> int:
        """Append one entry and return its number; when this returns the entry is as durable as the site asks."""

    def epoch(self, epoch: int) -> None:
        """Return when no verdict older than *epoch* is used any more, and open descriptors are asked about again."""


class AcknowledgingWriter(AuditWriter, Protocol):
    """The same, remembers what it took over, and hears which processes try to get in for the agent."""

    def own(self, pid: int) -> None:
        """Say that process *pid* tries to get in for the agent, so that its entries carry the mark of that."""

    def settled(self) -> None:
        """Return when every entry that was asked for before is in the log, or never will be.

        Raises :class:`agent.errors.ShoumiError` when that cannot be known.
        """

    @property
    def acknowledged(self) -> tuple[int, float]:
        """The last epoch the decider is known to have taken over, and when (``time.monotonic``)."""
