"""What is owed may be done in any order; the exam alone follows something, the education. Papers come last."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.offboarding import duties
from rules.offboarding.case import OffboardingCase
from rules.offboarding.machine import DepartureRefusedError
from rules.offboarding.vocabulary import CaseStep
from tests.rules.offboarding.cases import DAY, NOW, approved
from tests.rules.strategies import LAW

Duty = Callable[[OffboardingCase], OffboardingCase]


def owed(case: OffboardingCase) -> dict[str, Duty]:
    """Return every single thing that the leaver of *case* owes, by a name."""
    return {
        **{item.key: partial(_hand_over, key=item.key) for item in case.items},
        **{paper.name: partial(_sign, name=paper.name) for paper in case.signatures},
        "education": lambda case: duties.educate(case, "E8", NOW),
        "exam": lambda case: duties.examine(case, "E8", NOW, passed=True),
        "period": lambda case: duties.decide_period(case, NOW + DAY, "E8", NOW),
    }


def _hand_over(case: OffboardingCase, key: str) -> OffboardingCase:
    return duties.hand_over(case, key, "E8", NOW)


def _sign(case: OffboardingCase, name: str) -> OffboardingCase:
    return duties.sign(case, name, "E8", NOW)


@LAW
@given(st.data())
def test_whatever_is_owed_is_done_in_any_order_and_papers_come_after_all_of_it(data: st.DataObject) -> None:
    case = approved("company")
    todo = owed(case)
    order = data.draw(st.permutations(sorted(todo)))
    first, second = sorted((order.index("education"), order.index("exam")))
    order[first], order[second] = "education", "exam"
    for name in order:
        with pytest.raises(DepartureRefusedError, match=r"departure.duties-owed"):
            duties.release_papers(case, "E8", NOW)
        case = todo[name](case)
    assert case.owed == ()
    assert duties.release_papers(case, "E8", NOW).step is CaseStep.PAPERS
