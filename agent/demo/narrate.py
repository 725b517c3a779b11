"""Narrators of the demo: one line per step in aligned columns, in one language, or JSON.

Rules of this file: it only prints. Words say whether a line held; colour is added on a terminal that supports it. In a
rehearsal every line begins with a mark. Column widths are known before the first line, because the story is data; only
the last column, the observation, varies.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol, TextIO

from agent.demo.scene import Narrator, Observation, Scene, SceneStep
from agent.language.catalogue import localized, spoken
from agent.presentation.table import lines, pad, width
from rules.text import Language, Message, Sentence

_GAP = "  "
_HELD = Message("demo.held")
_FAILED = Message("demo.failed")
_MOOT = Message("demo.not-here")
_REHEARSED = Message("demo.rehearsal")
_HEADING = (Message("demo.result"), Message("demo.tried"), Message("demo.expected"), Message("demo.seen"))
_GREEN, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


class Audience(Narrator, Protocol):
    """A narrator that can also print a sentence outside the story, and a summary."""

    def line(self, text: Sentence) -> None: ...  # noqa: D102
    def end(self, story: Sequence[Scene], seconds: float) -> None: ...  # noqa: D102


def coloured(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether colour is wanted: on a terminal, and never against NO_COLOR."""
    return out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Printer:
    """Prints *story* for people."""

    def __init__(
        self, out: TextIO, language: Language, story: Sequence[Scene], *, colour: bool = False, rehearsal: bool = False
    ) -> None:
        self._out = out
        self._language: Language = language
        self._colour = colour
        self._mark = localized(_REHEARSED, language) if rehearsal else ""
        steps = [step for scene in story for step in scene.steps]
        columns = (
            (_HELD, _FAILED, _MOOT, _HEADING[0]),
            (*(step.title for step in steps), _HEADING[1]),
            (*(step.expected.text for step in steps), _HEADING[2]),
        )
        self._widths = [max(width(self._say(text)) for text in column) for column in columns]
        self._failed: list[Sentence] = []
        self._moot = 0

    def line(self, text: Sentence) -> None:
        """Print one sentence."""
        self._print(self._say(text))

    def scene(self, number: int, title: Sentence) -> None:
        """Print the title of a scene, and the column headings before the first one."""
        if number == 1:
            self._print("")
            self._row([self._say(text) for text in _HEADING])
        self._print("")
        self._print(self._styled(f"{number}. {self._say(title)}", _BOLD))

    def step(self, step: SceneStep, observation: Observation) -> None:
        """Print the attempt, the expectation, the observation, and whether they agree."""
        sign, style = (_HELD, _GREEN) if step.held(observation) else (_FAILED, _RED)
        if observation.moot:
            sign, style = _MOOT, ""
            self._moot += 1
        if not step.held(observation):
            self._failed.append(step.title)
        text = self._say(observation.outcome.text)
        if detail := self._say(observation.detail):
            text += self._say(Message("demo.detail", detail=detail))
        self._row([self._say(sign), self._say(step.title), self._say(step.expected.text), text], style)

    def table(self, rows: list[list[Sentence]]) -> None:
        """Print a table; its first row is the heading."""
        heading, *body = [[self._say(cell) for cell in row] for row in rows]
        for line in lines(heading, body):
            self._print(f"{_GAP}{line}")

    def end(self, story: Sequence[Scene], seconds: float) -> None:
        """Print how many lines held, and the failed ones."""
        count = sum(len(scene.steps) for scene in story)
        held = count - len(self._failed) - self._moot
        self._print("")
        self.line(Message("demo.summary", held=held, count=count, seconds=seconds))
        if self._moot:
            self.line(Message("demo.steps-not-possible", count=self._moot))
        for title in self._failed:
            self.line(Message("demo.step-failed", title=title))

    def _row(self, cells: list[str], style: str = "") -> None:
        first, *following = (pad(cell, cells) for cell, cells in zip(cells, [*self._widths, 0], strict=True))
        self._print(_GAP.join([_GAP + self._styled(first, style), *following]))

    def _say(self, text: Sentence) -> str:
        return localized(text, self._language)

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if style and self._colour else text

    def _print(self, line: str) -> None:
        print(f"{self._mark}{line}".rstrip(), file=self._out, flush=True)


class JsonLines:
    """Prints the story for programs: one object per step, in both languages; other sentences go to stderr."""

    def __init__(self, out: TextIO, *, rehearsal: bool) -> None:
        self._out = out
        self._rehearsal = rehearsal
        self._scene = 0
        self._held = 0

    def line(self, text: Sentence) -> None:
        """Print a sentence that is not data."""
        print(localized(text, "en"), file=sys.stderr, flush=True)

    def scene(self, number: int, title: Sentence) -> None:
        """Store the number of the scene; its title is in the story."""
        self._scene = number

    def step(self, step: SceneStep, observation: Observation) -> None:
        """Print one step."""
        self._held += step.held(observation)
        self._print(
            {
                "scene": self._scene,
                "what": spoken(step.title),
                "expected": step.expected.code,
                "seen": observation.outcome.code,
                "detail": spoken(observation.detail),
                "held": step.held(observation),
            }
        )

    def table(self, rows: list[list[Sentence]]) -> None:
        """Print nothing: readers of JSON can query the log itself."""

    def end(self, story: Sequence[Scene], seconds: float) -> None:
        """Print the summary."""
        lines = sum(len(scene.steps) for scene in story)
        self._print({"lines": lines, "held": self._held, "seconds": round(seconds, 3)})

    def _print(self, record: dict[str, object]) -> None:
        print(json.dumps({**record, "rehearsal": self._rehearsal}, ensure_ascii=False), file=self._out, flush=True)
