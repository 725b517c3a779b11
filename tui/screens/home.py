"""The first screen: one sentence of truth, what needs somebody, the newest denials, and how busy the guard is.

Rules of this file: it asks often and cheaply; what is expensive to find out it asks seldom. The newest denials are a
reading of the log, so only an auditor sees them, and that he did is recorded once. What the agent tried itself is not
among them: that is told by when its guard was last seen.
"""

from collections import deque
from typing import Any, ClassVar

from textual.app import ComposeResult

from agent.api.findings import Finding
from agent.errors import RefusedError
from rules.text import Text
from tui.i18n import LocalizedText
from tui.keys import PLACES
from tui.log_session import LogPager
from tui.render import entry_columns
from tui.render import status as truth
from tui.render.cells import GLYPHS, Piece, Toned, number
from tui.screens.base import BaseScreen
from tui.widgets.table import Table
from tui.widgets.virtual_list import Column

_SELDOM = 5  # loads between two of what is expensive
_DENIALS = 50
_SAMPLES = 24  # bars of a sparkline

_NOTHING_DENIED = Text("nothing was denied", "没有被拒绝的访问")

_NEEDS = (
    Column(Text("", ""), lambda row: _state(row["state"]), 8),
    Column(Text("what needs somebody", "待处理事项"), lambda row: row["text"]),
    Column(Text("where", "处理"), lambda row: row["where"], 16),
)
_DENIED = (
    Column(Text("denied", "被拒绝"), lambda row: entry_columns.day_and_time(row)[5:], 14),
    Column(Text("who", "人员"), entry_columns.who, 16),
    Column(Text("rule", "规则"), lambda row: row.get("rule"), 12, least=100),
    Column(Text("object", "对象"), entry_columns.thing),
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
        self._shown: int | None = None  # denials that stand on the screen; a load can be cut short before it shows any
        self._before: dict[str, int] = {}
        self._rates = {name: deque([0.0] * _SAMPLES, _SAMPLES) for name in ("allowed", "denied")}

    def body(self) -> ComposeResult:
        """Lay it out."""
        yield LocalizedText(Text("asking the agent …", "正在询问代理……"), id="truth")
        yield LocalizedText(id="rates")
        yield LocalizedText(id="waits")
        yield Table(_NEEDS, "id", empty=Text("nothing needs anybody now", "目前没有待处理事项"), id="needs")
        yield Table(_DENIED, "seq", empty=_NOTHING_DENIED, id="denied")

    # Asking -----------------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Ask how things are; of somebody without a role nothing is claimed."""
        standing = self.agent.standing
        if standing and standing.role is None:
            self._say_no_role(standing.why_none or Text("no role", "没有角色"))
            return
        if self._loads % _SELDOM == 0:
            found = [Finding.from_json(finding) for finding in await self.agent.call("doctor")]
            self.query_one("#needs", Table).show(truth.needs(found, PLACES))
            self._cases = len(await self.agent.items("case.list"))
        status = await self.agent.call("status")
        self._loads += 1
        verified = truth.verified(status, self.program.verified)
        if bool(verified) != bool(self.program.verified):
            self._loads = 0  # the findings were asked before, and say otherwise of the log: ask again at the next load
        self.program.verified = verified
        self.query_one("#truth", LocalizedText).say(*truth.sentence(status, self._cases, self.program.verified))
        self._say_rates(status["decider"])
        self._say_waits(truth.waits(status))
        await self._load_denials()

    def agent_changed(self) -> None:
        """Everything is asked anew at an agent that is back; while it is away nothing is claimed."""
        self._loads, self._before = 0, {}
        if trouble := self.agent.trouble:
            self._reading = None
            unknown = Text("UNKNOWN whether anything is protected", "防护状态未知")
            pieces: list[Piece] = [Toned(GLYPHS["bad"] + " ", "bad"), Toned(unknown, "bad"), ": ", trouble.text]
            if trouble.hint:
                pieces += ["\n", trouble.hint]
            self.query_one("#truth", LocalizedText).say(*pieces)
        super().agent_changed()

    def _say_no_role(self, why: Text) -> None:
        said = Text(
            f"You have no role here: {why.en}. In a shell: shoumi mine shows your denials, shoumi request asks.",
            f"您没有角色：{why.zh}。请在命令行中运行 shoumi mine 查看被拒绝的访问，或 shoumi request 申请访问。",
        )
        self.query_one("#truth", LocalizedText).say(Toned(said, "warning"))
        for name in ("#needs", "#denied"):
            table = self.query_one(name, Table)
            table.empty = Text("for officers and auditors", "供管理员和审计员查看")
            table.show([])

    async def _load_denials(self) -> None:
        table = self.query_one("#denied", Table)
        if why := self.agent.not_mine("log.read"):
            table.empty = why
            table.show([])
            self._reading = None
            return
        try:
            if self._reading is None:
                reading = LogPager(self.agent, {"verdict": "deny", "own": "no"})
                await reading.begin()
                await reading.older()
                self._reading, self._shown = reading, None
            else:
                await self._reading.newer(0)
        except RefusedError:  # it is over; the next load begins another one
            self._reading = None
            return
        reading, count = self._reading, self._reading.count
        if count == self._shown:
            return
        newest = range(max(0, count - _DENIALS), count)
        await reading.fetch(newest)
        table.empty = _NOTHING_DENIED
        table.show([entry_columns.parsed(reading.line(index) or "") for index in reversed(newest)])
        self._shown = count

    def _say_rates(self, stats: dict[str, Any]) -> None:
        pieces: list[Piece] = []
        titles = {"allowed": Text("allowed", "允许"), "denied": Text("denied", "拒绝")}
        for name, title in titles.items():
            now = int(stats.get(name, 0))
            rates = self._rates[name]
            rates.append(max(0, now - self._before.get(name, now)) / self.EVERY)
            self._before[name] = now
            pieces += [title, f" {truth.sparkline(rates)} {rates[-1]:.0f}/s   "]
        unlogged = int(stats.get("unlogged", 0))
        if unlogged:
            said = Text(f"{number(unlogged)} denied unrecorded", f"{number(unlogged)} 次因无法记录而拒绝")
            pieces.append(Toned(said, "bad"))
        self.query_one("#rates", LocalizedText).say(*pieces)

    def _say_waits(self, pieces: list[Piece]) -> None:
        line = self.query_one("#waits", LocalizedText)
        line.display = bool(pieces)
        line.say(*pieces)

    # Acting -----------------------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        """Go to where the highlighted line is dealt with."""
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
    return Toned(Text("✗ GAP", "✗ 缺口"), "bad") if state == "serious" else Toned(Text("! note", "! 注意"), "warning")


def _in_full(row: dict[str, Any]) -> Text:
    text, hint = row["text"], row["hint"]
    return Text(f"{text.en}: {hint.en}", f"{text.zh}：{hint.zh}") if hint else text
