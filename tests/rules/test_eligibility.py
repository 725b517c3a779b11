"""Who is in office: stopping anybody, for whatever reason, never gives him a word he did not have."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.eligibility import why_ineligible
from rules.model import Departure, DepartureStage, Hold, Person
from tests.rules.offboarding.cases import NOW
from tests.rules.strategies import LAW
from tests.sentences import en, zh

LATER = NOW + timedelta(seconds=1)
PLAIN = Person("E1")


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (PLAIN, ""),
        (replace(PLAIN, holds=(Hold(LATER),), departures=(Departure(DepartureStage.NOTICE),)), ""),
        (replace(PLAIN, active=False), "is inactive"),
        (replace(PLAIN, holds=(Hold(LATER), Hold(NOW))), "is on hold"),
        *(
            (replace(PLAIN, departures=(Departure(stage, NOW),)), "has left")
            for stage in DepartureStage
            if stage is not DepartureStage.NOTICE
        ),
        (replace(PLAIN, departures=(Departure(DepartureStage.APPROVED, NOW, effective_at=LATER),)), ""),
        (replace(PLAIN, departures=(Departure(DepartureStage.APPROVED, NOW, effective_at=NOW),)), "has left"),
    ],
)
def test_he_is_out_of_office_and_it_is_said_why(person: Person, why: str) -> None:
    said = why_ineligible(person, NOW)
    assert bool(said) is bool(why)
    assert said is None or (why in en(said) and "`E1`" in zh(said))


stopped = st.builds(
    Person,
    st.just("E1"),
    active=st.booleans(),
    holds=st.lists(st.builds(Hold, st.sampled_from([NOW, LATER])), max_size=2).map(tuple),
    departures=st.lists(
        st.builds(Departure, st.sampled_from(DepartureStage), effective_at=st.sampled_from([None, NOW, LATER])),
        max_size=2,
    ).map(tuple),
)


@LAW
@given(stopped, stopped)
def test_whatever_is_added_against_somebody_gives_no_word_back(one: Person, more: Person) -> None:
    both = Person(
        "E1",
        active=one.active and more.active,
        holds=one.holds + more.holds,
        departures=one.departures + more.departures,
    )
    assert bool(why_ineligible(both, NOW)) == bool(why_ineligible(one, NOW) or why_ineligible(more, NOW))
