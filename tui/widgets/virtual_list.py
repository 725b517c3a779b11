"""A list of any length, drawn line by line (Textual's line API).

Rules of this file:
- only visible lines are rendered, and rendered lines are cached: a list of a million rows opens as fast as one of ten;
- widths are in terminal cells, so that columns align with Chinese; a column is left out on terminals narrower than its
  ``least``;
- a text that does not fit its column loses its end, but a path its beginning: readers look for the name;
- the highlighted line also begins with ``›``, because a terminal may have no colours;
- the source of rows is not known here: :meth:`VirtualList.row` supplies them, ``None`` for one that is not loaded yet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message as PostedMessage
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agent.language.catalogue import localized
from rules.text import Message, Sentence, foreign
from tui.i18n import language_of
from tui.render.cells import fit, fit_path, tone_of, words_of

Row = Any
_GAP = "  "
_MARK, _NO_MARK = "› ", "  "
_KEPT = 512  # strips
_LATER = foreign("…")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the content of its cells (see :data:`tui.render.cells.Piece`), and its width in cells.

    ``width`` 0: the remaining width. ``least``: the width of the list below which the column is left out.
    """

    heading: Sentence
    cell: Callable[[Row], object]
    width: int = 0
    right: bool = False
    least: int = 0


def field(heading: Sentence, name: str, width: int = 0, *, right: bool = False, least: int = 0) -> Column:
    """Return a column that shows one field of a row as it is."""
    return Column(heading, lambda row: row.get(name), width, right, least)


