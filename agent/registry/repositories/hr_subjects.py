"""Writing the names of people in the personnel system: numbers, e-mail addresses and issuers' numbers.

Rules of this file: a name belongs to one person; it must be removed before it is given to another, so that no departure
is applied to the wrong person by mistake. Addresses are stored in lower case, as they are compared.
"""

from agent.errors import RefusedError
from agent.registry.columns import instant
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import identifier, taken
from rules.text import Message
from rules.visible import visible

_NAME = Message("registry.hr-name")
_REMOVE = Message("registry.remove-hr-name-first")


class HrSubjectRepository:
    """Names in the personnel system. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, form: str, iss: str, hr_name: str, person: str, *, by: str) -> None:
        """Assign the name *hr_name* of the format *form* to *person*; *iss*: its issuer, for ``iss_sub``."""
        require_person(self._transaction, person)
        identifier(hr_name, _NAME)
        person_row = self._transaction.row(
            "SELECT person FROM hr_subjects WHERE format = ? AND iss = ? AND value = ?", form, iss, hr_name
        )
        if person_row:
            raise taken(_NAME, hr_name, str(person_row[0]), _REMOVE)
        self._transaction.insert(
            "hr_subjects",
            format=form,
            iss=iss,
            value=hr_name,
            person=person,
            since=instant(self._transaction.at),
            added_by=by,
        )

    def remove(self, form: str, iss: str, hr_name: str) -> str:
        """Remove a name, and return its person."""
        key = (form, iss, hr_name)
        person_row = self._transaction.row(
            "SELECT person FROM hr_subjects WHERE format = ? AND iss = ? AND value = ?", *key
        )
        if person_row is None:
            shown_name = visible(hr_name)
            raise RefusedError(
                Message("registry.hr-name-not-found", name=shown_name),
                Message("registry.see-shoumi-hr-subject-list"),
            )
        self._transaction.execute("DELETE FROM hr_subjects WHERE format = ? AND iss = ? AND value = ?", *key)
        return str(person_row[0])
