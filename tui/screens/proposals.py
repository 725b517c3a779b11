"""Proposals: the acts that give access and wait for a second officer, with their effects.

Rules of this file: the agent computes the effects when the proposal is shown, and a confirmation carries the code of
exactly those effects; if they have changed by then, the agent refuses. The number is typed to confirm.
"""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from agent.api.operations import TABLE
from agent.api.proposed import about, is_asked, whose
from agent.api.timestamps import local
from agent.presentation import changes, gains
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Message, Sentence, Text, from_json
from rules.visible import visible
from tui.render import pack_change
from tui.render.cells import Piece, Toned
from tui.render.operation import argument
from tui.render.plan import PlanLine, PlanPage
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field


def _until(row: Row) -> Piece:
    if row["outcome"]:
        return Toned(word(PROPOSAL_OUTCOMES, row["outcome"]), "dim")
    return local(row["lapses"])


class ProposalsScreen(ListScreen):
    """The acts that wait for a second officer."""

    PLACE = "proposals"
    COLUMNS = (
        field(Message("cli.id"), "id", 8),
        Column(Message("tui.column-act"), lambda row: TABLE[row["act"]].help if row["act"] in TABLE else row["act"]),
        Column(Message("common.about"), about, 16),
        Column(Message("common.by"), whose, 10),
        Column(Message("tui.column-expires"), _until, 20, least=100),
    )
    KEY = "id"
    OP = "proposal.list"
    NO_ROW = Message("tui.no-proposal-highlighted")
    EMPTY: ClassVar[Sentence] = Message("tui.no-proposals")
    FREE = frozenset({"all"})

    def __init__(self) -> None:
        super().__init__()
        self._all = False

    async def rows(self) -> list[Row]:
        """Return the waiting proposals, with the closed ones if they are shown."""
        return await self.agent.items(self.OP, **({"all": True} if self._all else {}))

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return one proposal, and its effects if it were confirmed now."""
        return tuple(_page(await self.agent.call("proposal.show", proposal=row["id"])))

    def do_all(self) -> None:
        """Show or hide closed proposals."""
        self._all = not self._all
        self.start(self.load)

    def do_confirm(self) -> None:
        """Confirm the highlighted proposal."""
        self.start(self._confirm, group="form")

    async def _confirm(self) -> None:
        row = await self.agent.call("proposal.show", proposal=self.chosen)
        if not await self.program.agreed(_plan(row)):
            return
        answer = await self.agent.call("proposal.confirm", proposal=row["id"], seen=row["seen"] or "")
        self.program.tell(Message("tui.proposal-confirmed", number=row["id"]))
        if code := answer.get("code"):
            once = Message("tui.break-glass-code-shown-once")
            await self.program.agreed(PlanPage(once, [PlanLine(visible(code), "info")]))
        await self.load()

    def do_refuse(self) -> None:
        """Refuse the highlighted proposal, or withdraw one's own."""
        self.form("proposal.refuse", proposal=self.chosen)


def _arguments(proposal: Row) -> Iterator[tuple[Sentence | str, Any]]:
    operation = TABLE.get(proposal["act"])
    helps = {param.name: param.help for param in operation.params} if operation else {}
    for name, raw in proposal["given"].items():
        if name in helps and isinstance(raw, str | int | bool | list):
            yield helps[name], argument(proposal["act"], name, raw)
        else:
            yield visible(name), visible(json.dumps(raw, ensure_ascii=False))


def _gives(proposal: Row) -> list[Sentence]:
    return list(gains.sentences(proposal["now"] or proposal["would"]))


def _page(proposal: Row) -> Iterator[Piece]:
    title = TABLE[proposal["act"]].help if proposal["act"] in TABLE else Text(proposal["act"], proposal["act"])
    yield from (Toned(proposal["id"], "strong"), "  ", Toned(title, "strong"), "\n")
    for line in _whose(proposal):
        yield from (line, "\n")
    yield "\n"
    for name, argument_text in _arguments(proposal):
        yield from (Toned(name, "dim"), "  ", argument_text, "\n")
    yield "\n"
    if proposal["outcome"]:
        ended, ended_by = local(proposal["ended_at"]), visible(proposal["ended_by"] or "")
        yield from (word(PROPOSAL_OUTCOMES, proposal["outcome"]), "  ", ended, "  ", ended_by, "\n")
        yield from (visible(proposal["end_reason"] or ""), "\n")
        return
    yield from (Toned(Message("tui.effects-if-confirmed-now"), "strong"), "\n")
    for line in _gives(proposal):
        yield from ("  ", line, "\n")
    for line in changes.sentences(proposal["changes"], proposal["changes_more"]):
        yield from ("  ", Toned(line, "dim"), "\n")
    if proposal["because"]:
        yield from (
            Toned(Message("tui.proposal-cannot-be-executed", reason=from_json(proposal["because"])), "warning"),
            "\n",
        )
    lapses = local(proposal["lapses"])
    yield from ("\n", Toned(Message("common.lapses", lapses=lapses), "dim"))


def _whose(proposal: Row) -> Iterator[Sentence]:
    if proposal["requested_by"]:
        person, supporter = proposal["requested_by"], proposal["supported_by"]
        yield (
            Message("tui.requested-by-supported-by", person=person, by=supporter)
            if supporter
            else Message("tui.requested-by", person=person)
        )
    if not is_asked(proposal):
        yield Message("tui.proposed-by-at", by=proposal["proposed_by"], time=local(proposal["at"]))


def _plan(proposal: Row) -> PlanPage:
    act_title = TABLE[proposal["act"]].help if proposal["act"] in TABLE else Text(proposal["act"], proposal["act"])
    title = Message(
        "tui.take-up-request" if is_asked(proposal) else "tui.confirm-proposal",
        number=proposal["id"],
        by=whose(proposal),
        act=act_title,
    )
    lines = [PlanLine(name, "info", argument_text) for name, argument_text in _arguments(proposal)]
    lines += [PlanLine(line, "planned") for line in _gives(proposal)]
    if (pack := proposal["texts"].get("pack")) and proposal["pack_in_force"] is not None:
        lines += pack_change.plan(proposal["pack_in_force"], pack, name=False).lines
    warning = None
    if proposal["because"]:
        warning = Message("tui.proposal-cannot-be-executed", reason=from_json(proposal["because"]))
    return PlanPage(title, lines, name=proposal["id"], warning=warning, typed=Message("tui.proposal-number"))
