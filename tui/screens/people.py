"""People: the list, and the dossier of the highlighted person.

Rules of this file: every change is a form of the agent's own table; an act that takes access away shows its plan first.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from agent.api.operations import TABLE
from agent.presentation import waits
from rules.text import Message, Sentence, foreign, from_json, spaced
from tui.forms import Form
from tui.render.cells import Piece, Toned
from tui.render.person import about_grant, about_receipt, day, dossier
from tui.render.plan import PlanLine, of_agent, outcome_page
from tui.screens.choice import ChoiceScreen
from tui.screens.document import receipt
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field


def _state(row: Row) -> Piece:
    if row["on_hold"]:
        return Toned(Message("common.hold-mark"), "bad")
    if not row["active"]:
        return Toned(Message("tui.person-inactive"), "bad")
    return Toned(Message("tui.person-leaving"), "warning") if row["leaving"] else None


class PeopleScreen(ListScreen):
    """The people of the site."""

    PLACE = "people"
    FREE = frozenset({"import"})
    COLUMNS = (
        field(Message("cli.id"), "id", 12),
        field(Message("common.name"), "name", 14),
        field(Message("common.department"), "department"),
        field(Message("common.post"), "post", 16, least=100),
        Column(Message("common.state"), _state, 10),
    )
    KEY = "id"
    OP = "person.list"
    NO_ROW = Message("tui.no-person-highlighted")
    EMPTY = Message("tui.no-people-yet")

    async def rows(self) -> list[Row]:
        """Return the people with their holds and departures."""
        people, holds, cases = await asyncio.gather(
            *(self.agent.items(op) for op in ("person.list", "hold.list", "case.list"))
        )
        held, leaving = {hold["person"] for hold in holds}, {case["person"] for case in cases}
        return [row | {"on_hold": row["id"] in held, "leaving": row["id"] in leaving} for row in people]

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the dossier."""
        person = row["id"]
        dossier_row, badges, pins, kinds = await asyncio.gather(
            self.agent.call("person.show", person=person),
            self.agent.items("badge.list", person=person),
            self.agent.items("pin.list", person=person),
            self._kinds(),
        )
        return tuple(dossier(dossier_row | {"badges": badges, "pins": pins}, kinds, datetime.now(UTC)))

    async def _kinds(self) -> dict[str, Any]:
        kinds: dict[str, Any] = (await self.agent.call("pack.show"))["records"]
        return kinds

    def on_navigate(self, **options: Any) -> None:
        """Show the ``person`` of *options*."""
        if person := options.get("person"):
            self.come_for(person)

    # Changes ----------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Add a person."""
        self.form("person.add")

    def do_change(self) -> None:
        """Change the data of the person."""
        self.form("person.set", person=self.chosen)

    def do_record(self) -> None:
        """Add a record of a kind of the pack."""
        self.start(self._record, group="form")

    async def _record(self) -> None:
        kinds = [(name, from_json(kind)) for name, kind in (await self._kinds()).items()]
        preset = {"person": self.chosen}
        if await self.app.push_screen_wait(Form("record.add", preset, choices={"kind": kinds} if kinds else None)):
            await self.load()

    def do_grant(self) -> None:
        """Grant an area."""
        self.form("grant.add", person=self.chosen)

    def do_account(self) -> None:
        """Bind an account."""
        self.form("account.add", person=self.chosen)

    def do_import(self) -> None:
        """Import people from a CSV file."""
        self.form("person.import")

    def do_pin(self) -> None:
        """Set the PIN."""
        self.form("pin.set", person=self.chosen)

    def do_end_pin(self) -> None:
        """Delete the PIN."""
        self.start(self._end_pin, group="form")

    async def _end_pin(self) -> None:
        await self.agent.call("pin.remove", person=self.chosen)
        self.program.tell(Message("tui.pin-deleted"))

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
            self.program.tell(Message("tui.no-grant-to-end"))
            return
        title = Message("tui.choose-grant")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [about_grant(row) for row in running]))
        if place is None:
            return
        grant = running[place]
        ends = Message("tui.end-grant", grant=grant["id"], person=self.chosen, resource=grant["resource"])
        if await self.app.push_screen_wait(Form("grant.end", {"grant": grant["id"]}, only=("reason",), plan=ends)):
            await self.load()

    def do_void(self) -> None:
        """Void one record."""
        self.start(self._void, group="form")

    async def _void(self) -> None:
        kinds, records = await self._kinds(), await self.agent.items("record.list", person=self.chosen)
        choices = [(record["id"], _record(record, kinds)) for record in records if record["voided_at"] is None]
        await self._end_one("record.void", "record", choices, Message("tui.no-record-to-void"))

    def do_end_account(self) -> None:
        """Unbind one account."""
        self.start(self._end_account, group="form")

    async def _end_account(self) -> None:
        accounts = (await self.agent.call("person.show", person=self.chosen))["accounts"]
        none = Message("tui.no-account")
        await self._end_one(
            "account.remove",
            "uid",
            [(account["uid"], Message("tui.uid-number", uid=account["uid"])) for account in accounts],
            none,
        )

    def do_badge_back(self) -> None:
        """Take one badge back."""
        self.start(self._badge_over, "badge.remove", group="form")

    def do_badge_lost(self) -> None:
        """Report one badge as lost."""
        self.start(self._badge_over, "badge.lost", group="form")

    async def _badge_over(self, op: str) -> None:
        badges = await self.agent.items("badge.list", person=self.chosen)
        none = Message("tui.no-badge")
        await self._end_one(op, "number", [(badge["number"], foreign(badge["number"])) for badge in badges], none)

    async def _end_one(self, op: str, param: str, choices: list[tuple[Any, Sentence]], none: Sentence) -> None:
        """Choose one account, badge or record of the person and end it with *op*."""
        if not choices:
            self.program.tell(none)
            return
        names = {parameter.name: parameter.required for parameter in TABLE[op].params}
        preset = {"person": self.chosen} if names.get("person") else {}
        fields = [name for name in names if name in (param, "reason")]
        if await self.app.push_screen_wait(Form(op, preset, choices={param: choices}, only=fields)):
            await self.load()

    def do_hold(self) -> None:
        """Place a hold: plan, name, reason."""
        self.start(self._hold, group="form")

    async def _hold(self) -> None:
        person = self.chosen
        title = Message("tui.place-hold", person=person)
        plan = of_agent(await self.agent.call("hold.plan", person=person), title, name=person)
        if not await self.program.agreed(plan):
            return
        answer = await self.app.push_screen_wait(Form("hold.add", {"person": person}))
        if answer:
            took = waits.sentence(answer)
            confirmed = Message("tui.access-cut", took=took)
            pending = Message("tui.remaining-steps-follow")
            lines = [PlanLine(confirmed, "confirmed"), *([PlanLine(pending, "sent")] if len(plan.lines) > 1 else [])]
            await self.program.agreed(outcome_page(Message("common.hold"), lines))
            await self.load()

    def do_receipt(self) -> None:
        """Show a receipt of the rights taken from the person."""
        self.start(self._receipt, group="form")

    async def _receipt(self) -> None:
        receipts = (await self.agent.items("case.receipts", person=self.chosen))[::-1]
        if not receipts:
            self.program.tell(Message("tui.no-receipt"))
            return
        place: int | None = 0
        if len(receipts) > 1:
            title = Message("tui.choose-receipt")
            place = await self.app.push_screen_wait(ChoiceScreen(title, [about_receipt(row) for row in receipts]))
        if place is not None:
            answer = await self.agent.call("case.receipt", person=receipts[place]["case"])
            await self.app.push_screen_wait(receipt(answer))

    # Navigation -------------------------------------------------------------------------------------------------------

    def do_departure(self) -> None:
        """Go to the departure of the person."""
        self.program.go("departures", person=self.chosen)

    def do_log(self) -> None:
        """Go to the log of the person."""
        self.program.go("log", filter=f"person:{self.chosen}")


def _record(record: Row, kinds: dict[str, Any]) -> Sentence:
    kind = from_json(kinds.get(record["kind"], record["kind"]))
    return spaced([foreign(record["id"]), kind, foreign(day(record["on"]))])
