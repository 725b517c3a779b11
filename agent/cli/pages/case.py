"""One departure case as a page: where it stands, what was done by whom, what comes next and with which command.

Rules of this file: rows only; the agent has decided everything that is shown here.
"""

from collections.abc import Iterable
from typing import Any

from agent.api.timestamps import local
from agent.cli.context import shown, text
from agent.cli.say import Console
from agent.presentation import backlog
from agent.presentation.papers import approval_note
from agent.presentation.terms import STEP_STATES, word
from rules.text import Text

Json = Any
Row = tuple[str, object, str, object]  # what, by whom, when, a note

# What a command line needs beside the person and the name of the thing.
_REST = {
    "open": " --last-day DATE",
    "cool-off": " --until DATE",
    "advance": " --to TIME",
    "measure": " --paper NUMBER --party NAME",
    "end-measure": " --paper NUMBER",
}


def status(terminal: Console, found: Json) -> None:
    """Print what ``case.status`` answered."""
    _head(terminal, found)
    _next(terminal, found)


def page(terminal: Console, found: Json) -> None:
    """Print what ``case.show`` answered."""
    kept_by = found["keeper"]
    keeper = f"{terminal.say(text(kept_by['text']))} {shown(kept_by['party'])}".strip() if kept_by else ""
    _head(
        terminal,
        found,
        (Text("class", "涉密人员类别"), shown(found["printed_class"])),
        (Text("period kept by", "脱密期管理方"), keeper),
    )
    parts: dict[Text, Iterable[Row]] = {
        Text("approvals", "审批"): _approvals(terminal, found),
        Text("hand-over", "移交清退"): _items(terminal, found),
        Text("signatures", "签署文件"): _signatures(terminal, found),
        Text("cooling-off period", "脱密期管理"): _measures(terminal, found),
        Text("decisions", "决定"): _decisions(terminal, found),
    }
    for heading, rows in parts.items():
        if lines := list(rows):
            terminal.line("")
            terminal.table([heading, Text("by", "经办人"), Text("at", "时间"), Text("note", "备注")], lines)
    terminal.line("")
    _next(terminal, found)


def progress(terminal: Console, found: Json) -> None:
    """Print what ``case.progress`` answered."""
    heading = [Text("step", "步骤"), Text("state", "状态"), Text("at", "时间"), Text("what came of it", "结果")]
    rows = [
        (
            terminal.say(text(step["title"])),
            terminal.say(word(STEP_STATES, step["state"])),
            _at(step["ended_at"]),
            terminal.say(text(step["detail"])),
        )
        for step in found["steps"]
    ]
    if rows:
        terminal.table(heading, rows)
    else:
        terminal.talk(Text("no access was ended yet: there is nothing to follow", "尚未取消权限：没有可查看的进度"))
    if under_way := backlog.sentence(found["revocations"]):
        terminal.line(terminal.say(under_way))
    if found["receipt"]:
        person = shown(found["person"])
        signed = Text("the receipt is signed", "回执已签发")
        terminal.line(f"→ {terminal.say(signed)}: shoumi case receipt {person}")


def _head(terminal: Console, found: Json, *more: tuple[Text, str]) -> None:
    rows = [
        (Text("case", "案号"), found["case"]),
        (Text("person", "人员"), found["person"]),
        (Text("kind", "类别"), terminal.say(_kind(found))),
        (Text("status", "状态"), terminal.say(text(found["step_text"]))),
        (Text("last day", "离职日"), found["last_day"]),
        *([(Text("leave date", "离岗时间"), _at(found["effective_at"]))] if found["effective_at"] else ()),
        (Text("access over since", "权限取消时间"), _at(found["ended_at"])),
        (Text("cooling-off until", "脱密期至"), _at(found["cooling_off_until"])),
        *((what, value) for what, value in ((Text("batch", "批次"), shown(found["batch"])), *more) if value),
    ]
    terminal.table([Text("what", "项目"), Text("value", "内容")], [(terminal.say(what), value) for what, value in rows])
    for flag in found["flags"]:
        terminal.line(f"! {terminal.say(text(flag))}")


def _next(terminal: Console, found: Json) -> None:
    # Beside a transfer a departure may run, and that is what the person's number means then.
    whose = found["case"] if found["kind"] == "transfer" else shown(found["person"])
    for step in found["next"]:
        event, name = step["event"], shown(step["name"])
        person = shown(found["person"]) if event == "open" else whose
        words = f" --as {name}" if event == "approve" else f" {name}" if name else ""
        line = f"shoumi case {event} {person}{words}{_REST.get(event, '')}"
        terminal.line(f"→ {terminal.say(text(step['what']))}: {line}")


def _approvals(terminal: Console, found: Json) -> Iterable[Row]:
    for place in found["approvals"]:
        yield terminal.say(text(place["title"])), place["by"], _at(place["at"]), terminal.say(approval_note(place))


def _items(terminal: Console, found: Json) -> Iterable[Row]:
    for item in found["items"]:
        what = f"{item['key']}: {terminal.say(text(item['title']))} → {terminal.say(text(item['department']))}"
        yield what, item["done_by"], _at(item["done_at"]), item["missing"]


def _signatures(terminal: Console, found: Json) -> Iterable[Row]:
    for paper in found["signatures"]:
        yield f"{paper['name']}: {terminal.say(text(paper['title']))}", paper["seen_by"], _at(paper["signed_at"]), ""


def _kind(found: Json) -> Text:
    kind, leaves = text(found["kind_text"]), text(found["leaves_text"])
    return Text(f"{kind.en} ({leaves.en})", f"{kind.zh}（{leaves.zh}）")


def _measures(terminal: Console, found: Json) -> Iterable[Row]:
    titles = {one["name"]: text(one["title"]) for one in found["measures"]}
    for one in found["taken"]:
        said = [terminal.say(titles.get(one["measure"], Text(one["measure"], one["measure"]))), shown(one["item"])]
        note = " ".join(shown(one[name]) for name in ("party", "paper", "note") if one[name])
        yield " ".join(filter(None, said)), one["by"], one["day"], note
        if done := one["ended"]:
            undone = Text("given back or withdrawn", "已归还或撤销")
            yield f"  {terminal.say(undone)}", done["by"], done["day"], shown(done["paper"])


def _decisions(terminal: Console, found: Json) -> Iterable[Row]:
    exam = {True: Text("exit exam passed", "离岗考核通过"), False: Text("exit exam failed", "离岗考核未通过")}
    said = [
        *((Text("sent back", "退回"), one) for one in found["returns"]),
        (Text("confirmed by a second", "第二名管理员确认"), found["confirmation"]),
        (Text("exit education", "离职保密教育"), found["education"]),
        *((exam[one["passed"]], one) for one in found["exams"]),
        (Text("cooling-off decided", "确定脱密期"), found["period"]),
        (Text("papers released", "发放退工材料"), found["papers"]),
        (Text("says they are back", "确认返岗"), found["resumption"]),
        (Text("closed", "办结"), found["closed"]),
        *((Text("rescinded", "撤销"), one) for one in found["rescissions"]),
    ]
    for what, one in said:
        if one:
            yield terminal.say(what), one["by"], _at(one["at"]), one.get("reason", "")


def _at(stamp: str | None) -> str:
    return local(stamp) if stamp else ""
