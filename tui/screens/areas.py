"""Areas: the list, and how the highlighted one is protected and who may open it.

Rules of this file: an area that blocks nothing says so in words, everywhere it is shown. What changes who gets in is a
plan first.
"""

from collections.abc import Iterator
from typing import Any

from agent.api.timestamps import local
from agent.presentation import seen
from agent.presentation.terms import DOMAINS, LEVELS, MODES, TIERS, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.render.cells import GLYPHS, Piece, Tone, Toned
from tui.render.person import day
from tui.render.plan import PlanLine, PlanPage
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field

_OBSERVING = Text("OBSERVE", "仅观察")
_TONES: dict[str, Tone] = {"good": "good", "warning": "warning", "serious": "bad"}


def _level(row: Row) -> Piece:
    return word(LEVELS, row["level"])


def _mode(row: Row) -> Piece:
    return MODES["enforce"] if row["mode"] == "enforce" else Toned(_OBSERVING, "warning")


def _tier(row: Row) -> Piece:
    return row["tier"] if row["tier"] != "none" else Toned(TIERS["none"], "bad")


def _seen(row: Row) -> Piece:
    return Toned(seen.short(row["seen"], _clock), seen.tone(row["seen"]))


def _clock(moment: str) -> str:
    return local(moment)[5:]


class AreasScreen(ListScreen):
    """The areas of the site."""

    PLACE = "areas"
    COLUMNS = (
        field("name", "名称", "name", 16),
        Column(Text("level", "密级"), _level, 12),
        Column(Text("domain", "种类"), lambda row: word(DOMAINS, row["domain"]), 12, least=70),
        Column(Text("mode", "模式"), _mode, 8),
        Column(Text("tier", "等级"), _tier, 5),
        Column(Text("guard seen", "证实时间"), _seen, 20, least=100),
        field("path", "路径", "path", least=70),
        field("custodian", "责任人", "custodian", 12, least=110),
    )
    KEY = "name"
    OP = "area.list"
    WHO = Text("no area is highlighted", "没有选中的目录")
    EMPTY = Text("nothing is protected yet; `a` adds a directory", "尚无受保护目录；按 `a` 新增")

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return how it is protected and who may open it."""
        found = await self.agent.call("area.show", area=row["name"])
        grants = await self.agent.items("grant.list", area=row["name"])
        return tuple(_detail(found, grants))

    # Changes ----------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Add an area."""
        self.form("area.add")

    def do_change(self) -> None:
        """Change it."""
        self.form("area.set", area=self.chosen)

    def do_grant(self) -> None:
        """Let a person in."""
        self.form("grant.add", area=self.chosen)

    def do_confirm(self) -> None:
        """Keep enforcing."""
        self.form("area.confirm", area=self.chosen)

    def do_enforce(self) -> None:
        """Begin to block: who would have been denied, the name, the form."""
        self.start(self._enforce, group="form")

    async def _enforce(self) -> None:
        area = self.chosen
        would = await self.agent.call("area.would", area=area)
        lines = [_denied(one) for one in would["denied"]]
        lines = lines or [PlanLine(Text("nobody would have been denied since it is observed", "观察期间无人会被拒绝"))]
        said = visible(area)
        await self._agreed("area.enforce", PlanPage(Text(f"block at `{said}`", f"开始拦截 `{said}`"), lines, name=area))

    def do_observe(self) -> None:
        """Block nothing any more."""
        said = visible(self.chosen)
        lines = [PlanLine(Text("everybody whom the file system lets in gets in", "文件系统放行的人员均可访问"))]
        plan = PlanPage(Text(f"block nothing at `{said}`", f"停止拦截 `{said}`"), lines, name=self.chosen)
        self.start(self._agreed, "area.observe", plan, group="form")

    def do_seal(self) -> None:
        """Let nobody into what has no label on its volume."""
        self.form("area.seal", area=self.chosen)

    def do_relabel(self) -> None:
        """Label by their place what keeps everybody out: what there is, the name, the form."""
        self.start(self._relabel, group="form")

    async def _relabel(self) -> None:
        area = self.chosen
        path = (await self.agent.call("area.show", area=area))["path"]
        found = (await self.agent.items("area.labels", path=path))[-1]
        said = visible(area)
        lines = [
            PlanLine(
                Text(f"{found['unlabelled']} with content and no label", f"{found['unlabelled']} 个有内容而无标记")
            ),
            PlanLine(Text(f"{found['foreign']} with the label of no area", f"{found['foreign']} 个标记无效或已损坏")),
            *(PlanLine(Text(visible(one["path"]), visible(one["path"]))) for one in found["first"]),
        ]
        plan = PlanPage(Text(f"label again below `{said}`", f"重新标记 `{said}`"), lines, name=area)
        if await self.program.agreed(plan):
            await self._form("area.relabel", {"path": path})

    def do_remove(self) -> None:
        """End its protection."""
        said = visible(self.chosen)
        lines = [
            PlanLine(Text("nothing is decided or recorded there any more", "不再判定和记录")),
            PlanLine(Text("every grant for it ends", "相关授权全部终止")),
            PlanLine(Text("the files stay as they are", "文件保持不变")),
        ]
        plan = PlanPage(Text(f"end the protection of `{said}`", f"解除 `{said}` 的保护"), lines, name=self.chosen)
        self.start(self._agreed, "area.remove", plan, group="form")

    async def _agreed(self, op: str, plan: PlanPage) -> None:
        if await self.program.agreed(plan):
            await self._form(op, {"area": plan.name})

    def do_log(self) -> None:
        """Go to the log."""
        self.program.go("log", filter=f"area:{self.chosen}")


