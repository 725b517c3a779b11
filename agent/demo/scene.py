"""A scene is data: what is tried, what must come of it, and the function that tries it.

Rules of this file: a line of the story holds only if the outcome that was seen is the one that was expected, compared
by a word made for that; the sentences are for people. A step that goes wrong is a line that did not hold.
"""

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from agent.demo.site import DemoSite
from agent.errors import ShoumiError
from rules.text import Text
from rules.visible import visible

NOTHING = Text("", "")


class SceneOutcome(NamedTuple):
    """What came of something, or must: ``word`` is compared, ``text`` is read."""

    word: str
    text: Text


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen. ``detail``: numbers and places. ``moot``: this machine does not offer what was to be tried."""

    outcome: SceneOutcome
    detail: Text = NOTHING
    moot: bool = False


@dataclass(frozen=True, slots=True)
class SceneStep:
    """One line of the story."""

    what: Text
    expected: SceneOutcome
    do: Callable[[DemoSite], Observation]

    def held(self, seen: Observation) -> bool:
        """Whether what was seen is what was expected."""
        return seen.moot or seen.outcome.word == self.expected.word


@dataclass(frozen=True, slots=True)
class Scene:
    """A few steps under one title, and before them, where there is one, a table: its heading, then its rows."""

    title: Text
    steps: tuple[SceneStep, ...]
    table: Callable[[DemoSite], list[list[Text]]] | None = None


class Narrator(Protocol):
    """Whoever tells the audience."""

    def scene(self, number: int, title: Text) -> None: ...  # noqa: D102
    def step(self, step: SceneStep, seen: Observation) -> None: ...  # noqa: D102
    def table(self, rows: list[list[Text]]) -> None: ...  # noqa: D102


ALLOWED = SceneOutcome("allow", Text("let in", "放行"))


def denied(rule: str) -> SceneOutcome:
    """Return the outcome of a denial by *rule*, with its entry in the log."""
    return SceneOutcome(f"deny {rule}", Text(f"refused: rule `{rule}`", f"拒绝：规则 `{rule}`"))


def perform(story: Iterable[Scene], site: DemoSite, narrator: Narrator) -> int:
    """Play *story* on *site* and return how many lines did not hold."""
    failures = 0
    for number, scene in enumerate(story, 1):
        narrator.scene(number, scene.title)
        if scene.table:
            narrator.table(scene.table(site))
        for step in scene.steps:
            seen = _tried(step, site)
            failures += not step.held(seen)
            narrator.step(step, seen)
    return failures


def _tried(step: SceneStep, site: DemoSite) -> Observation:
    try:
        return step.do(site)
    except ShoumiError as error:
        return Observation(SceneOutcome("error", error.text))
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        said = visible(f"{type(error).__name__}: {error}")
        return Observation(SceneOutcome("error", Text(said, said)))
