"""Writing areas: directory trees with a level, in observe or enforce mode.

Rules of this file: one directory is one area. Removing an area ends its grants; a new area of the same name has none.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Unpack

from agent.errors import RefusedError
from agent.registry.columns import instant, path_bytes
from agent.registry.paths import absolute
from agent.registry.repositories.grants import GrantRepository
from agent.registry.repositories.references import require_area
from agent.registry.repositories.resources import NewResource, ResourceChange, ResourceRepository
from agent.registry.repositories.services import ServiceRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import AREA
from agent.registry.validation import taken
from rules.model import Mode
from rules.text import Message

Reads = Literal["quiet", "each"]


class AreaRepository:
    """Areas. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(
        self,
        transaction: Transaction,
        resources: ResourceRepository,
        grants: GrantRepository,
        services: ServiceRepository,
    ) -> None:
        self._transaction = transaction
        self._resources = resources
        self._grants = grants
        self._services = services

    def add(
        self,
        area: str,
        *,
        path: str,
        reads: Reads = "quiet",
        enforce_confirm_by: datetime | None = None,
        volume: Mapping[str, object] | None = None,
        **common: Unpack[NewResource],
    ) -> None:
        """Register a directory tree; refused when the name or the path is taken. *volume* must be JSON."""
        place = path_bytes(absolute(path))
        if owner := self._transaction.row(
            "SELECT name FROM areas JOIN resources ON key = resource WHERE path = ?", place
        ):
            raise taken(AREA, path, owner[0], Message("registry.one-area-per-directory"))
        self._transaction.insert(
            "areas",
            resource=self._resources.add(area, "area", AREA, **common),
            path=place,
            reads=reads,
            enforce_confirm_by=_confirm_by(common.get("mode", Mode.ENFORCE), enforce_confirm_by),
            volume=_volume(volume or {}),
        )

    def set(
        self,
        area: str,
        *,
        reads: Reads | None = None,
        volume: Mapping[str, object] | None = None,
        **common: Unpack[ResourceChange],
    ) -> None:
        """Change the given fields: how reads are checked, what the guard found about the place, and the common part."""
        key = require_area(self._transaction, area)
        stored_volume = None if volume is None else _volume(volume)
        self._transaction.update("areas", "resource", key, reads=reads, volume=stored_volume)
        self._resources.set(key, **common)

    def set_mode(self, area: str, mode: Mode, *, confirm_by: datetime | None = None) -> None:
        """Set observe or enforce mode. With *confirm_by* the area returns to observe then, unless confirmed."""
        key = require_area(self._transaction, area)
        self._resources.set_mode(key, mode)
        self._await_confirmation(key, _confirm_by(mode, confirm_by))

    def confirm_enforce(self, area: str) -> None:
        """Confirm enforce mode of the area; refused when no confirmation is pending."""
        key = require_area(self._transaction, area)
        if (
            self._transaction.row("SELECT 1 FROM areas WHERE resource = ? AND enforce_confirm_by IS NOT NULL", key)
            is None
        ):
            raise RefusedError(
                Message("registry.no-mode-change-pending"),
                Message("registry.see-shoumi-area-show"),
            )
        self._await_confirmation(key, None)

    def remove(self, area: str) -> int:
        """Remove the area, end its grants, and return the number of grants that were running."""
        key = require_area(self._transaction, area)
        ended = self._grants.end_all_to(key)
        self._services.forget_area(key)
        self._transaction.execute("DELETE FROM areas WHERE resource = ?", key)
        self._resources.remove(key)
        return ended

    def _await_confirmation(self, key: int, until: str | None) -> None:
        self._transaction.execute("UPDATE areas SET enforce_confirm_by = ? WHERE resource = ?", until, key)


def _confirm_by(mode: Mode, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if mode is not Mode.ENFORCE:
        raise RefusedError(
            Message("registry.only-enforce-mode-is-confirmed"),
            Message("registry.omit-confirmation-time"),
        )
    return instant(moment)


def _volume(volume: Mapping[str, object]) -> str:
    return json.dumps(dict(volume), ensure_ascii=False)
