"""Departures: the board of cases, one of them in full, and each next step with one key.

Rules of this file:
- what comes next is the agent's word (``next`` of a case); here each kind of step only has its form;
- before the approval that ends all access the plan is shown and the name is typed. What came of it is followed live.
"""

from datetime import UTC, datetime
from typing import Any

from agent.api.operations import TABLE
from agent.errors import RefusedError
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text
from rules.visible import visible
from tui.forms import Form
from tui.i18n import text_of
from tui.render.case import page
from tui.render.cells import Piece, Toned
from tui.render.person import about_grant
from tui.render.plan import of_agent
from tui.screens.choice import ChoiceScreen
from tui.screens.document import DocumentScreen, receipt
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field

_NAMED = {  # what a step's name fills in
    "approve": "as",
    "hand-over": "line",
    "sign": "document",
    "restore": "grant",
    "measure": "measure",
    "end-measure": "measure",
}

_KINDS = [(kind.value, kind.text) for kind in CaseKind]


def _flagged(row: Row) -> Piece:
    return Toned(f"! {len(row['flags'])}", "warning") if row["flags"] else None


def _owed(row: Row) -> Piece:
    return text_of(row["next"][0]["what"]) if row["next"] else None


class DeparturesScreen(ListScreen):
    """The departures of the site."""

    PLACE = "departures"
    EVERY = 1.0
    COLUMNS = (
        field("person", "人员", "person", 10),
        Column(Text("stage", "阶段"), lambda row: text_of(row["step_text"]), 20),
        field("last day", "离职日", "last_day", 10, least=70),
        Column(Text("next", "下一步"), _owed),
        Column(Text("late", "逾期"), _flagged, 4),
        field("case", "案号", "case", 8, least=100),
        field("batch", "批次", "batch", 10, least=130),
    )
    KEY = "case"
    OP = "case.list"
    WHO = Text("no departure is highlighted", "没有选中的离岗")
    EMPTY = Text("nobody is leaving; `o` opens a departure", "无人离岗；按 `o` 办理")
    FREE = frozenset({"all", "trends", "quarantine", "batches"})

    def __init__(self) -> None:
        super().__init__()
        self._all = False
        self._batch = ""

    async def rows(self) -> list[Row]:
        """Return the cases, by stage; only those of the batch that was chosen."""
        wanted = ({"all": True} if self._all else {}) | ({"batch": self._batch} if self._batch else {})
        found = await self.agent.items("case.list", **wanted)
        return sorted(found, key=lambda row: (row["step"], row["last_day"], row["case"]))

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the case, with its revocation as far as it is."""
        case = await self.agent.call("case.show", person=row["case"])
        run = await self.agent.call("case.progress", person=row["case"]) if case["ended_at"] else None
        return tuple(page(case, run, datetime.now(UTC)))

    def arrive(self, **how: Any) -> None:
        """Come for a ``person``: to the case that runs, or to the form that opens one."""
        if person := how.get("person"):
            self.start(self._come, person, group="form")

    async def _come(self, person: str) -> None:
        running = await self.agent.items("case.list", person=person)
        if running:
            self.come_for(running[-1]["case"])
        elif not self.agent.why_not("case.open"):
            await self._opened({"person": person})

    # What comes next --------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Open a case."""
        self.start(self._opened, {}, group="form")

    async def _opened(self, given: dict[str, Any]) -> None:
        if answer := await self.app.push_screen_wait(Form("case.open", given, choices={"kind": _KINDS})):
            self.come_for(answer["case"])

    def do_next(self) -> None:
        """Do what comes next."""
        self.start(self._next, group="form")

    async def _next(self) -> None:
        case = await self.agent.call("case.show", person=self.chosen)
        steps = case["next"]
        if not steps:
            self.program.tell(Text("nothing is left to do", "没有待办事项"))
            return
        place: int | None = 0
        if len(steps) > 1:
            title = Text(f"{len(steps)} things are open", f"{len(steps)} 项未办")
            place = await self.app.push_screen_wait(ChoiceScreen(title, [text_of(step["what"]) for step in steps]))
        if place is not None:
            await self._step(case, steps[place])

    async def _step(self, case: Row, step: Row) -> None:
        event, given = step["event"], {"person": case["case"]}  # a transfer of the same person may run beside it
        if event in _NAMED and step["name"]:
            given[_NAMED[event]] = step["name"]
        last = event == "approve" and sum(one["at"] is None for one in case["approvals"]) == 1
        if (last or event in ("confirm", "advance")) and not await self._agreed(case):
            return
        op = f"case.{event}"
        if {param.name for param in TABLE[op].params} <= given.keys():  # nothing is left to ask
            await self.agent.call(op, **given)
        else:
            what = text_of(step["what"])
            said = {_NAMED[event]: what} if event in _NAMED else {}
            if await self.app.push_screen_wait(Form(op, given, note=what, said=said)) is None:
                return
        self.come_for(case["case"])

    async def _agreed(self, case: Row) -> bool:
        plan = await self.agent.call("case.plan", person=case["case"])
        person = case["person"]
        return await self.program.agreed(of_agent(plan, _ends(person), name=person))

    def do_plan(self) -> None:
        """Show what would end."""
        self.start(self._plan, group="form")

    async def _plan(self) -> None:
        person = self._person
        await self.program.agreed(of_agent(await self.agent.call("case.plan", person=person), _ends(person)))

    @property
    def _person(self) -> str:
        row = self.table.current()
        assert row is not None
        return str(row["person"])

    def do_return(self) -> None:
        """Send it back."""
        self.form("case.return", person=self.chosen)

    def do_line(self) -> None:
        """Add a line to the hand-over list."""
        self.form("case.add-line", person=self.chosen)

    def do_restore(self) -> None:
        """Give one ended grant again."""
        self.start(self._restore, group="form")

    async def _restore(self) -> None:
        grants = await self.agent.items("grant.list", person=self._person, all=True)
        ended = [(one["id"], about_grant(one)) for one in grants if one["ended_at"]]
        if not ended:
            self.program.tell(Text("no grant has ended", "没有被终止的授权"))
        elif await self.app.push_screen_wait(Form("case.restore", {"person": self.chosen}, choices={"grant": ended})):
            await self.load()

    def do_withdraw(self) -> None:
        """The leaver takes the notice back."""
        self.form("case.withdraw", person=self.chosen)

    def do_batches(self) -> None:
        """Show the batches, and of the one that is chosen the cases only; again: all of them."""
        if self._batch:
            self._batch = ""
            self.start(self.load)
        else:
            self.start(self._batches, group="form")

    async def _batches(self) -> None:
        found = await self.agent.items("case.batches", **({"all": True} if self._all else {}))
        if not found:
            self.program.tell(Text("no departure is of a batch", "没有批次"))
            return
        title = Text("whose cases only?", "只看哪一批？")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [_standing(one) for one in found]))
        if place is not None:
            self._batch = str(found[place]["batch"])
            await self.load()

    def do_rescind(self) -> None:
        """Take it back."""
        self.form("case.rescind", person=self.chosen)

    # Looking ----------------------------------------------------------------------------------------------------------

    def do_receipt(self) -> None:
        """Show the receipt, checked."""
        self.start(self._receipt, group="form")

    async def _receipt(self) -> None:
        try:
            found = await self.agent.call("case.receipt", person=self.chosen)
        except RefusedError as error:
            self.program.tell_error(error)
            return
        await self.app.push_screen_wait(receipt(found))

    def do_trends(self) -> None:
        """Show how long revocations took."""
        self.start(self._trends, group="form")

    async def _trends(self) -> None:
        found = await self.agent.call("case.trends")
        title = Text("how long revocations took", "撤权用时")
        await self.app.push_screen_wait(DocumentScreen(title, text_of(found["page"]), "trends.txt"))

    def do_quarantine(self) -> None:
        """Show what waits in quarantine, and let one of it be judged again."""
        self.start(self._quarantine, group="form")

    async def _quarantine(self) -> None:
        waiting = await self.agent.items("case.quarantine")
        if not waiting:
            self.program.tell(Text("nothing waits in quarantine", "隔离区为空"))
            return
        title = Text("which one is to be judged again?", "重新判定哪一个？")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [_waiting(one) for one in waiting]))
        if place is not None:
            await self._form("case.release", {"name": waiting[place]["name"]})

    def do_all(self) -> None:
        """Also those that are over, or not."""
        self._all = not self._all
        self.start(self.load)

    def do_person(self) -> None:
        """Go to the person."""
        self.program.go("people", person=self._person)


def _waiting(one: Row) -> Text:
    who, why = visible(str(one["person"] or one["named"] or one["name"])), text_of(one["text"])
    return Text(f"{who}: {why.en}", f"{who}：{why.zh}")


def _standing(batch: Row) -> Text:
    name, people, over = visible(str(batch["batch"])), batch["people"], batch["over"]
    return Text(f"{name}: {people} people, access over: {over}", f"{name}：{people} 人，权限已取消 {over} 人")


def _ends(person: str) -> Text:
    said = visible(person)
    return Text(f"this ends all access of `{said}`", f"将终止 `{said}` 的全部权限")
