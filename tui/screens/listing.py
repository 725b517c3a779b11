"""A list with the detail of the highlighted row beside it, or in its place where there is no room.

Rules of this file: the detail is asked for when somebody looks at it, and again with every load. Places with a list
say what their rows are and what a row's detail is; going to and fro, filtering and forms are here.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize

from agent.api.operations import TABLE
from rules.text import Text
from tui.forms import Form
from tui.i18n import text_of
from tui.render.cells import Piece
from tui.render.operation import done
from tui.render.plan import PlanLine, PlanPage
from tui.screens.base import BaseScreen
from tui.screens.choice import ChoiceScreen
from tui.widgets.filter import FilterBar
from tui.widgets.table import Table
from tui.widgets.text_page import TextPage
from tui.widgets.virtual_list import Column, Row, VirtualList

_WIDE = 120  # cells from which the detail stands beside the list
_FILTER = Text("filter", "筛选")


class ListScreen(BaseScreen):
    """A place with one list. A subclass has the columns, the operation that lists, and :meth:`detail`."""

    EVERY = 3.0
    COLUMNS: ClassVar[tuple[Column, ...]]
    KEY: ClassVar[str]  # the field that identifies a row
    OP: ClassVar[str]
    WHO: ClassVar[Text]  # why an act on a row cannot be done without one
    EMPTY: ClassVar[Text] = Text("nothing", "无")
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
        self._wanted: object = None  # the row somebody comes for
        self._read: object = None  # the row whose detail is shown

    async def rows(self) -> list[Row]:
        """Return the rows; raise what the agent raises."""
        return await self.agent.items(self.OP)

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return all about *row*."""
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
        """The key of the highlighted row. Only where there is one: see :meth:`why_not`."""
        row = self.table.current()
        assert row is not None
        return str(row[self.KEY])

    def come_for(self, key: object) -> None:
        """Show the row of this key, in full, as soon as it is here."""
        self._wanted = key
        if self.is_mounted:
            self.start(self.load)

    async def load(self) -> None:
        """Ask for the rows, and for the detail if it is open."""
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

    def form(self, op: str, **given: Any) -> None:
        """Open the form of *op*, and load again when it was done."""
        self.start(self._form, op, given, group="form")

    async def _form(self, op: str, given: dict[str, Any]) -> None:
        if await self.app.push_screen_wait(Form(op, given)):
            self.program.tell(done(op))
            await self.load()

    # Asking -----------------------------------------------------------------------------------------------------------

    async def changed(self, op: str, given: dict[str, Any]) -> None:
        """Ask for a change, say what the agent found wrong with the room after it, and load."""
        answer = await self.ask(op, given)
        if not answer:
            return
        if findings := answer.get("findings"):
            lines = [
                PlanLine(text_of(one["text"]), "info", text_of(one["hint"]) if one["hint"] else None)
                for one in findings
            ]
            await self.program.agreed(PlanPage(Text("done; take note", "已执行，请注意"), lines))
        await self.load()

    async def ask(self, op: str, given: dict[str, Any], **how: Any) -> dict[str, Any] | None:
        """Show the form of *op*; return the agent's answer, ``None`` when it was left."""
        answer: dict[str, Any] | None = await self.app.push_screen_wait(Form(op, given, **how))
        if answer is not None and TABLE[op].act and not _later(answer):
            self.program.tell(done(op))
        return answer

    async def one_of(
        self,
        title: Text,
        rows: list[Row],
        said: Callable[[Row], Text],
        *,
        none: Text | None = None,
        always: bool = False,
    ) -> Row | None:
        """Return which of *rows* is meant; one alone is not asked about unless *always*. ``None``: none is."""
        if not rows and none:
            self.program.tell(none)
        if len(rows) > 1 or (rows and always):
            place = await self.app.push_screen_wait(ChoiceScreen(title, [said(row) for row in rows]))
            return None if place is None else rows[place]
        return rows[0] if rows else None

    # Keys -------------------------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> Text | None:
        """Most acts of the place are about the highlighted row."""
        place, _, verb = action.partition(".")
        if place != self.PLACE or verb in {"filter", "add", *self.FREE} or self.table.current() is not None:
            return None
        return self.WHO

    def do_filter(self) -> None:
        """Open the filter."""
        self.query_one(FilterBar).ask("filter", _FILTER)

    def do_open(self) -> None:
        """Show the highlighted row in full."""
        self.add_class("detail")
        self._read = None
        if not self.has_class("wide"):
            self.query_one(TextPage).focus()
        self.start(self._show, group="detail")

    def do_copy(self) -> None:
        """Send the detail as JSON to the clipboard."""
        self.program.copy(json.dumps(self.table.current(), ensure_ascii=False), f"{self.PLACE}-{self.chosen}.json")

    async def leave(self) -> bool:
        """Close what is open: the line, the detail, the filter."""
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
        """Take what was typed."""
        self.entered(event.what, event.typed)

    def entered(self, what: str, typed: str) -> None:
        """Filter; a place that asks for something else besides takes that itself."""
        assert what == "filter"
        self.table.filter(typed)
        self.query_one(FilterBar).close()
        self.table.focus()

    def on_lines_highlighted(self, _event: VirtualList.Highlighted) -> None:
        """The detail beside the list follows it."""
        if self.has_class("detail") and self.has_class("wide"):
            self.start(self._show, group="detail")

    def on_resize(self, event: Resize) -> None:
        """The detail stands beside the list where there is room."""
        self.set_class(event.size.width >= _WIDE, "wide")
        self.set_class(event.size.width < _WIDE, "narrow")


def _later(answer: dict[str, Any]) -> bool:
    """Whether an act has only begun: a command to a door, or what is wanted of a volume."""
    return "ticket" in answer or {"point", "at"} <= answer.keys()
