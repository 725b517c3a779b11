"""Writing accounts: the person to whom a Linux uid belongs.

Rules of this file: a person may have several accounts. uid 0 belongs to no person (contract C4).
"""

from agent.errors import RefusedError
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.uids import already_of, check_uid
from agent.registry.rows.accounts import person_of_uid
from agent.registry.terms import ACCOUNT, SERVICE
from agent.registry.validation import free_text, taken, unknown
from rules.text import Message

_FIRST_ORDINARY = 1000  # login.defs(5) UID_MIN; below are the distribution's own accounts


class AccountRepository:
    """Accounts of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, uid: int, person: str, *, name: str = "", allow_system: bool = False, on_host: bool = False) -> None:
        """Assign *uid* to *person*; refused for uid 0, shared uids, taken uids, and 1 to 999 unless allowed.

        *on_host*: this host has an account with that number now.
        """
        require_person(self._transaction, person)
        check_uid(uid)
        if uid == 0:
            raise RefusedError(
                Message("registry.uid-0-not-allowed"),
                Message("registry.register-root-program-as-service"),
            )
        if uid < _FIRST_ORDINARY and not allow_system:
            raise RefusedError(
                Message("registry.uid-system-account", uid=uid),
                Message("registry.register-programs-as-services"),
            )
        if owner := self.owner(uid):
            raise taken(
                ACCOUNT,
                str(uid),
                owner,
                Message("registry.remove-account-first"),
            )
        if service := self._transaction.row("SELECT id FROM services WHERE uid = ?", uid):
            raise already_of(uid, service[0], SERVICE)
        name = free_text(name, Message("registry.account-name"))
        self._transaction.insert("accounts", uid=uid, person=person, name=name, on_host=on_host)
        self._transaction.execute("DELETE FROM former_accounts WHERE uid = ?", uid)

    def remove(self, uid: int) -> str:
        """Remove the account of *uid*, and return its person."""
        owner = self.owner(uid)
        if owner is None:
            raise unknown(ACCOUNT, str(uid), "shoumi account list")
        self._transaction.execute("DELETE FROM accounts WHERE uid = ?", uid)
        self._transaction.execute(
            "INSERT OR REPLACE INTO former_accounts (uid, person, removed_at) VALUES (?, ?, ?)",
            uid,
            owner,
            self._transaction.stamp,
        )
        return owner

    def of(self, person: str) -> frozenset[int]:
        """Return the uids of *person*."""
        rows = self._transaction.execute("SELECT uid FROM accounts WHERE person = ?", person)
        return frozenset(uid for (uid,) in rows)

    def owner(self, uid: int) -> str | None:
        """Return the person to whom *uid* belongs, including the changes of this transaction."""
        return self._transaction.read(person_of_uid, uid)
