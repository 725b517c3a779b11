"""Rules: the rules of the pack in force with their clauses, other packs, holidays, and queries of the verdict.

Rules of this file: the changes of another pack are shown before the user can agree; a pack with errors is never used.
"""

import json
from collections.abc import Iterator
from importlib import resources

from agent import shipped_packs as shipped
from agent.errors import RefusedError
from rules.pack.clauses import read_clauses
from rules.pack.reader import load
from rules.text import Message, Sentence, Text, foreign, from_json, series
from rules.visible import visible
from tui.forms import Form, file_text
from tui.render import pack_change
from tui.render.cells import Piece, Toned
from tui.render.losses import with_losses
from tui.render.plan import PlanLine, PlanPage
from tui.screens.choice import ChoiceScreen
from tui.screens.document import DocumentScreen
from tui.screens.listing import ListScreen
from tui.widgets.filter import FilterBar
from tui.widgets.virtual_list import Column, Row, field

_VERDICTS = {"allow": Message("common.allow"), "deny": Message("common.deny")}
_FILE = Message("tui.pack-file-prompt")
_NO_HOLIDAY = Message("common.no-holidays")


class RulesScreen(ListScreen):
    """The pack in force."""

    PLACE = "rules"
    EVERY = 0.0
    COLUMNS = (
        field(Message("common.rule"), "id", 20),
        Column(Message("common.requirements"), lambda row: from_json(row["title"])),
        Column(Message("common.clauses"), lambda row: ", ".join(row["clauses"]) or None, 24, least=100),
    )
    KEY = "id"
    OP = "pack.show"
    NO_ROW = Message("tui.no-rule-highlighted")
    FREE = frozenset({"explain", "what-if", "text", "use", "check", "holidays", "add-holiday", "end-holiday"})

    def __init__(self) -> None:
        super().__init__()
        self._clauses: dict[str, Sentence] = {}

    async def rows(self) -> list[Row]:
        """Return the rules."""
        rules: list[Row] = (await self.agent.call("pack.show"))["rules"]
        return rules

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the rule with the text of its clauses."""
        if not self._clauses:
            text = resources.files("rules").joinpath("clauses.csv").read_text(encoding="utf-8")
            self._clauses = {ident: clause.obligation for ident, clause in read_clauses(text).items()}
        return tuple(_detail(row, self._clauses))

    # Queries ----------------------------------------------------------------------------------------------------------

    def do_explain(self) -> None:
        """Ask whether a person may open a path or enter a room."""
        self.start(self._ask, "explain", group="form")

    def do_what_if(self) -> None:
        """Ask the same under hypothetical changes."""
        self.start(self._ask, "what-if", group="form")

    async def _ask(self, op: str) -> None:
        if answer := await self.app.push_screen_wait(Form(op)):
            await self.program.agreed(_answer(answer))

    def do_text(self) -> None:
        """Show the text of the pack."""
        self.start(self._text, group="form")

    async def _text(self) -> None:
        pack = await self.agent.call("pack.show")
        text = str(pack["text"])
        await self.app.push_screen_wait(
            DocumentScreen(from_json(pack["title"]), Text(text, text), f"{pack['name']}.toml")
        )

    # Another pack ----------------------------------------------------------------------------------------------------

    def do_use(self) -> None:
        """Put another pack in force."""
        self.start(self._choose_pack, "use", group="form")

    def do_check(self) -> None:
        """Check another pack."""
        self.start(self._choose_pack, "check", group="form")

    async def _choose_pack(self, purpose: str) -> None:
        """Ask for a shipped pack or a file; the path of a file is typed in the line below."""
        shipped_packs = [(name, load(shipped.text(name))) for name in shipped.names()]
        choices = [Message("common.labelled", label=name, text=pack.title) for name, pack in shipped_packs]
        title = Message("tui.choose-pack")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [*choices, Message("tui.choose-toml-file")]))
        if place is None:
            return
        if place == len(shipped_packs):
            self.query_one(FilterBar).ask(purpose, _FILE)
        else:
            await self._judge(purpose, shipped.text(shipped_packs[place][0]))

    def entered(self, purpose: str, typed: str) -> None:
        """Read the file of a pack; any other purpose is a filter."""
        if purpose not in ("use", "check"):
            super().entered(purpose, typed)
            return
        try:
            text = file_text(typed)
        except RefusedError as error:
            self.query_one(FilterBar).wrong(error)
            return
        self.query_one(FilterBar).close()
        self.table.focus()
        self.start(self._judge, purpose, text, group="form")

    async def _judge(self, purpose: str, text: str) -> None:
        before = str((await self.agent.call("pack.show"))["text"])
        plan = pack_change.plan(before, text, name=purpose == "use")
        if plan.name:
            preview = await self.agent.call("act.plan", act="pack.use", given=json.dumps({"pack": text}))
            plan = with_losses(plan, preview)
        if await self.program.agreed(plan):
            answer = await self.agent.call("pack.use", pack=text)
            self.program.tell(Message("tui.pack-in-force", pack=answer["pack"]))
            await self.load()

    # Holidays ---------------------------------------------------------------------------------------------------------

    def do_holidays(self) -> None:
        """Show the holidays."""
        self.start(self._holidays, group="form")

    async def _holidays(self) -> None:
        lines = [
            PlanLine(holiday["day"], "info", holiday["name"]) for holiday in await self.agent.items("holiday.list")
        ]
        await self.program.agreed(PlanPage(Message("common.holidays"), lines or [PlanLine(_NO_HOLIDAY, "info")]))

    def do_add_holiday(self) -> None:
        """Mark a day as a holiday."""
        self.form("holiday.add")

    def do_end_holiday(self) -> None:
        """Make a holiday a working day again."""
        self.start(self._end_holiday, group="form")

    async def _end_holiday(self) -> None:
        days = await self.agent.items("holiday.list")
        if not days:
            self.program.tell(_NO_HOLIDAY)
            return
        labels = [foreign(f"{holiday['day']} {holiday['name']}") for holiday in days]
        place = await self.app.push_screen_wait(ChoiceScreen(Message("tui.choose-holiday-to-end"), labels))
        if place is not None:
            await self.agent.call("holiday.remove", day=days[place]["day"])
            self.program.tell(Message("tui.holiday-ended", day=labels[place]))


def _detail(row: Row, clauses: dict[str, Sentence]) -> Iterator[Piece]:
    yield from (Toned(row["id"], "strong"), "\n", from_json(row["title"]), "\n")
    for name in row["clauses"]:
        yield from ("\n", Toned(name, "dim"), "\n", clauses.get(name), "\n")
    if not row["clauses"]:
        yield from ("\n", Toned(Message("tui.rule-without-clause"), "dim"))


def _answer(answer: Row) -> PlanPage:
    """Return the page of a verdict: the deciding reason first, then every finding."""
    verdict, because = _VERDICTS[answer["verdict"]], from_json(answer["because"])
    title = Message("common.labelled", label=verdict, text=because)
    if before := answer.get("before"):
        title = Message("tui.verdict-before-and-after", before=_VERDICTS[before["verdict"]], after=title)
    lines = [_finding(row) for row in sorted(answer["findings"], key=lambda row: row["ok"])]  # obstacles first
    warnings = []
    if answer.get("mode") == "observe":
        warnings.append(Message("common.observe-mode-only-recorded"))
    if answer["change"]:
        change = from_json(answer["change"])
        warnings.append(Message("common.would-change", change=change))
    warning = series(warnings) if warnings else None
    return PlanPage(title, lines, warning=warning)


def _finding(finding: Row) -> PlanLine:
    because = from_json(finding["because"])
    rule, clauses = visible(finding["rule"]), ", ".join(map(visible, finding["clauses"]))
    return PlanLine(because, "met" if finding["ok"] else "not met", f"{rule}  {clauses}")
