"""A list with all its rows in memory: people, areas, cases.

Rules of this file: the highlight belongs to a row, not to a line number: when the rows are loaded again or filtered,
it stays with the same row as long as that is shown.
"""

from collections.abc import Sequence

from agent.language.catalogue import expanded
from rules.text import Sentence
from rules.visible import visible
from tui.widgets.virtual_list import Column, Row, VirtualList


class Table(VirtualList):
    """Rows in columns. ``key`` names the field that identifies a row."""

    def __init__(
        self,
        columns: Sequence[Column],
        key: str,
        *,
        empty: Sentence | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(columns, empty=empty, id=id)
        self._key = key
        self._all: list[Row] = []
        self._rows: list[Row] = []
        self._terms: list[str] = []

    @property
    def rows(self) -> list[Row]:
        """The rows that are shown."""
        return self._rows

    def show(self, rows: list[Row]) -> None:
        """Replace the rows, and show those that pass the filter."""
        self._all = rows
        self._fill()

    def filter(self, terms: str) -> None:
        """Show only the rows that contain every term, in a name or a value; ``""`` shows all."""
        self._terms = terms.lower().split()
        self._fill()

    @property
    def filtered(self) -> bool:
        """True while a filter is set."""
        return bool(self._terms)

    def select(self, key: object) -> bool:
        """Highlight the row of this key; return whether it is shown."""
        for index, row in enumerate(self._rows):
            if row.get(self._key) == key:
                self.go_to(index)
                return True
        return False

    def row(self, index: int) -> Row | None:
        """Return the row."""
        return self._rows[index] if index < len(self._rows) else None

    def _fill(self) -> None:
        current = self.current()
        self._rows = [row for row in self._all if self._passes(row)]
        self.resize_to(len(self._rows))
        if current is None or not self.select(current.get(self._key)):
            self.go_to(self.cursor)
        self.forget()

    def _passes(self, row: Row) -> bool:
        if not self._terms:
            return True
        text = " ".join(visible(str(expanded(cell))) for cell in row.values() if cell is not None).lower()
        return all(term in text for term in self._terms)
