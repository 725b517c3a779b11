"""Mutations are programs that mean something else, each by one change, and the source comes back as it was."""

import ast

import pytest

from tests import ROOT
from tests.mutants.mutations import count, mutations

SOURCE = '''
def allowed(level: int, wanted: int, *, held: bool = False) -> bool:
    """Never changed: a text."""
    if held or not level:
        return False
    return all((level >= wanted, wanted > 0)) and level - wanted < 3
'''


def test_each_mutation_is_another_program_and_differs_from_all_others() -> None:
    found = [one.source for one in mutations(SOURCE)]
    assert len(found) == len({ast.dump(ast.parse(one)) for one in found}) == count(SOURCE) > 15
    assert ast.unparse(ast.parse(SOURCE)) not in found
    assert all('"""Never changed: a text."""' in one for one in found)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (2, "False becomes True"), (4, "Or becomes And"), (4, "Not is gone"), (4, "the condition is never true"),
        (5, "returns None"), (6, "GtE becomes Gt"), (6, "all becomes any"), (6, "Sub becomes Add"), (6, "3 becomes 4"),
    ],
)  # fmt: skip
def test_what_is_changed(line: int, what: str) -> None:
    assert (line, what) in {(one.line, one.what) for one in mutations(SOURCE)}


def test_a_real_file_has_mutations_that_compile() -> None:
    source = (ROOT / "rules" / "decide.py").read_text(encoding="utf-8")
    for one in mutations(source):
        compile(one.source, "decide.py", "exec")
