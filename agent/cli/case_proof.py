"""``shoumi case receipt``, ``plan``, ``trends`` and ``send-test``: what will end, what has ended, and the proof of it.

Rules of this file: verifying a receipt needs no agent and no rights, only the file and the public key.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from agent.cli.context import Args, Context, text
from agent.cli.parser import Command
from agent.control.acts.shape import Param
from agent.errors import Refused, Usage
from agent.offboard import page, sender, trends, verify
from rules.text import Text
from rules.visible import visible

_PERSON = Param("person", "text", Text("person, or number of the case", "人员编号或案号"), positional=True)


def _receipt(context: Context, args: Args) -> int:
    if args.get("verify"):
        return _verified(context, Path(str(args["verify"])), args.get("key"))
    if not args.get("person"):
        raise Usage(
            Text("whose receipt?", "请指明人员或案号"),
            Text("shoumi case receipt PERSON", "shoumi case receipt 人员编号"),
        )
    found = context.client.call("case.receipt", person=args["person"])
    report = verify.verify(found["receipt"].encode(), found["public_key"].encode())
    if context.terminal.json:
        context.terminal.data({**found, "ok": report.genuine, "complete": report.complete})
    else:
        context.terminal.line(page.report_page(report, context.terminal.language))
        context.terminal.line(found["file"])
    return 0 if report.genuine else 1


def _verified(context: Context, file: Path, key: object) -> int:
    try:
        receipt = file.read_bytes()
        public = Path(str(key)).read_bytes() if key else b""
    except OSError as error:
        said = visible(str(error))
        raise Refused(Text(f"cannot be read: {said}", f"无法读取：{said}")) from None
    if not key:
        raise Usage(
            Text("a receipt is verified with the public key of the agent", "验证回执需要代理的公钥"),
            Text("shoumi case receipt --verify FILE --key KEY.pem", "shoumi case receipt --verify 文件 --key 公钥.pem"),
        )
    report = verify.verify(receipt, public)
    if context.terminal.json:
        problems = [problem._asdict() for problem in report.problems]
        context.terminal.data({"ok": report.genuine, "complete": report.complete, "problems": problems})
    else:
        context.terminal.line(page.report_page(report, context.terminal.language))
    return 0 if report.genuine else 1


def _plan(context: Context, args: Args) -> int:
    found: dict[str, Any] = context.client.call("case.plan", person=args["person"])
    if context.terminal.json:
        context.terminal.data(found)
        return 0
    for step in found.get("steps", ()):
        title = text(step["title"]).say(context.terminal.language)
        why = step.get("skipped")
        if why:
            context.terminal.line(f"· {title}: {text(why).say(context.terminal.language)}")
            continue
        context.terminal.line(f"✓ {title}")
        for target in step.get("targets", ()):
            context.terminal.line(f"    {text(target['what']).say(context.terminal.language)}")
    return 0


def _trends(context: Context, args: Args) -> int:
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


def _send_test(context: Context, args: Args) -> int:
    last_day = date.fromisoformat(str(args["last_day"])) if args.get("last_day") else None
    folder = Path(str(args["keys"]))
    sent = sender.send_test(context.home.root, str(args["person"]), folder, datetime.now(UTC), last_day=last_day)
    if context.terminal.json:
        context.terminal.data({"file": str(sent.file), "jti": sent.notice.jti, "txn": sent.notice.txn})
    else:
        said = visible(sent.file.name)
        context.terminal.talk(Text(f"dropped `{said}`: the agent acts on it now", f"已投递 `{said}`：代理即刻处理"))
    return 0


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
            Param("verify", "text", Text("a receipt file to verify", "要验证的回执文件"), metavar="FILE"),
            Param("key", "text", Text("the agent's public key", "代理公钥"), metavar="PEM"),
        ),
        _receipt,
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
