"""Problems of a rule pack: line, sentence and hint.

    Exception
    └── PackError        a pack cannot be used; carries every problem found, not only the first

Rules of this file: a problem names a line of the pack, the error in one sentence and the remedy in another. An
``error`` keeps the pack from being loaded; a ``warning`` does not.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from rules.text import Message, Sentence, series

Path = tuple[str, ...]
"""A path in a pack: the keys from the top, ``("records", "training", "valid_days")``."""


@dataclass(frozen=True, slots=True)
class PackProblem:
    """One problem in a pack. ``line`` counts from 1."""

    line: int
    text: Sentence
    hint: Sentence
    severity: Literal["error", "warning"] = "error"


class LintFinding(NamedTuple):
    """A problem with its key but without its line."""

    path: Path
    text: Sentence
    hint: Sentence
    severity: Literal["error", "warning"] = "error"


class PackError(Exception):
    """The pack cannot be used. ``problems`` holds all problems by line, warnings included."""

    def __init__(self, problems: tuple[PackProblem, ...]) -> None:
        super().__init__("; ".join(f"line {problem.line}: {problem.text}" for problem in problems))
        self.problems = problems

    @property
    def text(self) -> Sentence:
        """Return all problems in one sentence, each with its line."""
        return series(Message("registry.at-line", line=problem.line, text=problem.text) for problem in self.problems)


class WrongValueError(Exception):
    """Raised by a reader for one setting; it never leaves this package. ``at``: the keys below the setting."""

    def __init__(self, text: Sentence, hint: Sentence, at: Path = ()) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.at = at
