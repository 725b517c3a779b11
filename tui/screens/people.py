"""People: the list, and the dossier of the highlighted one.

Rules of this file: every change is a form of the agent's own table; what takes access away is a plan first.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from agent.api.operations import TABLE
from agent.presentation import waits
from rules.text import Text
from rules.visible import visible
from tui.forms import Form
from tui.i18n import text_of
from tui.render.cells import Piece, Toned
from tui.render.person import about_grant, about_receipt, day, dossier
from tui.render.plan import PlanLine, of_agent, result
from tui.screens.choice import ChoiceScreen
from tui.screens.document import receipt
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field

_AREA = Text("name of an area or a room", "目录或场所名称")


def _state(row: Row) -> Piece:
    if row["on_hold"]:
        return Toned(Text("HOLD", "停权"), "bad")
    if not row["active"]:
        return Toned(Text("NOT ACTIVE", "已停用"), "bad")
    return Toned(Text("LEAVING", "离岗"), "warning") if row["leaving"] else None


class PeopleScreen(ListScreen):
    """The people of the site."""

    PLACE = "people"
    FREE = frozenset({"import"})
    COLUMNS = (
        field("id", "编号", "id", 12),
        field("name", "姓名", "name", 14),
        field("department", "部门", "department"),
        field("post", "岗位", "post", 16, least=100),
        Column(Text("state", "状态"), _state, 10),
    )
    KEY = "id"
    OP = "person.list"
    WHO = Text("no person is highlighted", "没有选中的人员")
    EMPTY = Text("nobody yet; `a` adds a person", "尚无人员；按 `a` 新增")

    async def rows(self) -> list[Row]:
        """Return the people, and whether each is on hold or leaves."""
        people, holds, cases = await asyncio.gather(
            *(self.agent.items(op) for op in ("person.list", "hold.list", "case.list"))
        )
        held, leaving = {one["person"] for one in holds}, {one["person"] for one in cases}
        return [one | {"on_hold": one["id"] in held, "leaving": one["id"] in leaving} for one in people]

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the dossier."""
        person = row["id"]
        found, badges, pins, kinds = await asyncio.gather(
            self.agent.call("person.show", person=person),
            self.agent.items("badge.list", person=person),
            self.agent.items("pin.list", person=person),
            self._kinds(),
        )
        return tuple(dossier(found | {"badges": badges, "pins": pins}, kinds, datetime.now(UTC)))

    async def _kinds(self) -> dict[str, Any]:
        kinds: dict[str, Any] = (await self.agent.call("pack.show"))["records"]
        return kinds

    def arrive(self, **how: Any) -> None:
        """Come for a ``person``."""
        if person := how.get("person"):
            self.come_for(person)

    # Changes ----------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Add a person."""
        self.form("person.add")

    def do_change(self) -> None:
        """Change what is known of the person."""
        self.form("person.set", person=self.chosen)

    def do_record(self) -> None:
        """Add a record of a kind the pack knows."""
        self.start(self._record, group="form")

    async def _record(self) -> None:
        kinds = [(name, Text(kind["en"], kind["zh"])) for name, kind in (await self._kinds()).items()]
        given = {"person": self.chosen}
        if await self.app.push_screen_wait(Form("record.add", given, choices={"kind": kinds} if kinds else None)):
            await self.load()

    def do_grant(self) -> None:
        """Grant an area."""
        self.form("grant.add", person=self.chosen)

    def do_account(self) -> None:
        """Bind an account."""
        self.form("account.add", person=self.chosen)

    def do_import(self) -> None:
        """Add people from a table."""
        self.form("person.import")

    def do_pin(self) -> None:
        """Set the PIN."""
        self.form("pin.set", person=self.chosen)

    def do_end_pin(self) -> None:
        """Forget the PIN."""
        self.start(self._end_pin, group="form")

    async def _end_pin(self) -> None:
        await self.agent.call("pin.remove", person=self.chosen)
        self.program.tell(Text("the PIN is forgotten", "密码已删除"))

    def do_badge(self) -> None:
        """Give a badge."""
        self.form("badge.add", person=self.chosen)

    def do_lift(self) -> None:
        """Lift the holds."""
        self.form("hold.lift", person=self.chosen)

    def do_end_grant(self) -> None:
        """End one grant."""
        self.start(self._end_grant, group="form")

    async def _end_grant(self) -> None:
        running = await self.agent.items("grant.list", person=self.chosen)
        if not running:
            self.program.tell(Text("there is no grant to end", "没有可终止的授权"))
            return
        title = Text("which grant", "哪项授权")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [about_grant(one) for one in running]))
        if place is None:
            return
        grant = running[place]
        who, what = visible(self.chosen), visible(grant["resource"])
        ends = Text(f"end the grant {grant['id']} ({who} → {what})", f"终止授权 {grant['id']}（{who} → {what}）")
        if await self.app.push_screen_wait(Form("grant.end", {"grant": grant["id"]}, only=("reason",), plan=ends)):
            await self.load()

    def do_void(self) -> None:
        """Void one record."""
        self.start(self._void, group="form")

    async def _void(self) -> None:
        kinds, records = await self._kinds(), await self.agent.items("record.list", person=self.chosen)
        found = [(one["id"], _record(one, kinds)) for one in records if one["voided_at"] is None]
        await self._one("record.void", "record", found, Text("there is no record to void", "没有可作废的档案"))

    def do_end_account(self) -> None:
        """Unbind one account."""
        self.start(self._end_account, group="form")

    async def _end_account(self) -> None:
        found = (await self.agent.call("person.show", person=self.chosen))["accounts"]
        none = Text("there is no account", "没有账号")
        await self._one("account.remove", "uid", [(one["uid"], _same(f"uid {one['uid']}")) for one in found], none)

    def do_badge_back(self) -> None:
        """Take one badge back."""
        self.start(self._badge_over, "badge.remove", group="form")

    def do_badge_lost(self) -> None:
        """Say that one badge is lost."""
        self.start(self._badge_over, "badge.lost", group="form")

    async def _badge_over(self, op: str) -> None:
        found = await self.agent.items("badge.list", person=self.chosen)
        none = Text("there is no badge", "没有门禁卡")
        await self._one(op, "number", [(one["number"], _same(one["number"])) for one in found], none)

    async def _one(self, op: str, param: str, choices: list[tuple[Any, Text]], none: Text) -> None:
        """End one of several things of the person."""
        if not choices:
            self.program.tell(none)
            return
        takes = [one.name for one in TABLE[op].params if one.name in (param, "reason")]
        given = (
            {"person": self.chosen} if any(one.name == "person" and one.required for one in TABLE[op].params) else {}
        )
        if await self.app.push_screen_wait(Form(op, given, choices={param: choices}, only=takes)):
            await self.load()

    def do_hold(self) -> None:
        """Stop the person: plan, name, reason."""
        self.start(self._hold, group="form")

    async def _hold(self) -> None:
        person = self.chosen
        said = visible(person)
        title = Text(f"stop `{said}` at once", f"立即停止 `{said}` 的权限")
        plan = of_agent(await self.agent.call("hold.plan", person=person), title, name=person)
        if not await self.program.agreed(plan):
            return
        answer = await self.app.push_screen_wait(Form("hold.add", {"person": person}))
        if answer:
            took = waits.sentence(answer)
            done = Text(f"every open is cut: {took.en}", f"已切断一切访问：{took.zh}")
            rest = Text(
                "what else the plan says follows; the receipt (c) tells", "计划中的其余事项随后执行，见回执（c）"
            )
            lines = [PlanLine(done, "confirmed"), *([PlanLine(rest, "sent")] if len(plan.lines) > 1 else [])]
            await self.program.agreed(result(Text("hold", "停权"), lines))
            await self.load()

    def do_receipt(self) -> None:
        """Show what was taken from the person, by which run."""
        self.start(self._receipt, group="form")

    async def _receipt(self) -> None:
        there = (await self.agent.items("case.receipts", person=self.chosen))[::-1]
        if not there:
            self.program.tell(Text("there is no receipt: nothing was taken from them", "没有回执：未曾被取消权限"))
            return
        place: int | None = 0
        if len(there) > 1:
            title = Text("which receipt, the newest first", "哪份回执（最近的在前）")
            place = await self.app.push_screen_wait(ChoiceScreen(title, [about_receipt(one) for one in there]))
        if place is not None:
            found = await self.agent.call("case.receipt", person=there[place]["case"])
            await self.app.push_screen_wait(receipt(found))

    # Ways -------------------------------------------------------------------------------------------------------------

    def do_departure(self) -> None:
        """Go to the departure of the person."""
        self.program.go("departures", person=self.chosen)

    def do_log(self) -> None:
        """Go to the log."""
        self.program.go("log", filter=f"person:{self.chosen}")


def _record(one: Row, kinds: dict[str, Any]) -> Text:
    kind = text_of(kinds.get(one["kind"], one["kind"]))
    said = f"{visible(one['id'])} {{}} {visible(day(one['on']))}"
    return Text(said.format(kind.en), said.format(kind.zh))


def _same(words: str) -> Text:
    return Text(words, words)
