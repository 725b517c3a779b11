"""The words of the model, and foreign text made visible (contract C9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import Level
from rules.text import Text
from rules.visible import visible
from tests.rules.strategies import LAW
from tests.sentences import en, zh


def test_levels_are_ordered_and_read_in_both_languages() -> None:
    assert max(Level) is Level.TOP_SECRET
    for level in Level:
        assert Level.parse(level.word) is Level.parse(zh(level.text)) is level


@pytest.mark.parametrize("word", ["", "TOP-SECRET", "top_secret", "4", "秘"])
def test_a_word_that_is_no_level_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=f"^{word}$"):
        Level.parse(word)


def test_a_text_says_itself_in_either_language() -> None:
    assert en(Text("yes", "是")) == "yes"
    assert zh(Text("yes", "是")) == "是"


@pytest.mark.parametrize(
    ("foreign", "seen"),
    [
        ("plans.txt", "plans.txt"),
        ("计划.txt", "计划.txt"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\U000e0041b", "a\\U000e0041b"),
        (b"\xff\xe8\xae\xa1", "\\xff计"),
        ("line\nline", "line\\x0aline"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_written_out(foreign: str | bytes, seen: str) -> None:
    assert visible(foreign) == seen


@LAW
@given(st.text() | st.binary())
def test_what_is_visible_can_be_printed_and_stays_as_it_is(foreign: str | bytes) -> None:
    seen = visible(foreign)
    assert visible(seen) == seen
    assert not [char for char in seen if ord(char) < 32 or 0x7F <= ord(char) < 0xA0]
    seen.encode("utf-8")
