"""The law of ``until``: for every instant in ``[now, until)`` the verdict is the same (contract C1)."""

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from rules.model import Verdict
from tests.rules.strategies import LAW, World, instants, worlds

MOMENT = timedelta(microseconds=1)


def said(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.allow, verdict.rule, verdict.clauses, verdict.because, verdict.change, verdict.person)


@LAW
@given(worlds(), instants, st.floats(0, 1))
def test_a_verdict_stays_the_same_until_its_until(world: World, now: datetime, share: float) -> None:
    verdict = world.decide(now)
    end = verdict.until or now + timedelta(days=4000)
    assert end > now
    for then in {now + (end - now) * share, end - MOMENT} - {end}:
        assert said(world.decide(then)) == said(verdict)


@LAW
@given(worlds(), instants, st.floats(0, 1))
def test_every_single_finding_keeps_its_own_until(world: World, now: datetime, share: float) -> None:
    for number, finding in enumerate(world.decide(now).findings):
        end = finding.until or now + timedelta(days=4000)
        for then in {now + (end - now) * share, end - MOMENT} - {end}:
            later = world.decide(then).findings[number]
            assert (later.rule, later.ok, later.because, later.clauses) == (
                finding.rule,
                finding.ok,
                finding.because,
                finding.clauses,
            )


@LAW
@given(worlds(), instants)
def test_asking_twice_gives_the_same_verdict(world: World, now: datetime) -> None:
    assert world.decide(now) == world.decide(now)


@LAW
@given(worlds(), st.integers(-14 * 60, 14 * 60))
def test_the_zone_in_which_now_is_written_changes_nothing(world: World, minutes: int) -> None:
    elsewhere = world.now.astimezone(timezone(timedelta(minutes=minutes)))
    assert said(world.decide(elsewhere)) == said(world.decide())
