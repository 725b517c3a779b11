"""Departures: the list of offboarding cases, one case in full, and its next step with one key.

Rules of this file:
- the agent decides the next step (``next`` of a case); each kind of step only has its form here;
- before the approval that ends all access the plan is shown and the name is typed. The revocation is followed live.
"""

from datetime import UTC, datetime
from typing import Any

from agent.api.operations import TABLE
from agent.errors import RefusedError
from rules.offboarding.vocabulary import CaseKind
from rules.text import Message, Sentence, Text, from_json, labelled
from tui.forms import Form
from tui.render.case import page
from tui.render.cells import Piece, Toned
from tui.render.person import about_grant
from tui.render.plan import of_agent
from tui.screens.choice import ChoiceScreen
from tui.screens.document import DocumentScreen, receipt
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field

_NAMED = {  # the parameter that the name of a step fills in
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
    return from_json(row["next"][0]["what"]) if row["next"] else None


class DeparturesScreen(ListScreen):
    """The departures of the site."""

    PLACE = "departures"
    EVERY = 1.0
    COLUMNS = (
        field(Message("common.person"), "person", 10),
        Column(Message("tui.stage"), lambda row: from_json(row["step_text"]), 20),
        field(Message("cli.last-day"), "last_day", 10, least=70),
        Column(Message("tui.column-next-step"), _owed),
        Column(Message("tui.column-late"), _flagged, 4),
        field(Message("common.case"), "case", 8, least=100),
        field(Message("cli.batch"), "batch", 10, least=130),
    )
    KEY = "case"
    OP = "case.list"
    NO_ROW = Message("tui.no-departure-highlighted")
    EMPTY = Message("tui.no-departures-yet")
    FREE = frozenset({"all", "trends", "quarantine", "batches"})

    def __init__(self) -> None:
        super().__init__()
        self._all = False
        self._batch = ""

    async def rows(self) -> list[Row]:
        """Return the cases by stage; only those of the chosen batch if there is one."""
        wanted = ({"all": True} if self._all else {}) | ({"batch": self._batch} if self._batch else {})
        cases = await self.agent.items("case.list", **wanted)
        return sorted(cases, key=lambda row: (row["step"], row["last_day"], row["case"]))

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the case with the progress of its revocation."""
        case = await self.agent.call("case.show", person=row["case"])
        run = await self.agent.call("case.progress", person=row["case"]) if case["ended_at"] else None
        return tuple(page(case, run, datetime.now(UTC)))

    def on_navigate(self, **options: Any) -> None:
        """Show the running case of the ``person`` in *options*, or the form that opens one."""
        if person := options.get("person"):
            self.start(self._come, person, group="form")

    async def _come(self, person: str) -> None:
        running = await self.agent.items("case.list", person=person)
        if running:
            self.come_for(running[-1]["case"])
        elif not self.agent.why_not("case.open"):
            await self._opened({"person": person})

    # Next steps ------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Open a case."""
        self.start(self._opened, {}, group="form")

    async def _opened(self, preset: dict[str, Any]) -> None:
        if answer := await self.app.push_screen_wait(Form("case.open", preset, choices={"kind": _KINDS})):
            self.come_for(answer["case"])

    def do_next(self) -> None:
        """Carry out the next step."""
        self.start(self._next, group="form")

    async def _next(self) -> None:
        case = await self.agent.call("case.show", person=self.chosen)
        steps = case["next"]
        if not steps:
            self.program.tell(Message("tui.no-steps-left"))
            return
        place: int | None = 0
        if len(steps) > 1:
            title = Message("tui.choose-step", count=len(steps))
            place = await self.app.push_screen_wait(ChoiceScreen(title, [from_json(step["what"]) for step in steps]))
        if place is not None:
            await self._step(case, steps[place])

    async def _step(self, case: Row, step: Row) -> None:
        event, arguments = step["event"], {"person": case["case"]}  # a transfer of the same person may run in parallel
        if event in _NAMED and step["name"]:
            arguments[_NAMED[event]] = step["name"]
        last = event == "approve" and sum(approval["at"] is None for approval in case["approvals"]) == 1
        if (last or event in ("confirm", "advance")) and not await self._agreed(case):
            return
        op = f"case.{event}"
        if {param.name for param in TABLE[op].params} <= arguments.keys():  # no parameter is left to ask
            await self.agent.call(op, **arguments)
        else:
            title = from_json(step["what"])
            captions, note = ({_NAMED[event]: title}, None) if event in _NAMED and step["name"] else ({}, title)
            if await self.app.push_screen_wait(Form(op, arguments, note=note, captions=captions)) is None:
                return
        self.come_for(case["case"])

    async def _agreed(self, case: Row) -> bool:
        plan = await self.agent.call("case.plan", person=case["case"])
        person = case["person"]
        return await self.program.agreed(of_agent(plan, _ends(person), name=person))

    def do_plan(self) -> None:
        """Show what the departure would end."""
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
        """Return the case."""
        self.form("case.return", person=self.chosen)

    def do_line(self) -> None:
        """Add a line to the hand-over list."""
        self.form("case.add-line", person=self.chosen)

    def do_restore(self) -> None:
        """Restore one ended grant."""
        self.start(self._restore, group="form")

    async def _restore(self) -> None:
        grants = await self.agent.items("grant.list", person=self._person, all=True)
        ended = [(grant["id"], about_grant(grant)) for grant in grants if grant["ended_at"]]
        if not ended:
            self.program.tell(Message("tui.no-ended-grant"))
        elif await self.app.push_screen_wait(Form("case.restore", {"person": self.chosen}, choices={"grant": ended})):
            await self.load()

    def do_withdraw(self) -> None:
        """Record that the person withdraws the notice."""
        self.form("case.withdraw", person=self.chosen)

    def do_batches(self) -> None:
        """Show the batches, then only the cases of the chosen one; again: all cases."""
        if self._batch:
            self._batch = ""
            self.start(self.load)
        else:
            self.start(self._batches, group="form")

    async def _batches(self) -> None:
        batches = await self.agent.items("case.batches", **({"all": True} if self._all else {}))
        if not batches:
            self.program.tell(Message("tui.no-batches"))
            return
        title = Message("tui.choose-batch")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [_batch_line(batch) for batch in batches]))
        if place is not None:
            self._batch = str(batches[place]["batch"])
            await self.load()

    def do_rescind(self) -> None:
        """Rescind the departure."""
        self.form("case.rescind", person=self.chosen)

    # Reading ----------------------------------------------------------------------------------------------------------

    def do_receipt(self) -> None:
        """Show the receipt with the check of its signature."""
        self.start(self._receipt, group="form")

    async def _receipt(self) -> None:
        try:
            answer = await self.agent.call("case.receipt", person=self.chosen)
        except RefusedError as error:
            self.program.tell_error(error)
            return
        await self.app.push_screen_wait(receipt(answer))

    def do_trends(self) -> None:
        """Show the durations of revocations."""
        self.start(self._trends, group="form")

    async def _trends(self) -> None:
        trends = await self.agent.call("case.trends")
        title = Message("tui.revocation-times")
        await self.app.push_screen_wait(DocumentScreen(title, Text(**trends["page"]), "trends.txt"))

    def do_quarantine(self) -> None:
        """Show the quarantined tokens, and release one to be judged again."""
        self.start(self._quarantine, group="form")

    async def _quarantine(self) -> None:
        tokens = await self.agent.items("case.quarantine")
        if not tokens:
            self.program.tell(Message("tui.quarantine-empty"))
            return
        title = Message("tui.choose-token-to-release")
        place = await self.app.push_screen_wait(ChoiceScreen(title, [_token_line(token) for token in tokens]))
        if place is not None:
            await self._form("case.release", {"name": tokens[place]["name"]})

    def do_all(self) -> None:
        """Show or hide closed cases."""
        self._all = not self._all
        self.start(self.load)

    def do_person(self) -> None:
        """Go to the dossier of the person."""
        self.program.go("people", person=self._person)


def _token_line(token: Row) -> Sentence:
    return labelled(str(token["person"] or token["named"] or token["name"]), from_json(token["text"]))


def _batch_line(batch: Row) -> Sentence:
    return Message("tui.batch-progress", name=batch["batch"], count=batch["people"], over=batch["over"])


def _ends(person: str) -> Sentence:
    return Message("tui.ends-all-access", person=person)
