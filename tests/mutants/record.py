"""What came of each mutant: lines of a file that a stopped run goes on from, and the page of those that survived.

Rules of this file: what was killed stays killed while its file and the change are the same; what survived is tried
anew each time, because a test may have been written since. The page names a mutant by its text, not by line numbers,
and keeps the reason that somebody wrote.
"""

import ast
import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests import ROOT
from tests.mutants.compiled import mutants
from tests.mutants.trial import KILLED, LOOSENED, SURVIVED, UNASKED, Place

RESULTS = ROOT / "build" / "mutants.jsonl"
PAGE = Path(__file__).parent / "survivors.toml"
_HEAD = """\
# Mutants that no test notices, made by `make mutants`; the reasons are written by hand and are kept.
#   survived   no answer to any question (tests/mutants/questions) lets more through
#   unasked    the same, and no question runs the line
# Of those that let more through there must be none: `make mutants` fails.
"""


class Result(NamedTuple):
    """One mutant and what came of it. ``by`` is the test or the question that said so."""

    file: str
    number: int
    source: str
    outcome: str
    by: str


@dataclass(frozen=True, order=True)
class Survivor:
    """A mutant by its text: the function, the line as it stands, what became of it."""

    file: str
    function: str
    line: str
    what: str
    outcome: str
    reason: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same one in a later version."""
        return self.file, self.function, self.line, self.what


def digest(file: str) -> str:
    """Return what says that a file is the same as it was."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]


def read() -> dict[Place, Result]:
    """Return the last result of each mutant whose file is what it was."""
    found: dict[Place, Result] = {}
    if RESULTS.exists():
        for line in RESULTS.read_text(encoding="utf-8").splitlines():
            one = Result(*json.loads(line))
            found[Place(one.file, one.number)] = one
    now = {file: digest(file) for file in {one.file for one in found.values()} if (ROOT / file).exists()}
    return {place: one for place, one in found.items() if now.get(one.file) == one.source}


def add(place: Place, outcome: str, by: str) -> None:
    """Write one result down."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(Result(*place, digest(place.file), outcome, by)) + "\n")


def settled(known: dict[Place, Result], place: Place) -> bool:
    """Whether *place* need not be tried again."""
    return place in known and known[place].outcome == KILLED


def survivors(results: Iterable[Result]) -> Iterator[Survivor]:
    """Yield those that were not killed, by their text."""
    by_file: dict[str, dict[int, Result]] = {}
    for one in results:
        if one.outcome != KILLED:
            by_file.setdefault(one.file, {})[one.number] = one
    for file, found in by_file.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        lines, functions = text.splitlines(), _functions(ast.parse(text))
        for number, mutant in enumerate(mutants(text, str(ROOT / file))):
            if number in found:
                where = functions.get(mutant.line, "")
                said = lines[mutant.line - 1].strip()
                yield Survivor(file, where, said, mutant.what, found[number].outcome)


def _functions(tree: ast.AST, name: str = "") -> dict[int, str]:
    found: dict[int, str] = {}
    for node in ast.iter_child_nodes(tree):
        inner = name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}.{node.name}".lstrip(".")
            found |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), inner)
        found |= _functions(node, inner)
    return found


def page() -> list[Survivor]:
    """Return what the page says."""
    if not PAGE.exists():
        return []
    return [Survivor(**one) for one in tomllib.loads(PAGE.read_text(encoding="utf-8")).get("survivor", ())]


def write(found: Iterable[Survivor], files: Iterable[str]) -> None:
    """Renew the page for *files*; what others have on it stays."""
    reasons = {one.key: one.reason for one in page()}
    renewed = set(files)
    kept = [one for one in page() if one.file not in renewed and (ROOT / one.file).exists()]
    fresh = {Survivor(*one.key, one.outcome, reasons.get(one.key, "")) for one in found if one.outcome != LOOSENED}
    tables = [
        "\n[[survivor]]\n"
        + "".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in vars(one).items()
            if value or name != "reason"
        )
        for one in sorted({*kept, *fresh})
    ]
    PAGE.write_text(_HEAD + "".join(tables), encoding="utf-8")


__all__ = [
    "KILLED",
    "LOOSENED",
    "SURVIVED",
    "UNASKED",
    "Place",
    "Result",
    "add",
    "digest",
    "page",
    "read",
    "settled",
    "survivors",
    "write",
]
