"""Dates as people mean them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.control.times import instant, local, printed

CHINA = timezone(timedelta(hours=8))


def test_a_day_begins_at_its_start_and_ends_with_its_end() -> None:
    assert instant("2026-12-31", CHINA) == datetime(2026, 12, 30, 16, tzinfo=UTC)
    assert instant("2026-12-31", CHINA, end=True) == datetime(2026, 12, 31, 16, tzinfo=UTC)


def test_a_time_is_read_in_the_zone_unless_it_says_its_own() -> None:
    assert instant("2026-12-31T08:00", CHINA) == datetime(2026, 12, 31, tzinfo=UTC)
    assert instant("2026-12-31T08:00Z", CHINA) == datetime(2026, 12, 31, 8, tzinfo=UTC)
    assert instant("2026-12-31T08:00Z", CHINA, end=True) == datetime(2026, 12, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize("word", ["", "tomorrow", "2026-13-01", "2026-02-30", "0001-01-01", "9999-12-31", "1e9"])
def test_anything_else_is_refused(word: str) -> None:
    for end in (False, True):
        with pytest.raises(ValueError):
            instant(word, CHINA, end=end)


def test_printing_and_reading_agree() -> None:
    moment = datetime(2026, 3, 1, 2, 3, 4, 5, tzinfo=CHINA)
    assert instant(printed(moment), None) == moment
    assert local(printed(moment), CHINA) == "2026-03-01 02:03:04"
