"""Writing volumes: what is wanted of a disk at its mount point.

Rules of this file: one point has one volume. What is wanted is replaced as a whole.
"""

from agent.registry.columns import path_bytes
from agent.registry.paths import absolute
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.volumes import WantedState
from agent.registry.terms import OFFICER
from agent.registry.validation import words
from rules.text import Text


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
        """Say what is wanted of the volume at *point* from now on."""
        self._transaction.execute(
            "INSERT OR REPLACE INTO volumes (point, device, uuid, options, key_file, wanted, by, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            path_bytes(absolute(point)),
            path_bytes(absolute(device)),
            words(uuid, Text("number of the filesystem", "文件系统编号")),
            words(options, Text("mount options", "挂载选项")),
            path_bytes(absolute(key_file)) if key_file else b"",
            wanted,
            words(by, OFFICER),
            self._transaction.stamp,
        )

    def want(self, point: str, wanted: WantedState, *, by: str = "") -> None:
        """Want something else of the volume at *point*."""
        self._transaction.execute(
            "UPDATE volumes SET wanted = ?, by = ?, at = ? WHERE point = ?",
            wanted,
            words(by, OFFICER),
            self._transaction.stamp,
            path_bytes(point),
        )

    def forget(self, point: str) -> None:
        """Forget the volume at *point*."""
        self._transaction.execute("DELETE FROM volumes WHERE point = ?", path_bytes(point))
