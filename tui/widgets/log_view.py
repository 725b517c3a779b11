"""The log as lines: any number of entries, drawn from a :class:`tui.log_session.LogPager`.

Rules of this file:
- it follows new entries only while the user keeps its last line in sight: any movement ends that, and new entries are
  then counted, not shown. Lines never move under the reader;
- a line that is not fetched yet is drawn as such, and a message requests it: the view itself calls nothing.
"""

from textual.events import Resize
from textual.message import Message as PostedMessage
from textual.reactive import reactive

from rules.text import Message
from tui.log_session import MISSING, LogPager
from tui.render import entry_columns
from tui.render.cells import number
from tui.widgets.virtual_list import Column, Row, VirtualList

_COLUMNS = (
    Column(Message("tui.column-number"), lambda row: _number(row.get("seq")), 10, right=True, least=70),
    Column(Message("common.time"), lambda row: entry_columns.day_and_time(row)[5:], 14),
    Column(Message("common.verdict"), entry_columns.verdict, 10),
    Column(Message("tui.column-person"), entry_columns.subject_of, 14),
    Column(Message("common.rule"), lambda row: row.get("rule"), 12, least=110),
    Column(Message("common.object"), entry_columns.object_of),
)


def _number(seq: object) -> str:
    return number(seq) if isinstance(seq, int) else ""


class LogView(VirtualList):
    """The lines of one reading."""

    following: reactive[bool] = reactive(default=True, repaint=False)

    class Wanted(PostedMessage):
        """Lines on the screen, or near it, are not fetched."""

    class Moved(PostedMessage):
        """The position of the reader has changed, or following has started or ended."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(_COLUMNS, empty=Message("common.no-entries-match"), id=id)
        self.reading: LogPager | None = None
        self.unseen = 0  # entries that arrived while not following

    def read(self, reading: LogPager) -> None:
        """Show *reading* from its newest entry on; with the same filter a reader further up keeps their position."""
        before, from_top, below = self.reading, self.cursor - self.top, self.count - self.cursor - self.unseen
        stays = before and self.count and not self.following and before.wanted == reading.wanted
        entry = before.number(self.cursor) if before and stays else None
        self.reading = reading
        self.unseen = 0
        self.following = True
        self.forget()
        self.resize_to(reading.count)
        self._to_the_end()
        if entry is not None:  # the agent was lost, or the previous reading has expired
            self.go_to(reading.line_of(entry))
            self.look_at(self.cursor - from_top)
            self.unseen = self.count - self.cursor - below

    def grown(self) -> None:
        """Add the new entries after the last one."""
        assert self.reading
        before = self.count
        self.resize_to(self.reading.count)
        if self.following:
            self._to_the_end()
            self.refresh()
        else:
            self.unseen += self.count - before

    def pushed_down(self, by: int) -> None:
        """Move everything *by* lines down after older entries were inserted; the screen stays as it is."""
        assert self.reading
        top = self.top
        self.resize_to(self.reading.count)
        self.set_reactive(LogView.cursor, self.cursor + by)
        self.look_at(top + by)
        if self.following:
            self._to_the_end()
        self.refresh()

    def row(self, index: int) -> Row | None:
        """Return the entry on line *index*."""
        if self.reading is None:
            return None
        line = self.reading.line(index)
        if line is None:
            return None
        return entry_columns.missing(self.reading.number(index)) if line == MISSING else entry_columns.parsed(line)

    def key(self, index: int) -> object:
        """Return the number of the entry, which always looks the same."""
        return self.reading.number(index) if self.reading else index

    def visible_lines(self) -> range:
        """Return the lines on the screen."""
        return range(self.top, min(self.count, self.top + self.page))

    def wanted(self) -> range:
        """Return the lines on the screen and one page on each side of it."""
        first = max(0, self.top - self.page)
        return range(first, min(self.count, self.top + 2 * self.page))

    def follow(self) -> None:
        """Go to the newest entry and stay there."""
        self.following = True
        self.unseen = 0
        self._to_the_end()
        self.refresh()

    def centre(self, index: int) -> None:
        """Highlight row *index* in the middle of the screen."""
        self.go_to(index)
        self.look_at(self.cursor - self.page // 2)

    def action_last(self) -> None:
        """Go to the end, which starts following."""
        self.follow()

    def go_to(self, index: int) -> None:
        """Highlight a line, which ends following."""
        if self.following and self.count and index < self.count - 1:
            self.following = False
        super().go_to(index)

    def watch_scroll_y(self, before: float, now: float) -> None:
        """Request the lines now in sight; scrolling away with the wheel ends following too."""
        super().watch_scroll_y(before, now)
        if self.following and self.top < self.count - self.page:
            self.following = False
        self._ask()

    def watch_cursor(self, before: int, now: int) -> None:
        """Report that the reader moved."""
        super().watch_cursor(before, now)
        self.post_message(self.Moved())

    def watch_following(self) -> None:
        """Report the change."""
        self.post_message(self.Moved())

    def on_resize(self, event: Resize) -> None:
        """Request the lines that have come into sight."""
        if self.following:
            self._to_the_end()
        self._ask()

    def _to_the_end(self) -> None:
        self.cursor = max(0, self.count - 1)
        self.look_at(self.count - self.page)
        self._ask()

    def _ask(self) -> None:
        if self.reading and self.count and self.reading.lacks(self.wanted()):
            self.post_message(self.Wanted())