class VirtualList(ScrollView, can_focus=True):
    """A heading and :attr:`count` rows, one of them highlighted."""

    DEFAULT_CSS = """
    VirtualList { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    VirtualList .lines--heading { text-style: bold; color: $text-muted; }
    VirtualList .lines--cursor { background: $boost; text-style: bold; }
    VirtualList:focus .lines--cursor { background: $primary 40%; }
    VirtualList .lines--dim { color: $text-muted; }
    VirtualList .lines--good { color: $success; }
    VirtualList .lines--warning { color: $warning; text-style: bold; }
    VirtualList .lines--bad { color: $error; text-style: bold; }
    VirtualList .lines--strong { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"lines--{name}" for name in ("heading", "cursor", "plain", "dim", "good", "warning", "bad", "strong")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False, id="list.up"),
        Binding("down,j", "move(1)", show=False, id="list.down"),
        Binding("pageup,ctrl+b", "page(-1)", show=False, id="list.page-up"),
        Binding("pagedown,ctrl+f,space", "page(1)", show=False, id="list.page-down"),
        Binding("home", "first", show=False, id="list.first"),
        Binding("end", "last", show=False, id="list.last"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(PostedMessage):
        """Another line is highlighted."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Opened(PostedMessage):
        """The highlighted line was clicked again, which acts as Enter."""

    def __init__(self, columns: Sequence[Column], *, empty: Sentence | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.empty = empty or Message("tui.nothing-listed")
        self._count = 0
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_KEPT)
        self._layout: tuple[tuple[Column, int], ...] = ()

    # Rows -------------------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """The number of rows."""
        return self._count

    def row(self, index: int) -> Row | None:
        """Return the row; ``None`` until it is loaded."""
        raise NotImplementedError

    def current(self) -> Row | None:
        """Return the highlighted row; ``None`` when there is none or it is not loaded."""
        return self.row(self.cursor) if self._count else None

    def resize_to(self, count: int) -> None:
        """Set the number of rows. Drawn rows stay as they are."""
        self._count = count
        self.virtual_size = Size(0, count + 1)  # the heading takes a line
        if self.cursor >= count:
            self.cursor = max(0, count - 1)

    def forget(self) -> None:
        """Draw everything again after rows, columns or the language changed."""
        self._strips.clear()
        self.refresh()

    # Moving -----------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Highlight the line *by* further down."""
        self.go_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Highlight a line a page further down."""
        self.go_to(self.cursor + by * self.page)

    def action_first(self) -> None:
        """Highlight the first line."""
        self.go_to(0)

    def action_last(self) -> None:
        """Highlight the last line."""
        self.go_to(self._count - 1)

    @property
    def page(self) -> int:
        """The number of visible rows."""
        return max(1, self.size.height - 1)

    @property
    def top(self) -> int:
        """The first visible row."""
        return self.scroll_offset.y

    def go_to(self, index: int) -> None:
        """Highlight row *index*, or the nearest one, and scroll as little as needed to show it."""
        index = max(0, min(index, self._count - 1))
        self.cursor = index
        top = self.top
        if index < top:
            self.look_at(index)
        elif index >= top + self.page:
            self.look_at(index - self.page + 1)

    def look_at(self, top: int) -> None:
        """Scroll so that row *top* is the first visible one. Never animated: over ssh every frame costs bytes."""
        self.scroll_to(y=max(0, min(top, self._count - self.page)), animate=False, force=True)

    def watch_cursor(self, before: int, now: int) -> None:
        """Draw the two changed lines, and post a message."""
        for index in (before, now):
            y = index - self.top + 1
            if 0 < y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))
        self.post_message(self.Highlighted(now))

    # Drawing ----------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Return one line of the widget: the heading, a row, or nothing."""
        width = self.size.width - self.scrollbar_size_vertical
        if y == 0:
            return self._cached_strip(("heading", width), lambda: self._heading(width))
        index = self.top + y - 1
        if index >= self._count:
            text = words_of(self.empty, language_of(self)) if self._count == 0 and y == 1 else ""
            return Strip([Segment(fit(_NO_MARK + text, width), self._style("dim"))], width)
        row = self.row(index)
        if row is None:
            return Strip([Segment(fit(f"{_NO_MARK}{_LATER.en}", width), self._style("dim"))], width)
        lit = index == self.cursor
        return self._cached_strip((self.key(index), width, lit), lambda: self._line(row, width, lit=lit))

    def key(self, index: int) -> object:
        """Return the cache key of row *index*; rows with the same key are drawn once."""
        return index

    def _cached_strip(self, key: tuple[object, ...], make: Callable[[], Strip]) -> Strip:
        key = (*key, language_of(self), self.app.theme, self.has_focus)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = make()
        return strip

    def _heading(self, width: int) -> Strip:
        language, style = language_of(self), self._style("heading")
        cells = [
            fit(localized(column.heading, language), wide, right=column.right) for column, wide in self._columns(width)
        ]
        return Strip([Segment(fit(_NO_MARK + _GAP.join(cells), width), style)], width)

    def _line(self, row: Row, width: int, *, lit: bool) -> Strip:
        language = language_of(self)
        base = self._style("cursor") if lit else self.rich_style
        segments = [Segment(_MARK if lit else _NO_MARK, base)]
        for number, (column, wide) in enumerate(self._columns(width)):
            piece = column.cell(row)
            tone = tone_of(piece)
            text = words_of(piece, language)
            cut = fit_path(text, wide) if text.startswith("/") else fit(text, wide, right=column.right)
            style = base if tone == "plain" else base + self._tone(tone)
            segments.append(Segment(_GAP + cut if number else cut, style))
        return Strip(segments).adjust_cell_length(width, base).simplify()  # a style change per column would cost bytes

    def _columns(self, width: int) -> tuple[tuple[Column, int], ...]:
        """Return the columns that fit, with their widths."""
        room = width + self.scrollbar_size_vertical
        columns = [column for column in self.columns if column.least <= room]
        fixed = sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1) + len(_MARK)
        flexible = sum(column.width == 0 for column in columns)
        share = max(4, (width - fixed) // flexible) if flexible else 0
        return tuple((column, column.width or share) for column in columns)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"lines--{name}")

    def _tone(self, name: str) -> Style:
        """Return the style of a tone without a background: the line keeps its own."""
        style = self._style(name)
        return Style(color=style.color, bold=style.bold)

    # Events -----------------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        """Keep the highlighted line in sight."""
        self._strips.clear()
        self.go_to(self.cursor)

    def on_language(self) -> None:
        """Draw everything in the other language."""
        self.forget()

    def on_click(self, event: Click) -> None:
        """Highlight the clicked line; a second click opens it."""
        index = self.top + event.y - 1
        if event.y > 0 and index < self._count:
            opens = index == self.cursor and event.chain > 1
            self.go_to(index)
            if opens:
                self.post_message(self.Opened())
