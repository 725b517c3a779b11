"""The table of a receipt's members in ``docs/receipt.md`` and ``receipt.zh.md``, made from the checker's shape.

Rules of this file: pure. Each member has one sentence here in each language; a member without one, or a sentence
without a member, is an error, so that the pages cannot lag behind the format. The prose around the tables is written by
hand.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent.offboard.receipt.schema import AT, RECEIPT
from tests import ROOT
from tests.docs.markdown import filled, table

_WORDS = {"en": str, "zh": str}
MEANINGS = {
    "kind": "type of the file",
    "version": "version of the format",
    "issued": "time of signature, by the agent's clock",
    "host": "name of the host",
    "person": "the person whose access ended: an id of the registry",
    "case": "number of the procedure: `C…` a departure or transfer, `H…` a hold, `G…` a grant that ended, `L…` a loss",
    "cause": "reason",
    "reference": "number of the case in the personnel system; may be empty",
    "pack": "rule pack in force, with part of its digest",
    "approvers": "approvers, in order",
    "approvers[].signed": "what the approver answers for",
    "approvers[].signed.by": "the approver: an id of the registry, `uid:N`, or `hr`",
    "approvers[].signed.role": "role of the approval",
    "approvers[].signed.title": "title of that role in the pack",
    "approvers[].signed.at": "time of signature",
    "approvers[].signed.clock": "clock of that time",
    "approvers[].signed.opinion": "the opinion on the form, or the reason of a hold or of the act; may be empty",
    "approvers[].signed.key": "name of the key of the approver's own signature",
    "approvers[].written": "the officer who entered it here",
    "approvers[].written.by": "the officer: an id of the registry, `uid:N`, or `hr` for the agent acting on a notice",
    "approvers[].written.at": "time of entry, by the agent's clock",
    "lost": "areas it applies to; empty: everything",
    "lost[].area": "name of the area",
    "act": "the act that took the rights (`grant.end`); may be empty",
    "seq": "number of the log entry of that act",
    "timeline": "the six marks",
    "timeline[].mark": "name of the mark",
    "timeline[].at": "instant",
    "timeline[].after_us": "microseconds after `received`",
    "timeline[].state": "`measured`, `none`, `pending` or `unordered`",
    "timeline[].clock": "clock of the instant",
    "timeline[].source": "where the instant was taken",
    "timeline[].not_before": "lower bound",
    "timeline[].not_after": "upper bound",
    "timeline[].compared": "the other clock from which it was read",
    "timeline[].seq": "number of the log entry it was taken from",
    "doors": "doors and boards that this revocation concerned",
    "doors[].door": "name",
    "doors[].state": "`confirmed`: known to refuse",
    "doors[].at": "since when that is known",
    "doors[].after_us": "microseconds after `received`",
    "doors[].detail": "the evidence, or what is missing",
    "steps": "every kind of access that the program can end",
    "steps[].id": "identifier",
    "steps[].title": "the access it ends",
    "steps[].state": "progress",
    "steps[].detail": "outcome",
    "steps[].facts": "its counts, pids and instants, by step",
    "proof": "proof that no access is left; `null`: not made yet",
    "proof.scans": "scans of all processes",
    "proof.scans[].at": "instant",
    "proof.scans[].complete": "whether the scan saw everything",
    "proof.scans[].found": "remaining processes of the person",
    "proof.scans[].found[].pid": "process id",
    "proof.scans[].found[].uid": "user id of the process",
    "proof.scans[].found[].name": "its name",
    "proof.scans[].found[].state": "the letter of proc_pid_status(5): `D` ends when the kernel lets it",
    "proof.scans[].found[].reach": "reason it is the person's (`account`, `login`, …) or was left (`protected`, …)",
    "proof.scans[].found[].started_by": "what may start it again",
    "proof.scans[].found[].started_by.kind": "a system unit, a container, or a process",
    "proof.scans[].found[].started_by.name": "its name",
    "proof.scans[].found[].started_by.pid": "its process; 0 for a unit",
    "proof.scans[].holding": "processes that hold something on a classified volume",
    "proof.scans[].left": "number of processes left running because they hold nothing",
    "proof.scans[].unseen": "not inspected: `process:PID`, `ring:PID`, `held`, `hidepid`, `pid-namespace`",
    "proof.attempts": "attempts to get access as the person",
    "proof.attempts[].area": "name of the area",
    "proof.attempts[].what": "list the directory, or open a file",
    "proof.attempts[].uid": "user id of the attempt",
    "proof.attempts[].login": "login uid of the attempt",
    "proof.attempts[].answer": "`denied`, `let-in`, `absent`, `failed`, `untried`",
    "proof.attempts[].error": "name of the error number; may be empty",
    "proof.unreached": "areas in which no file could be found to try",
    "proof.areas": "number of areas to try",
    "proof.uids": "accounts used for the attempts",
    "proof.untouched": "accounts for which nothing can be proven: root's and the system's",
    "own_entries": "log entries made by the attempts of the proof",
    "own_entries.count": "number of entries",
    "own_entries.first": "lowest number",
    "own_entries.last": "highest number",
    "cannot_see": "what cannot be observed on this host",
    "key": "FINGERPRINT",
    "previous": "SHA-256 of the receipt this one replaces",
    "open": "items that are not finished",
    "complete": "whether `open` is empty",
}
CHINESE = {
    "kind": "文件种类",
    "version": "格式版本",
    "issued": "签发时间，依守护服务的时钟",
    "host": "主机名称",
    "person": "被收回权限的人员：登记库中的编号",
    "case": "办理编号：`C…` 离岗离职或调岗，`H…` 停权，`G…` 授权到期，`L…` 权限丧失",
    "cause": "原因",
    "reference": "人事系统中的办理编号；可为空",
    "pack": "所用规则包，附其散列的一部分",
    "approvers": "审批人，依次列出",
    "approvers[].signed": "该审批人负责的内容",
    "approvers[].signed.by": "审批人：登记库中的编号、`uid:N` 或 `hr`",
    "approvers[].signed.role": "以何种角色审批",
    "approvers[].signed.title": "规则包给该角色的职务名称",
    "approvers[].signed.at": "签字时间",
    "approvers[].signed.clock": "所依时钟",
    "approvers[].signed.opinion": "表单上的意见，或停权、操作的原因；可为空",
    "approvers[].signed.key": "审批人自己签名所用密钥的名称",
    "approvers[].written": "在本机录入者",
    "approvers[].written.by": "录入者：登记库中的编号、`uid:N`，或 `hr`（守护服务依通知录入）",
    "approvers[].written.at": "录入时间，依守护服务的时钟",
    "lost": "所涉涉密目录；为空表示全部",
    "lost[].area": "涉密目录名称",
    "act": "收回权限的操作（`grant.end`）；可为空",
    "seq": "该操作的日志条目编号",
    "timeline": "六个时刻",
    "timeline[].mark": "哪一个时刻",
    "timeline[].at": "何时",
    "timeline[].after_us": "`received` 之后的微秒数",
    "timeline[].state": "`measured`、`none`、`pending` 或 `unordered`",
    "timeline[].clock": "所依时钟",
    "timeline[].source": "取自何处",
    "timeline[].not_before": "下限",
    "timeline[].not_after": "上限",
    "timeline[].compared": "读出该时刻的另一时钟",
    "timeline[].seq": "取自哪一条日志条目",
    "doors": "此次权限收回所涉的门与控制板",
    "doors[].door": "名称",
    "doors[].state": "`confirmed`：已知拒绝",
    "doors[].at": "自何时已知",
    "doors[].after_us": "`received` 之后的微秒数",
    "doors[].detail": "依据，或尚缺什么",
    "steps": "本程序能终止的各类访问",
    "steps[].id": "标识",
    "steps[].title": "终止什么",
    "steps[].state": "进展状态",
    "steps[].detail": "结果",
    "steps[].facts": "计数、进程号与时刻，因步骤而异",
    "proof": "没有遗留的证明；`null`：尚未进行",
    "proof.scans": "对全部进程的扫描",
    "proof.scans[].at": "何时",
    "proof.scans[].complete": "是否看到全部",
    "proof.scans[].found": "此人遗留的进程",
    "proof.scans[].found[].pid": "进程号",
    "proof.scans[].found[].uid": "进程的用户号",
    "proof.scans[].found[].name": "进程名称",
    "proof.scans[].found[].state": "proc_pid_status(5) 的状态字母：`D` 须待内核允许才结束",
    "proof.scans[].found[].reach": "何以属于此人（`account`、`login` …），或何以保留（`protected` …）",
    "proof.scans[].found[].started_by": "可能再次启动它的对象",
    "proof.scans[].found[].started_by.kind": "系统单元、容器或进程",
    "proof.scans[].found[].started_by.name": "其名称",
    "proof.scans[].found[].started_by.pid": "其进程号；系统单元为 0",
    "proof.scans[].holding": "仍占用涉密卷内容的进程",
    "proof.scans[].left": "因不占用任何涉密内容而保留的进程数",
    "proof.scans[].unseen": "未能查看的内容：`process:PID`、`ring:PID`、`held`、`hidepid`、`pid-namespace`",
    "proof.attempts": "以此人身份进行的进入尝试（探针）",
    "proof.attempts[].area": "哪一涉密目录",
    "proof.attempts[].what": "列出目录，或打开文件",
    "proof.attempts[].uid": "所用用户号",
    "proof.attempts[].login": "所用登录用户号",
    "proof.attempts[].answer": "`denied`、`let-in`、`absent`、`failed`、`untried`",
    "proof.attempts[].error": "错误号的名称；可为空",
    "proof.unreached": "未能找到文件以供尝试的涉密目录",
    "proof.areas": "应尝试的涉密目录数",
    "proof.uids": "尝试所用的账号",
    "proof.untouched": "无法给出证明的账号：root 与系统账户",
    "own_entries": "验证所用的尝试在日志中留下的条目",
    "own_entries.count": "条目数",
    "own_entries.first": "最小编号",
    "own_entries.last": "最大编号",
    "cannot_see": "在本机无法查看的内容",
    "key": "FINGERPRINT",
    "previous": "被本回执取代的回执的 SHA-256",
    "open": "未完成的事项",
    "complete": "是否没有未完成的事项",
}
_TYPES = (
    (re.compile("list of members below"), "列表，成员见下"),
    (re.compile("members below"), "成员见下"),
    (re.compile("list of "), "列表："),
    (re.compile(r"the number (\d+)"), r"数字 \1"),
    (re.compile(r" or (?=.* or )"), "、"),
    (re.compile(" or "), " 或 "),
    (re.compile("string"), "字符串"),
    (re.compile("instant"), "时刻"),
    (re.compile("integer"), "整数"),
    (re.compile("boolean"), "布尔值"),
    (re.compile("object"), "对象"),
    (re.compile("words"), "双语文字"),
)


def page() -> str:
    """Return the page as it is, with its table made anew. Raises ``ValueError`` for a member without a sentence."""
    return _filled("receipt.md", ("member", "type", "what it says"), MEANINGS, lambda name: name)


def chinese_page() -> str:
    """Return the Chinese page likewise."""
    return _filled("receipt.zh.md", ("成员", "类型", "含义"), CHINESE, _chinese)


def _filled(name: str, head: tuple[str, ...], meanings: Mapping[str, str], typed: Callable[[str], str]) -> str:
    members = dict(_members(RECEIPT, ""))
    if members.keys() != meanings.keys():
        raise ValueError(f"members and sentences differ: {sorted(members.keys() ^ meanings.keys())}")
    rows = [(f"`{member}`", typed(members[member]), meaning) for member, meaning in meanings.items()]
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return filled(text, {"members": table(head, rows)})


def _chinese(kind: str) -> str:
    for pattern, words in _TYPES:
        kind = pattern.sub(words, kind)
    return kind


def _members(shape: Any, path: str) -> Iterator[tuple[str, str]]:
    for name, inner in shape.items():
        here = f"{path}.{name}" if path else name
        yield here, _type(inner)
        below, suffix = inner, ""
        while isinstance(below, tuple | list):
            suffix += "[]" if isinstance(below, list) else ""
            below = below[0]
        if isinstance(below, dict) and below != _WORDS:
            yield from _members(below, here + suffix)


def _type(shape: Any) -> str:
    if isinstance(shape, tuple):
        some = [_type(one) for one in shape if one is not None]
        return " or ".join(some) + ("?" if None in shape else "")
    if isinstance(shape, list):
        return f"list of {_type(shape[0])}"
    if isinstance(shape, dict):
        return "words" if shape == _WORDS else "members below"
    if shape is AT:
        return "instant"
    names = {str: "string", int: "integer", bool: "boolean", dict: "object"}
    return (
        names[shape] if isinstance(shape, type) else f"`{shape}`" if isinstance(shape, str) else f"the number {shape}"
    )
