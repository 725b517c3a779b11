"""Writing volumes: the wanted state of a disk at its mount point.

Rules of this file: one mount point has one volume. The wanted state is replaced as a whole.
"""

from agent.registry.columns import path_bytes
from agent.registry.paths import absolute
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.volumes import WantedState
from agent.registry.terms import OFFICER
from agent.registry.validation import free_text
from rules.text import Message


class VolumeRepository:
    """Volumes. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def put(
        self,
        point: str,
        *,
        device: str,
        wanted: WantedState,
        uuid: str = "",
        options: str = "",
        key_file: str = "",
        by: str = "",
    ) -> None:
        """Store the wanted state of the volume at *point*."""
        self._transaction.execute(
            "INSERT OR REPLACE INTO volumes (point, device, uuid, options, key_file, wanted, by, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            path_bytes(absolute(point)),
            path_bytes(absolute(device)),
            free_text(uuid, Message("registry.filesystem-number")),
            free_text(options, Message("registry.mount-options")),
            path_bytes(absolute(key_file)) if key_file else b"",
            wanted,
            free_text(by, OFFICER),
            self._transaction.stamp,
        )

    def want(self, point: str, wanted: WantedState, *, by: str = "") -> None:
        """Change the wanted state of the volume at *point*."""
        self._transaction.execute(
            "UPDATE volumes SET wanted = ?, by = ?, at = ? WHERE point = ?",
            wanted,
            free_text(by, OFFICER),
            self._transaction.stamp,
            path_bytes(point),
        )

    def forget(self, point: str) -> None:
        """Delete the volume at *point*."""
        self._transaction.execute("DELETE FROM volumes WHERE point = ?", path_bytes(point))
