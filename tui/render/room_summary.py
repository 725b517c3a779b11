"""The state of a room in one line: its problems, the worst first.

Rules of this file: pure. A door that is not served is neither open nor closed; a room is only called closed when every
door of it reports so.
"""

from collections.abc import Mapping
from typing import Any

from rules.text import Message, Sentence, dotted
from tui.render.cells import Toned
from tui.render.room import FORCED, HELD

Row = Mapping[str, Any]


def state(row: Row) -> Toned:
    """Return the state of a room in one line, the worst problem first."""
    bad: list[Sentence] = []
    doubtful: list[Sentence] = []
    if row["locked"]:
        bad.append(Message("common.locked-down"))
    kinds = {alarm["kind"] for alarm in row["alarms"]}
    open_now = any(door["open"] for door in row["doors"])
    bad += [label for kind, label in (("forced", FORCED), ("held", HELD)) if kind in kinds and open_now]
    if count := len(row["alarms"]):
        bad.append(Message("tui.alarm-count", count=count))
    if offline := sum(door["online"] is False for door in row["doors"]):
        bad.append(Message("tui.doors-offline", count=offline))
    if any(door["online"] is None for door in row["doors"]):
        doubtful.append(Message("tui.doors-not-served"))
    elif any(door["open"] is None for door in row["doors"]):
        doubtful.append(Message("tui.door-state-unknown"))
    if open_now and not {FORCED, HELD} & set(bad):
        doubtful.append(Message("tui.door-open"))
    labels = bad + doubtful or [Message("common.closed") if row["doors"] else Message("tui.no-door")]
    glyph = "✗ " if bad else "! " if doubtful else "✓ " if row["doors"] else ""
    text = Message("common.run-on", text=glyph, more=dotted(labels))
    return Toned(text, "bad" if bad else "warning" if doubtful else "good" if row["doors"] else "dim")
