"""``shoumi case receipt``, ``plan``, ``trends`` and ``send-test``: what will end, what has ended, and the proof of it.

Rules of this file: verifying a receipt needs no agent and no rights, only the file and the public key. What signs and
verifies is imported by whoever does: it would double the time every other command takes to start.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.api.operations import TABLE
from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, OutputColumn, coded, column, listing, moment, text
from agent.cli.parser import Command
from agent.errors import RefusedError, UsageError
from agent.presentation.terms import CAUSES, YES_NO
from rules.text import Text
from rules.visible import visible

if TYPE_CHECKING:
    from agent.offboard.receipt.verify import ReceiptReport

_PATIENCE = 60.0  # seconds `--wait` waits for a receipt
_LOOK = 0.2
_PERSON = replace(TABLE["case.receipt"].params[0], required=False)  # to verify a file nobody need be named


KEEPING = (
    Param("save", "text", Text("keep the receipt in this file", "将回执存入此文件"), metavar="FILE"),
    Param("wait", "flag", Text("wait for it, a minute at most", "等待回执签发，最多一分钟")),
)


def _receipt(context: CliContext, args: Args) -> int:
    if args.get("verify"):
        return _verified(context, Path(str(args["verify"])), args.get("key"))
    if not args.get("person"):
        raise UsageError(
            Text("whose receipt?", "请指明人员或案号"),
            Text("shoumi case receipt PERSON", "shoumi case receipt 人员编号"),
        )
    return shown(context, args, "case.receipt")


def shown(context: CliContext, args: Args, op: str) -> int:
    """Show the newest receipt that *op* answers with, verified; keep it where ``--save`` says; return the exit code."""
    found = _waited(context, args, op) if args.get("wait") else _newest(context, args, op)
    report = _read(found["receipt"].encode(), found["public_key"].encode())
    if args.get("save"):
        file = Path(str(args["save"]))
        _save(file, found["receipt"])
        said = visible(str(file))
        context.terminal.talk(Text(f"saved to `{said}`", f"已保存至 `{said}`"))
    if context.terminal.json:
        context.terminal.data({**found, "ok": report.genuine, "complete": report.complete})
    else:
        _print(context, report)
        context.terminal.line(found["file"])
    return 0 if report.genuine else 1


def _read(receipt: bytes, public: bytes) -> "ReceiptReport":
    from agent.offboard.receipt.verify import verify

    return verify(receipt, public)


def _print(context: CliContext, report: "ReceiptReport") -> None:
    from agent.offboard.receipt.page import report_page

    context.terminal.line(report_page(report, context.terminal.language))


def _newest(context: CliContext, args: Args, op: str) -> dict[str, Any]:
    return dict(context.client.call(op, person=args["person"]))


def _waited(context: CliContext, args: Args, op: str) -> dict[str, Any]:
    """Return the receipt as soon as nothing in it is open any more, or what there is when patience ran out."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            found = _newest(context, args, op)
            if _read(found["receipt"].encode(), found["public_key"].encode()).complete:
                return found
        except RefusedError:  # there is no case yet, or no receipt
            if time.monotonic() > until:
                raise
        else:
            if time.monotonic() > until:
                return found
        time.sleep(_LOOK)


def _save(file: Path, receipt: str) -> None:
    try:
        file.write_bytes(receipt.encode())  # to the byte: the signature is on it
    except OSError as error:
        said, why = visible(str(file)), visible(error.strerror or "")
        raise RefusedError(Text(f"`{said}` cannot be written: `{why}`", f"无法写入 `{said}`：`{why}`")) from None


def _verified(context: CliContext, file: Path, key: object) -> int:
    try:
        receipt = file.read_bytes()
        public = Path(str(key)).read_bytes() if key else b""
    except OSError as error:
        said, why = visible(str(error.filename)), visible(error.strerror or "")
        raise RefusedError(Text(f"`{said}` cannot be read: {why}", f"无法读取 `{said}`：{why}")) from None
    if not key:
        raise UsageError(
            Text("a receipt is verified with the public key of the agent", "验证回执需要代理的公钥"),
            Text("shoumi case receipt --verify FILE --key KEY.pem", "shoumi case receipt --verify 文件 --key 公钥.pem"),
        )
    report = _read(receipt, public)
    if context.terminal.json:
        problems = [problem.to_json() for problem in report.problems]
        context.terminal.data({"ok": report.genuine, "complete": report.complete, "problems": problems})
    else:
        _print(context, report)
    return 0 if report.genuine else 1


def _plan(context: CliContext, args: Args) -> int:
    return planned(context, args, "case.plan")


def planned(context: CliContext, args: Args, op: str) -> int:
    """Show the plan that *op* answers with: what ends, who else is touched, what cannot be undone."""
    found: dict[str, Any] = context.client.call(op, person=args["person"])
    if context.terminal.json:
        context.terminal.data(found)
        return 0
    for line in plan_lines(found):
        context.terminal.line(context.terminal.say(line))
    return 0


