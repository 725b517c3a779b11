"""Reader of rule packs: TOML text in, one frozen :class:`Pack` or a list of problems out.

Rules of this file: checking and loading are one walk, so a pack that passes the check is the pack that is loaded.
Nothing in a text, however broken or hostile, raises anything but :class:`PackError` out of :func:`load`.
"""

import hashlib
import re
import tomllib
from dataclasses import replace
from typing import Any

from rules.pack.catalogue import clauses_of, rules_of
from rules.pack.lint import lint
from rules.pack.loader import Walk
from rules.pack.model import Pack
from rules.pack.problem import PackError, PackProblem
from rules.pack.toml_lines import key_lines
from rules.text import Message

__all__ = ["Pack", "PackError", "PackProblem", "check", "load"]

_PLACE = re.compile(r"\(at line (\d+), column \d+\)$")
_UNREADABLE = Message("pack.text-not-toml")
_LOOK = Message("pack.check-this-line")


def load(text: str) -> Pack:
    """Read a pack from its TOML text; raise :class:`PackError` with all problems if one of them is an error."""
    pack, problems = _read(text, None)
    if pack is None:
        raise PackError(problems)
    return pack


def check(text: str | bytes, *, known_clauses: frozenset[str] | None = None) -> tuple[PackProblem, ...]:
    """Return all problems of the TOML *text* of a pack, by line; never raise, whatever the text is.

    With *known_clauses*, the ids of ``clauses.csv``, a clause that is not among them is an error.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            return (PackProblem(line, Message("pack.text-not-utf-8"), _LOOK),)
    return _read(text, known_clauses)[1]


def _read(text: str, known_clauses: frozenset[str] | None) -> tuple[Pack | None, tuple[PackProblem, ...]]:
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # RecursionError: brackets nested too deeply
        return None, (PackProblem(_line_in(error, text), _UNREADABLE, _LOOK),)
    lines = key_lines(text)
    walk = Walk(lines, known_clauses)
    pack = walk.pack(raw)
    problems = [*walk.problems, *(lint(pack, lines) if pack else ())]
    problems.sort(key=lambda problem: problem.line)
    if pack is None or any(problem.severity == "error" for problem in problems):
        return None, tuple(problems)
    pack = replace(pack, digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    rules = rules_of(pack)
    return replace(pack, rules=rules, clauses=clauses_of(rules)), tuple(problems)


def _line_in(error: Exception, text: str) -> int:
    if match := _PLACE.search(str(error)):
        return int(match[1])
    return text.count("\n") + 1 if "end of document" in str(error) else 1
