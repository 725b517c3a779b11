"""Whatever comes in, one line of valid JSON comes out, and what is small comes back equal."""

import doctest
import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.log import entry
from agent.log.segments import MAX_RECORD, head
from rules.text import Text
from rules.visible import visible
from tests.examples import examples

TIME = "2026-03-01T08:00:00.000000Z"
hostile = st.one_of(
    st.text(), st.text(st.sampled_from('"\\\n\r\t\0\x1b\u202e\u2028\ud800计划a{}')), st.binary(), st.just("﷽" * 9_000)
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), hostile)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=9),
        st.tuples(inner, inner),
        st.dictionaries(st.text(), inner, max_size=9),
        st.builds(Text, st.text(), st.text()),
    ),
)
names = st.text().filter(lambda name: name not in {"seq", "time", "cut"})
fields = st.dictionaries(names, values)


def assert_one_clean_line(line: bytes) -> dict[str, object]:
    text = line.decode()
    assert len(line) <= MAX_RECORD
    assert text == visible(text)
    assert head(line) == (7, TIME)
    parsed = json.loads(line, parse_constant=pytest.fail)
    assert list(parsed)[:2] == ["seq", "time"]
    return parsed


@given(hostile)
def test_any_string_becomes_a_json_literal_of_what_is_visible_of_it(value):
    literal = entry.json_string(value)
    assert json.loads(literal) == visible(value)
    assert visible(literal) == literal


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_the_bytes_of_a_path_can_always_be_had_back(raw):
    members = json.loads(f"{{{entry.json_path(raw)}}}")
    assert members["path"] == visible(raw)
    assert bytes.fromhex(members["path_hex"]) == raw if "path_hex" in members else members["path"].encode() == raw


@examples(60)
@given(fields)
def test_any_fields_become_one_clean_line(given_fields):
    assert_one_clean_line(entry.render(7, TIME, given_fields))


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.sampled_from("abc密级"), inner)),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["kind", "args", "密级"]), st.one_of(plain, st.sampled_from(["张三", "a\\b"]))))
def test_what_is_clean_and_small_comes_back_equal(given_fields):
    parsed = json.loads(entry.render(7, TIME, given_fields))
    assert parsed == {"seq": 7, "time": TIME, **given_fields}


@pytest.mark.parametrize(
    "long",
    ["x" * 70_000, "计" * 30_000, "\u202e" * 20_000, ["y" * 100] * 1000, {str(n): "z" * 50 for n in range(2000)}],
    ids=["ascii", "chinese", "hidden", "list", "mapping"],
)
def test_an_overlong_field_is_cut_so_that_one_sees_it_and_the_others_stay(long):
    parsed = assert_one_clean_line(entry.render(7, TIME, {"kind": "act", "args": long, "outcome": "refused"}))
    assert (parsed["kind"], parsed["outcome"], parsed["cut"]) == ("act", "refused", True)
    assert "…" in str(parsed["args"])


def test_the_worst_of_everything_still_fits():
    worst = {f"{n}\u202e" * 100: ["\U000e0001" * 100] * 100 for n in range(100)}
    assert assert_one_clean_line(entry.render(7, TIME, {"kind": "act", **worst}))["kind"] == "act"


def test_endless_nesting_is_cut():
    deep: object = "core"
    for _ in range(100_000):
        deep = [deep]
    assert assert_one_clean_line(entry.render(7, TIME, {"kind": "act", "args": deep}))["cut"] is True


def test_what_looks_like_a_sentence_without_end_is_cut():
    deep: object = "core"
    for _ in range(900):  # as deep as JSON is read
        deep = {"code": "rules.hold", "parameters": {"reason": deep}}
    assert assert_one_clean_line(entry.render(7, TIME, {"kind": "act", "args": deep}))["cut"] is True


def test_the_worst_entry_of_a_legal_path_is_not_cut():
    worst = (b"\xff" * 255 + b"/") * 16
    members = json.loads(f"{{{entry.json_path(worst)}}}")
    line = entry.render(7, TIME, {"kind": "access", **members})
    assert "cut" not in assert_one_clean_line(line)


@pytest.mark.parametrize("name", ["seq", "time", "cut"])
def test_a_field_cannot_pretend_to_be_the_number_or_the_time(name):
    with pytest.raises(ValueError, match="not for the caller"):
        entry.render(7, TIME, {name: 1})


def test_an_object_that_is_no_data_is_a_mistake_of_the_caller():
    with pytest.raises(TypeError, match="object"):
        entry.render(7, TIME, {"args": object()})


def test_numbers_json_does_not_have_are_written_as_words():
    parsed = json.loads(entry.render(7, TIME, {"a": math.inf, "b": math.nan, "c": 10**5000}))
    assert (parsed["a"], parsed["b"], parsed["c"]) == ("inf", "nan", "…")


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_both_stamps_agree_are_sortable_and_exact(moment, minutes):
    aware = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    text = entry.stamp(aware)
    assert len(text) == 27
    assert datetime.fromisoformat(text) == aware
    nanoseconds = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000 + 999
    assert entry.stamp_ns(nanoseconds) == text


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        entry.stamp(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(entry).failed == 0
