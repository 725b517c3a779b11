"""A dataclass as columns of a table: their names, and how one is made of what lies in them.

Rules of this file: standard library only. A field is a column of the same name, in the same order, and what it is
declared to be says how it is read, so that a field is added in the dataclass and by a migration, and nowhere else. A
value is written as it is: SQLite takes true for 1, and a member of an enum for its number or text.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")


class DataclassColumns(Generic[_T]):
    """The columns of *kind*, whose fields are ``bool``, ``int``, ``str`` or an enum of these.

    ``types``: by name, what each is declared to be. ``selected``: the names as ``SELECT`` takes them.
    """

    def __init__(self, kind: type[_T]) -> None:
        hints = get_type_hints(kind)
        self._kind = kind
        self.types: dict[str, type] = {field.name: hints[field.name] for field in fields(kind)}
        self.selected = ", ".join(self.types)
        for name, declared in self.types.items():
            if not (isinstance(declared, type) and issubclass(declared, int | str)):
                raise TypeError(f"{kind.__name__}.{name} cannot be a column")

    def read(self, values: Iterable[Any]) -> _T:
        """Return what the values of ``selected`` say; raise ``ValueError`` or ``TypeError`` for what none can be."""
        return self._kind(*(declared(value) for declared, value in zip(self.types.values(), values, strict=True)))
