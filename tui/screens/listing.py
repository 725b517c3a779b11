"""Base of screens with a list: the detail of the highlighted row beside it, or in its place on a narrow terminal.

Rules of this file: the detail is fetched when it is shown, and again with every load. A subclass supplies its rows and
their detail; navigation, filtering and forms are here.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize

from agent.api.operations import TABLE
from rules.text import Message, Sentence, from_json
from tui.forms import Form
from tui.render.cells import Piece
from tui.render.operation import done_notice
from tui.render.plan import PlanLine, PlanPage
from tui.screens.base import BaseScreen
from tui.screens.choice import ChoiceScreen
from tui.widgets.filter import FilterBar
from tui.widgets.table import Table
from tui.widgets.text_page import TextPage
from tui.widgets.virtual_list import Column, Row, VirtualList

_WIDE = 120  # cells from which the detail stands beside the list
_FILTER = Message("common.filter")


class ListScreen(BaseScreen):
    """A place with one list. A subclass has the columns, the operation of the list, and :meth:`detail`."""

    EVERY = 3.0
    COLUMNS: ClassVar[tuple[Column, ...]]
    KEY: ClassVar[str]  # the field that identifies a row
    OP: ClassVar[str]
    NO_ROW: ClassVar[Sentence]  # why an act on a row cannot be used without one
    EMPTY: ClassVar[Sentence] = Message("tui.nothing-listed")
    FREE: ClassVar[frozenset[str]] = frozenset()  # acts that need no row, beside filter and add
    DEFAULT_CSS: ClassVar[str] = """
    ListScreen #main { height: 1fr; }
    ListScreen TextPage { display: none; }
    ListScreen.detail TextPage { display: block; }
    ListScreen.detail.narrow Table { display: none; }
    ListScreen.detail.wide TextPage { width: 50%; border-left: tall $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted: object = None  # the row to select after the next load
        self._read: object = None  # the row whose detail is shown

    async def rows(self) -> list[Row]:
        """Return the rows. Raises as the agent does."""
        return await self.agent.items(self.OP)

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the detail of *row*."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """Lay it out."""
        with Horizontal(id="main"):
            yield Table(self.COLUMNS, self.KEY, empty=self.EMPTY)
            yield TextPage()
        yield FilterBar()

    @property
    def table(self) -> Table:
        """The list."""
        return self.query_one(Table)

    @property
    def chosen(self) -> str:
        """The key of the highlighted row, which must exist: see :meth:`why_not`."""
        row = self.table.current()
        assert row is not None
        return str(row[self.KEY])

    def come_for(self, key: object) -> None:
        """Show the row of this key with its detail as soon as it is loaded."""
        self._wanted = key
        if self.is_mounted:
            self.start(self.load)

    async def load(self) -> None:
        """Fetch the rows, and the detail if it is open."""
        if self.agent.why_not(self.OP):
            return
        self.table.show(await self.rows())
        if self._wanted is not None:
            if self.table.select(self._wanted):
                self.add_class("detail")
            self._wanted = None
        if self.has_class("detail"):
            await self._show()

    async def _show(self) -> None:
        row = self.table.current()
        if row is not None:
            pieces = await self.detail(row)
            self.query_one(TextPage).show(*pieces, stay=self._read == row[self.KEY])
            self._read = row[self.KEY]

    def form(self, op: str, **preset: Any) -> None:
        """Open the form of *op*, and load again after the act."""
        self.start(self._form, op, preset, group="form")

    async def _form(self, op: str, preset: dict[str, Any]) -> None:
        if await self.app.push_screen_wait(Form(op, preset)):
            self.program.tell(done_notice(op))
            await self.load()

    # Forms ------------------------------------------------------------------------------------------------------------

    async def changed(self, op: str, preset: dict[str, Any]) -> None:
        """Open the form of a change, show the findings of the answer, and load."""
        answer = await self.ask(op, preset)
        if not answer:
            return
        if findings := answer.get("findings"):
            lines = [
                PlanLine(from_json(finding["text"]), "info", from_json(finding["hint"]) if finding["hint"] else None)
                for finding in findings
            ]
            await self.program.agreed(PlanPage(Message("tui.done-with-findings"), lines))
        await self.load()

    async def ask(self, op: str, preset: dict[str, Any], **options: Any) -> dict[str, Any] | None:
        """Show the form of *op*; return the answer of the agent, ``None`` when it was cancelled."""
        answer: dict[str, Any] | None = await self.app.push_screen_wait(Form(op, preset, **options))
        if answer is not None and TABLE[op].act and not _later(answer):
            self.program.tell(done_notice(op))
        return answer

    async def one_of(
        self,
        title: Sentence,
        rows: list[Row],
        label: Callable[[Row], Sentence],
        *,
        none: Sentence | None = None,
        always: bool = False,
    ) -> Row | None:
        """Ask for one of *rows* and return it; a single row is returned unasked unless *always*. ``None``: no row."""
        if not rows and none:
            self.program.tell(none)
        if len(rows) > 1 or (rows and always):
            place = await self.app.push_screen_wait(ChoiceScreen(title, [label(row) for row in rows]))
            return None if place is None else rows[place]
        return rows[0] if rows else None

    # Keys -------------------------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> Sentence | None:
        """Return why *action* cannot be used: most acts of the place need a highlighted row."""
        place, _, verb = action.partition(".")
        if place != self.PLACE or verb in {"filter", "add", *self.FREE} or self.table.current() is not None:
            return None
        return self.NO_ROW

    def do_filter(self) -> None:
        """Open the filter."""
        self.query_one(FilterBar).ask("filter", _FILTER)

    def do_open(self) -> None:
        """Show the detail of the highlighted row."""
        self.add_class("detail")
        self._read = None
        if not self.has_class("wide"):
            self.query_one(TextPage).focus()
        self.start(self._show, group="detail")

    def do_copy(self) -> None:
        """Send the row as JSON to the clipboard."""
        self.program.copy(json.dumps(self.table.current(), ensure_ascii=False), f"{self.PLACE}-{self.chosen}.json")

    async def leave(self) -> bool:
        """Close the filter line, the detail, or the filter; return whether one was open."""
        if self.query_one(FilterBar).close():
            self.table.filter("")
        elif self.has_class("detail"):
            self.remove_class("detail")
        elif self.table.filtered:
            self.table.filter("")
        else:
            return False
        self.table.focus()
        return True

    def on_filter_bar_entered(self, event: FilterBar.Entered) -> None:
        """Handle the typed text."""
        self.entered(event.purpose, event.typed)

    def entered(self, purpose: str, typed: str) -> None:
        """Apply the filter; a subclass with other purposes handles those."""
        assert purpose == "filter"
        self.table.filter(typed)
        self.query_one(FilterBar).close()
        self.table.focus()

    def on_lines_highlighted(self, _event: VirtualList.Highlighted) -> None:
        """Show the detail of the newly highlighted row beside the list."""
        if self.has_class("detail") and self.has_class("wide"):
            self.start(self._show, group="detail")

    def on_resize(self, event: Resize) -> None:
        """Place the detail beside the list on a wide terminal."""
        self.set_class(event.size.width >= _WIDE, "wide")
        self.set_class(event.size.width < _WIDE, "narrow")


def _later(answer: dict[str, Any]) -> bool:
    """Return whether an act has only been started: a command to a door, or a change of a volume."""
    return "ticket" in answer or {"point", "at"} <= answer.keys()
