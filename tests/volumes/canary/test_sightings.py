"""What is said of an area: seen with when, or unknown since when. And which entries the log gets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.presentation import seen as words
from agent.volumes.canary.reports import HOUR, CanaryReports
from agent.volumes.canary.schedule import CanaryPeriods
from agent.volumes.canary.sightings import Sightings
from agent.volumes.canary.trying import CanaryResult, CanaryTarget
from agent.volumes.canary.verdict import Judgement
from tests.sentences import en, zh

BEGAN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PERIODS = CanaryPeriods(60.0)
TARGET = CanaryTarget("plans", "/srv/plans", 7, "7:1", enforced=True, reads=True)
SEEN = CanaryResult(TARGET, Judgement("seen", ("list", "open", "read")), 3)
MISSING = CanaryResult(TARGET, Judgement("missing", ("list",), "let-in"), 3)
UNKNOWN = CanaryResult(TARGET, Judgement("unknown", (), "process", "EAGAIN"))


def at(moment: float) -> datetime:
    return BEGAN + timedelta(seconds=moment)


def of(result: CanaryResult, **more: object) -> CanaryResult:
    return replace(result, target=result.target._replace(**more))


@pytest.fixture
def sightings() -> Sightings:
    return Sightings(PERIODS, BEGAN)


def test_before_the_first_canary_nothing_is_known(sightings: Sightings) -> None:
    view = sightings.view("plans", 5.0, enforced=True)
    assert view == {"state": "asking", "at": None, "since": BEGAN.isoformat(), "what": None, "why": None}
    assert words.tone(view) != "good"


def test_what_was_seen_holds_for_two_periods_of_its_volume_and_is_unknown_since_then(sightings: Sightings) -> None:
    sightings.note(SEEN, 10.0, at(10))
    view = sightings.view("plans", 130.0, enforced=True)
    assert (view["state"], view["at"], view["since"], view["what"]) == ("seen", at(10).isoformat(), None, "read")
    view = sightings.view("plans", 130.1, enforced=True)
    assert (view["state"], view["since"]) == ("unknown", at(10).isoformat())
    assert words.tone(view) == "bad"


def test_on_a_volume_with_many_areas_each_holds_for_two_of_its_own_periods(sightings: Sightings) -> None:
    sightings.note(SEEN, 0.0, at(0))
    for moment in range(60, 7_300, 60):
        sightings.note(of(SEEN, area="other"), float(moment), at(moment))
        assert sightings.view("plans", moment + 1.0, enforced=True)["state"] == ("seen" if moment < 7200 else "unknown")


def test_one_that_could_not_be_made_leaves_what_was_seen_until_its_time_is_over(sightings: Sightings) -> None:
    sightings.note(SEEN, 10.0, at(10))
    sightings.note(UNKNOWN, 70.0, at(70))
    assert sightings.view("plans", 71.0, enforced=True)["state"] == "seen"
    late = sightings.view("plans", 131.0, enforced=True)
    assert (late["state"], late["since"]) == ("unknown", at(10).isoformat())
    assert "EAGAIN" in en(late["why"])


def test_one_that_was_missing_is_not_seen_however_lately_it_was(sightings: Sightings) -> None:
    sightings.note(SEEN, 10.0, at(10))
    sightings.note(MISSING, 11.0, at(11))
    assert sightings.view("plans", 11.0, enforced=True)["state"] == "missing"


def test_what_was_seen_while_observing_proves_nothing_about_enforcement(sightings: Sightings) -> None:
    sightings.note(of(SEEN, enforced=False), 10.0, at(10))
    assert sightings.view("plans", 10.0, enforced=False)["what"] == "record"
    view = sightings.view("plans", 10.0, enforced=True)
    assert (view["state"], view["at"]) == ("asking", None)


@given(
    st.lists(st.tuples(st.sampled_from([SEEN, MISSING, UNKNOWN]), st.floats(0.1, 200)), max_size=20), st.floats(0, 300)
)
def test_seen_is_never_said_without_a_proof_within_two_periods(
    results: list[tuple[CanaryResult, float]], wait: float
) -> None:
    sightings, moment, proven = Sightings(PERIODS, BEGAN), 0.0, None
    for result, gap in results:
        moment += gap
        sightings.note(result, moment, at(moment))
        proven = moment if result is SEEN else proven
    view = sightings.view("plans", moment + wait, enforced=True)
    if view["state"] == "seen":
        assert proven is not None
        assert moment + wait - proven <= 2 * PERIODS.volume
        assert results[-1][0] is not MISSING
    else:
        assert view["since"]
    for language in (en, zh):
        assert language(words.sentence(view, str))
        assert language(words.short(view, str))


# The log --------------------------------------------------------------------------------------------------------------


def test_the_first_result_and_each_change_are_entries_at_once_and_marked_as_the_agents_own() -> None:
    reports = CanaryReports()
    for result, alarm in ((SEEN, None), (MISSING, True), (UNKNOWN, None), (SEEN, None)):
        [(areas, fields)] = reports.news([result], 0.0, at(0))
        assert areas == ("plans",)
        assert (fields["kind"], fields["own"], fields["area"], fields["volume"]) == ("canary", "canary", "plans", "7:1")
        assert (fields["outcome"], fields.get("alarm")) == (result.outcome, alarm)
        assert reports.news([result], 0.0, at(0)) == []


def test_what_stays_as_it_is_is_one_summary_an_hour_for_each_volume() -> None:
    reports = CanaryReports()
    reports.news([SEEN, of(SEEN, area="b"), of(SEEN, area="c", volume="7:2")], 0.0, at(0))
    for moment in range(60, 3_661, 60):
        reports.news([SEEN, of(SEEN, area="b"), of(SEEN, area="c", volume="7:2")], float(moment), at(moment))
        due = dict(reports.summaries(float(moment)))
        assert bool(due) == (moment - 60 >= HOUR)
    assert (due["7:1"]["attempts"], due["7:1"]["refused"], due["7:1"]["areas_tried"]) == (366, 366, 2)
    assert (due["7:2"]["attempts"], due["7:1"]["since"]) == (183, at(60).isoformat())
    reports.told("7:1")
    assert set(dict(reports.summaries(9_999.0))) == {"7:2"}


def test_a_thousand_areas_that_come_out_alike_are_one_entry_and_an_alarm_stands_alone() -> None:
    results = [of(SEEN, area=f"a{number}") for number in range(1000)]
    results += [of(MISSING, area="x"), of(MISSING, area="y")]
    news = CanaryReports().news(results, 0.0, at(0))
    assert [len(areas) for areas, _ in sorted(news, key=lambda entry: len(entry.areas))] == [1, 1, 1000]


def test_what_could_not_be_written_down_is_news_again() -> None:
    reports = CanaryReports()
    [entry] = reports.news([SEEN], 0.0, at(0))
    reports.unwritten(entry.areas)
    assert reports.news([SEEN], 1.0, at(1)) == [entry]
