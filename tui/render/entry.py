"""What an entry of the log says in full: why it was decided so, every field, and its proof.

Rules of this file: pure. No field is left out, known or not: what another version wrote stands here under its own name.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping

from agent.api.operations import TABLE
from agent.presentation import changes
from agent.presentation.terms import (
    ACTIONS,
    CAUSES,
    CHOICES,
    CLOCK_STEPS,
    DISKS,
    DOMAINS,
    DURABILITIES,
    ENTRIES,
    FILED,
    HANDS,
    HAPPENINGS,
    HELD,
    HOW,
    HR_EVENTS,
    HR_TROUBLES,
    LEVELS,
    MAILED,
    MODES,
    OUTCOMES,
    OWN,
    PROCESSES,
    RELEASES,
    ROLES,
    SIDES,
    TIERS,
    TOURS,
    VOLUME_STATES,
    VOLUMES,
    Words,
    revocation_step,
    word,
)
from rules.text import Text
from tui.i18n import text_of
from tui.render.cells import GLYPHS, Piece, Tone, Toned, number
from tui.render.entry_columns import Entry, verdict
from tui.render.operation import act_name, argument, same
from tui.render.plan import STATES

_LABELS = {
    "host": Text("host", "主机"),
    "kind": Text("kind", "种类"),
    "action": Text("action", "操作"),
    "act": Text("act", "操作"),
    "what": Text("what", "内容"),
    "person": Text("person", "人员"),
    "login_person": Text("person at login", "登录人员"),
    "service": Text("service", "服务账户"),
    "path": Text("path", "路径"),
    "path_hex": Text("path, exact bytes", "路径原始字节"),
    "area": Text("area", "目录"),
    "level": Text("level", "密级"),
    "domain": Text("domain", "秘密种类"),
    "exe": Text("program", "程序"),
    "comm": Text("name of the process", "进程名"),
    "client": Text("network client", "网络客户端"),
    "mode": Text("mode", "模式"),
    "pack": Text("rule pack", "规则包"),
    "epoch": Text("state of rights", "权限版本"),
    "outcome": Text("outcome", "结果"),
    "fsuid": Text("uid of the access", "访问 uid"),
    "loginuid": Text("uid at login", "登录 uid"),
    "ruid": Text("real uid", "真实 uid"),
    "uid": Text("uid", "uid"),
    "gid": Text("gid", "gid"),
    "pid": Text("process", "进程号"),
    "tid": Text("thread", "线程号"),
    "dev": Text("device", "设备号"),
    "ino": Text("inode", "文件号"),
    "errno": Text("error", "错误码"),
    "actor": Text("who asked", "操作者"),
    "hands": Text("two hands", "双人复核"),
    "proposal": Text("proposal", "提议"),
    "proposed_by": Text("proposed by", "提议人"),
    "at": Text("at", "时间"),
    "changes": Text("changed", "变更"),
    "lived": Text("seconds it lived", "存活秒数"),
    "deaths": Text("deaths", "终止次数"),
    "changes_more": Text("more rows changed", "其余变更行数"),
    "free": Text("free bytes", "空闲字节"),
    "whole": Text("bytes in all", "总字节"),
    "hours": Text("hours left", "剩余小时"),
    "role": Text("role", "角色"),
    "args": Text("asked with", "参数"),
    "not_recorded": Text("refusals not recorded before it", "此前未记录的拒绝次数"),
    "room": Text("room", "场所"),
    "door": Text("door", "门"),
    "side": Text("side", "方向"),
    "badge": Text("badge", "门禁卡"),
    "how": Text("with", "方式"),
    "secure": Text("authenticated wire", "通信已认证"),
    "together": Text("together with", "同行人员"),
    "purpose": Text("purpose", "事由"),
    "release": Text("command to the lock", "放行命令"),
    "released": Text("what became of it", "放行结果"),
    "silent": Text("silent", "静默"),
    "case": Text("case", "案号"),
    "cause": Text("cause", "事由"),
    "step": Text("step", "步骤"),
    "state": Text("state", "状态"),
    "title": Text("step", "步骤"),
    "detail": Text("what came of it", "结果"),
    "facts": Text("facts", "事实"),
    "tries": Text("tries", "次数"),
    "began_at": Text("begun", "开始"),
    "ended_at": Text("ended", "结束"),
    "file": Text("file", "文件"),
    "folder": Text("folder", "所在目录"),
    "event": Text("event", "事件"),
    "reference": Text("number in the personnel system", "人事系统编号"),
    "jti": Text("number of the token", "令牌编号"),
    "late": Text("late", "迟到"),
    "alarm": Text("alarm", "报警"),
    "count": Text("count", "数量"),
    "since": Text("since", "起始"),
    "bytes": Text("bytes", "字节"),
    "start": Text("start", "启动次数"),
    "denied_meanwhile": Text("denied meanwhile", "其间拒绝"),
    "mono": Text("µs since the boot", "启动以来微秒"),
    "boot": Text("boot", "启动标识"),
    "boot_id": Text("boot", "启动标识"),
    "judged": Text("judged by the time", "判定所依时间"),
    "kernel": Text("kernel", "内核"),
    "version": Text("version", "版本"),
    "durability": Text("durability", "持久性"),
    "from": Text("clock expected at", "时钟应为"),
    "to": Text("clock found at", "时钟实为"),
    "offset": Text("seconds it was set by", "拨动秒数"),
    "accepted": Text("judged by it", "按其判定"),
    "judged_from": Text("time judged by before", "此前判定时间"),
    "judged_to": Text("time judged by since", "此后判定时间"),
    "missing_from": Text("missing from number", "缺失起始序号"),
    "missing_to": Text("missing up to number", "缺失截止序号"),
    "recorded": Text("recorded pack", "记录的规则包"),
    "process": Text("process", "进程"),
    "areas": Text("areas", "目录"),
    "tier": Text("tier", "防护等级"),
    "labelled": Text("files labelled", "已标记文件"),
    "why": Text("why", "原因"),
    "frames": Text("messages", "消息数"),
    "own": Text("tried by", "试探者"),
    "former_key": Text("key that signed until now", "此前的签名密钥"),
    "signing_key": Text("key that signs from now on", "此后的签名密钥"),
    "volume": Text("device of the volume", "卷设备号"),
    "tried": Text("attempts", "尝试次数"),
    "proven": Text("seen to be answered by the guard", "证实由守护进程应答"),
    "enforced": Text("enforced", "强制"),
    "areas_tried": Text("areas tried", "试探的目录数"),
    "attempts": Text("attempts", "尝试次数"),
    "refused": Text("refused", "被拒绝"),
    "observed": Text("recorded only", "仅记录"),
    "untold": Text("not told", "未报数量"),
    "damaged": Text("damaged line", "损坏的行"),
    "named": Text("named as", "所用名称"),
    "not_counted": Text("approvals not counted", "未计入的审批"),
    "terminals": Text("terminals", "终端数"),
    "mail": Text("mail", "邮件"),
    "uids": Text("uids", "uid"),
    "changed": Text("files and directories changed", "已改动的文件和目录"),
    "not_reached": Text("not reached", "未能处理"),
    "after_ms": Text("milliseconds after", "滞后毫秒"),
    "device": Text("device", "设备"),
    "ended": Text("processes ended", "已结束进程数"),
    "holders": Text("held by", "占用者"),
    "files": Text("files", "文件数"),
    "may": Text("may open it", "有权打开"),
    "processes": Text("processes", "进程数"),
    "request": Text("number of the request", "请求编号"),
    "seen": Text("looked at", "已检查"),
    "kept": Text("labelled as they should be", "标记正确"),
    "new": Text("without content yet", "尚无内容"),
    "entered": Text("came into an area", "移入目录"),
    "unlabelled": Text("content and no label", "有内容而无标记"),
    "foreign": Text("label of no area", "标记不属于任何目录"),
    "first": Text("the first of them", "首批"),
    "troubles": Text("places not reached", "未能到达之处"),
    "seconds": Text("seconds", "秒数"),
    "registry_epoch": Text("epoch of the registry", "登记库版次"),
    "acts": Text("acts", "操作数"),
    "change": Text("mark of the change", "变更标识"),
    "after": Text("after entry", "所后续的条目"),
    "known": Text("known up to entry", "已知至条目"),
    "faults": Text("faults", "错误数"),
    "refused_connections": Text("connections turned away", "被拒绝的连接"),
    "refused_requests": Text("requests turned away", "被拒绝的请求"),
}
_VALUES: dict[str, Words] = {
    "kind": ENTRIES, "action": ACTIONS, "level": LEVELS, "domain": DOMAINS, "mode": MODES,
    "outcome": {**HR_TROUBLES, **OUTCOMES},
    "side": SIDES, "how": {**HELD, **HOW}, "released": RELEASES, "what": HAPPENINGS, "role": ROLES, "cause": CAUSES,
    "process": PROCESSES, "tier": TIERS, "own": OWN, "accepted": CLOCK_STEPS, "durability": DURABILITIES,
    "folder": FILED, "event": HR_EVENTS, "mail": MAILED,
    "state": {**TOURS, **{code: text for code, (text, _, _) in STATES.items()}, **VOLUME_STATES, **VOLUMES, **DISKS},
    "why": VOLUMES, "hands": HANDS,
}  # fmt: skip
_SENTENCED = {
    "hr-event": ("outcome",),
    "canary": ("why",),
    "process-died": ("how",),
}  # codes that stand beside their sentence, by kind of entry
_SAID = {"seq", "time", "verdict", "enforced", "rule", "clauses", "reason", "error"}


def explained(entry: Entry, rules: Mapping[str, Text]) -> list[Piece]:
    """Return why it was decided so. ``rules``: titles of the rules of the pack in force."""
    pieces: list[Piece] = []
    if "verdict" in entry:
        denied = entry["verdict"] == "deny"
        pieces += [Toned(f"{GLYPHS['bad']} ", "bad") if denied else Toned(f"{GLYPHS['good']} ", "good"), verdict(entry)]
        rule = str(entry.get("rule", ""))
        pieces += ["  ", Text(f"by rule {rule}", f"依据规则 {rule}")]
        if rule in rules:
            pieces += [Text(", which asks: ", "，该规则要求："), rules[rule]]
        pieces.append("\n")
        if not entry.get("enforced", True):
            observed = Text(
                "The area was only observed: the access went through.", "该目录处于观察模式：访问未被拦截。"
            )
            pieces += [Toned(observed, "warning"), "\n"]
        if entry.get("reason"):
            pieces += [text_of(entry["reason"]), "\n"]
        return pieces
    if entry.get("error"):
        pieces += [Toned(f"{GLYPHS['bad']} ", "bad"), text_of(entry["error"]), "\n"]
    if entry.get("reason"):
        tone: Tone = "warning" if entry.get("alarm") else "plain"
        pieces += [Toned(f"{GLYPHS[tone]} ", tone), text_of(entry["reason"]), "\n"]
    return pieces


def fields(entry: Entry) -> list[Piece]:
    """Return every field of *entry* that :func:`explained` does not show, a line each, nested ones flattened."""
    pieces: list[Piece] = []
    for name, value in entry.items():
        if name not in _SAID and value is not None and value not in ("", [], {}):
            for label, shown in _field(entry, name, value):
                pieces += [Toned(label, "dim"), "  ", shown, "\n"]
    return pieces


def _field(entry: Entry, name: str, value: object) -> Iterator[tuple[Text, Piece]]:
    label = _LABELS.get(name, same(name))
    if name == "args" and isinstance(value, dict):
        yield from _asked(str(entry.get("act") or entry.get("what")), value)
    elif name == "act" or (name == "what" and isinstance(value, str) and value in TABLE):
        act = act_name(str(value))
        yield label, Text(act.en, f"{act.zh}（{act.en}）" if act.zh != act.en else act.zh)
    elif name == "changes" and isinstance(value, list):
        yield from ((label, line) for line in changes.sentences(value))
    elif name == "step":
        yield label, revocation_step(entry)
    elif name in _SENTENCED.get(str(entry.get("kind")), ()):
        yield label, same(f"`{value}`")
    elif name == "facts":  # of a step, for its receipt; what they come to stands in the detail
        yield label, json.dumps(value, ensure_ascii=False)
    else:
        yield label, _said(name, value)


def _said(name: str, value: object) -> Text:
    """Return a value of any shape in words: what is nested stands one behind the other."""
    if isinstance(value, bool):
        return word(CHOICES, "yes" if value else "no")
    if isinstance(value, dict):
        if {"en", "zh"} <= value.keys():
            return text_of(value)
        inner = [(_LABELS.get(one, same(one)), _said(one, deep)) for one, deep in value.items() if deep is not None]
        return Text(
            " · ".join(f"{label.en} {text.en}" for label, text in inner),
            " · ".join(f"{label.zh} {text.zh}" for label, text in inner),
        )
    if isinstance(value, list):
        said = [_said(name, one) for one in value]
        return Text("; ".join(one.en for one in said), "；".join(one.zh for one in said))
    return word(_VALUES.get(name, {}), value)


def _asked(act: str, args: Mapping[str, object]) -> Iterator[tuple[Text, Piece]]:
    """Yield what an act was asked with: each parameter as the table of operations explains it."""
    titles = {param.name: param.help for param in TABLE[act].params} if act in TABLE else {}
    for name, value in args.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else argument(act, name, value)
        yield titles.get(name, _LABELS.get(name, same(name))), shown


def proof(seq: int, line: str, verified: int) -> list[Piece]:
    """Return what proves the entry as far as the log goes: its place, its bytes, their leaf hash (RFC 6962, 2.1).

    ``verified``: the number up to which this terminal has had the log verified, 0 for not yet.
    """
    data = line.encode("utf-8", "surrogateescape")
    leaf = hashlib.sha256(b"\x00" + data).hexdigest()
    if verified >= seq:
        state: Piece = Toned(Text(f"✓ verified to #{number(verified)}", f"✓ 已校验至 #{number(verified)}"), "good")
    else:
        state = Toned(Text("! not verified here yet: press v", "! 尚未在此校验：请按 v"), "warning")
    return [
        Toned(Text("proof", "存证"), "strong"), "\n",
        Toned(Text("number ", "序号 "), "dim"), f"#{number(seq)}", "  ", state, "\n",
        Toned(Text("bytes ", "字节 "), "dim"), str(len(data)), "\n",
        Toned(Text("leaf hash, SHA-256(0x00 ‖ bytes) ", "叶哈希 SHA-256(0x00 ‖ 字节) "), "dim"), "\n", leaf, "\n",
    ]  # fmt: skip
