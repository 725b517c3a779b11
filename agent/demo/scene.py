"""Scenes as data: the attempt, the expected outcome, and the function that makes the attempt.

Rules of this file: a line of the story holds only if the observed outcome is the expected one, compared by a code; the
sentences are for people. A step that raises is a line that did not hold.
"""

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from agent.demo.site import DemoSite
from agent.errors import ShoumiError
from rules.text import NOTHING, Message, Sentence, foreign


class SceneOutcome(NamedTuple):
    """An outcome, observed or expected: ``code`` is compared, ``text`` is read."""

    code: str
    text: Sentence


@dataclass(frozen=True, slots=True)
class Observation:
    """An observation. ``detail``: numbers and places. ``moot``: this host does not support the attempt."""

    outcome: SceneOutcome
    detail: Sentence = NOTHING
    moot: bool = False


@dataclass(frozen=True, slots=True)
class SceneStep:
    """One line of the story."""

    title: Sentence
    expected: SceneOutcome
    do: Callable[[DemoSite], Observation]

    def held(self, observation: Observation) -> bool:
        """Whether the observation is as expected."""
        return observation.moot or observation.outcome.code == self.expected.code


@dataclass(frozen=True, slots=True)
class Scene:
    """A few steps under one title, and before them, where there is one, a table: its heading, then its rows."""

    title: Sentence
    steps: tuple[SceneStep, ...]
    table: Callable[[DemoSite], list[list[Sentence]]] | None = None


class Narrator(Protocol):
    """Output for the audience."""

    def scene(self, number: int, title: Sentence) -> None: ...  # noqa: D102
    def step(self, step: SceneStep, observation: Observation) -> None: ...  # noqa: D102
    def table(self, rows: list[list[Sentence]]) -> None: ...  # noqa: D102


ALLOWED = SceneOutcome("allow", Message("demo.allowed"))


def denied(rule: str) -> SceneOutcome:
    """Return the outcome of a denial by *rule*, with its entry in the log."""
    return SceneOutcome(f"deny {rule}", Message("demo.denied-by-rule", rule=rule))


def perform(story: Iterable[Scene], site: DemoSite, narrator: Narrator) -> int:
    """Play *story* on *site* and return how many lines did not hold."""
    failures = 0
    for number, scene in enumerate(story, 1):
        narrator.scene(number, scene.title)
        if scene.table:
            narrator.table(scene.table(site))
        for step in scene.steps:
            observation = _tried(step, site)
            failures += not step.held(observation)
            narrator.step(step, observation)
    return failures


def _tried(step: SceneStep, site: DemoSite) -> Observation:
    try:
        return step.do(site)
    except ShoumiError as error:
        return Observation(SceneOutcome("error", error.text))
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        return Observation(SceneOutcome("error", foreign(f"{type(error).__name__}: {error}")))
