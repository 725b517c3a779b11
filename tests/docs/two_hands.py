"""The table of ``docs/two-hands.md`` that is made from the operations: acts that give whatever they would give."""

from collections.abc import Iterator

from agent.api.operations import TABLE
from tests import ROOT
from tests.docs.markdown import filled, table


def page() -> str:
    """Return the page with its table filled in."""
    text = (ROOT / "docs" / "two-hands.md").read_text(encoding="utf-8")
    return filled(text, {"gives": table(("act", "what it does", "作用"), list(_rows()))})


def _rows() -> Iterator[tuple[str, str, str]]:
    for operation in TABLE.values():
        given = [f"`--{param.name.replace('_', '-')}`" for param in operation.params if param.gives]
        if operation.gives or given:
            with_ = f" with {', '.join(given)}" if given and not operation.gives else ""
            yield f"`{operation.name.replace('.', ' ')}`{with_}", operation.help.en, operation.help.zh
