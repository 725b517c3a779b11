"""``shoumi proposal``: acts that give access, waiting for a second officer."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.proposed import about, is_asked, whose
from agent.api.timestamps import local
from agent.cli.context import (
    Args,
    CliContext,
    OutputColumn,
    act,
    coded,
    column,
    command,
    listing,
    moment,
    shown,
    text,
)
from agent.presentation import changes, gains
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Text

_MOST_LINES = 200
NOUN = Text("acts that wait for a second officer", "待第二人确认的操作")


def _show(context: CliContext, args: Args) -> int:
    found = context.call("proposal.show", args)
    if context.terminal.json:
        context.terminal.data(found)
        return 0
    for line in lines(found):
        context.terminal.line(context.terminal.say(line))
    return 0


def lines(found: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what an officer is shown of a proposal: whose it is, what it gives and writes, and what comes next."""
    number, act_name = shown(found["id"]), shown(found["act"])
    yield from _whose(found)
    for name, value in found["given"].items():
        said = shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        yield Text(f"  {shown(name)}: {said}", f"  {shown(name)}：{said}")
    if found["outcome"]:
        how, ended = word(PROPOSAL_OUTCOMES, found["outcome"]), local(found["ended_at"])
        by, why = shown(found["ended_by"]), shown(found["end_reason"])
        because = Text(f": {why}", f"：{why}") if why else Text("", "")
        yield Text(f"{how.en} at {ended} by `{by}`{because.en}", f"{ended} 由 `{by}` {how.zh}{because.zh}")
        return
    yield Text(f"lapses at {local(found['lapses'])}", f"于 {local(found['lapses'])} 过期")
    if found["because"]:
        why_not = text(found["because"])
        yield Text(f"it cannot be done now: {why_not.en}", f"现在无法执行：{why_not.zh}")
    for line in gains.sentences(found["now"] or found["would"]):
        yield Text(f"then {line.en}", f"届时：{line.zh}")
    for line in changes.sentences(found["changes"], found["changes_more"]):
        yield Text(f"  {line.en}", f"  {line.zh}")
    yield from _files(found)
    seen = f" --seen {found['seen']}" if found["seen"] else ""
    command_line = f"shoumi proposal confirm {number}{seen}"
    if is_asked(found):
        yield Text(f"to take up `{act_name}`: {command_line}", f"受理 `{act_name}`：{command_line}")
    else:
        yield Text(f"to confirm: {command_line}", f"确认：{command_line}")


def _files(found: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what the file of the act says: of a rule pack what it changes, line by line."""
    for text_of_file in found["texts"].values():
        said = text_of_file.splitlines()
        if found["pack_in_force"] is not None:
            said = list(difflib.unified_diff(found["pack_in_force"].splitlines(), said, "-", "+", lineterm="", n=0))[2:]
        for line in said[:_MOST_LINES]:
            yield Text(f"  | {shown(line)}", f"  | {shown(line)}")
        if (more := len(said) - _MOST_LINES) > 0:
            yield Text(f"  | and {more} more lines", f"  | 另有 {more} 行")


def _whose(found: Mapping[str, Any]) -> Iterator[Text]:
    number, act_name, at = shown(found["id"]), shown(found["act"]), local(found["at"])
    if found["requested_by"]:
        who = shown(found["requested_by"])
        by = shown(found["supported_by"])
        supported = Text(f", supported by `{by}`", f"，`{by}` 已支持") if by else Text("", "")
        yield Text(
            f"{number}: a request of `{who}`{supported.en}: nothing is given yet",
            f"{number}：`{who}` 的申请{supported.zh}，尚未授予",
        )
    if not is_asked(found):
        officer = shown(found["proposed_by"])
        yield Text(
            f"{number}: `{act_name}`, proposed by `{officer}` at {at}",
            f"{number}：`{act_name}`，`{officer}` 于 {at} 提议",
        )


def confirmed(result: dict[str, Any]) -> Text:
    """Return what the second officer is told once the act is done."""
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
            OutputColumn(Text("about", "对象"), about),
            OutputColumn(Text("by", "提议人"), whose),
            moment("at", "时间", "at"),
            moment("lapses", "过期", "lapses"),
            coded("became", "结果", "outcome", PROPOSAL_OUTCOMES),
            column("ended by", "处理人", "ended_by"),
        ),
        Text("nothing waits for a second officer", "没有待确认的提议"),
    ),
    command("proposal.show", _show),
    act("proposal.confirm", confirmed),
    act(
        "proposal.refuse",
        lambda r: Text(
            f"{shown(r['proposal'])} is {word(PROPOSAL_OUTCOMES, r['outcome']).en}: nothing was changed",
            f"{shown(r['proposal'])} {word(PROPOSAL_OUTCOMES, r['outcome']).zh}：未作任何更改",
        ),
    ),
)
