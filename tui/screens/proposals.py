"""Proposals: the acts that give access and wait for a second officer, with what each would give.

Rules of this file: what would be given is computed by the agent when somebody looks, and a confirmation carries the
code of just that; if it is something else by then, the agent refuses. The number is typed to confirm.
"""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from agent.api.operations import TABLE
from agent.api.timestamps import local
from agent.presentation import changes, gains
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.render.cells import Piece, Toned
from tui.render.operation import argument
from tui.render.plan import PlanLine, PlanPage
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field


def _about(row: Row) -> str:
    operation = TABLE.get(row["act"])
    named = [param.name for param in operation.params if param.positional] if operation else []
    return " ".join(visible(str(row["given"][name])) for name in named if isinstance(row["given"].get(name), str | int))


def _until(row: Row) -> Piece:
    if row["outcome"]:
        return Toned(word(PROPOSAL_OUTCOMES, row["outcome"]), "dim")
    return local(row["lapses"])


class ProposalsScreen(ListScreen):
    """What waits for a second officer."""

    PLACE = "proposals"
    COLUMNS = (
        field("number", "编号", "id", 8),
        Column(Text("what", "操作"), lambda row: TABLE[row["act"]].help if row["act"] in TABLE else row["act"]),
        Column(Text("about", "对象"), _about, 16, least=90),
        field("by", "提议人", "proposed_by", 10),
        Column(Text("until", "过期"), _until, 20),
    )
    KEY = "id"
    OP = "proposal.list"
    WHO = Text("no proposal is highlighted", "没有选中的提议")
    EMPTY: ClassVar[Text] = Text("nothing waits for a second officer", "没有待第二人确认的提议")
    FREE = frozenset({"all"})

    def __init__(self) -> None:
        super().__init__()
        self._all = False

    async def rows(self) -> list[Row]:
        """Return the proposals that wait, and those that are over where they are wanted."""
        return await self.agent.items(self.OP, **({"all": True} if self._all else {}))

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return one proposal, and what it would give if it were confirmed now."""
        return tuple(_page(await self.agent.call("proposal.show", proposal=row["id"])))

    def do_all(self) -> None:
        """Show also what is over, or no longer."""
        self._all = not self._all
        self.start(self.load)

    def do_confirm(self) -> None:
        """Confirm the highlighted one."""
        self.start(self._confirm, group="form")

    async def _confirm(self) -> None:
        found = await self.agent.call("proposal.show", proposal=self.chosen)
        if await self.program.agreed(_plan(found)):
            await self.agent.call("proposal.confirm", proposal=found["id"], seen=found["seen"] or "")
            number = visible(found["id"])
            self.program.tell(Text(f"✓ {number} is confirmed and in force", f"✓ {number} 已确认并生效"))
            await self.load()

    def do_refuse(self) -> None:
        """Refuse the highlighted one, or withdraw one's own."""
        self.form("proposal.refuse", proposal=self.chosen)


def _arguments(found: Row) -> Iterator[tuple[Text | str, Any]]:
    operation = TABLE.get(found["act"])
    helps = {param.name: param.help for param in operation.params} if operation else {}
    for name, value in found["given"].items():
        if name in helps and isinstance(value, str | int | bool | list):
            yield helps[name], argument(found["act"], name, value)
        else:
            yield visible(name), visible(json.dumps(value, ensure_ascii=False))


def _gives(found: Row) -> list[Text]:
    return list(gains.sentences(found["now"] or found["would"]))


def _page(found: Row) -> Iterator[Piece]:
    what = TABLE[found["act"]].help if found["act"] in TABLE else Text(found["act"], found["act"])
    yield from (Toned(found["id"], "strong"), "  ", Toned(what, "strong"), "\n")
    by, at = visible(found["proposed_by"]), local(found["at"])
    yield from (Text(f"proposed by {by} at {at}", f"{by} 于 {at} 提议"), "\n\n")
    for name, value in _arguments(found):
        yield from (Toned(name, "dim"), "  ", value, "\n")
    if found["outcome"]:
        ended, who = local(found["ended_at"]), visible(found["ended_by"] or "")
        yield from ("\n", word(PROPOSAL_OUTCOMES, found["outcome"]), f"  {ended}  {who}\n")
        return
    yield from ("\n", Toned(Text("if it is confirmed now", "现在确认的后果"), "strong"), "\n")
    for line in _gives(found):
        yield from ("  ", line, "\n")
    for line in changes.sentences(found["changes"], found["changes_more"]):
        yield from ("  ", Toned(line, "dim"), "\n")
    if found["because"]:
        why = text_of(found["because"])
        yield Toned(Text(f"it cannot be done now: {why.en}\n", f"现在无法执行：{why.zh}\n"), "warning")
    yield Toned(Text(f"\nlapses at {local(found['lapses'])}", f"\n{local(found['lapses'])} 过期"), "dim")


def _plan(found: Row) -> PlanPage:
    what = TABLE[found["act"]].help if found["act"] in TABLE else Text(found["act"], found["act"])
    number, by = visible(found["id"]), visible(found["proposed_by"])
    title = Text(f"confirm {number} of {by}: {what.en}", f"确认 {by} 的 {number}：{what.zh}")
    lines = [PlanLine(name, "info", value) for name, value in _arguments(found)]
    lines += [PlanLine(line, "planned") for line in _gives(found)]
    warning = None
    if found["because"]:
        why = text_of(found["because"])
        warning = Text(f"it cannot be done now: {why.en}", f"现在无法执行：{why.zh}")
    return PlanPage(
        title, lines, name=found["id"], warning=warning, typed=Text("the number of the proposal", "提议编号")
    )
