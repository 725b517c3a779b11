"""How the story is told: one line per step, in columns that line up, in one language; or as JSON.

Rules of this file: it only prints. Whether a line held is said in words, and colour comes on top of that, on a terminal
that wants it. In a rehearsal every line begins with a word that says so. Widths are known before the first line,
because the story is data; only the last column, what was seen, is as long as it is.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol, TextIO

from agent.demo.scene import Narrator, Observation, Scene, SceneStep
from agent.presentation.table import lines, pad, width
from rules.text import Language, Text

_GAP = "  "
_HELD = Text("✓ held", "✓ 相符")
_FAILED = Text("✗ FAILED", "✗ 不符")
_MOOT = Text("– not here", "– 不适用")
_REHEARSED = Text("[rehearsal] ", "【演练】")
_HEADING = (Text("result", "结果"), Text("tried", "动作"), Text("expected", "预期"), Text("seen", "实际"))
_GREEN, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


class Audience(Narrator, Protocol):
    """A narrator who can also say a sentence beside the story, and sum it up."""

    def line(self, text: Text) -> None: ...  # noqa: D102
    def end(self, story: Sequence[Scene], seconds: float) -> None: ...  # noqa: D102


def coloured(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether colour is wanted: on a terminal, and never against NO_COLOR."""
    return out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Printer:
    """Tells *story* to people."""

    def __init__(
        self, out: TextIO, language: Language, story: Sequence[Scene], *, colour: bool = False, rehearsal: bool = False
    ) -> None:
        self._out = out
        self._language: Language = language
        self._colour = colour
        self._mark = _REHEARSED.say(language) if rehearsal else ""
        steps = [step for scene in story for step in scene.steps]
        columns = (
            (_HELD, _FAILED, _MOOT, _HEADING[0]),
            (*(step.what for step in steps), _HEADING[1]),
            (*(step.expected.text for step in steps), _HEADING[2]),
        )
        self._widths = [max(width(self._say(text)) for text in column) for column in columns]
        self._failed: list[Text] = []
        self._moot = 0

    def line(self, text: Text) -> None:
        """Print one sentence."""
        self._print(self._say(text))

    def scene(self, number: int, title: Text) -> None:
        """Print the title of a scene, and before the first one what the columns are."""
        if number == 1:
            self._print("")
            self._row([self._say(text) for text in _HEADING])
        self._print("")
        self._print(self._styled(f"{number}. {self._say(title)}", _BOLD))

    def step(self, step: SceneStep, seen: Observation) -> None:
        """Print what was tried, expected and seen, and whether that is the same."""
        sign, style = (_HELD, _GREEN) if step.held(seen) else (_FAILED, _RED)
        if seen.moot:
            sign, style = _MOOT, ""
            self._moot += 1
        if not step.held(seen):
            self._failed.append(step.what)
        found = self._say(seen.outcome.text)
        if detail := self._say(seen.detail):
            found += self._say(Text(f" ({detail})", f"（{detail}）"))
        self._row([self._say(sign), self._say(step.what), self._say(step.expected.text), found], style)

    def table(self, rows: list[list[Text]]) -> None:
        """Print a table; its first row is the heading."""
        heading, *body = [[self._say(cell) for cell in row] for row in rows]
        for line in lines(heading, body):
            self._print(f"{_GAP}{line}")

    def end(self, story: Sequence[Scene], seconds: float) -> None:
        """Print how many lines held, and which did not."""
        count = sum(len(scene.steps) for scene in story)
        held = count - len(self._failed) - self._moot
        self._print("")
        self.line(
            Text(f"{held} of {count} lines held, {seconds:.1f} s", f"{count} 项中 {held} 项相符，用时 {seconds:.1f} 秒")
        )
        if self._moot:
            self.line(Text(f"  not possible here: {self._moot}", f"  本机无法演示：{self._moot}"))
        for what in self._failed:
            self.line(Text(f"  did not hold: {what.en}", f"  不符：{what.zh}"))

    def _row(self, cells: list[str], style: str = "") -> None:
        first, *rest = (pad(cell, cells) for cell, cells in zip(cells, [*self._widths, 0], strict=True))
        self._print(_GAP.join([_GAP + self._styled(first, style), *rest]))

    def _say(self, text: Text) -> str:
        return text.say(self._language)

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if style and self._colour else text

    def _print(self, line: str) -> None:
        print(f"{self._mark}{line}".rstrip(), file=self._out, flush=True)


class JsonLines:
    """Tells the story to a program: one object per step. Both languages are in it; sentences beside it go to stderr."""

    def __init__(self, out: TextIO, *, rehearsal: bool) -> None:
        self._out = out
        self._rehearsal = rehearsal
        self._scene = 0
        self._held = 0

    def line(self, text: Text) -> None:
        """Say a sentence that is not data."""
        print(text.en, file=sys.stderr, flush=True)

    def scene(self, number: int, title: Text) -> None:
        """Remember which scene it is; its title is in the story."""
        self._scene = number

    def step(self, step: SceneStep, seen: Observation) -> None:
        """Print one step."""
        self._held += step.held(seen)
        self._print(
            {
                "scene": self._scene,
                "what": step.what.to_json(),
                "expected": step.expected.word,
                "seen": seen.outcome.word,
                "detail": seen.detail.to_json(),
                "held": step.held(seen),
            }
        )

    def table(self, rows: list[list[Text]]) -> None:
        """Print nothing: whoever reads JSON can ask for the log itself."""

    def end(self, story: Sequence[Scene], seconds: float) -> None:
        """Print the sum."""
        lines = sum(len(scene.steps) for scene in story)
        self._print({"lines": lines, "held": self._held, "seconds": round(seconds, 3)})

    def _print(self, value: dict[str, object]) -> None:
        print(json.dumps({**value, "rehearsal": self._rehearsal}, ensure_ascii=False), file=self._out, flush=True)
