"""A room in one line: what is wrong there, the worst first.

Rules of this file: pure. A door nobody serves is neither open nor closed; a room is only called closed when every door
of it says so.
"""

from collections.abc import Mapping
from typing import Any

from rules.text import Text
from tui.render.cells import Toned
from tui.render.room import FORCED, HELD

Row = Mapping[str, Any]


def state(row: Row) -> Toned:
    """Return what is to be said of a room in one line: the worst first."""
    bad: list[Text] = []
    odd: list[Text] = []
    if row["locked"]:
        bad.append(Text("LOCKED DOWN", "封控中"))
    kinds = {alarm["kind"] for alarm in row["alarms"]}
    open_now = any(door["open"] for door in row["doors"])
    bad += [word for kind, word in (("forced", FORCED), ("held", HELD)) if kind in kinds and open_now]
    if count := len(row["alarms"]):
        bad.append(Text(f"{count} ALARM{'S' if count > 1 else ''}", f"报警 {count} 个"))
    if off := [door for door in row["doors"] if door["online"] is False]:
        bad.append(Text(f"{len(off)} door{'s' if len(off) > 1 else ''} OFFLINE", f"{len(off)} 扇门离线"))
    if any(door["online"] is None for door in row["doors"]):
        odd.append(Text("doors NOT SERVED: state unknown", "门禁服务未运行，状态未知"))
    elif any(door["open"] is None for door in row["doors"]):
        odd.append(Text("open or closed unknown", "开关状态未知"))
    if open_now and not {FORCED, HELD} & set(bad):
        odd.append(Text("door open", "门开"))
    said = bad + odd or [Text("closed", "关闭") if row["doors"] else Text("no door", "没有门")]
    glyph = "✗ " if bad else "! " if odd else "✓ " if row["doors"] else ""
    text = Text(glyph + " · ".join(one.en for one in said), glyph + " · ".join(one.zh for one in said))
    return Toned(text, "bad" if bad else "warning" if odd else "good" if row["doors"] else "dim")
