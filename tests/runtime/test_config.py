"""Settings are read strictly, because a misspelt one would be a gap nobody sees."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.errors import RefusedError
from agent.runtime import config
from rules.tiers import MINIMA
from tests.sentences import en, zh


def test_the_default_text_says_the_defaults() -> None:
    assert config.parse(config.DEFAULT_TEXT) == config.Config()


def test_every_setting_is_read() -> None:
    text = (
        'durability = "process"\nminimum_tier = "A"\nheartbeat_seconds = 2\nlanguage = "zh"\n'
        "canary_seconds = 30\n"
        '[roles]\nsystem = "s"\nsecurity = 7\nauditor = "a"\n'
    )
    roles = config.RoleGroups("s", 7, "a")
    assert config.parse(text) == config.Config("process", "A", 2.0, "zh", roles, canary_seconds=30.0)
    assert roles.configured
    assert not config.RoleGroups().configured


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('\ndurability = "never"', 2),
        ("minimum_tier = 1", 1),
        ("heartbeat_seconds = true", 1),
        ("heartbeat_seconds = 0", 1),
        ('\n\n[rolles]\nsystem = "a"', 3),
        ('[roles]\nsystem = "a"\nsecurity = "a"', 3),
        ('[roles]\nsystem = "root"', 2),
        ('[roles]\nsystem = ""', 2),
        ('[roles]\nsystem = "a\\u0000"', 2),
        ("[roles]\nsystem = true", 2),
        ("[roles]\nsystem = 1.0", 2),
        ("[roles]\nsystem = 4294967295", 2),
        ("[roles]\nsystem = -1", 2),
        ("[roles]\nsecurity = 7\nsystem = 7", 3),
        ("[roles]\n\nsystem = 0", 3),
        ('[roles]\nboss = "a"', 2),
        ("a = [", 1),
        ('language = "fr"', 1),
        ("roles = 1", 1),
        ("roles = []", 1),
        ("heartbeat_seconds = nan", 1),
        ("heartbeat_seconds = inf", 1),
        ("heartbeat_seconds = 300.5", 1),
        ('heartbeat_seconds = "5"', 1),
        ("canary_seconds = 0.4", 1),
        ("canary_seconds = 301", 1),
        ('doors_user = "root"', 1),
        ('doors_user = "0"', 1),
        ('doors_user = ""', 1),
        ("label_scan_seconds = 0.5", 1),
        ("label_scan_seconds = 604801", 1),
        ("doors_user = 61001", 1),
        ("language = 2026-01-01", 1),
        ('\nDurability = "power"', 2),
        ("durability = 0x" + "f" * 5000, 1),
        ("a = " + "9" * 5000, 1),
        ("a = " + "[" * 5000, 1),
    ],
)
def test_what_is_wrong_is_named_with_its_line_in_both_languages(text: str, line: int) -> None:
    with pytest.raises(RefusedError) as caught:
        config.parse(text)
    assert en(caught.value.text).startswith(f"config.toml line {line}: ")
    assert f"第 {line} 行" in zh(caught.value.text)


@pytest.mark.parametrize(
    ("text", "said", "right"),
    [
        ('durability = "never"', ("`durability` cannot be `never`", "`durability` 不能是 `never`"), "power, process"),
        (
            "heartbeat_seconds = 0",
            ("`heartbeat_seconds` must be a number of seconds", "`heartbeat_seconds` 应为秒数"),
            "300",
        ),
        (
            "doors_user = 1",
            ("`doors_user` must be the name of an account", "`doors_user` 应为账号名"),
            ("an account other than root", "root 以外的账号"),
        ),
        ("roles = 1", ("`roles` must be a table", "`roles` 应为表"), "[roles]"),
        (
            "[roles]\nsystem = 0",
            ("`system` must be the name or number of a group", "`system` 应为组名或组号"),
            ("a group other than root", "root 以外的组"),
        ),
        (
            '"a\\u202eb" = 1',
            ("unknown setting `a\\u202eb`", "没有名为 `a\\u202eb` 的设置"),
            "durability, minimum_tier",
        ),
        ("[roles]\nboss = 1", ("unknown setting `boss`", "没有名为 `boss` 的设置"), "system, security, auditor"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(
    text: str, said: tuple[str, str], right: str | tuple[str, str]
) -> None:
    with pytest.raises(RefusedError) as caught:
        config.parse(text)
    assert en(caught.value.text).endswith(f": {said[0]}")
    assert zh(caught.value.text).endswith(f"：{said[1]}")
    assert caught.value.hint
    english, chinese = right if isinstance(right, tuple) else (right, right)
    assert english in en(caught.value.hint)
    assert chinese in zh(caught.value.hint)


words = st.sampled_from(["power", "process", "A", "C", "zh", "root", "0", "", "a", "\0", "\u202e"]) | st.text(
    max_size=8
)
values = st.recursive(
    st.integers().map(str)
    | st.integers(0).map(hex)
    | st.floats().map(lambda number: repr(number).replace("e+", "e"))
    | st.booleans().map(lambda truth: str(truth).lower())
    | words.map(lambda word: json.dumps(word, ensure_ascii=False))
    | st.datetimes().map(lambda at: at.isoformat())
    | st.dates().map(str)
    | st.times().map(str),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["system", "security", "auditor", "boss"]), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)
keys = st.sampled_from(
    ["durability", "minimum_tier", "heartbeat_seconds", "canary_seconds", "language", "roles", "doors_user", "other"]
)


@given(
    st.dictionaries(keys, values, max_size=3).map(lambda table: "\n".join(f"{key} = {table[key]}" for key in table))
    | st.text(max_size=40)
)
@example('roles = {system = "a", security = 7}')
@example("heartbeat_seconds = 0x" + "f" * 5000)
def test_any_settings_are_read_within_their_bounds_or_refused(text: str) -> None:
    found = parsed(text)
    if isinstance(found, RefusedError):
        assert re.match(r"config\.toml line [1-9]\d*: ", en(found.text))
        return
    assert found.durability in {"power", "process"}
    assert found.minimum_tier in MINIMA
    assert 0.5 <= found.heartbeat_seconds <= 300
    assert found.language in {None, "zh", "en"}
    assert found.doors_user not in {"", "root", "0"}
    groups = [group for group in (found.roles.system, found.roles.security, found.roles.auditor) if group is not None]
    assert len(set(groups)) == len(groups)
    for group in groups:
        assert type(group) in {str, int}
        assert group not in {"", "root"}
        assert isinstance(group, str) or 0 < group < 2**32


def parsed(text: str) -> config.Config | RefusedError:
    try:
        return config.parse(text)
    except RefusedError as error:
        return error


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        config.load(tmp_path / "config.toml")
    assert caught.value.hint
    assert "init" in en(caught.value.hint)
