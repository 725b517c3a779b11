"""The audit writer: protocol of the decider for code that appends entries and changes rights.

Rules of this file: a protocol, so that rooms and departures depend neither on the control process nor on its channel.
An entry is in the log when ``append`` returns; after :class:`agent.errors.UnreachableError` it may be there or not, and
only the log shows that.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class AuditWriter(Protocol):
    """Protocol: append entries and apply rights. Every method raises :class:`agent.errors.ShoumiError`."""

    def append(self, fields: Mapping[str, Any]) -> int:
        """Append one entry and return its number; it is then as durable as the site requires."""

    def epoch(self, epoch: int) -> None:
        """Return when no verdict older than *epoch* is used any more, and open descriptors are asked about again."""


class AcknowledgingWriter(AuditWriter, Protocol):
    """The same, with the acknowledged epoch, and the marking of the agent's own attempts."""

    def own(self, pid: int) -> None:
        """Announce that process *pid* tries to open files for the agent, so that its entries are marked."""

    def settled(self) -> None:
        """Return when every requested entry is in the log, or never will be.

        Raises :class:`agent.errors.ShoumiError` when that cannot be determined.
        """

    @property
    def acknowledged(self) -> tuple[int, float]:
        """The last epoch the decider has acknowledged, and when (``time.monotonic``)."""
