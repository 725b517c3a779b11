"""``shoumi hr``: notices and answers of the personnel system, and its names of people.

Rules of this file: dropping a notice and reading answers need no agent and no role, only files that the drop user of HR
may write and read. The signing modules are imported where they are used. An answer was signed by the agent, and is
still printed as foreign text.
"""

import json
import shlex
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.api.operations.schema import Param
from agent.api.timestamps import printed
from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, moment, printable, table
from agent.cli.parser import Command
from agent.errors import ForbiddenError, RefusedError, ShoumiError, UnreachableError, UsageError
from agent.presentation.os_errors import os_reason
from agent.presentation.terms import HR_ANSWERS, word
from rules.text import Message, Sentence, Text, from_json, labelled

if TYPE_CHECKING:
    from agent.hr_drop import DropError

NOUN = Message("cli.noun-hr")
GROUPS = {
    "hr answers": Message("cli.noun-hr-answers"),
    "hr subject": Message("cli.noun-hr-subject"),
}

_TO = Param("to", "text", Message("cli.param-agent-home"), metavar="DIR")
_ERRORS = {1: RefusedError, 2: UsageError, 3: ForbiddenError, 4: UnreachableError}


def _drop(context: CliContext, args: Args) -> int:
    from agent import hr_drop

    try:
        key = hr_drop.read_key(Path(args["key"])) if args["key"] else None
        keys = hr_drop.read_keys(Path(args["jwks"])) if args["jwks"] else None
        approvers = [hr_drop.read_key(Path(file)) for file in args["approver"] or ()]
        token = hr_drop.token_of(_text(args["file"]), key, approvers, time.time(), args["audience"])
        to = _place(context, args)
        sent = hr_drop.deliver(token, to, args["name"] or str(uuid.uuid4()))
        seconds = 60.0 if args["wait"] is None else float(args["wait"])
        code, last = hr_drop.wait(to, sent, seconds, keys, lambda event: context.terminal.talk(_event(event)))
    except hr_drop.DropError as error:
        raise _error(error) from None
    if context.terminal.json:
        context.terminal.emit({"name": sent.name, "answer": last})
    else:
        context.terminal.line(printable(sent.name))
    if last is None or code == hr_drop.WAITING:
        name = printable(shlex.quote(sent.name))
        context.terminal.talk(Message("cli.answer-pending", name=name))
    return code


def _error(error: "DropError") -> ShoumiError:
    return _ERRORS[error.code](
        Text(printable(error.en), printable(error.zh)), Text(*error.hint) if error.hint else None
    )


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(Message("cli.file-unreadable", path=file)) from error


def _list(context: CliContext, args: Args) -> int:
    rows = [_row(name, answer) for name, answer in _answers(context, args)]
    columns = (
        column(Message("common.object-name"), "name"),
        coded(Message("common.state"), "state", HR_ANSWERS),
        moment(Message("common.at"), "at"),
        column(Message("receipt.personnel-case"), "txn"),
        OutputColumn(Message("common.reason"), lambda row: from_json(row["text"]) if row["text"] else None),
    )
    return table(context, sorted(rows, key=lambda row: row["at"]), columns, Message("cli.no-answers"))


def _show(context: CliContext, args: Args) -> int:
    wanted = {args["name"], f"{args['name']}.set"}
    answers = [answer for name, answer in _answers(context, args) if name in wanted]
    if not answers:
        name = printable(args["name"])
        raise RefusedError(
            Message("cli.answer-not-found", name=name),
            Message("cli.answers-list-hint"),
        )
    if context.terminal.json:
        context.terminal.emit(answers[0])
    else:
        for line in json.dumps(answers[0], ensure_ascii=False, indent=1).splitlines():
            context.terminal.line(printable(line))
    return 0


def _answers(context: CliContext, args: Args) -> list[tuple[str, dict[str, Any]]]:
    from agent.offboard.intake import outbox

    home = _place(context, args)
    try:
        return list(outbox.newest(home))
    except FileNotFoundError:
        return []
    except PermissionError:
        raise ForbiddenError(
            Message("cli.answers-forbidden"),
            Message("cli.drop-user-hint"),
        ) from None
    except OSError as error:
        raise RefusedError(Message("cli.outbox-unreadable", reason=os_reason(error))) from error


def _row(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    [event] = answer["events"].values()
    return {
        "name": name,
        "state": event["state"],
        "at": printed(datetime.fromtimestamp(answer["iat"], UTC)),
        "txn": answer.get("txn") or None,
        "reason": event.get("reason"),
        "text": event.get("text"),
    }


def _event(event: dict[str, Any]) -> Sentence:
    state = word(HR_ANSWERS, event["state"])
    return labelled(state, from_json(event["text"])) if event.get("text") else state


def _place(context: CliContext, args: Args) -> Path:
    return Path(args["to"]) if args["to"] else context.home.root


def _named(answer: dict[str, Any]) -> Sentence:
    name, person = printable(answer["name"]), printable(answer["person"])
    return Message("cli.subject-added", name=name, person=person)


def _forgotten(answer: dict[str, Any]) -> Sentence:
    name, person = printable(answer["name"]), printable(answer["person"])
    return Message("cli.subject-removed", name=name, person=person)


def _subjects(context: CliContext, args: Args) -> int:
    columns = (
        column(Message("common.person"), "person"),
        column(Message("cli.subject-format"), "format"),
        column(Message("cli.issuer"), "iss"),
        column(Message("common.object-name"), "value"),
        moment(Message("cli.registered-at"), "since"),
        column(Message("cli.registered-by"), "added_by"),
    )
    return table(context, context.stream("hr.subject.list", args), columns, Message("cli.no-subjects"))


COMMANDS: tuple[Command, ...] = (
    Command(
        ("hr", "drop"),
        Message("cli.help-hr-drop"),
        (
            Param("file", "text", Message("cli.param-notice-file"), required=True, positional=True),
            _TO,
            Param("key", "text", Message("cli.param-sender-key"), metavar="FILE"),
            Param("approver", "texts", Message("cli.param-approver-key"), metavar="FILE"),
            Param("audience", "text", Message("cli.param-notice-audience")),
            Param("name", "text", Message("cli.param-notice-name")),
            Param(
                "jwks",
                "text",
                Message("cli.param-jwks-file"),
                metavar="FILE",
            ),
            Param(
                "wait",
                "number",
                Message("cli.param-wait-answer"),
                metavar="SECONDS",
            ),
        ),
        _drop,
    ),
    Command(("hr", "answers", "list"), Message("cli.help-hr-answers-list"), (_TO,), _list),
    Command(
        ("hr", "answers", "show"),
        Message("cli.help-hr-answers-show"),
        (Param("name", "text", Message("cli.param-answer-name"), required=True, positional=True), _TO),
        _show,
    ),
    act("hr.subject.add", _named),
    act("hr.subject.remove", _forgotten),
    command("hr.subject.list", _subjects),
)
