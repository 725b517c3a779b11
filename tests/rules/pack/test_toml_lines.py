"""Keys are found on their lines, whatever else the text holds."""

import tomllib

import pytest

from rules.pack.toml_lines import key_lines, line_of

TEXT = '''\
# [comment]  x = 1
a = 1  # b = 2
text = """
[not.a.table]
no = "key"
""\\"
"""
raw = \'\'\'
also = "not"
\'\'\'
list = [  # a comment in an array: ]
  "x = 1", { y = 2 },
]
[t . "quoted.key" ]
inner.'dotted' = { z = 1 }
[[many]]
n = 1
[[many]]
n = 2
'''


def test_headers_and_assignments_are_found_and_nothing_else() -> None:
    tomllib.loads(TEXT)
    assert key_lines(TEXT) == {
        ("a",): 2,
        ("text",): 3,
        ("raw",): 8,
        ("list",): 11,
        ("t",): 14,
        ("t", "quoted.key"): 14,
        ("t", "quoted.key", "inner"): 15,
        ("t", "quoted.key", "inner", "dotted"): 15,
        ("many",): 16,
        ("many", "n"): 17,
    }


def test_a_key_without_a_line_of_its_own_is_where_the_nearest_above_it_is() -> None:
    lines = key_lines(TEXT)
    assert line_of(lines, ("t", "quoted.key", "inner", "dotted", "z")) == 15
    assert line_of(lines, ("nowhere",)) == 1


def test_a_table_that_is_only_implied_gives_way_to_its_own_header() -> None:
    assert key_lines("[a.b]\nx = 1\n[a]\n") == {("a",): 3, ("a", "b"): 1, ("a", "b", "x"): 2}


@pytest.mark.parametrize("text", ['a = "unclosed', "a = '", 'x = 1\n"'])
def test_text_that_is_not_toml_gives_what_was_found_before(text: str) -> None:
    assert line_of(key_lines(text), ("a",)) == 1
