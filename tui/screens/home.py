"""The first screen: the status line, findings that need attention, the newest denials, and the load of the guard.

Rules of this file: cheap calls are made often, expensive ones seldom. The newest denials are a reading of the log, so
only an auditor sees them, and the reading is recorded once. The agent's own attempts are not among them: the time when
its guard was last proven reports on those.
"""

from collections import deque
from typing import Any, ClassVar

from textual.app import ComposeResult

from agent.api.findings import Finding
from agent.errors import RefusedError
from rules.text import Message, Sentence, Text
from tui.i18n import LocalizedText
from tui.keys import PLACES
from tui.log_session import LogPager
from tui.render import entry_columns
from tui.render import status as status_line
from tui.render.cells import GLYPHS, Piece, Toned
from tui.screens.base import BaseScreen
from tui.widgets.table import Table
from tui.widgets.virtual_list import Column

_SELDOM = 5  # loads between two expensive calls
_DENIALS = 50
_SAMPLES = 24  # bars of a sparkline

_NOTHING_DENIED = Message("tui.no-denials")

_NEEDS = (
    Column(Text("", ""), lambda row: _state(row["state"]), 8),
    Column(Message("tui.needs-attention"), lambda row: row["text"]),
    Column(Message("tui.column-remedy"), lambda row: row["where"], 16),
)
_DENIED = (
    Column(Message("common.denied"), lambda row: entry_columns.day_and_time(row)[5:], 14),
    Column(Message("tui.column-person"), entry_columns.subject_of, 16),
    Column(Message("common.rule"), lambda row: row.get("rule"), 12, least=100),
    Column(Message("common.object"), entry_columns.object_of),
)


class HomeScreen(BaseScreen):
    """Home."""

    PLACE = "home"
    EVERY = 2.0
    CSS: ClassVar[str] = """
    HomeScreen #truth { padding: 0 1; }
    HomeScreen #rates { padding: 0 1; height: 1; }
    HomeScreen #waits { padding: 0 1; height: 1; display: none; }
    HomeScreen #closed { padding: 0 1; }
    HomeScreen Table { margin-top: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._loads = 0
        self._cases = 0
        self._reading: LogPager | None = None
        self._denials_shown: int | None = None  # denials on the screen; a load can be cancelled before it shows any
        self._before: dict[str, int] = {}
        self._rates = {name: deque([0.0] * _SAMPLES, _SAMPLES) for name in ("allowed", "denied")}

    def body(self) -> ComposeResult:
        """Lay it out."""
        yield LocalizedText(Message("tui.asking-agent"), id="truth")
        yield LocalizedText(id="rates")
        yield LocalizedText(id="waits")
        yield Table(_NEEDS, "id", empty=Message("tui.no-action-needed"), id="needs")
        yield Table(_DENIED, "seq", empty=_NOTHING_DENIED, id="denied")

    # Loading ----------------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Load status and findings; for a user without a role show only that."""
        standing = self.agent.standing
        if standing and standing.role is None:
            self._say_no_role(standing.why_none or Message("tui.role-none"))
            return
        if self._loads % _SELDOM == 0:
            findings = [Finding.from_json(finding) for finding in await self.agent.call("doctor")]
            self.query_one("#needs", Table).show(status_line.needs(findings, PLACES))
            self._cases = len(await self.agent.items("case.list"))
        status = await self.agent.call("status")
        self._loads += 1
        verified = status_line.verified(status, self.program.verified)
        if bool(verified) != bool(self.program.verified):
            self._loads = 0  # the findings are older and contradict the log: fetch them again at the next load
        self.program.verified = verified
        self.query_one("#truth", LocalizedText).update(
            *status_line.sentence(status, self._cases, self.program.verified)
        )
        self._say_rates(status["decider"])
        self._say_waits(status_line.waits(status))
        await self._load_denials()

    def agent_changed(self) -> None:
        """Load everything again from an agent that is back; while it is away show the state as unknown."""
        self._loads, self._before = 0, {}
        if trouble := self.agent.trouble:
            self._reading = None
            unknown = Message("tui.protection-unknown")
            pieces: list[Piece] = [Toned(GLYPHS["bad"] + " ", "bad"), Toned(unknown, "bad"), ": ", trouble.text]
            if trouble.hint:
                pieces += ["\n", trouble.hint]
            self.query_one("#truth", LocalizedText).update(*pieces)
        super().agent_changed()

    def _say_no_role(self, reason: Sentence) -> None:
        notice = Message("tui.no-role-use-shell", reason=reason)
        self.query_one("#truth", LocalizedText).update(Toned(notice, "warning"))
        for name in ("#needs", "#denied"):
            table = self.query_one(name, Table)
            table.empty = Message("tui.for-officers-and-auditors")
            table.show([])

    async def _load_denials(self) -> None:
        table = self.query_one("#denied", Table)
        if reason := self.agent.not_mine("log.read"):
            table.empty = reason
            table.show([])
            self._reading = None
            return
        try:
            if self._reading is None:
                reading = LogPager(self.agent, {"verdict": "deny", "own": "no"})
                await reading.begin()
                await reading.older()
                self._reading, self._denials_shown = reading, None
            else:
                await self._reading.newer(0)
        except RefusedError:  # the reading has expired; the next load begins another one
            self._reading = None
            return
        reading, count = self._reading, self._reading.count
        if count == self._denials_shown:
            return
        newest = range(max(0, count - _DENIALS), count)
        await reading.fetch(newest)
        table.empty = _NOTHING_DENIED
        table.show([entry_columns.parsed(reading.line(index) or "") for index in reversed(newest)])
        self._denials_shown = count

    def _say_rates(self, stats: dict[str, Any]) -> None:
        pieces: list[Piece] = []
        titles = {"allowed": Message("tui.allowed-per-second"), "denied": Message("tui.denied-per-second")}
        for name, title in titles.items():
            now = int(stats.get(name, 0))
            rates = self._rates[name]
            rates.append(max(0, now - self._before.get(name, now)) / self.EVERY)
            self._before[name] = now
            pieces += [title, f" {status_line.sparkline(rates)} {rates[-1]:.0f}/s   "]
        unlogged = int(stats.get("unlogged", 0))
        if unlogged:
            pieces.append(Toned(Message("tui.denied-not-recorded", count=unlogged), "bad"))
        self.query_one("#rates", LocalizedText).update(*pieces)

    def _say_waits(self, pieces: list[Piece]) -> None:
        line = self.query_one("#waits", LocalizedText)
        line.display = bool(pieces)
        line.update(*pieces)

    # Actions ----------------------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        """Go to the place that handles the highlighted line."""
        table = self.focused
        row = table.current() if isinstance(table, Table) else None
        if row is None:
            return
        if "seq" in row:
            self.program.go("log", filter="verdict:deny own:no", seq=row["seq"])
            return
        self.program.tell(_in_full(row))
        if row["place"]:
            self.program.go(row["place"])

    def do_denials(self) -> None:
        """Show the denials in the log."""
        self.program.go("log", filter="verdict:deny own:no")


def _state(state: str) -> Piece:
    return (
        Toned(Message("tui.severity-gap"), "bad")
        if state == "serious"
        else Toned(Message("tui.severity-note"), "warning")
    )


def _in_full(row: dict[str, Any]) -> Sentence:
    text, hint = row["text"], row["hint"]
    return Message("common.labelled", label=text, text=hint) if hint else text
