"""A level is printed with the end of its secrecy period, and the star is for state secrets only."""

from agent.presentation.marking import marking
from rules.model import Level
from tests.sentences import en, zh


def test_a_state_secret_has_the_star_before_its_period() -> None:
    printed = marking(Level.SECRET.text, "state", "2031-05-01")
    assert (en(printed), zh(printed)) == ("secret ★ until 2031-05-01", "机密★至2031-05-01")


def test_no_other_secret_has_the_star() -> None:
    printed = marking(Level.SECRET.text, "commercial", "2031-05-01")
    assert (en(printed), zh(printed)) == ("secret until 2031-05-01", "机密 至2031-05-01")


def test_a_level_without_a_period_stands_alone() -> None:
    assert marking(Level.SECRET.text, "state", None) == Level.SECRET.text
