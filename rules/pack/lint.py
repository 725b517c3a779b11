"""Does a well-formed pack make sense? Everything that is asked of its meaning, in one list.

Rules of this file: what follows from the grammar is checked by :mod:`rules.pack.schema`; here a pack is whole.
"""

from collections.abc import Mapping

from rules.pack import lint_departure as pack_departure
from rules.pack import lint_reachability as pack_reach
from rules.pack import lint_references as pack_links
from rules.pack.model import Pack
from rules.pack.problem import Doubt, Path, Problem
from rules.pack.toml_lines import line_of
from rules.text import Text

_LOOKS = (
    pack_links.names,
    pack_links.domains,
    pack_links.labels,
    pack_links.steps,
    pack_links.duties,
    pack_reach.levels,
    pack_reach.temporary,
    pack_reach.temporary_unused,
    pack_reach.visits,
    pack_reach.hours,
    pack_reach.idle,
    pack_departure.chain,
    pack_departure.notice,
)


def doubts(pack: Pack, lines: Mapping[Path, int]) -> list[Problem]:
    """Return what makes no sense in *pack*, with the lines found by :func:`rules.pack.toml_lines.key_lines`."""
    found = [doubt for look in _LOOKS for doubt in look(pack)]
    if pack.hours and ("utc_offset",) not in lines:
        text = Text(
            "opening hours without `utc_offset`: on whose clock?", "有开放时间而无 `utc_offset`：以哪个时区为准？"
        )
        hint = Text('add `utc_offset = "+08:00"` at the top', '在开头加上 `utc_offset = "+08:00"`')
        found.append(Doubt(("hours",), text, hint))
    return [Problem(line_of(lines, doubt.path), doubt.text, doubt.hint, doubt.severity) for doubt in found]
