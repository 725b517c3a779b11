"""Proposals: the acts that give access and wait for a second officer, with what each would give.

Rules of this file: what would be given is computed by the agent when somebody looks, and a confirmation carries the
code of just that; if it is something else by then, the agent refuses. The number is typed to confirm.
"""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from agent.api.operations import TABLE
from agent.api.proposed import about, is_asked, whose
from agent.api.timestamps import local
from agent.presentation import changes, gains
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
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
    """What waits for a second officer."""

    PLACE = "proposals"
    COLUMNS = (
        field("number", "编号", "id", 8),
        Column(Text("what", "操作"), lambda row: TABLE[row["act"]].help if row["act"] in TABLE else row["act"]),
        Column(Text("about", "对象"), about, 16),
        Column(Text("by", "提议人"), whose, 10),
        Column(Text("until", "过期"), _until, 20, least=100),
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
        if not await self.program.agreed(_plan(found)):
            return
        answer = await self.agent.call("proposal.confirm", proposal=found["id"], seen=found["seen"] or "")
        number = visible(found["id"])
        self.program.tell(Text(f"✓ {number} is confirmed and in force", f"✓ {number} 已确认并生效"))
        if code := answer.get("code"):
            once = Text("the code, shown once: write it down, seal it", "应急代码，仅显示一次：请抄录并封存")
            await self.program.agreed(PlanPage(once, [PlanLine(visible(code), "info")]))
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
    for line in _whose(found):
        yield from (line, "\n")
    yield "\n"
    for name, value in _arguments(found):
        yield from (Toned(name, "dim"), "  ", value, "\n")
    yield "\n"
    if found["outcome"]:
        ended, who = local(found["ended_at"]), visible(found["ended_by"] or "")
        yield from (word(PROPOSAL_OUTCOMES, found["outcome"]), "  ", ended, "  ", who, "\n")
        yield from (visible(found["end_reason"] or ""), "\n")
        return
    yield from (Toned(Text("if it is confirmed now", "现在确认的后果"), "strong"), "\n")
    for line in _gives(found):
        yield from ("  ", line, "\n")
    for line in changes.sentences(found["changes"], found["changes_more"]):
        yield from ("  ", Toned(line, "dim"), "\n")
    if found["because"]:
        why = text_of(found["because"])
        yield from (Toned(Text(f"it cannot be done now: {why.en}", f"现在无法执行：{why.zh}"), "warning"), "\n")
    lapses = local(found["lapses"])
    yield from ("\n", Toned(Text(f"lapses at {lapses}", f"于 {lapses} 过期"), "dim"))


def _whose(found: Row) -> Iterator[Text]:
    at = local(found["at"])
    if found["requested_by"]:
        who, by = visible(found["requested_by"]), visible(found["supported_by"] or "")
        supported = Text(f", supported by {by}", f"，{by} 已支持") if by else Text("", "")
        yield Text(f"a request of {who}{supported.en}", f"{who} 的申请{supported.zh}")
    if not is_asked(found):
        by = visible(found["proposed_by"])
        yield Text(f"proposed by {by} at {at}", f"{by} 于 {at} 提议")


def _plan(found: Row) -> PlanPage:
    what = TABLE[found["act"]].help if found["act"] in TABLE else Text(found["act"], found["act"])
    number, by = visible(found["id"]), whose(found)
    verb = Text("take up", "受理") if is_asked(found) else Text("confirm", "确认")
    title = Text(f"{verb.en} {number} of {by}: {what.en}", f"{verb.zh} {by} 的 {number}：{what.zh}")
    lines = [PlanLine(name, "info", value) for name, value in _arguments(found)]
    lines += [PlanLine(line, "planned") for line in _gives(found)]
    if (pack := found["texts"].get("pack")) and found["pack_in_force"] is not None:
        lines += pack_change.plan(found["pack_in_force"], pack, name=False).lines
    warning = None
    if found["because"]:
        why = text_of(found["because"])
        warning = Text(f"it cannot be done now: {why.en}", f"现在无法执行：{why.zh}")
    return PlanPage(title, lines, name=found["id"], warning=warning, typed=Text("its number", "提议编号"))
