"""What was seen of an area's guard, in words: for lists, pages and the first screen.

Rules of this file: pure. "Seen" is only said with when; what is not known is said to be unknown, with since when.
*clock* writes an instant the way its reader has it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from rules.text import Text

Seen = Mapping[str, Any]
Clock = Callable[[str], str]

WHAT: Final = {
    "read": Text("an open and a read were refused", "打开与读取均被拒绝"),
    "open": Text("an open was refused", "打开被拒绝"),
    "list": Text("listing it was refused", "列目录被拒绝"),
    "record": Text("an open was recorded", "打开已被记录"),
}
NOT_YET: Final = Text("not seen yet", "尚未证实")


def tone(seen: Seen) -> Literal["good", "warning", "bad"]:
    """Return how that is to be shown."""
    return {"seen": "good", "asking": "warning"}.get(str(seen["state"]), "bad")  # type: ignore[return-value]


def short(seen: Seen, clock: Clock) -> Text:
    """Return it as a cell of a list."""
    match seen["state"]:
        case "seen":
            return _same(clock(seen["at"]))
        case "asking":
            return NOT_YET
        case "missing":
            return Text("NOT SEEN", "未证实")
    since = clock(seen["since"])
    return Text(f"UNKNOWN since {since}", f"未知，自 {since} 起")


def sentence(seen: Seen, clock: Clock) -> Text:
    """Return it as a sentence."""
    why = seen.get("why") or {"en": "", "zh": ""}
    more = Text(f": {why['en']}", f"：{why['zh']}") if why["en"] else Text("", "")
    match seen["state"]:
        case "seen":
            at, what = clock(seen["at"]), WHAT.get(str(seen["what"]), NOT_YET)
            return Text(f"guard last seen {at}: {what.en}", f"最近一次证实防护：{at}，{what.zh}")
        case "asking":
            return Text(f"guard not seen yet{more.en}", f"防护尚未证实{more.zh}")
        case "missing":
            return Text(f"guard NOT SEEN{more.en}", f"未能证实防护{more.zh}")
    since = clock(seen["since"])
    return Text(f"UNKNOWN since {since} whether it is guarded{more.en}", f"自 {since} 起防护状态未知{more.zh}")


def _same(text: str) -> Text:
    return Text(text, text)