def plan_lines(found: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the lines of a plan: ``·`` before what will be done, as the terminal has it, ``-`` before what will not."""
    for notice in map(text, found["notices"]):
        yield Text(f"! {notice.en}", f"! {notice.zh}")
    for step in found["steps"]:
        title = text(step["title"])
        if step["skipped"]:
            why = text(step["skipped"])
            yield Text(f"- {title.en}: {why.en}", f"- {title.zh}：{why.zh}")
            continue
        none = text(step["nothing"]) if step["nothing"] else None
        said = (f": {none.en}", f"：{none.zh}") if none else ("", "")
        yield Text(f"· {title.en}{said[0]}", f"· {title.zh}{said[1]}")
        for target in step["targets"]:
            what, other = text(target["what"]), text(target["other"]) if target["other"] else None
            touched = (f" (! {other.en})", f"（! {other.zh}）") if other else ("", "")
            yield Text(f"    {what.en}{touched[0]}", f"    {what.zh}{touched[1]}")
        if step["lasting"]:
            lost = text(step["lasting"])
            yield Text(f"    cannot be undone: {lost.en}", f"    不可撤销：{lost.zh}")


def _trends(context: CliContext, args: Args) -> int:
    from agent.offboard.receipt import trends

    found = context.client.call("case.trends")
    if context.terminal.json:
        context.terminal.data(found)
        return 0
    rows = tuple(trends.Trend(**row) for row in found["rows"])
    for line in trends.lines(
        trends.Trends(rows, found["receipts"], found["incomplete"], found["bad"]), context.terminal.language
    ):
        context.terminal.line(line)
    return 0


def _send_test(context: CliContext, args: Args) -> int:
    from agent.simulator import hr_sender

    last_day = _day(str(args["last_day"])) if args.get("last_day") else None
    folder = Path(str(args["keys"]))
    hr_sender.wait_for_spool(context.home.root)
    sent = hr_sender.send_test(context.home.root, str(args["person"]), folder, datetime.now(UTC), last_day=last_day)
    if context.terminal.json:
        context.terminal.data({"file": str(sent.file), "jti": sent.notice.jti, "txn": sent.notice.txn})
    else:
        said = visible(sent.file.name)
        context.terminal.talk(Text(f"dropped `{said}`: the agent acts on it now", f"已投递 `{said}`：代理即刻处理"))
    return 0


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        said = visible(word)
        raise UsageError(
            Text(f"`{said}` is not a day", f"`{said}` 不是日期"), Text("write it as 2026-12-31", "写作 2026-12-31")
        ) from None


def _complete(row: Mapping[str, Any]) -> Text:
    if row["complete"] is None:
        return Text("cannot be read", "无法读取")
    return YES_NO["yes" if row["complete"] else "no"]


COMMANDS: tuple[Command, ...] = (
    Command(
        ("case", "plan"),
        Text("show what a departure would end now; nothing is touched", "预览离岗将终止的事项（不作更改）"),
        (Param("person", "text", Text("id of the person", "人员编号"), required=True, positional=True),),
        _plan,
    ),
    Command(
        ("case", "receipt"),
        Text("show the signed receipt of a case, or verify one offline", "查看撤权回执，或离线验证"),
        (
            _PERSON,
            *KEEPING,
            Param("verify", "text", Text("a receipt file to verify", "要验证的回执文件"), metavar="FILE"),
            Param("key", "text", Text("the agent's public key", "代理公钥"), metavar="PEM"),
        ),
        _receipt,
    ),
    listing(
        "case.receipts",
        (
            column("receipt of", "回执编号", "case"),
            coded("cause", "事由", "cause", CAUSES),
            column("act", "操作", "act"),
            column("areas", "目录", "areas"),
            moment("issued", "签发时间", "issued"),
            OutputColumn(Text("complete", "已完成"), _complete),
        ),
        Text("there is no receipt of a revocation of theirs", "没有该人员的撤权回执"),
    ),
    Command(
        ("case", "trends"),
        Text("how long revocations took: median, 95th percentile, worst", "撤权耗时：中位数、第 95 百分位、最长"),
        (),
        _trends,
    ),
    Command(
        ("case", "send-test"),
        Text("sign and drop a first token of the personnel system", "签发并投递一个人事系统测试令牌"),
        (
            Param("person", "text", Text("id of the person", "人员编号"), required=True, positional=True),
            Param(
                "keys", "text", Text("folder with the private test keys", "测试私钥目录"), required=True, metavar="DIR"
            ),
            Param("last_day", "text", Text("last day of work, 2026-12-31", "离职日，如 2026-12-31"), metavar="DATE"),
        ),
        _send_test,
    ),
)
