"""Sentences survive the way through JSON, and anything else is taken as the words of somebody else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import (
    Message,
    Sentence,
    Text,
    as_message,
    dotted,
    either,
    foreign,
    from_json,
    labelled,
    series,
    spaced,
)
from tests.sentences import en

_TEXTS = st.builds(Text, st.text(), st.text())
_VALUES = st.text() | st.integers() | st.floats(allow_nan=False)
_SENTENCES = st.recursive(
    _TEXTS | st.builds(lambda code: Message(code), st.text()),
    lambda inner: st.builds(
        lambda code, first, more, count: Message(code, first=first, more=more, count=count),
        st.text(),
        inner | _VALUES,
        st.lists(inner | _VALUES).map(tuple),
        st.integers(),
    ),
)


@given(_SENTENCES)
def test_a_sentence_comes_back_from_json_as_it_was(sentence: Sentence) -> None:
    assert from_json(json.loads(json.dumps(sentence.to_json()))) == sentence


@pytest.mark.parametrize("value", [{}, {"en": "a"}, {"code": "a"}, {"code": "a", "parameters": 1}, ["a"], 5, None, "a"])
def test_anything_else_is_foreign_and_the_same_in_both_languages(value: object) -> None:
    assert from_json(value) == foreign(str(value))


def test_a_message_holds_text_numbers_and_sentences_and_writes_the_rest_down() -> None:
    message = Message("a.b", none=None, flag=True, many=["a", 1, Message("a.c")])
    assert message.parameters == {"none": "–", "flag": "True", "many": ("a", 1, Message("a.c"))}
    assert repr(message) == "Message('a.b', none='–', flag='True', many=('a', 1, Message('a.c')))"


def test_two_messages_are_the_same_when_code_and_parameters_are() -> None:
    assert Message("a.b", x=1) == Message("a.b", x=1)
    assert Message("a.b", x=1) != Message("a.b", x=2)
    assert Message("a.b") != Message("a.c")
    assert Message("a.b") != "a.b"
    assert len({Message("a.b", x=1), Message("a.b", x=1), Message("a.b", x=2)}) == 2
    assert Message("a.b", x=1).about(y=2) == Message("a.b", x=1, y=2)


def test_sentences_are_joined_by_messages_and_none_is_nothing() -> None:
    one, two = Message("a.one"), Message("a.two")
    assert series([]) == Text("", "")
    assert series([one]) == one
    assert either([one, two]) == Message("common.either", text=one, more=two)
    assert dotted([one, two]) == Message("common.dotted", text=one, more=two)
    assert spaced([one, two]) == Message("common.beside", text=one, more=two)
    assert labelled(one, "x") == Message("common.labelled", label=one, text="x")


def test_many_sentences_are_joined_in_their_order_and_are_not_nested_as_deep_as_they_are_many() -> None:
    joined = series(foreign(str(number)) for number in range(1001))
    assert en(joined) == "; ".join(map(str, range(1001)))


def test_a_wire_that_knows_messages_only_carries_a_text_as_one() -> None:
    assert as_message(Message("a.b")) == Message("a.b")
    assert as_message(Text("a", "b")) == Message("common.given", text=Text("a", "b"))
