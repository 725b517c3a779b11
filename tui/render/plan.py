"""Plans and results of acts that cut access: the steps and the name to type before, their states after.

Rules of this file:
- every effect is shown before it happens, in the order in which it happens, with what cannot be undone;
- the user agrees by typing the name that is shown; Enter alone, and every other key, agrees to nothing;
- a result never says "done" for what was only sent: each line has its own word and glyph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.text import Message, Sentence, Text, from_json, series
from tui.render.cells import GLYPHS, Piece, Tone, Toned

_TARGETS = 5  # targets of a step that are named

STATES: dict[str, tuple[Sentence, Tone, str]] = {
    "planned": (Message("tui.state-planned"), "plain", GLYPHS["plain"]),
    "done": (Message("tui.state-done"), "plain", GLYPHS["plain"]),
    "confirmed": (Message("common.confirmed"), "good", GLYPHS["good"]),
    "sent": (Message("tui.state-sent"), "warning", GLYPHS["warning"]),
    "pending": (Message("tui.state-pending"), "warning", GLYPHS["warning"]),
    "cannot-see": (Message("tui.state-cannot-see"), "warning", GLYPHS["warning"]),
    "skipped": (Message("tui.state-not-applicable"), "dim", GLYPHS["plain"]),
    "refused": (Message("common.refused"), "bad", GLYPHS["bad"]),
    "met": (Message("tui.state-met"), "good", GLYPHS["good"]),
    "not met": (Message("tui.state-not-met"), "bad", GLYPHS["bad"]),
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One effect, planned or past: its text, its state, and a note (what cannot be undone, why it is pending)."""

    text: Sentence | str
    state: str = "planned"
    note: Sentence | str | None = None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A plan or a result. ``name`` must be typed to agree; without a name the page is only shown.

    ``typed`` describes the name where it is not the name of anything on the page.
    """

    title: Sentence
    lines: Sequence[PlanLine]
    name: str = ""
    warning: Sentence | None = None
    typed: Sentence | None = None


def pieces(lines: Sequence[PlanLine]) -> list[Piece]:
    """Return the pieces of *lines*: glyph, state, text, note."""
    parts: list[Piece] = []
    for number, line in enumerate(lines):
        if line.state == "info":
            parts += ["\n"] if number else []
            parts += [Toned(line.text, "dim"), "  ", line.note]
            continue
        label, tone, glyph = STATES.get(line.state, (Text(line.state, line.state), "plain", GLYPHS["plain"]))
        parts += ["\n"] if number else []
        parts += [Toned(f"{glyph} ", tone), Toned(label, tone), "  ", line.text]
        if line.note is not None and line.note != "":
            parts += ["\n", "    ", Toned(line.note, "dim")]
    return parts


def of_agent(preview: Mapping[str, Any], title: Sentence, name: str = "") -> PlanPage:
    """Return the page of ``case.plan`` or ``hold.plan``. A *name* must be typed to agree."""
    lines = []
    for step in preview["steps"]:
        if step["skipped"]:
            continue
        notes = [from_json(target["what"]) for target in step["targets"][:_TARGETS]]
        if (more := len(step["targets"]) - _TARGETS) > 0:
            notes.append(Message("tui.and-more-targets", count=more))
        if step["nothing"]:
            notes.append(from_json(step["nothing"]))
        if step["lasting"]:
            notes.append(Message("tui.cannot-be-undone", effect=from_json(step["lasting"])))
        affected = [from_json(target["other"]) for target in step["targets"] if target["other"]]
        notes += [Message("tui.also-affected", subject=subject) for subject in affected]
        lines.append(PlanLine(from_json(step["title"]), "planned", joined(notes)))
    return PlanPage(title, lines, name=name, warning=joined([from_json(notice) for notice in preview["notices"]]))


def joined(texts: Sequence[Sentence]) -> Sentence | None:
    """Return *texts* as one sentence; ``None`` for none."""
    return series(texts) if texts else None


def outcome_page(title: Sentence, lines: Sequence[PlanLine]) -> PlanPage:
    """Return the page of a result, with a warning when lines are not confirmed yet."""
    still = [line for line in lines if line.state not in ("confirmed", "done")]
    if not still:
        return PlanPage(title, lines)
    count = len(still)
    return PlanPage(title, lines, warning=Message("tui.steps-not-confirmed", count=count))
