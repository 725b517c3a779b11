"""``shoumi case``: a departure from notice to the end of the cooling-off period."""

from collections.abc import Callable
from typing import Any

from agent.cli.context import Args, CliContext, OutputColumn, act, column, command, listing, moment, shown, table, text
from agent.cli.pages import case as case_page
from agent.cli.pages import receipt
from agent.cli.parser import Command
from agent.cli.say import Console
from agent.presentation import waits
from rules.text import Text

NOUN = Text("departures: notice, approvals, hand-over, cooling-off", "离岗办理：提出、审批、移交、脱密期")

Json = Any

_ASIDE = (
    column("name", "名称", "name"),
    moment("came", "收到", "at"),
    OutputColumn(Text("person", "人员"), lambda row: row["person"] or row["named"]),
    column("personnel case", "人事编号", "reference"),
    OutputColumn(Text("why", "原因"), lambda row: text(row["text"])),
)

_MOVES = ("open", "approve", "advance", "confirm", "return", "add-line", "hand-over", "educate", "exam", "sign",
          "cool-off", "measure", "end-measure", "papers", "close", "rescind", "withdraw", "resume")  # fmt: skip


def _after(result: Json) -> Text:
    """Return one sentence on what was done: where the case stands, and what comes next."""
    step, person = text(result["step_text"]), shown(result["person"])
    said = Text(f"{result['case']} `{person}`: {step.en}", f"{result['case']} `{person}`：{step.zh}")
    if "grants_ended" in result:
        took = waits.sentence(result)
        said = Text(f"{said.en}; {took.en}", f"{said.zh}；{took.zh}")
    if asked := result.get("asked_by"):
        who = shown(asked)
        return Text(
            f"{said.en}; `{who}` asks to take it back, and a second officer does it by the same command",
            f"{said.zh}；`{who}` 申请撤销，须由第二名管理员执行相同命令",
        )
    if back := result.get("back_by"):
        who = shown(back)
        return Text(
            f"{said.en}; `{who}` says they are back, and a second officer does so by the same command",
            f"{said.zh}；`{who}` 确认返岗，须由第二名管理员执行相同命令",
        )
    following = [text(step["what"]) for step in result["next"]]
    if not following:
        return said
    more = len(following) - 1
    en, zh = (f" (+{more})", f"（另 {more} 项）") if more else ("", "")
    return Text(f"{said.en}; next: {following[0].en}{en}", f"{said.zh}；下一步：{following[0].zh}{zh}")


def _restored(result: Json) -> Text:
    grant, given = shown(result["grant"]), shown(result["given"])
    if given:
        return Text(f"{grant} is given again as {given}", f"已恢复 {grant}，新授权为 {given}")
    return Text(f"{grant}: a second officer gives it again", f"{grant}：待第二名管理员确认恢复")


def _released(result: Json) -> Text:
    count = len(result["released"])
    return Text(
        f"{count} released: the agent judges it now; what became of it: `shoumi hr answers list`, `shoumi case list`",
        f"已放行 {count} 份，代理即刻重新判定；结果见 `shoumi hr answers list`、`shoumi case list`",
    )


def _quarantine(context: CliContext, args: Args) -> int:
    found = list(context.stream("case.quarantine", args))
    code = table(context, found, _ASIDE, Text("nothing is in quarantine", "隔离区为空"))
    if found and not context.terminal.json:
        context.terminal.talk(
            Text(
                "when its reason is gone (who is named is registered, an approver may act again):"
                " `shoumi case release NAME` or PERSON",
                "原因消除后（已登记所列人员、审批人已可办理）：`shoumi case release 名称` 或人员",
            )
        )
    return code


def _standing(row: Json) -> list[Text]:
    found = [(text(one["text"]), one["people"]) for one in row["steps"]]
    return [Text(f"{count} {what.en}", f"{what.zh} {count} 人") for what, count in found]


def _page(op: str, printed: Callable[[Console, Json], None]) -> Command:
    def run(context: CliContext, args: Args) -> int:
        found = context.call(op, args)
        if context.terminal.json:
            context.terminal.data(found)
        else:
            printed(context.terminal, found)
        return 0

    return command(op, run)


COMMANDS: tuple[Command, ...] = (
    *(act(f"case.{event}", _after) for event in _MOVES),
    act("case.restore", _restored),
    *receipt.COMMANDS,
    _page("case.show", case_page.page),
    _page("case.status", case_page.status),
    _page("case.progress", case_page.progress),
    act("case.release", _released),
    command("case.quarantine", _quarantine),
    listing(
        "case.list",
        (
            column("case", "案号", "case"),
            column("person", "人员", "person"),
            OutputColumn(Text("kind", "类别"), lambda row: text(row["kind_text"])),
            OutputColumn(Text("leaves", "离岗/离职"), lambda row: text(row["leaves_text"])),
            column("batch", "批次", "batch"),
            OutputColumn(Text("status", "状态"), lambda row: text(row["step_text"])),
            column("last day", "离职日", "last_day"),
            moment("leave date", "离岗时间", "effective_at"),
            moment("access over", "权限取消", "ended_at"),
            moment("cooling-off until", "脱密期至", "cooling_off_until"),
            OutputColumn(Text("owed", "未完成"), lambda row: [text(duty["text"]) for duty in row["owed"]]),
            OutputColumn(Text("flags", "注意"), lambda row: len(row["flags"]) or None),
        ),
        Text("no departures", "没有离岗办理"),
    ),
    listing(
        "case.batches",
        (
            column("batch", "批次", "batch"),
            column("people", "人数", "people"),
            column("access over", "权限已取消", "over"),
            OutputColumn(Text("status", "状态"), _standing),
            column("first day out", "最早离职日", "first_day"),
            column("last day out", "最晚离职日", "last_day"),
            column("flagged", "注意", "flagged"),
        ),
        Text("no batches", "没有批次"),
    ),
)
