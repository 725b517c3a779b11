"""Settings are read strictly, because a misspelt one would be a gap nobody sees."""

from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.runtime import config


def test_the_default_text_says_the_defaults() -> None:
    assert config.parse(config.DEFAULT_TEXT) == config.Config()


def test_every_setting_is_read() -> None:
    text = (
        'durability = "process"\nminimum_tier = "A"\nheartbeat_seconds = 2\nlanguage = "zh"\n'
        '[roles]\nsystem = "s"\nsecurity = 7\nauditor = "a"\n'
    )
    roles = config.RoleGroups("s", 7, "a")
    assert config.parse(text) == config.Config("process", "A", 2.0, "zh", roles)
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
        ("[roles]\n\nsystem = 0", 3),
        ('[roles]\nboss = "a"', 2),
        ("a = [", 1),
        ('language = "fr"', 1),
        ("roles = 1", 1),
    ],
)
def test_what_is_wrong_is_named_with_its_line_in_both_languages(text: str, line: int) -> None:
    with pytest.raises(RefusedError) as caught:
        config.parse(text)
    assert caught.value.text.en.startswith(f"config.toml line {line}: ")
    assert f"第 {line} 行" in caught.value.text.zh


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        config.load(tmp_path / "config.toml")
    assert caught.value.hint
    assert "init" in caught.value.hint.en
