"""The receipt as a page for people, in either language: plain text, from the same JSON that is signed.

Rules of this file: pure; it shows what is there and decides nothing. Everything from the JSON goes through ``visible``,
because a receipt may come from anywhere. An open item is on the first lines, and is never put among what is done.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.offboard.receipt.schema import NOT_PART, NOT_PRESENT
from agent.offboard.receipt.timeline import MARKS, Source
from agent.offboard.receipt.verify import ReceiptReport
from agent.offboard.steps.step import StepState
from agent.presentation import table as text_table
from agent.presentation.terms import CAUSES, ROLES, word
from rules.text import Language, Text
from rules.visible import visible

_RULE = "-" * 78
_FOUND = 20  # processes that a page names
_STATES = {
    **{str(state): state.text for state in StepState},
    NOT_PRESENT: Text("not present", "不存在"),
    NOT_PART: Text("not part of this", "不涉及"),
}
_APPROVERS = {
    **ROLES,
    "confirmation": Text("second officer, confirmed", "第二名管理员（确认）"),
    "advance": Text("brought the leave date forward", "提前离岗时间"),
}
_ANSWERS = {
    "denied": Text("denied", "被拒绝"),
    "let-in": Text("LET IN", "被放行"),
    "absent": Text("not there", "不存在"),
    "failed": Text("failed", "出错"),
    "untried": Text("NOT TRIED", "未能尝试"),
}
_TRIED = {"list": Text("list the directory", "列出目录"), "file": Text("open a file", "打开文件")}
_MARK_STATES = {
    "none": Text("nothing to measure", "无可测量"),
    "pending": Text("pending", "待完成"),
    "unordered": Text("the clock was set: not known", "时钟被调整：未知"),
}
_OPEN = {
    "proof": Text("proof that nothing is left", "无残留证明"),
    "late-read": Text("a read after access was denied", "开始拒绝后仍有读取"),
}
_CLOCKS = {"personnel": Text("clock of the personnel system", "人事系统时钟")}
_COMPARED = {"file-system": Text("read off the file system's clock", "取自文件系统时钟")}


def page(body: Mapping[str, Any], language: Language) -> str:
    """Return the page of a receipt whose JSON is *body*, which has the shape of version 1 or 2."""
    sections = [_head, _lost, _approvals, _timeline, _doors, _steps, _proof, _unseen, _foot]
    parts = ["\n".join(section(body, language)) for section in sections]
    return f"\n{_RULE}\n".join(part for part in parts if part) + "\n"


def report_page(report: ReceiptReport, language: Language) -> str:
    """Return what a check found: on top whether it is genuine, then the page when there is one to trust."""
    if not report.genuine:
        head = [Text("NOT GENUINE: do not rely on it", "核验未通过：不可采信").say(language)]
        return "\n".join([*head, *(f"- {problem.say(language)}" for problem in report.problems)]) + "\n"
    genuine = Text("genuine: signature and content fit", "核验通过：签名与内容一致").say(language)
    return f"{genuine}\n\n{page(report.payload or {}, language)}"


def _head(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("RECEIPT OF REVOCATION", "撤权回执").say(language)
    if body["complete"]:
        yield Text("complete, as far as this host can see", "已完成（以本机可见范围为限）").say(language)
    else:
        count = len(body["open"])
        yield Text(f"NOT COMPLETE: {count} open", f"未完成：尚有 {count} 项").say(language)
        yield from (f"  * {_open(str(item), body, language)}" for item in body["open"])
    yield ""
    cause = CAUSES.get(body["cause"])
    rows = [
        (Text("person", "人员"), body["person"]),
        (Text("case", "案件"), body["case"]),
        (Text("personnel case", "人事编号"), body["reference"]),
        (Text("cause", "事由"), cause.say(language) if cause else body["cause"]),
        (Text("host", "主机"), body["host"]),
        (Text("rules", "规则包"), body["pack"]),
        (Text("issued", "签发时间"), body["issued"]),
        (Text("replaces", "替代回执"), body["previous"]),
    ]
    yield from _columns(None, [(name.say(language), value) for name, value in rows])


def _lost(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    """Yield what was lost, where it was not everything, and the act that took it."""
    if body.get("lost"):
        areas = ", ".join(str(one["area"]) for one in body["lost"])
        yield f"{Text('Areas lost', '丧失的目录').say(language)}: {visible(areas)}"
    if body.get("act"):
        entry = "" if body["seq"] is None else Text(f", entry {body['seq']}", f"，第 {body['seq']} 条").say(language)
        yield f"{Text('by the act', '依据操作').say(language)}: {visible(str(body['act']))}{entry}"


def _approvals(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    given = [one if "signed" in one else {"signed": one, "written": None} for one in body["approvers"]]
    if not given:
        return
    yield Text("Approved by", "审批").say(language)
    heading = [
        Text("role", "职务"),
        Text("signed by", "签署人"),
        Text("signed at", "签署时间"),
        Text("opinion", "意见"),
        Text("signature", "签名"),
        Text("written down by", "录入人"),
        Text("written down at", "录入时间"),
    ]
    rows = []
    for one in given:
        signed, written = one["signed"], one["written"] or {}
        clock = _CLOCKS.get(str(signed.get("clock")))
        at = f"{signed.get('at') or ''} ({clock.say(language)})" if clock else signed.get("at")
        rows.append(
            (
                _role(signed, language),
                signed.get("by"),
                at,
                signed.get("opinion"),
                signed.get("key"),
                written.get("by"),
                written.get("at"),
            )
        )
    yield from _columns([text.say(language) for text in heading], rows)


def _open(item: str, body: Mapping[str, Any], language: Language) -> str:
    """Return what is open in words: ``step:cron``, ``door:B2``, ``mark:denied``, ``proof``, ``late-read``."""
    kind, _, name = item.partition(":")
    if kind == "step":
        titles = [step["title"][language] for step in body["steps"] if step["id"] == name]
        said = Text("step", "步骤"), visible(titles[0] if titles else name)
    elif kind == "door":
        said = Text("door", "门"), visible(name)
    elif kind == "mark":
        said = Text("no instant is known", "时刻未知"), MARKS[name].say(language) if name in MARKS else visible(name)
    else:
        return word(_OPEN, item).say(language)
    return f"{said[0].say(language)}{Text(': ', '：').say(language)}{said[1]}"


def _role(one: Mapping[str, Any], language: Language) -> str:
    """Return as what somebody approved: the title of the pack, else the word for a role, else what HR sent."""
    title = one.get("title")
    if isinstance(title, Mapping) and isinstance(title.get(language), str):
        return str(title[language])
    return word(_APPROVERS, one.get("role", "")).say(language)


def _timeline(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("Timeline (UTC; the agent's clock unless noted)", "时间线（UTC；未注明者为代理时钟）").say(language)
    heading = [Text("what", "事项"), Text("when", "时刻"), Text("after receipt", "收到后"), Text("note", "备注")]
    rows = []
    for row in sorted(body["timeline"], key=lambda row: (row["at"] is None, row["at"] or "")):
        name = MARKS.get(row["mark"])
        rows.append(
            (
                name.say(language) if name else row["mark"],
                row["at"],
                span(row["after_us"], language),
                "; ".join(text.say(language) for text in _notes(row)),
            )
        )
    yield from _columns([text.say(language) for text in heading], rows)


def _notes(row: Mapping[str, Any]) -> Iterable[Text]:
    """Yield where the instant was taken, by which clock, and between which others it lies."""
    if row["at"] and row.get("source") in [str(one) for one in Source if one]:
        yield Source(row["source"]).text
    if clock := _CLOCKS.get(row["clock"]):
        yield clock
    if compared := _COMPARED.get(str(row.get("compared"))):
        yield compared
    low, high = row.get("not_before"), row.get("not_after")
    if low or high:
        said = f"{visible(low or '…')} – {visible(high or '…')}"
        yield Text(f"between {said}", f"介于 {said}")
    if row.get("seq") is not None:
        yield Text(f"entry {row['seq']}", f"第 {row['seq']} 条")
    if state := _MARK_STATES.get(row["state"]):
        yield state


def _doors(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("Doors", "门禁").say(language)
    if not body["doors"]:
        step = next((step for step in body["steps"] if step["id"] == "doors"), None)
        if step is None:  # of version 1: a step that was no part of it is not named there
            yield Text("no doors are named in this receipt", "本回执未列出门").say(language)
        else:
            colon = Text(": ", "：").say(language)
            yield f"{_word(step['state'], language)}{colon}{visible(str(step['detail'][language]))}"
        return
    heading = [Text("door", "门"), Text("state", "状态"), Text("after receipt", "收到后"), Text("detail", "说明")]
    yield from _columns(
        [text.say(language) for text in heading],
        [
            (row["door"], _word(row["state"], language), span(row["after_us"], language), row["detail"][language])
            for row in body["doors"]
        ],
    )


def _steps(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("Steps", "步骤").say(language)
    heading = [Text("step", "步骤"), Text("state", "状态"), Text("detail", "说明")]
    yield from _columns(
        [text.say(language) for text in heading],
        [(step["title"][language], _word(step["state"], language), step["detail"][language]) for step in body["steps"]],
    )


def _proof(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("Proof", "证明").say(language)
    proof = body["proof"]
    if proof is None:
        yield Text("not made yet", "尚未进行").say(language)
        return
    heading = [Text("look", "扫描"), Text("when", "时刻"), Text("found", "发现"), Text("in full", "完整")]
    yes, no = Text("yes", "是").say(language), Text("NO", "否").say(language)
    yield from _columns(
        [text.say(language) for text in heading],
        [
            (number, scan["at"], len(scan["found"]), yes if scan["complete"] else no)
            for number, scan in enumerate(proof["scans"], 1)
        ],
    )
    unseen = sorted({one for scan in proof["scans"] for one in scan.get("unseen", ())})
    if unseen:
        yield Text("not seen", "未能查看").say(language) + ": " + visible(", ".join(map(str, unseen)))
    found = {one["pid"]: one for scan in proof["scans"] for one in scan["found"]}
    for pid, one in sorted(found.items())[:_FOUND]:
        yield f"{pid} {visible(str(one['name']))}, uid {one['uid']}" + _started(one.get("started_by"), language)
    yield from _own_entries(body, language)
    unreached = [*proof["unreached"], *(f"uid {uid}" for uid in proof["untouched"])]
    if unreached:
        yield Text("could not be shown for", "无法证明").say(language) + ": " + visible(", ".join(map(str, unreached)))
    if proof["attempts"]:
        yield ""
        heading = [Text("area", "区域"), Text("as", "身份"), Text("tried", "尝试"), Text("answer", "结果")]
        yield from _columns(
            [text.say(language) for text in heading], [_try(one, language) for one in proof["attempts"]]
        )


def _started(by: Mapping[str, Any] | None, language: Language) -> str:
    if by is None:
        return ""
    name = visible(f"{by['kind']} {by['name']}" + (f" {by['pid']}" if by["pid"] else ""))
    return ", " + Text(f"started by {name}", f"由 {name} 启动").say(language)


def _own_entries(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    """Yield how many entries the agent's own attempts left in the log, and between which numbers."""
    found = body.get("own_entries")
    if found and found["count"]:
        count, first, last = found["count"], found["first"], found["last"]
        en = f"{count} entries of the log are the agent's own attempts, numbers {first} to {last}"
        yield Text(en, f"日志中有 {count} 条为代理自身的尝试，序号 {first} 至 {last}").say(language)


