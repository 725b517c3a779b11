"""Dataclasses as columns of a table: the column names, and reading a row into the dataclass.

Rules of this file: standard library only. A field is a column of the same name, in the same order, and its declared
type says how it is read, so that a new field needs the dataclass and a migration, and nothing else. A value is written
unchanged: SQLite stores true as 1, and a member of an enum as its number or text.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")


class DataclassColumns(Generic[_T]):
    """The columns of *kind*, whose fields are ``bool``, ``int``, ``str`` or an enum of these.

    ``types``: the declared type of each, by name. ``selected``: the names as a list for ``SELECT``.
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
        """Return the dataclass of the values of ``selected``; raise ``ValueError`` or ``TypeError`` for bad values."""
        return self._kind(*(declared(stored) for declared, stored in zip(self.types.values(), values, strict=True)))