def _denied(one: Row) -> PlanLine:
    who = visible(str(one["person"] or one["login_person"] or "?"))
    rules = ", ".join(map(visible, one["rules"]))
    count = one["count"]
    return PlanLine(Text(f"`{who}` would have been denied {count} times", f"`{who}` 会被拒绝 {count} 次"), note=rules)


def _detail(found: Row, grants: list[Row]) -> Iterator[Piece]:
    yield from (
        Toned(found["name"], "strong"),
        "  ",
        word(LEVELS, found["level"]),
        "  ",
        word(DOMAINS, found["domain"]),
        "\n",
    )
    yield from (Toned(found["path"], "dim"), "\n")
    if found["mode"] == "observe":
        text = Text("! OBSERVE: decides and records, blocks nothing", "! 仅观察：只判定和记录，不拦截")
        yield from (Toned(text, "warning"), "\n")
    if back := found["enforce_confirm_by"]:
        said = day(back)
        text = Text(f"! goes back to observing {said} unless confirmed (c)", f"! 若不确认（c），将于 {said} 恢复观察")
        yield from (Toned(text, "warning"), "\n")
    tier = word(TIERS, found["tier"])
    yield from (Text(f"tier {tier.en}", f"防护等级：{tier.zh}"), "  ")
    yield from (Text(f"{found['files']} files labelled", f"已标记 {found['files']} 个文件"), "\n")
    yield from (Toned(seen.sentence(found["seen"], _clock), seen.tone(found["seen"])), "\n")
    for finding in found["findings"]:
        tone = _TONES.get(finding["state"], "plain")
        yield from (Toned(f"{GLYPHS.get(finding['state'], '·')} ", tone), text_of(finding["text"]), "\n")
        if finding["hint"]:
            yield from ("  ", Toned(text_of(finding["hint"]), "dim"), "\n")
    yield from _scope(found["scope"])
    yield from ("\n", Toned(Text("granted to", "授权人员"), "dim"), "\n")
    for grant in grants:
        until = grant["until"] and Text(f"until {day(grant['until'])}", f"至 {day(grant['until'])}")
        yield from ("  ", Toned(grant["id"], "dim"), "  ", grant["person"], "  ", grant["reason"], "  ", until, "\n")


def _scope(scope: dict[str, Any]) -> Iterator[Piece]:
    titles = {
        "person": Text("persons", "人员"),
        "department": Text("departments", "部门"),
        "project": Text("projects", "项目"),
    }
    yield from ("\n", Toned(Text("need to know", "知悉范围"), "dim"), "  ")
    named = [(titles[kind], members) for kind, members in scope.items() if members]
    if not named:
        yield Text("only the persons a grant names", "仅限被授权人员")
    for title, members in named:
        yield from (Toned(title, "dim"), " ", ", ".join(map(str, members)), "  ")
    yield "\n"
