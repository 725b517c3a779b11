"""A list whose rows are all here: people, areas, cases.

Rules of this file: the highlight belongs to a row, not to a line number: when the rows are asked for again, or
filtered, it stays with the same one as long as that is there.
"""

from collections.abc import Sequence

from rules.text import Text
from rules.visible import visible
from tui.widgets.virtual_list import Column, Row, VirtualList


class Table(VirtualList):
    """Rows in columns. ``key`` names the field that identifies a row."""

    def __init__(
        self,
        columns: Sequence[Column],
        key: str,
        *,
        empty: Text | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(columns, empty=empty, id=id)
        self._key = key
        self._all: list[Row] = []
        self._rows: list[Row] = []
        self._words: list[str] = []

    @property
    def rows(self) -> list[Row]:
        """The rows that are shown."""
        return self._rows

    def show(self, rows: list[Row]) -> None:
        """Show *rows* from now on, those of them that pass the filter."""
        self._all = rows
        self._fill()

    def filter(self, words: str) -> None:
        """Show only rows in which every word stands somewhere, in a name or a value; ``""`` shows all."""
        self._words = words.lower().split()
        self._fill()

    @property
    def filtered(self) -> bool:
        """Whether rows may be left out."""
        return bool(self._words)

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
        if not self._words:
            return True
        text = " ".join(visible(str(value)) for value in row.values() if value is not None).lower()
        return all(word in text for word in self._words)
