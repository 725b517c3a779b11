"""Lint of a well-formed pack: all checks of its meaning.

Rules of this file: the grammar is checked by :mod:`rules.pack.schema`; here the pack is complete.
"""

from collections.abc import Mapping

from rules.pack import lint_departure, lint_reachability, lint_references
from rules.pack.model import Pack
from rules.pack.problem import LintFinding, PackProblem, Path
from rules.pack.toml_lines import line_of
from rules.text import Message

_CHECKS = (
    lint_references.names,
    lint_references.domains,
    lint_references.labels,
    lint_references.steps,
    lint_references.duties,
    lint_reachability.levels,
    lint_reachability.temporary,
    lint_reachability.temporary_unused,
    lint_reachability.visits,
    lint_reachability.hours,
    lint_reachability.idle,
    lint_departure.chain,
    lint_departure.notice,
    lint_departure.measures,
)


def lint(pack: Pack, lines: Mapping[Path, int]) -> list[PackProblem]:
    """Return the problems in the meaning of *pack*, with the lines found by :func:`rules.pack.toml_lines.key_lines`."""
    findings = [finding for check in _CHECKS for finding in check(pack)]
    if pack.hours and ("utc_offset",) not in lines:
        text = Message("pack.utc-offset-missing")
        hint = Message("pack.add-utc-offset")
        findings.append(LintFinding(("hours",), text, hint))
    return [
        PackProblem(line_of(lines, finding.path), finding.text, finding.hint, finding.severity) for finding in findings
    ]
