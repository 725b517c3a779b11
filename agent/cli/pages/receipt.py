"""``shoumi case receipt``, ``plan``, ``trends`` and ``send-test``: plans of revocations, and their signed receipts.

Rules of this file: verifying a receipt needs no agent and no rights, only the file and the public key. The modules that
sign and verify are imported where they are used: they would double the start time of every other command.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.api.operations import TABLE
from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext, OutputColumn, coded, column, listing, moment
from agent.cli.parser import Command
from agent.errors import RefusedError, UsageError
from agent.presentation.os_errors import os_reason
from agent.presentation.terms import CAUSES, YES_NO
from rules.text import Message, Sentence, from_json, labelled

if TYPE_CHECKING:
    from agent.offboard.receipt.verify import ReceiptReport

_PATIENCE = 60.0  # seconds `--wait` waits for a receipt
_POLL = 0.2  # seconds between two requests for a receipt
_PERSON = replace(TABLE["case.receipt"].params[0], required=False)  # verifying a file needs no person


KEEPING = (
    Param("save", "text", Message("cli.param-save"), metavar="FILE"),
    Param("wait", "flag", Message("cli.param-wait")),
)


def _receipt(context: CliContext, args: Args) -> int:
    if args.get("verify"):
        return _verified(context, Path(str(args["verify"])), args.get("key"))
    if not args.get("person"):
        raise UsageError(
            Message("cli.receipt-person-required"),
            Message("cli.receipt-usage"),
        )
    return show_receipt(context, args, "case.receipt")


def show_receipt(context: CliContext, args: Args, op: str) -> int:
    """Print the newest receipt of *op*, verified; write it to the file of ``--save``; return the exit code."""
    answer = _waited(context, args, op) if args.get("wait") else _newest(context, args, op)
    report = _read(answer["receipt"].encode(), answer["public_key"].encode())
    if args.get("save"):
        file = Path(str(args["save"]))
        _save(file, answer["receipt"])
        context.terminal.talk(Message("cli.receipt-saved", path=str(file)))
    if context.terminal.json:
        context.terminal.emit({**answer, "ok": report.genuine, "complete": report.complete})
    else:
        _print(context, report)
        context.terminal.line(answer["file"])
    return 0 if report.genuine else 1


def _read(receipt: bytes, public: bytes) -> "ReceiptReport":
    from agent.offboard.receipt.verify import verify

    return verify(receipt, public)


def _print(context: CliContext, report: "ReceiptReport") -> None:
    from agent.offboard.receipt.page import report_page

    context.terminal.line(report_page(report, context.terminal.language))


def _newest(context: CliContext, arguments: Args, op: str) -> dict[str, Any]:
    return dict(context.client.call(op, person=arguments["person"]))


def _waited(context: CliContext, args: Args, op: str) -> dict[str, Any]:
    """Return the receipt when it is complete, or the newest one after ``_PATIENCE``."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            answer = _newest(context, args, op)
            if _read(answer["receipt"].encode(), answer["public_key"].encode()).complete:
                return answer
        except RefusedError:  # there is no case yet, or no receipt
            if time.monotonic() > until:
                raise
        else:
            if time.monotonic() > until:
                return answer
        time.sleep(_POLL)


def _save(file: Path, receipt: str) -> None:
    try:
        file.write_bytes(receipt.encode())  # to the byte: the signature is on it
    except OSError as error:
        raise RefusedError(Message("cli.file-write-failed", path=str(file), reason=os_reason(error))) from None


def _verified(context: CliContext, file: Path, key: object) -> int:
    try:
        receipt = file.read_bytes()
        public = Path(str(key)).read_bytes() if key else b""
    except OSError as error:
        raise RefusedError(Message("cli.file-read-failed", path=str(error.filename), reason=os_reason(error))) from None
    if not key:
        raise UsageError(
            Message("cli.receipt-key-required"),
            Message("cli.receipt-verify-usage"),
        )
    report = _read(receipt, public)
    if context.terminal.json:
        problems = [problem.to_json() for problem in report.problems]
        context.terminal.emit({"ok": report.genuine, "complete": report.complete, "problems": problems})
    else:
        _print(context, report)
    return 0 if report.genuine else 1


