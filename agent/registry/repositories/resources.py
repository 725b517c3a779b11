"""Writing the common part of areas and rooms: name, level, domain, mode, scope, custodian, hours, end of secrecy.

Rules of this file: areas and rooms share one list of names, because grants and requests name either. A removed one
stays on file under its key; a new one of the same name is independent of it. Handlers write through
:mod:`agent.registry.repositories.areas` and :mod:`agent.registry.repositories.rooms`.
"""

from datetime import datetime
from typing import NotRequired, TypedDict

from agent.registry.columns import KEEP, Keep, maybe_instant
from agent.registry.repositories.contents import ContentRepository
from agent.registry.repositories.references import require_person
from agent.registry.repositories.scopes import ScopeRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import DOMAIN
from agent.registry.validation import free_text, identifier, taken
from rules.model import Level, Mode, Scope
from rules.text import Message, Sentence

_HOURS = Message("common.schedule")
_EVERYBODY = Scope()


class NewResource(TypedDict):
    """The fields of an area or room at its registration."""

    level: Level
    domain: str
    mode: NotRequired[Mode]
    scope: NotRequired[Scope]
    custodian: NotRequired[str]
    secret_until: NotRequired[datetime | None]
    hours: NotRequired[str]


class ResourceChange(TypedDict, total=False):
    """The fields of an area or room that can be changed: those given and not ``None``.

    ``secret_until=None`` means no end; ``scope`` replaces the whole scope.
    """

    level: Level | None
    domain: str | None
    scope: Scope | None
    custodian: str | None
    secret_until: datetime | Keep | None
    hours: str | None


class ResourceRepository:
    """The common part. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction, scopes: ScopeRepository, contents: ContentRepository) -> None:
        self._transaction = transaction
        self._scopes = scopes
        self._contents = contents

    def add(
        self,
        name: str,
        kind: str,
        term: Sentence,
        *,
        level: Level,
        domain: str,
        mode: Mode = Mode.ENFORCE,
        scope: Scope = _EVERYBODY,
        custodian: str = "",
        secret_until: datetime | None = None,
        hours: str = "",
    ) -> int:
        """Register the common part of an area or room, and return its key; refused when the name is taken."""
        identifier(name, term)
        if self._transaction.row("SELECT 1 FROM resources WHERE name = ? AND removed_at IS NULL", name):
            raise taken(Message("registry.area-or-room"), name, "", Message("registry.choose-another-name"))
        key = self._transaction.insert(
            "resources",
            name=name,
            kind=kind,
            level=int(level),
            domain=identifier(domain, DOMAIN),
            mode=mode,
            custodian=self._custodian(custodian),
            hours=free_text(hours, _HOURS),
            secret_until=maybe_instant(secret_until),
            added_at=self._transaction.stamp,
        )
        self._scopes.set(key, scope)
        return key

    def set(
        self,
        key: int,
        *,
        level: Level | None = None,
        domain: str | None = None,
        scope: Scope | None = None,
        custodian: str | None = None,
        secret_until: datetime | Keep | None = KEEP,
        hours: str | None = None,
    ) -> None:
        """Change the given fields: see :class:`ResourceChange`."""
        self._transaction.update(
            "resources",
            "key",
            key,
            level=level,
            domain=None if domain is None else identifier(domain, DOMAIN),
            hours=None if hours is None else free_text(hours, _HOURS),
        )
        if custodian is not None:
            whose = self._custodian(custodian)
            self._transaction.execute("UPDATE resources SET custodian = ? WHERE key = ?", whose, key)
        if secret_until is not KEEP:
            end = maybe_instant(secret_until)
            self._transaction.execute("UPDATE resources SET secret_until = ? WHERE key = ?", end, key)
        if scope is not None:
            self._scopes.set(key, scope)
        self._contents.check(key)

    def set_mode(self, key: int, mode: Mode) -> None:
        """Set observe or enforce mode."""
        self._transaction.update("resources", "key", key, mode=mode)

    def remove(self, key: int) -> None:
        """Remove the common part; the caller has removed the rest."""
        self._contents.forget(key)
        self._scopes.clear(key)
        self._transaction.update("resources", "key", key, removed_at=self._transaction.stamp)

    def _custodian(self, person: str) -> str | None:
        if not person:
            return None
        require_person(self._transaction, person)
        return person
