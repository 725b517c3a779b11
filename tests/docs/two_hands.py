"""The table of ``docs/two-hands.md`` and its Chinese page: the acts that always wait for a second officer."""

from collections.abc import Iterator

from agent.api.operations import TABLE
from tests import ROOT
from tests.docs.markdown import filled, table
from tests.sentences import en, zh


def page() -> str:
    """Return the page with its table filled in."""
    text = (ROOT / "docs" / "two-hands.md").read_text(encoding="utf-8")
    return filled(text, {"gives": table(("act", "what it does", "作用"), list(_rows()))})


def chinese_page() -> str:
    """Return the Chinese page with its table filled in."""
    text = (ROOT / "docs" / "two-hands.zh.md").read_text(encoding="utf-8")
    rows = [(act.replace("` with `", "` 带 `").replace(", ", "、"), help_zh) for act, _, help_zh in _rows()]
    return filled(text, {"gives": table(("操作", "作用"), rows)})


def _rows() -> Iterator[tuple[str, str, str]]:
    for operation in TABLE.values():
        given = [f"`--{param.name.replace('_', '-')}`" for param in operation.params if param.gives]
        if operation.gives or given:
            with_ = f" with {', '.join(given)}" if given and not operation.gives else ""
            yield f"`{operation.name.replace('.', ' ')}`{with_}", en(operation.help), zh(operation.help)
