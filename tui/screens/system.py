"""The system: everything ``doctor`` checks, the worst first, and what the processes say of themselves.

Rules of this file: the agent checks; here it is shown. A check that found nothing wrong is shown too: it is how a
reader knows that it was made.
"""

from rules.text import Text
from rules.visible import visible
from tui.cells import GLYPHS, Piece, Tone, Toned, number
from tui.plan import Line, Plan
from tui.screens.listing import Listing
from tui.widgets.lines import Column, Row
from tui.words import text_of

_STATES: dict[str, tuple[Text, Tone]] = {
    "serious": (Text("SERIOUS", "严重"), "bad"),
    "warning": (Text("warning", "警告"), "warning"),
    "good": (Text("good", "正常"), "good"),
}


def _state(row: Row) -> Piece:
    word, tone = _STATES.get(row["state"], (Text(row["state"], row["state"]), "plain"))
    glyph = GLYPHS.get(row["state"], "·")
    return Toned(Text(f"{glyph} {word.en}", f"{glyph} {word.zh}"), tone)


class SystemScreen(Listing):
    """The state of the agent."""

    PLACE = "system"
    COLUMNS = (
        Column(Text("state", "状态"), _state, 10),
        Column(Text("what was found", "检查结果"), lambda row: text_of(row["text"])),
    )
    KEY = "place"
    OP = "doctor"
    WHO = Text("nothing is highlighted", "没有选中的条目")
    FREE = frozenset({"agent", "service"})

    async def rows(self) -> list[Row]:
        """Return the findings, the worst first."""
        found = await self.agent.call("doctor")
        order = list(_STATES)
        ranked = sorted(found, key=lambda one: order.index(one["state"]))
        return [one | {"place": f"{one['code']} {one['text']['en']}"} for one in ranked]

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the finding in full."""
        pieces: list[Piece] = [_state(row), "  ", Toned(row["code"], "dim"), "\n", text_of(row["text"]), "\n"]
        if row["hint"]:
            pieces += ["\n", Toned(Text("what helps", "处理办法"), "dim"), "\n", text_of(row["hint"]), "\n"]
        return tuple(pieces)

    def do_agent(self) -> None:
        """Show what the processes say of themselves."""
        self.start(self._about, group="form")

    async def _about(self) -> None:
        status, roles = await self.agent.call("status"), await self.agent.call("role.list")
        words = {
            Text("host", "主机"): status["host"],
            Text("home", "目录"): status["home"],
            Text("tier", "防护等级"): status["tier"],
            Text("durability", "持久性"): status["durability"],
            Text("pack", "规则包"): status["pack"],
            Text("epoch", "版本"): number(status["epoch"]),
            **{text_of(role["text"]): role["group"] or "-" for role in roles["roles"]},
            **{Text(name, name): str(value) for name, value in status["decider"].items()},
        }
        lines = [Line(title, "info", visible(str(value))) for title, value in words.items()]
        await self.program.agreed(Plan(Text("the agent", "代理"), lines))

    def do_service(self) -> None:
        """Show the services."""
        self.start(self._services, group="form")

    async def _services(self) -> None:
        found = await self.agent.items("service.list")
        lines = [Line(one["id"], "info", f"uid {one['uid']} {one['executable']} {one['areas']}") for one in found]
        lines = lines or [Line(Text("none", "无"), "info")]
        await self.program.agreed(Plan(Text("services", "服务账户"), lines))
