"""What is mutated, by which tests it should be noticed, and which questions say whether a mutant lets more through.

Rules of this file: whatever turns facts into allow or deny stands here: a verdict, several verdicts of one open, a
role, a hand, a claim of HR, a process to be ended. Tests are those that run the code in their own process.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests import ROOT


class Group(NamedTuple):
    """Files or folders that are mutated, tests, and a module of :mod:`tests.mutants.questions`."""

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    questions: tuple[str, ...]

    def files(self) -> Iterator[Path]:
        """Yield the files that are mutated, relative to the checkout."""
        for source in self.sources:
            top = ROOT / source
            for file in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
                yield file.relative_to(ROOT)


GROUPS = (
    Group("rules", ("rules",), ("tests/rules",), ("verdicts", "hands", "departures", "packs")),
    Group(
        "guard",
        ("agent/guard/verdicts.py", "agent/guard/judge.py", "agent/guard/openers.py", "agent/guard/refusals.py"),
        ("tests/guard/test_verdicts.py", "tests/guard/test_judge.py", "tests/guard/test_openers.py",
         "tests/guard/test_own_attempts.py", "tests/guard/test_small_parts.py"),
        ("opens",),
    ),
    Group(
        "rails",
        ("agent/offboard/guardrails.py",),
        tuple(f"tests/offboard/steps/test_{name}.py" for name in ("reach", "rails", "lenders", "threads")),
        ("processes",),
    ),
    Group(
        "claims",
        ("agent/offboard/intake/claims.py", "agent/offboard/intake/subject.py", "agent/offboard/intake/token.py",
         "agent/offboard/intake/notice.py"),
        tuple(
            f"tests/offboard/intake/test_{name}.py"
            for name in ("token_vectors", "edges", "members", "token_keys", "subjects", "token_fuzz")
        ),
        ("notices",),
    ),
    Group("roles", ("agent/api/roles.py",), ("tests/api/test_roles.py",), ("callers",)),
    Group(
        "two hands",
        ("agent/control/two_hands.py", "agent/control/gains.py", "agent/control/eligibility.py"),
        ("tests/control/test_two_hands.py", "tests/control/test_two_hands_parts.py",
         "tests/control/test_two_hands_tricks.py", "tests/control/test_trial.py",
         "tests/control/handlers/test_requests.py", "tests/control/handlers/test_break_glass.py"),
        (),
    ),
)  # fmt: skip


def group(name: str) -> Group:
    """Return a group by its name."""
    return next(one for one in GROUPS if one.name == name)
