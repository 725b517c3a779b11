"""Dates as people mean them."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.api.timestamps import instant, latest, local, printed

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


def test_the_last_time_a_clock_showed_an_hour_is_today_or_yesterday() -> None:
    hour = time(4)
    assert latest(hour, datetime(2026, 3, 1, 4, tzinfo=CHINA), CHINA) == datetime(2026, 3, 1, 4, tzinfo=CHINA)
    assert latest(hour, datetime(2026, 3, 1, 3, 59, tzinfo=CHINA), CHINA) == datetime(2026, 2, 28, 4, tzinfo=CHINA)
    assert latest(hour, datetime(2026, 3, 1, 1, tzinfo=UTC), CHINA) == datetime(2026, 3, 1, 4, tzinfo=CHINA)


@given(st.times(), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_it_is_never_ahead_and_never_more_than_a_day_and_an_hour_ago(hour: time, now: datetime) -> None:
    for zone in (CHINA, ZoneInfo("Europe/Berlin"), None):
        assert timedelta() <= now - latest(hour, now, zone) <= timedelta(hours=25)
