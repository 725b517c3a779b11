"""Rules: every rule of the pack in force with its clauses, another pack, holidays, and the guard's question by hand.

Rules of this file: what another pack changes is shown before it can be agreed to; a pack with mistakes never can be.
"""

import json
from collections.abc import Iterator
from importlib import resources

from agent import shipped_packs as shipped
from agent.errors import RefusedError
from rules.pack.clauses import read_clauses
from rules.pack.reader import load
from rules.text import Text
from rules.visible import visible
from tui.forms import Form, file_text
from tui.i18n import text_of
from tui.render import pack_change
from tui.render.cells import Piece, Toned
from tui.render.losses import with_losses
from tui.render.plan import PlanLine, PlanPage
from tui.screens.choice import ChoiceScreen
from tui.screens.document import DocumentScreen
from tui.screens.listing import ListScreen
from tui.widgets.filter import FilterBar
from tui.widgets.virtual_list import Column, Row, field

_VERDICTS = {"allow": Text("ALLOW", "允许"), "deny": Text("DENY", "拒绝")}
_FILE = Text("TOML file of the pack", "规则包 TOML 文件")
_NO_HOLIDAY = Text("no holidays", "没有登记节假日")


class RulesScreen(ListScreen):
    """The pack in force."""

    PLACE = "rules"
    EVERY = 0.0
    COLUMNS = (
        field("rule", "规则", "id", 20),
        Column(Text("what it asks", "要求"), lambda row: text_of(row["title"])),
        Column(Text("clauses", "条款"), lambda row: ", ".join(row["clauses"]) or None, 24, least=100),
    )
    KEY = "id"
    OP = "pack.show"
    WHO = Text("no rule is highlighted", "没有选中的规则")
    FREE = frozenset({"explain", "what-if", "text", "use", "check", "holidays", "add-holiday", "end-holiday"})

    def __init__(self) -> None:
        super().__init__()
        self._clauses: dict[str, Text] = {}

    async def rows(self) -> list[Row]:
        """Return the rules."""
        rules: list[Row] = (await self.agent.call("pack.show"))["rules"]
        return rules

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the clauses in their own words."""
        if not self._clauses:
            text = resources.files("rules").joinpath("clauses.csv").read_text(encoding="utf-8")
            self._clauses = {ident: clause.obligation for ident, clause in read_clauses(text).items()}
        return tuple(_detail(row, self._clauses))

    # Questions --------------------------------------------------------------------------------------------------------

    def do_explain(self) -> None:
        """Ask whether somebody may open something."""
        self.start(self._ask, "explain", group="form")

    def do_what_if(self) -> None:
        """Ask the same with changes that are not made."""
        self.start(self._ask, "what-if", group="form")

    async def _ask(self, op: str) -> None:
        if answer := await self.app.push_screen_wait(Form(op)):
            await self.program.agreed(_answer(answer))

    def do_text(self) -> None:
        """Show the pack as it was written."""
        self.start(self._text, group="form")

    async def _text(self) -> None:
        pack = await self.agent.call("pack.show")
        text = str(pack["text"])
        await self.app.push_screen_wait(
            DocumentScreen(text_of(pack["title"]), Text(text, text), f"{pack['name']}.toml")
        )

    # Another pack ----------------------------------------------------------------------------------------------------

    def do_use(self) -> None:
        """Put another pack in force."""
        self.start(self._other, "use", group="form")

    def do_check(self) -> None:
        """Look at another pack."""
        self.start(self._other, "check", group="form")

    async def _other(self, what: str) -> None:
        """Ask for a pack that comes with the program, or for a file; a file is asked for in the line below."""
        shipped_packs = [(name, load(shipped.text(name))) for name in shipped.names()]
        choices = [Text(f"{name}: {pack.title.en}", f"{name}：{pack.title.zh}") for name, pack in shipped_packs]
        title = Text("which pack", "哪个规则包")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [*choices, Text("a TOML file …", "TOML 文件……")]))
        if place is None:
            return
        if place == len(shipped_packs):
            self.query_one(FilterBar).ask(what, _FILE)
        else:
            await self._judge(what, shipped.text(shipped_packs[place][0]))

    def entered(self, what: str, typed: str) -> None:
        """Read the file of a pack; everything else is a filter."""
        if what not in ("use", "check"):
            super().entered(what, typed)
            return
        try:
            text = file_text(typed)
        except RefusedError as error:
            self.query_one(FilterBar).wrong(error)
            return
        self.query_one(FilterBar).close()
        self.table.focus()
        self.start(self._judge, what, text, group="form")

    async def _judge(self, what: str, text: str) -> None:
        before = str((await self.agent.call("pack.show"))["text"])
        plan = pack_change.plan(before, text, name=what == "use")
        if plan.name:
            found = await self.agent.call("act.plan", act="pack.use", given=json.dumps({"pack": text}))
            plan = with_losses(plan, found)
        if await self.program.agreed(plan):
            answer = await self.agent.call("pack.use", pack=text)
            said = visible(answer["pack"])
            self.program.tell(Text(f"✓ in force: {said}", f"✓ 已启用：{said}"))
            await self.load()

    # Holidays ---------------------------------------------------------------------------------------------------------

    def do_holidays(self) -> None:
        """Show the holidays."""
        self.start(self._holidays, group="form")

    async def _holidays(self) -> None:
        lines = [PlanLine(one["day"], "info", one["name"]) for one in await self.agent.items("holiday.list")]
        await self.program.agreed(PlanPage(Text("holidays", "节假日"), lines or [PlanLine(_NO_HOLIDAY, "info")]))

    def do_add_holiday(self) -> None:
        """Mark a day."""
        self.form("holiday.add")

    def do_end_holiday(self) -> None:
        """Make one a working day again."""
        self.start(self._end_holiday, group="form")

    async def _end_holiday(self) -> None:
        days = await self.agent.items("holiday.list")
        if not days:
            self.program.tell(_NO_HOLIDAY)
            return
        said = [f"{visible(one['day'])} {visible(one['name'])}" for one in days]
        title = Text("which one is a working day again", "哪一日恢复为工作日")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [Text(one, one) for one in said]))
        if place is not None:
            await self.agent.call("holiday.remove", day=days[place]["day"])
            self.program.tell(Text(f"✓ a working day: {said[place]}", f"✓ 恢复为工作日：{said[place]}"))


def _detail(row: Row, clauses: dict[str, Text]) -> Iterator[Piece]:
    yield from (Toned(row["id"], "strong"), "\n", text_of(row["title"]), "\n")
    for name in row["clauses"]:
        yield from ("\n", Toned(name, "dim"), "\n", clauses.get(name), "\n")
    if not row["clauses"]:
        yield from ("\n", Toned(Text("serves no clause of its own", "无对应条款"), "dim"))


def _answer(found: Row) -> PlanPage:
    """Return a verdict as it is shown: what decided first, then every finding."""
    verdict, because = _VERDICTS[found["verdict"]], text_of(found["because"])
    title = Text(f"{verdict.en}: {because.en}", f"{verdict.zh}：{because.zh}")
    if before := found.get("before"):
        was = _VERDICTS[before["verdict"]]
        title = Text(f"now {was.en}; then {title.en}", f"现在{was.zh}；届时{title.zh}")
    lines = [_finding(one) for one in sorted(found["findings"], key=lambda one: one["ok"])]  # what stops it, first
    said = []
    if found.get("mode") == "observe":
        said.append(Text("OBSERVE MODE: this is recorded, and not blocked", "观察模式：只记录，不拦截"))
    if found["change"]:
        change = text_of(found["change"])
        said.append(Text(f"what would change it: {change.en}", f"改变条件：{change.zh}"))
    warning = Text("; ".join(one.en for one in said), "；".join(one.zh for one in said)) if said else None
    return PlanPage(title, lines, warning=warning)


def _finding(one: Row) -> PlanLine:
    because = text_of(one["because"])
    rule, clauses = visible(one["rule"]), ", ".join(map(visible, one["clauses"]))
    return PlanLine(because, "met" if one["ok"] else "not met", f"{rule}  {clauses}")
