"""Does a well-formed pack make sense? Everything that is asked of its meaning, in one list.

Rules of this file: what follows from the grammar is checked by :mod:`rules.pack.schema`; here a pack is whole.
"""

from collections.abc import Mapping

from rules.pack import lint_departure, lint_reachability, lint_references
from rules.pack.model import Pack
from rules.pack.problem import LintFinding, PackProblem, Path
from rules.pack.toml_lines import line_of
from rules.text import Text

_LOOKS = (
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


def doubts(pack: Pack, lines: Mapping[Path, int]) -> list[PackProblem]:
    """Return what makes no sense in *pack*, with the lines found by :func:`rules.pack.toml_lines.key_lines`."""
    found = [doubt for look in _LOOKS for doubt in look(pack)]
    if pack.hours and ("utc_offset",) not in lines:
        text = Text(
            "opening hours without `utc_offset`: on whose clock?", "有开放时间而无 `utc_offset`：以哪个时区为准？"
        )
        hint = Text('add `utc_offset = "+08:00"` at the top', '在开头加上 `utc_offset = "+08:00"`')
        found.append(LintFinding(("hours",), text, hint))
    return [PackProblem(line_of(lines, doubt.path), doubt.text, doubt.hint, doubt.severity) for doubt in found]
