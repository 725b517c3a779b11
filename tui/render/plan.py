"""Before access is cut: the plan, and the name to be typed. After it: what is confirmed, and what was only sent.

Rules of this file:
- what will happen is shown before it happens, in the order in which it happens, with what cannot be undone;
- to agree is to type the name that stands there; Enter alone, and every other key, agrees to nothing;
- a result never says "done" for what was only sent: each line carries its own word, and a glyph with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.text import Text
from tui.i18n import text_of
from tui.render.cells import GLYPHS, Piece, Tone, Toned

_TARGETS = 5  # of a step that are named

STATES: dict[str, tuple[Text, Tone, str]] = {
    "planned": (Text("planned", "计划"), "plain", GLYPHS["plain"]),
    "done": (Text("done", "已执行"), "plain", GLYPHS["plain"]),
    "confirmed": (Text("confirmed", "已确认"), "good", GLYPHS["good"]),
    "sent": (Text("sent, not confirmed", "已发送，未确认"), "warning", GLYPHS["warning"]),
    "pending": (Text("PENDING", "待完成"), "warning", GLYPHS["warning"]),
    "cannot-see": (Text("CANNOT SEE", "无法查看"), "warning", GLYPHS["warning"]),
    "skipped": (Text("not here", "本机不适用"), "dim", GLYPHS["plain"]),
    "refused": (Text("REFUSED", "被拒绝"), "bad", GLYPHS["bad"]),
    "met": (Text("met", "符合"), "good", GLYPHS["good"]),
    "not met": (Text("NOT MET", "不符合"), "bad", GLYPHS["bad"]),
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One thing that will happen, or did: what, its state, and a note (what cannot be undone, why it waits)."""

    what: Text | str
    state: str = "planned"
    note: Text | str | None = None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What is to be agreed to. ``name`` is what must be typed; without it nothing is asked and it is only shown.

    ``typed`` says what that is, where it is no name of anything on the page.
    """

    title: Text
    lines: Sequence[PlanLine]
    name: str = ""
    warning: Text | None = None
    typed: Text | None = None


def pieces(lines: Sequence[PlanLine]) -> list[Piece]:
    """Return *lines* as they are read: glyph, word, what, note."""
    found: list[Piece] = []
    for number, line in enumerate(lines):
        if line.state == "info":
            found += ["\n"] if number else []
            found += [Toned(line.what, "dim"), "  ", line.note]
            continue
        word, tone, glyph = STATES.get(line.state, (Text(line.state, line.state), "plain", GLYPHS["plain"]))
        found += ["\n"] if number else []
        found += [Toned(f"{glyph} ", tone), Toned(word, tone), "  ", line.what]
        if line.note is not None and line.note != "":
            found += ["\n", "    ", Toned(line.note, "dim")]
    return found


def of_agent(found: Mapping[str, Any], title: Text, name: str = "") -> PlanPage:
    """Return the plan of ``case.plan`` or ``hold.plan`` as it is shown. With a *name* it must be typed."""
    lines = []
    for step in found["steps"]:
        if step["skipped"]:
            continue
        notes = [text_of(target["what"]) for target in step["targets"][:_TARGETS]]
        if (more := len(step["targets"]) - _TARGETS) > 0:
            notes.append(Text(f"and {more} more", f"另有 {more} 项"))
        if step["nothing"]:
            notes.append(text_of(step["nothing"]))
        if step["lasting"]:
            lasting = text_of(step["lasting"])
            notes.append(Text(f"CANNOT BE UNDONE: {lasting.en}", f"不可撤销：{lasting.zh}"))
        others = [text_of(target["other"]) for target in step["targets"] if target["other"]]
        notes += [Text(f"ALSO TOUCHED: {one.en}", f"波及他人：{one.zh}") for one in others]
        lines.append(PlanLine(text_of(step["title"]), "planned", joined(notes)))
    return PlanPage(title, lines, name=name, warning=joined([text_of(one) for one in found["notices"]]))


def joined(texts: Sequence[Text]) -> Text | None:
    """Return *texts* as one, ``None`` for none."""
    return Text("; ".join(one.en for one in texts), "；".join(one.zh for one in texts)) if texts else None


def result(title: Text, lines: Sequence[PlanLine]) -> PlanPage:
    """Return what an act came to, to be shown: it says in its title when something is still open."""
    still = [line for line in lines if line.state not in ("confirmed", "done")]
    if not still:
        return PlanPage(title, lines)
    count = len(still)
    return PlanPage(title, lines, warning=Text(f"{count} not confirmed yet", f"{count} 项尚未确认"))