def _try(attempt: Mapping[str, Any], language: Language) -> Sequence[object]:
    uid, login = attempt["uid"], attempt["login"]
    who = f"uid {uid}" if uid == login else Text(f"root, logged in as {login}", f"root（登录 {login}）").say(language)
    answer, what = _ANSWERS.get(attempt["answer"]), _TRIED.get(attempt["what"])
    said = answer.say(language) if answer else str(attempt["answer"])
    tried = what.say(language) if what else attempt["what"]
    return attempt["area"], who, tried, f"{said} {attempt['error']}".strip()


def _unseen(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("What no look on this host can reach", "本机无法查看的内容").say(language)
    yield from (f"- {visible(str(text[language]))}" for text in body["cannot_see"])
    for step in body["steps"]:
        if step["state"] == StepState.CANNOT_SEE:
            yield f"- {visible(step['title'][language])}: {visible(step['detail'][language])}"


def _foot(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield Text("Signed with Ed25519; SHA-256 of the public key:", "Ed25519 签名；公钥 SHA-256：").say(language)
    yield visible(str(body["key"]))
    yield Text(
        "check it: shoumi case receipt --verify FILE --key KEY", "核验：shoumi case receipt --verify 文件 --key 公钥"
    ).say(language)


def span(microseconds: int | None, language: Language) -> str:
    """Return a span for people: milliseconds below a minute, with the sign; empty when unknown."""
    if microseconds is None:
        return ""
    sign, size = ("-" if microseconds < 0 else ""), abs(microseconds)
    if size < 60_000_000:
        return f"{sign}{size / 1000:.1f} {Text('ms', '毫秒').say(language)}"
    minutes = size // 60_000_000
    if minutes < 60 * 48:
        return f"{sign}{minutes} {Text('min', '分钟').say(language)}"
    return f"{sign}{minutes // (60 * 24)} {Text('days', '天').say(language)}"


def _word(state: str, language: Language) -> str:
    return _STATES[state].say(language) if state in _STATES else visible(str(state))


def _columns(heading: Sequence[str] | None, rows: Sequence[Sequence[object]]) -> list[str]:
    """Return lined-up columns, indented; without a heading the first row is like the others."""
    if heading is None:
        return ["  " + line for line in text_table.lines([""] * len(rows[0]), rows)[1:]]
    return ["  " + line for line in text_table.lines(heading, rows)]
