"""Writing how HR names people: which number, e-mail address or issuer's number is whose.

Rules of this file: a name is one person's; who it belongs to is changed by taking it away first, so that nobody's
departure becomes another's by a slip. Addresses are kept in small letters, as they are compared.
"""

from agent.errors import RefusedError
from agent.registry.columns import instant
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import identifier, taken
from rules.text import Text
from rules.visible import visible

_NAME = Text("name of the personnel system", "人事系统名称")
_REMOVE = Text("take it away first: shoumi hr subject remove", "请先移除：shoumi hr subject remove")


class HrSubjectRepository:
    """Names of HR's. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, form: str, iss: str, value: str, person: str, *, by: str) -> None:
        """Say whose the name *value* of the format *form* is; *iss*: of which issuer, for ``iss_sub``."""
        require_person(self._transaction, person)
        identifier(value, _NAME)
        found = self._transaction.row(
            "SELECT person FROM hr_subjects WHERE format = ? AND iss = ? AND value = ?", form, iss, value
        )
        if found:
            raise taken(_NAME, value, str(found[0]), _REMOVE)
        self._transaction.insert(
            "hr_subjects",
            format=form,
            iss=iss,
            value=value,
            person=person,
            since=instant(self._transaction.at),
            added_by=by,
        )

    def remove(self, form: str, iss: str, value: str) -> str:
        """Take a name away, and return whose it was."""
        key = (form, iss, value)
        found = self._transaction.row("SELECT person FROM hr_subjects WHERE format = ? AND iss = ? AND value = ?", *key)
        if found is None:
            said = visible(value)
            raise RefusedError(
                Text(f"`{said}` is nobody's name here", f"`{said}` 未登记为任何人员的名称"),
                Text("see `shoumi hr subject list`", "参见 `shoumi hr subject list`"),
            )
        self._transaction.execute("DELETE FROM hr_subjects WHERE format = ? AND iss = ? AND value = ?", *key)
        return str(found[0])
