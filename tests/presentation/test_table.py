"""Columns line up, Chinese included, and no cell can do anything but be read."""

from hypothesis import given
from hypothesis import strategies as st

from agent.presentation.table import GAP, lines, pad, width

cells = st.text(alphabet=st.sampled_from("aZ9 张三绝密，（）ｱé\u0301─\x1b\n\u202e\u200b[/]"), min_size=1, max_size=12)


def test_a_han_character_is_two_cells_wide_and_a_combining_one_none() -> None:
    assert width("张三") == 4
    assert width("e\u0301") == 1
    assert width("，") == 2
    assert pad("张", 4) == "张  "


def test_rows_with_chinese_line_up() -> None:
    table = lines(["编号", "name"], [["E1", "张三"], ["E1001", "Li Si"], ["", None]])
    assert table == ["编号   name", "E1     张三", "E1001  Li Si", "-      -"]


@given(st.lists(st.tuples(cells, cells, cells), max_size=6))
def test_every_column_begins_at_the_same_cell_in_every_row(rows: list[tuple[str, str, str]]) -> None:
    marked = [("│" + a, "│" + b, "│" + c) for a, b, c in rows]
    places = {tuple(offsets(line)) for line in lines(["│人员", "│b", "│c"], marked)}
    assert len(places) == 1


@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_a_row_is_one_line_without_control_characters(rows: list[tuple[str, str]]) -> None:
    for line in lines(["a", "b"], rows):
        assert line.isprintable()
    assert len(lines(["a", "b"], rows)) == len(rows) + 1


def test_columns_have_a_gap() -> None:
    assert lines(["a", "b"], [["1", "2"]])[1] == f"1{GAP}2"


def offsets(line: str) -> list[int]:
    return [width(line[:at]) for at, char in enumerate(line) if char == "│"]
