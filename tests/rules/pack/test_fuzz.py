"""The check raises on nothing, and what it passes is what loads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pack.reader import PackError, check, load
from tests.rules.strategies import EVERYTHING, LAW, PACKS

TEXTS = [EVERYTHING, *(path.read_text(encoding="utf-8") for path in sorted(PACKS.glob("*.toml")))]
PIECES = ["", "[", "]", "{", "}", '"', "'", '"""', "'''", "=", ".", "\n", "#", "\\", "[[a]]", "nan", "1e9", "\x00",
          "秘密", "\u202e", "\ud800", "true", "07:32:00", "0x" + "f" * 5000]  # fmt: skip


@LAW
@given(st.text() | st.binary())
def test_the_check_never_raises_on_any_input(text: str | bytes) -> None:
    assert check(text)


@LAW
@given(st.sampled_from(TEXTS), st.data())
def test_a_damaged_pack_is_told_by_line_or_loads(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    problems = check(text)
    assert all(1 <= problem.line <= text.count("\n") + 1 for problem in problems)
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(PackError):
            load(text)
    else:
        assert load(text).rules


KEYS = st.sampled_from(["state", "en", "zh"])
values = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.sampled_from(["secret", "x", "", "mon", "state", "08:00-09:00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


@LAW
@given(st.sampled_from(EVERYTHING.splitlines()), values)
def test_any_value_of_any_setting_is_read_or_told(line: str, value: object) -> None:
    if " = " in line:
        key = line.split(" = ")[0]
        text = EVERYTHING.replace(line, f"{key} = {toml(value)}", 1)
        check(text)
