"""What can be wrong with a rule pack, told so that the reader can mend it.

    Exception
    └── PackError        a pack cannot be used; carries every problem found, not only the first

Rules of this file: a problem names a line of the pack's text, says what is wrong in one sentence and what to do next in
another. An ``error`` keeps the pack from being loaded; a ``warning`` does not.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from rules.text import Text

Path = tuple[str, ...]
"""Where in a pack: the keys from the top, ``("records", "training", "valid_days")``."""


@dataclass(frozen=True, slots=True)
class PackProblem:
    """One thing wrong in a pack. ``line`` counts from 1."""

    line: int
    text: Text
    hint: Text
    severity: Literal["error", "warning"] = "error"


class LintFinding(NamedTuple):
    """A problem that knows its key but not yet its line."""

    path: Path
    text: Text
    hint: Text
    severity: Literal["error", "warning"] = "error"


class PackError(Exception):
    """The pack cannot be used. ``problems`` holds all that was found, by line, warnings included."""

    def __init__(self, problems: tuple[PackProblem, ...]) -> None:
        super().__init__("; ".join(f"line {problem.line}: {problem.text.en}" for problem in problems))
        self.problems = problems


class WrongValueError(Exception):
    """How a reader of one value objects; it never leaves this package. ``at``: the keys below the value's own."""

    def __init__(self, text: Text, hint: Text, at: Path = ()) -> None:
        super().__init__(text.en)
        self.text = text
        self.hint = hint
        self.at = at
