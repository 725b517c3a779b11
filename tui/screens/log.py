"""The access log: every entry, live, filtered, with its details.

Rules of this file: each reading (another filter) is an entry of the log itself, so one begins when the user submits a
filter and never while they type. One call for lines runs at a time, and one for new entries.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize

from agent.errors import RefusedError, ShoumiError, UsageError
from rules.text import Message, Sentence
from tui import filters, log_jobs
from tui.i18n import LocalizedText, language_of
from tui.jobs import Job
from tui.log_session import LogPager
from tui.render import entry_columns
from tui.render.cells import Piece, Toned, number
from tui.screens.base import BaseScreen
from tui.screens.log_entry import EntryPage
from tui.widgets.filter import FilterBar
from tui.widgets.log_view import LogView

_OFTEN = 0.1  # seconds between two checks for new entries while following
_FLOOD = 0.3  # the same while a page or more arrives each time
_A_WHILE = 0.3  # seconds of older matches inserted in one batch: each batch draws a whole frame
_SELDOM = 1.0  # the same while the reader is further up
_WIDE = 120  # cells from which the detail stands beside the list
_FILTER = Message("common.filter")
_GOTO = Message("common.go")


class LogScreen(BaseScreen):
    """The log."""

    PLACE = "log"
    CSS: ClassVar[str] = """
    LogScreen #main { height: 1fr; }
    LogScreen #status { height: 1; padding: 0 1; }
    LogScreen EntryPage { display: none; }
    LogScreen.detail EntryPage { display: block; }
    LogScreen.detail.narrow LogView { display: none; }
    LogScreen.detail.wide EntryPage { width: 45%; border-left: tall $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._typed = ""
        self._fetching = False
        self._to: int | None = None  # the entry to show after the next load
        self._reading: LogPager | None = None  # begun, or being begun, at the current agent

    def body(self) -> ComposeResult:
        """Lay it out."""
        with Horizontal(id="main"):
            yield LogView()
            yield EntryPage()
        yield LocalizedText(id="status")
        yield FilterBar()

    @property
    def view(self) -> LogView:
        """The list."""
        return self.query_one(LogView)

    # Reading ----------------------------------------------------------------------------------------------------------

    def on_navigate(self, **options: Any) -> None:
        """Apply the ``filter`` and go to the entry ``seq`` of *options*; else keep the previous view."""
        self._to = options.get("seq")
        typed = options.get("filter", self._typed)
        if typed != self._typed or self._to:
            self._read(typed)

    async def load(self) -> None:
        """Begin a reading, unless one is running."""
        if self.agent.standing is None or self.agent.why_not("log.read"):
            return
        if self._reading:
            self.start(self._keep_up, group="new")
        else:
            self._reading = LogPager(self.agent, filters.parse(self._typed))
            self.start(self._begin, self._reading, group="begin")

    def agent_changed(self) -> None:
        """End the reading with the agent it was begun at."""
        if self.agent.trouble:
            self._reading = None
        super().agent_changed()

    async def do_refresh(self) -> None:
        """Begin a new reading."""
        self._read(self._typed)

    def _read(self, typed: str) -> None:
        self._typed, self._reading = typed, None
        self.start(self.load)

    async def _begin(self, reading: LogPager) -> None:
        """Show the newest matches; older ones follow in a worker."""
        try:
            await reading.begin()
            await reading.older()
        except ShoumiError:
            self._reading = None
            raise
        self.view.read(reading)
        if self._to:
            self.view.centre(reading.line_of(self._to))
            self._to = None
        self._say_status()
        await self._fetch()
        self.start(self._older, reading, group="older")
        self.start(self._keep_up, group="new")

    async def _older(self, reading: LogPager) -> None:
        while not reading.complete and self.view.reading is reading:
            self.view.pushed_down(await reading.older(_A_WHILE))
            self._say_status()

    async def _keep_up(self) -> None:
        """Fetch new entries as long as the screen is shown."""
        view, grown = self.view, 0
        while self.is_current and self.agent.trouble is None and (reading := view.reading):
            wait = _FLOOD if grown > view.page else _OFTEN
            await asyncio.sleep(wait if view.following else _SELDOM)
            try:
                grown = await reading.newer(view.page if view.following else 1)
            except RefusedError:  # it has expired: half a day, or another control process
                self._read(self._typed)
                return
            if grown and view.reading is reading:
                view.grown()
                self._say_status()

    async def _fetch(self) -> None:
        """Fetch the lines the view needs until it has them."""
        if self._fetching:
            return
        self._fetching = True
        try:
            view = self.view
            while (reading := view.reading) and reading.lacks(wanted := view.wanted()):
                try:
                    fetched = await reading.fetch(wanted)
                except ShoumiError:
                    if reading is self._reading:
                        raise
                    if reading is view.reading:  # it has expired, and its replacement fetches again
                        return
                    continue
                if not fetched.isdisjoint(view.visible_lines()):
                    view.refresh()
        finally:
            self._fetching = False
        if self.has_class("detail"):
            self.query_one(EntryPage).show_entry(self.view)

    def on_log_view_wanted(self) -> None:
        """Fetch missing lines in sight."""
        if not self._fetching:
            self.start(self._fetch, group="fetch")

    def on_log_view_moved(self) -> None:
        """Show the position of the reader."""
        self._say_status()
        if self.has_class("detail") and self.has_class("wide"):
            self.query_one(EntryPage).show_entry(self.view)

    def _say_status(self) -> None:
        view = self.view
        if view.reading is None:
            return
        position, total = number(view.cursor + 1 if view.count else 0), number(view.count)
        more = "" if view.reading.complete else "+"
        pieces: list[Piece] = [Message("tui.log-position", position=position, total=total, more=more), "  "]
        if view.following:
            pieces.append(Message("tui.following"))
        elif view.unseen:
            pieces.append(Toned(Message("tui.new-entries", count=view.unseen), "warning"))
        if hidden := view.reading.hidden:
            pieces += ["  ", Message("tui.own-attempts-hidden", count=hidden)]
        if self._typed:
            pieces += ["  ", Toned(Message("tui.filter-active", filter=self._typed), "strong")]
        self.query_one("#status", LocalizedText).update(*pieces)

    # Filter and places ------------------------------------------------------------------------------------------------

    def do_filter(self) -> None:
        """Open the filter."""
        self.query_one(FilterBar).ask("filter", _FILTER, self._typed)

    def do_goto(self) -> None:
        """Ask for a time or an entry number."""
        self.query_one(FilterBar).ask("goto", _GOTO)

    def do_denied(self) -> None:
        """Show denials only, or all entries again."""
        self._read(filters.toggled(self._typed, "verdict:deny"))

    def on_filter_bar_entered(self, event: FilterBar.Entered) -> None:
        """Apply the filter, or go to the time or number."""
        bar = self.query_one(FilterBar)
        try:
            if event.purpose == "filter":
                filters.parse(event.typed)
                if event.typed != self._typed:
                    self._read(event.typed)
            elif event.typed:
                self._jump(event.typed)
        except UsageError as error:
            bar.wrong(error)
            return
        bar.close()
        self.view.focus()

    def _jump(self, typed: str) -> None:
        digits = typed.lstrip("#").replace(",", "")
        if digits.isascii() and digits.isdigit() and (reading := self.view.reading):
            self.view.centre(reading.line_of(int(digits)))
        else:
            self.start(self._to_time, filters.moment(typed, datetime.now().astimezone()), group="jump")

    async def _to_time(self, moment: datetime) -> None:
        if reading := self.view.reading:
            self.view.centre(await reading.before(moment))

    def _by(self, delta: timedelta) -> None:
        entry = self.view.current()
        if entry and entry.get("time"):
            self.start(self._to_time, datetime.fromisoformat(str(entry["time"])) + delta, group="jump")

    def do_hour_back(self) -> None:
        """Go back one hour."""
        self._by(timedelta(hours=-1))

    def do_hour_on(self) -> None:
        """Go forward one hour."""
        self._by(timedelta(hours=1))

    def do_day_back(self) -> None:
        """Go back one day."""
        self._by(timedelta(days=-1))

    def do_day_on(self) -> None:
        """Go forward one day."""
        self._by(timedelta(days=1))

    def do_tail(self) -> None:
        """Follow the newest entries."""
        self.view.follow()
        self.start(self._keep_up, group="new")

    async def leave(self) -> bool:
        """Close the filter line, the detail, or the filter; return whether one was open."""
        if self.query_one(FilterBar).close():
            pass
        elif self.has_class("detail"):
            self.remove_class("detail")
        elif self._typed:
            self._read("")
        else:
            return False
        self.view.focus()
        return True

    # One entry --------------------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> Sentence | None:
        """Return why *action* cannot be used: some acts need a highlighted entry."""
        if action in ("log.open", "log.copy", "log.copy-json") and self.view.current() is None:
            return Message("tui.no-entry-highlighted")
        return None

    def do_open(self) -> None:
        """Show the entry in full."""
        self.add_class("detail")
        self.start(self._detail, group="detail")

    async def _detail(self) -> None:
        page = self.query_one(EntryPage)
        if not self.has_class("wide"):
            page.focus()
        await page.learn()
        page.show_entry(self.view)

    def do_copy(self) -> None:
        """Copy the line."""
        if entry := self.view.current():
            self.program.copy(entry_columns.one_line(entry, language_of(self)), f"entry-{entry.get('seq')}.txt")

    def do_copy_json(self) -> None:
        """Copy the record."""
        view = self.view
        if view.reading and (line := view.reading.line(view.cursor)):
            self.program.copy(line, f"entry-{view.reading.number(view.cursor)}.json")

    # Jobs -------------------------------------------------------------------------------------------------------------

    def do_export(self) -> None:
        """Export the listed entries to a file."""
        wanted, folder, jobs = filters.parse(self._typed), self.program.folder(), self.program.jobs

        async def work(job: Job) -> Sentence:
            return await log_jobs.export(self.agent, wanted, folder, jobs, job)

        self.program.begin(Message("tui.job-export"), work)

    def do_verify(self) -> None:
        """Have the whole log verified."""

        async def work(_job: Job) -> Sentence:
            self.program.verified, outcome = await log_jobs.verify(self.agent)
            self.query_one(EntryPage).show_entry(self.view)
            return outcome

        self.program.begin(Message("tui.job-verify"), work)

    def on_resize(self, event: Resize) -> None:
        """Place the detail beside the list on a wide terminal."""
        self.set_class(event.size.width >= _WIDE, "wide")
        self.set_class(event.size.width < _WIDE, "narrow")