def _plan(context: CliContext, args: Args) -> int:
    return planned(context, args, "case.plan")


def planned(context: CliContext, args: Args, op: str) -> int:
    """Print the plan of *op*: steps, other people affected, irreversible effects."""
    plan: dict[str, Any] = context.client.call(op, person=args["person"])
    if context.terminal.json:
        context.terminal.emit(plan)
        return 0
    for line in plan_lines(plan):
        context.terminal.line(context.terminal.say(line))
    return 0


def plan_lines(plan: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield the lines of a plan: ``·`` before a step that will be done, ``-`` before a skipped one."""
    for notice in map(from_json, plan["notices"]):
        yield Message("common.warned", text=notice)
    for step in plan["steps"]:
        title = from_json(step["title"])
        if step["skipped"]:
            reason = from_json(step["skipped"])
            yield Message("common.listed", label=title, text=reason)
            continue
        yield Message("cli.plan-step", step=labelled(title, from_json(step["nothing"])) if step["nothing"] else title)
        for target in step["targets"]:
            effect, affected = from_json(target["what"]), target["other"]
            sentence = (
                Message("cli.plan-target-shared", target=effect, others=from_json(affected)) if affected else effect
            )
            yield Message("cli.plan-target", target=sentence)
        if step["lasting"]:
            yield Message("cli.plan-irreversible", effect=from_json(step["lasting"]))


def _trends(context: CliContext, args: Args) -> int:
    from agent.offboard.receipt import trends

    answer = context.client.call("case.trends")
    if context.terminal.json:
        context.terminal.emit(answer)
        return 0
    rows = tuple(trends.Trend(**row) for row in answer["rows"])
    for line in trends.lines(
        trends.Trends(rows, answer["receipts"], answer["incomplete"], answer["bad"]), context.terminal.language
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
        context.terminal.emit({"file": str(sent.file), "jti": sent.notice.jti, "txn": sent.notice.txn})
    else:
        context.terminal.talk(Message("cli.test-notice-dropped", name=sent.file.name))
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(Message("cli.date-invalid", text=text), Message("cli.date-hint")) from None


def _complete(row: Mapping[str, Any]) -> Sentence:
    if row["complete"] is None:
        return Message("common.unreadable")
    return YES_NO["yes" if row["complete"] else "no"]


COMMANDS: tuple[Command, ...] = (
    Command(
        ("case", "plan"),
        Message("common.plan-departure-help"),
        (Param("person", "text", Message("common.id-person"), required=True, positional=True),),
        _plan,
    ),
    Command(
        ("case", "receipt"),
        Message("cli.help-case-receipt"),
        (
            _PERSON,
            *KEEPING,
            Param("verify", "text", Message("cli.param-verify"), metavar="FILE"),
            Param("key", "text", Message("cli.param-public-key"), metavar="PEM"),
        ),
        _receipt,
        note=Message("cli.explains-proof-receipt"),
    ),
    listing(
        "case.receipts",
        (
            column(Message("cli.receipt-id"), "case"),
            coded(Message("common.cause"), "cause", CAUSES),
            column(Message("common.act"), "act"),
            column(Message("common.areas"), "areas"),
            moment(Message("receipt.issued"), "issued"),
            OutputColumn(Message("cli.receipt-complete"), _complete),
        ),
        Message("cli.no-receipts"),
    ),
    Command(
        ("case", "trends"),
        Message("common.how-long-revocations-took-median"),
        (),
        _trends,
    ),
    Command(
        ("case", "send-test"),
        Message("cli.help-case-send-test"),
        (
            Param("person", "text", Message("common.id-person"), required=True, positional=True),
            Param("keys", "text", Message("cli.param-test-keys-folder"), required=True, metavar="DIR"),
            Param("last_day", "text", Message("common.last-day-of-work"), metavar="DATE"),
        ),
        _send_test,
    ),
)
