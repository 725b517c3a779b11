"""The system: everything ``doctor`` checks, the worst first, and what the processes say of themselves.

Rules of this file: the agent checks; here it is shown. A check that found nothing wrong is shown too: it is how a
reader knows that it was made.
"""

from collections.abc import Iterator
from typing import Any

from agent.presentation.terms import DURABILITIES, TIERS, YES_NO, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.render.cells import GLYPHS, Piece, Tone, Toned, number
from tui.render.plan import PlanLine, PlanPage, result
from tui.screens.choice import ChoiceScreen
from tui.screens.document import DocumentScreen
from tui.screens.system_volumes import VolumeActs
from tui.widgets.virtual_list import Column, Row

_STATES: dict[str, tuple[Text, Tone]] = {
    "serious": (Text("SERIOUS", "严重"), "bad"),
    "warning": (Text("warning", "警告"), "warning"),
    "good": (Text("good", "正常"), "good"),
}


_NO_SERVICE = Text("no services", "没有服务账户")
_COUNTS = {  # what the decider says of itself
    "allowed": Text("allowed", "允许次数"),
    "denied": Text("denied", "拒绝次数"),
    "accesses": Text("reads decided", "判定的读写次数"),
    "unprotected": Text("opens outside areas", "目录外的打开次数"),
    "unlogged": Text("denied because not recorded", "因无法记录而拒绝次数"),
    "epoch": Text("state of rights it decides by", "判定所依权限版本"),
    "quiet": Text("readers may be left unasked", "可免重复询问"),
    "next_seq": Text("number of the next entry", "下一条目序号"),
    "clock_behind": Text("seconds the clock is behind", "时钟落后秒数"),
    "clock_behind_since": Text("since when it is not judged by", "时钟自何时不作判定依据"),
    "trouble": Text("trouble", "故障"),
}


def _state(row: Row) -> Piece:
    word, tone = _STATES.get(row["state"], (Text(row["state"], row["state"]), "plain"))
    glyph = GLYPHS.get(row["state"], "·")
    return Toned(Text(f"{glyph} {word.en}", f"{glyph} {word.zh}"), tone)


class SystemScreen(VolumeActs):
    """The state of the agent."""

    PLACE = "system"
    COLUMNS = (
        Column(Text("state", "状态"), _state, 10),
        Column(Text("what was found", "检查结果"), lambda row: text_of(row["text"])),
    )
    KEY = "place"
    OP = "doctor"
    WHO = Text("nothing is highlighted", "没有选中的条目")
    FREE = frozenset(
        {"agent", "service", "add-service", "end-service", "clock", "key", "volumes"}
        | {"attach-volume", "publish-volume", "hide-volume", "accept-registry"}
    )

    async def rows(self) -> list[Row]:
        """Return the findings, the worst first."""
        found = await self.agent.call("doctor")
        order = list(_STATES)
        ranked = sorted(found, key=lambda one: order.index(one["state"]))
        return [one | {"place": f"{one['code']} {one['text']['en']}"} for one in ranked]

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the finding in full."""
        pieces: list[Piece] = [_state(row), "\n", text_of(row["text"]), "\n"]
        if row["hint"]:
            pieces += ["\n", Toned(Text("what helps", "处理办法"), "dim"), "\n", text_of(row["hint"]), "\n"]
        return tuple(pieces)

    def do_agent(self) -> None:
        """Show what the processes say of themselves."""
        self.start(self._about, group="form")

    async def _about(self) -> None:
        status, roles = await self.agent.call("status"), await self.agent.call("role.list")
        words: dict[Text, Text | str] = {
            Text("host", "主机"): status["host"],
            Text("home", "目录"): status["home"],
            Text("tier", "防护等级"): word(TIERS, status["tier"]),
            Text("durability", "持久性"): word(DURABILITIES, status["durability"]),
            Text("pack", "规则包"): status["pack"],
            Text("epoch", "版本"): number(status["epoch"]),
            **{text_of(role["text"]): str(role["group"] or "-") for role in roles["roles"]},
            **dict(_counts(status["decider"])),
        }
        lines = [PlanLine(title, "info", value) for title, value in words.items()]
        await self.program.agreed(PlanPage(Text("the agent", "代理"), lines))

    def do_service(self) -> None:
        """Show the services."""
        self.start(self._services, group="form")

    async def _services(self) -> None:
        found = await self.agent.items("service.list")
        lines = [PlanLine(one["id"], "info", _touches(one)) for one in found] or [PlanLine(_NO_SERVICE, "info")]
        await self.program.agreed(PlanPage(Text("services", "服务账户"), lines))

    def do_clock(self) -> None:
        """Judge by the clock of the host as it is."""
        self.form("clock.accept")

    def do_set_roles(self) -> None:
        """Name the groups of the three roles."""
        self.form("role.set")

    def do_add_service(self) -> None:
        """Let a program touch areas."""
        self.form("service.add")

    def do_end_service(self) -> None:
        """Let a program touch them no longer: which one, plan, name."""
        self.start(self._end_service, group="form")

    async def _end_service(self) -> None:
        found = await self.agent.items("service.list")
        if not found:
            self.program.tell(_NO_SERVICE)
            return
        titles = [Text(visible(one["id"]), visible(one["id"])) for one in found]
        place = await self.app.push_screen_wait(ChoiceScreen(Text("which service", "哪个服务账户"), titles))
        if place is None:
            return
        name = found[place]["id"]
        lines = [
            PlanLine(Text("the program opens nothing in areas any more", "该程序不得再打开涉密目录中的文件")),
            PlanLine(_touches(found[place]), "info"),
        ]
        title = Text(f"end the service `{titles[place].en}`", f"删除服务账户 `{titles[place].zh}`")
        if await self.program.agreed(PlanPage(title, lines, name=name)):
            await self.agent.call("service.remove", service=name)
            await self.program.agreed(result(title, [PlanLine(Text("denied from now on", "即刻拒绝"), "confirmed")]))

    def do_key(self) -> None:
        """Show the key that checks receipts."""
        self.start(self._key, group="form")

    async def _key(self) -> None:
        found = await self.agent.call("keys.show")
        text = f"SHA-256 {found['fingerprint']}\n\n{found['pem']}"
        title = Text("public key of the agent", "代理公钥")
        await self.app.push_screen_wait(DocumentScreen(title, Text(text, text), "agent.pem"))


def _touches(one: Row) -> Text:
    """Return what a service is and what it may touch."""
    program, areas = visible(one["executable"]), ", ".join(map(visible, one["areas"]))
    return Text(f"uid {one['uid']} {program} → {areas}", f"uid {one['uid']} {program} → {areas}")


def _counts(stats: dict[str, Any]) -> Iterator[tuple[Text, Text | str]]:
    """Yield what the decider counts; what this version has no words for stands under its own name."""
    for name, value in stats.items():
        if isinstance(value, dict) and not {"en", "zh"} <= value.keys():
            continue  # measurements, shown where they are of use
        said = _COUNTS.get(name, Text(visible(name), visible(name)))
        if isinstance(value, bool):
            yield said, word(YES_NO, "yes" if value else "no")
        elif isinstance(value, int):
            yield said, number(value)
        else:
            yield said, text_of(value) if value is not None else Text("none", "无")
