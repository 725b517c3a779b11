"""What an entry of the log says, in columns and in full.

Rules of this file: pure. Every field is optional, because entries of other versions and damaged ones are shown too; the
words are those of the command line.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agent.control.times import local
from rules.text import Text
from tui.cells import GLYPHS, Piece, Toned, number
from tui.words import text_of

Entry = dict[str, Any]

DENY, ALLOW = Text("DENY", "拒绝"), Text("allow", "允许")
OBSERVED = Text("DENY (obs)", "拒绝·观察")
_NO_ENTRY = Text("NO SUCH ENTRY: verify (v)", "没有此条目：请校验（v）")


def parsed(line: str) -> Entry:
    """Return the entry of a record; one that cannot be read is an entry that says so."""
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    return entry if isinstance(entry, dict) else {"kind": "damaged", "path": line}


def missing(seq: int) -> Entry:
    """Return what stands for an entry that is not there."""
    return {"seq": seq, "kind": "missing"}


def day_and_time(entry: Entry) -> str:
    """Return date and time in the zone of this terminal."""
    try:
        return local(str(entry["time"]))
    except (KeyError, ValueError):
        return ""


def what(entry: Entry) -> Piece:
    """Return what happened, in a word."""
    return str(entry.get("act") or entry.get("action") or entry.get("what") or entry.get("kind", ""))


def verdict(entry: Entry) -> Piece:
    """Return how it went."""
    match entry.get("verdict"):
        case "deny":
            return Toned(DENY, "bad") if entry.get("enforced", True) else Toned(OBSERVED, "warning")
        case "allow":
            return ALLOW
    outcome = str(entry.get("outcome", ""))
    return Toned(outcome, "warning") if outcome in ("refused", "forbidden", "not-completed") else Toned(outcome, "dim")


def who(entry: Entry) -> Piece:
    """Return the persons behind it, else the uid."""
    names = dict.fromkeys(str(entry[key]) for key in ("person", "login_person", "service") if entry.get(key))
    if names:
        return " / ".join(names)
    actor = entry.get("actor")
    uid = entry.get("fsuid", actor.get("uid") if isinstance(actor, dict) else None)
    return "" if uid is None else f"uid:{uid}"


def thing(entry: Entry) -> Piece:
    """Return what it was about; of what is no access, also what it was."""
    if entry.get("kind") == "missing":
        return Toned(_NO_ENTRY, "bad")
    if found := entry.get("path") or entry.get("area"):
        return str(found)
    args = entry.get("args")
    said = [str(v) for v in args.values() if isinstance(v, str | int)] if isinstance(args, dict) else []
    return " ".join([str(what(entry)), *said])


def one_line(entry: Entry, language: str) -> str:
    """Return the entry as a line to paste: number, time, what, verdict, who, rule, object, with tabs between."""
    pieces = (
        entry.get("seq"),
        entry.get("time"),
        what(entry),
        verdict(entry),
        who(entry),
        entry.get("rule"),
        thing(entry),
    )
    return "\t".join(_plain(piece, language) for piece in pieces)


def _plain(piece: object, language: str) -> str:
    if isinstance(piece, Toned):
        piece = piece.words
    if isinstance(piece, Text):
        return piece.zh if language == "zh" else piece.en
    return "-" if piece is None or piece == "" else str(piece)


# In full --------------------------------------------------------------------------------------------------------------

_LABELS = {
    "host": Text("host", "主机"),
    "kind": Text("kind", "种类"),
    "action": Text("action", "操作"),
    "act": Text("act", "操作"),
    "person": Text("person", "人员"),
    "login_person": Text("person at login", "登录人员"),
    "service": Text("service", "服务账户"),
    "path": Text("path", "路径"),
    "path_hex": Text("path, exact bytes", "路径原始字节"),
    "area": Text("area", "目录"),
    "level": Text("level", "密级"),
    "domain": Text("domain", "秘密种类"),
    "exe": Text("program", "程序"),
    "client": Text("network client", "网络客户端"),
    "mode": Text("mode", "模式"),
    "pack": Text("rule pack", "规则包"),
    "epoch": Text("state of rights", "权限版本"),
    "outcome": Text("outcome", "结果"),
}
_SAID = {"seq", "time", "verdict", "enforced", "rule", "clauses", "reason"}


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
    elif entry.get("error"):
        pieces += [Toned(f"{GLYPHS['bad']} ", "bad"), text_of(entry["error"]), "\n"]
    return pieces


def fields(entry: Entry) -> list[Piece]:
    """Return every field of *entry* that :func:`explained` does not show, a line each, nested ones flattened."""
    pieces: list[Piece] = []
    for name, value in entry.items():
        if name in _SAID or value is None or value == "":
            continue
        label = _LABELS.get(name, Text(name, name))
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
        pieces += [Toned(label, "dim"), "  ", shown, "\n"]
    return pieces


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
