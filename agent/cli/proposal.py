"""``shoumi proposal``: acts that give access, waiting for a second officer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, coded, column, command, listing, moment, shown, text
from agent.presentation import changes, gains
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Text

NOUN = Text("acts that wait for a second officer", "待第二人确认的操作")


def _show(context: CliContext, args: Args) -> int:
    found = context.call("proposal.show", args)
    if context.terminal.json:
        context.terminal.data(found)
        return 0
    for line in _lines(found):
        context.terminal.line(context.terminal.say(line))
    return 0


def _lines(found: Mapping[str, Any]) -> Iterator[Text]:
    number, by = shown(found["id"]), shown(found["proposed_by"])
    yield Text(f"{number}: `{shown(found['act'])}`, proposed by `{by}` at {local(found['at'])}",
               f"{number}：`{shown(found['act'])}`，`{by}` 于 {local(found['at'])} 提议")  # fmt: skip
    for name, value in found["given"].items():
        said = shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        yield Text(f"  {shown(name)}: {said}", f"  {shown(name)}：{said}")
    if found["outcome"]:
        how, ended = word(PROPOSAL_OUTCOMES, found["outcome"]), local(found["ended_at"])
        yield Text(
            f"{how.en} at {ended} by `{shown(found['ended_by'])}`", f"{ended} 由 `{shown(found['ended_by'])}` {how.zh}"
        )
        return
    yield Text(f"lapses at {local(found['lapses'])}", f"{local(found['lapses'])} 过期")
    if found["because"]:
        why = text(found["because"])
        yield Text(f"it cannot be done now: {why.en}", f"现在无法执行：{why.zh}")
    for line in gains.sentences(found["now"] or found["would"]):
        yield Text(f"then {line.en}", f"届时{line.zh}")
    for line in changes.sentences(found["changes"], found["changes_more"]):
        yield Text(f"  {line.en}", f"  {line.zh}")
    if found["seen"]:
        yield Text(f"to confirm: shoumi proposal confirm {number} --seen {found['seen']}",
                   f"确认：shoumi proposal confirm {number} --seen {found['seen']}")  # fmt: skip


def _confirmed(result: dict[str, Any]) -> Text:
    number, act_name = shown(result["proposal"]), shown(result["act"])
    code = shown(result.get("code", ""))  # of the break-glass: only who confirms it sees it
    more = Text(f"; the code, shown once: {code}", f"；应急代码（仅显示一次）：{code}") if code else Text("", "")
    return Text(
        f"{number} is confirmed: `{act_name}` is done{more.en}", f"{number} 已确认：`{act_name}` 已执行{more.zh}"
    )


COMMANDS = (
    listing(
        "proposal.list",
        (
            column("proposal", "提议", "id"),
            column("act", "操作", "act"),
            column("by", "提议人", "proposed_by"),
            moment("at", "时间", "at"),
            moment("lapses", "过期", "lapses"),
            coded("became", "结果", "outcome", PROPOSAL_OUTCOMES),
            column("ended by", "处理人", "ended_by"),
        ),
        Text("nothing waits for a second officer", "没有待确认的提议"),
    ),
    command("proposal.show", _show),
    act("proposal.confirm", _confirmed),
    act(
        "proposal.refuse",
        lambda r: Text(
            f"{shown(r['proposal'])} is {word(PROPOSAL_OUTCOMES, r['outcome']).en}: nothing was changed",
            f"{shown(r['proposal'])} {word(PROPOSAL_OUTCOMES, r['outcome']).zh}：未作任何更改",
        ),
    ),
)
