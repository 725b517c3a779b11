"""``shoumi hr``: the personnel system's side of the channel, and how it names people.

Rules of this file: dropping a notice and reading answers need no agent and no role, only files that HR's drop user may
write and read; what signs is imported by whoever does. What is printed of an answer was signed by the agent, and is
shown as foreign text all the same.
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
from agent.cli.context import Args, CliContext, OutputColumn, act, column, command, moment, shown, table, text
from agent.cli.parser import Command
from agent.errors import ForbiddenError, RefusedError, ShoumiError, UnreachableError, UsageError
from rules.text import Text

if TYPE_CHECKING:
    from agent.hr_drop import DropError

NOUN = Text("personnel system: notices, answers, names of people", "人事系统：通知、答复、人员名称")
GROUPS = {
    "hr answers": Text("what the agent answered, by the name HR gave", "代理的答复（按投递名称）"),
    "hr subject": Text("how HR names people", "人事系统所用的人员名称"),
}

_TO = Param("to", "text", Text("home of the agent as seen here", "本机所见的代理数据目录"), metavar="DIR")
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
        code, last = hr_drop.wait(to, sent, seconds, keys, lambda said: context.terminal.talk(_said(said)))
    except hr_drop.DropError as error:
        raise _error(error) from None
    if context.terminal.json:
        context.terminal.data({"name": sent.name, "answer": last})
    else:
        context.terminal.line(shown(sent.name))
    if last is None or code == hr_drop.WAITING:
        name = shown(shlex.quote(sent.name))
        context.terminal.talk(
            Text(f"no final answer yet: shoumi hr answers show {name}", f"尚无最终答复：shoumi hr answers show {name}")
        )
    return code


def _error(error: "DropError") -> ShoumiError:
    return _ERRORS[error.code](Text(shown(error.en), shown(error.zh)), Text(*error.hint) if error.hint else None)


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = shown(file)
        raise RefusedError(Text(f"`{said}` cannot be read", f"无法读取 `{said}`")) from error


def _list(context: CliContext, args: Args) -> int:
    rows = [_row(name, said) for name, said in _answers(context, args)]
    columns = (
        column("name", "名称", "name"),
        column("state", "状态", "state"),
        moment("at", "时间", "at"),
        column("personnel case", "人事编号", "txn"),
        OutputColumn(Text("why", "原因"), lambda row: text(row["text"]) if row["text"] else None),
    )
    return table(context, sorted(rows, key=lambda row: row["at"]), columns, Text("nothing was answered", "尚无答复"))


def _show(context: CliContext, args: Args) -> int:
    wanted = {args["name"], f"{args['name']}.set"}
    found = [said for name, said in _answers(context, args) if name in wanted]
    if not found:
        name = shown(args["name"])
        raise RefusedError(
            Text(f"there is no answer about `{name}`", f"没有关于 `{name}` 的答复"),
            Text("see: shoumi hr answers list", "查看：shoumi hr answers list"),
        )
    if context.terminal.json:
        context.terminal.data(found[0])
    else:
        for line in json.dumps(found[0], ensure_ascii=False, indent=1).splitlines():
            context.terminal.line(shown(line))
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
            Text("only root and the drop user of HR read answers", "仅 root 与人事投递用户可读取答复"),
            Text("`drop_uid` in hr-keys.json says who that is", "投递用户见 hr-keys.json 的 `drop_uid`"),
        ) from None
    except OSError as error:
        why = shown(error.strerror or "")
        raise RefusedError(Text(f"the outbox cannot be read: {why}", f"无法读取答复目录：{why}")) from error


def _row(name: str, said: dict[str, Any]) -> dict[str, Any]:
    [event] = said["events"].values()
    return {
        "name": name,
        "state": event["state"],
        "at": printed(datetime.fromtimestamp(said["iat"], UTC)),
        "txn": said.get("txn") or None,
        "reason": event.get("reason"),
        "text": event.get("text"),
    }


def _said(event: dict[str, Any]) -> Text:
    state, why = shown(event["state"]), event.get("text") or {"en": "", "zh": ""}
    return Text(f"{state} {shown(why['en'])}".rstrip(), f"{state} {shown(why['zh'])}".rstrip())


def _place(context: CliContext, args: Args) -> Path:
    return Path(args["to"]) if args["to"] else context.home.root


def _named(result: dict[str, Any]) -> Text:
    name, person = shown(result["name"]), shown(result["person"])
    return Text(f"`{name}` is `{person}`", f"`{name}` 即 `{person}`")


def _forgotten(result: dict[str, Any]) -> Text:
    name, person = shown(result["name"]), shown(result["person"])
    return Text(f"`{name}` is not `{person}` any more", f"`{name}` 不再对应 `{person}`")


def _subjects(context: CliContext, args: Args) -> int:
    columns = (
        column("person", "人员", "person"),
        column("format", "类型", "format"),
        column("issuer", "签发者", "iss"),
        column("name", "名称", "value"),
        moment("since", "登记时间", "since"),
        column("by", "登记人", "added_by"),
    )
    return table(context, context.stream("hr.subject.list", args), columns, Text("no names", "没有登记名称"))


COMMANDS: tuple[Command, ...] = (
    Command(
        ("hr", "drop"),
        Text("sign and deliver a notice, and wait for the answer", "签名并投递人事通知，等待答复"),
        (
            Param(
                "file", "text", Text("token, or notice in JSON", "令牌，或 JSON 通知"), required=True, positional=True
            ),
            _TO,
            Param("key", "text", Text("the sender's private JWK", "发送方私钥（JWK）"), metavar="FILE"),
            Param("approver", "texts", Text("an approver's private JWK", "审批人私钥（JWK）"), metavar="FILE"),
            Param("audience", "text", Text("the site's name, if the notice has none", "本站名称（通知未写明时）")),
            Param("name", "text", Text("its name in the spool (default: a number)", "投递名称（默认：编号）")),
            Param(
                "jwks",
                "text",
                Text("public keys of the agent: keys show --jwks", "代理公钥：keys show --jwks"),
                metavar="FILE",
            ),
            Param(
                "wait",
                "number",
                Text("seconds to wait for the answer (60)", "等待答复的秒数（默认 60）"),
                metavar="SECONDS",
            ),
        ),
        _drop,
    ),
    Command(("hr", "answers", "list"), Text("list the answers", "列出答复"), (_TO,), _list),
    Command(
        ("hr", "answers", "show"),
        Text("show one answer", "查看一份答复"),
        (Param("name", "text", Text("the name HR gave", "投递名称"), required=True, positional=True), _TO),
        _show,
    ),
    act("hr.subject.add", _named),
    act("hr.subject.remove", _forgotten),
    command("hr.subject.list", _subjects),
)
