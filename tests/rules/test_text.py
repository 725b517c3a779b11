"""A text survives the way through JSON, and nothing else becomes one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import Text


@given(st.text(), st.text())
def test_a_text_comes_back_from_json_as_it_was(en: str, zh: str) -> None:
    text = Text(en, zh)
    assert Text.from_json(json.loads(json.dumps(text.to_json()))) == text


@pytest.mark.parametrize("value", [{}, {"en": "a"}, {"en": "a", "zh": "b", "fr": "c"}])
def test_other_members_are_no_text(value: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        Text.from_json(value)
