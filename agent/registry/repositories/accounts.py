"""Writing accounts: whose a Linux uid is.

Rules of this file: a person may have several. uid 0 is nobody's account (contract C4).
"""

from agent.errors import RefusedError
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.uids import already_of, check_uid
from agent.registry.rows.accounts import person_of_uid
from agent.registry.terms import ACCOUNT, SERVICE
from agent.registry.validation import taken, unknown, words
from rules.text import Text

_FIRST_ORDINARY = 1000  # login.defs(5) UID_MIN; below are the distribution's own accounts


class AccountRepository:
    """Accounts of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, uid: int, person: str, *, name: str = "", allow_system: bool = False, on_host: bool = False) -> None:
        """Say that *uid* is *person*'s; refused for uid 0, shared uids, taken ones, and 1 to 999 unless allowed.

        *on_host*: this host has an account of that number now.
        """
        require_person(self._transaction, person)
        check_uid(uid)
        if uid == 0:
            raise RefusedError(
                Text("uid 0 belongs to nobody", "uid 0 不属于任何人"),
                Text(
                    "what root does for a program is a service; what a person does as root counts as that person",
                    "root 运行的程序请登记为服务账户；人员以 root 身份的操作计入其本人",
                ),
            )
        if uid < _FIRST_ORDINARY and not allow_system:
            raise RefusedError(
                Text(f"uid {uid} is a system account", f"uid {uid} 是系统账号"),
                Text("register programs with `shoumi service add`", "程序请用 `shoumi service add` 登记"),
            )
        if owner := self.owner(uid):
            raise taken(
                ACCOUNT,
                str(uid),
                owner,
                Text("remove it there first: `shoumi account remove`", "请先移除：`shoumi account remove`"),
            )
        if service := self._transaction.row("SELECT id FROM services WHERE uid = ?", uid):
            raise already_of(uid, service[0], SERVICE)
        name = words(name, Text("account name", "账号名"))
        self._transaction.insert("accounts", uid=uid, person=person, name=name, on_host=on_host)
        self._transaction.execute("DELETE FROM former_accounts WHERE uid = ?", uid)

    def remove(self, uid: int) -> str:
        """Take the uid from its person, and return the person."""
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
        """Return the accounts of *person*."""
        rows = self._transaction.execute("SELECT uid FROM accounts WHERE person = ?", person)
        return frozenset(uid for (uid,) in rows)

    def owner(self, uid: int) -> str | None:
        """Return whose account *uid* is by now."""
        return self._transaction.read(person_of_uid, uid)
