"""What a case is opened with: the pack decides, the person decides, and nothing changes it afterwards."""

from dataclasses import replace

import pytest

from rules.model import DepartureStage, Employment, Person
from rules.offboarding import opening
from rules.offboarding.case import PERSONNEL, HandoverItem, OffboardingCase, Period
from rules.offboarding.diagram import diagram
from rules.offboarding.duties import close, decide_period, hand_over, release_papers
from rules.offboarding.machine import TABLE, DepartureRefusedError
from rules.offboarding.next_steps import next_steps
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind, CaseStep
from rules.pack.reader import Pack, load
from rules.text import Text
from tests.rules.offboarding.cases import DAY, LAST_DAY, NOW, PACKS, approved, leaver, opened, settled
from tests.rules.strategies import EVERYTHING
from tests.sentences import en, zh

SIGNED = """
[signatures.bilateral]
title = { en = "bilateral", zh = "双边" }
departments = ["rd"]
[signatures.agreement]
title = { en = "agreement", zh = "协议" }
employment = ["temporary", "intern"]
"""


def asked(pack: Pack, person: Person) -> list[str]:
    case = opening.open_case(pack, person, CaseKind.RESIGNATION, LAST_DAY, "E9", NOW)
    return [paper.name for paper in case.signatures]


def test_a_document_is_signed_by_those_it_is_for() -> None:
    pack = load(EVERYTHING + SIGNED)
    assert asked(pack, leaver()) == ["bilateral"]
    assert asked(pack, leaver(department="hr")) == []
    assert asked(pack, leaver(department="hr", employment=Employment.INTERN)) == ["agreement"]
    assert asked(pack, leaver(employment=Employment.TEMPORARY)) == ["bilateral", "agreement"]


@pytest.mark.parametrize("kind", CaseKind)
def test_a_pack_without_a_chain_asks_one_officer(kind: CaseKind) -> None:
    chain = opening.chain(load(EVERYTHING), kind)
    immediate = kind in (CaseKind.UNFIT, CaseKind.UNAUTHORISED, CaseKind.DEATH)
    assert [place.role for place in chain] == ([] if immediate else ["officer"])


def test_lines_known_beside_the_pack_come_after_its_own() -> None:
    badge = HandoverItem("badge-4660", Text("badge 4660", "门禁卡 4660"), Text("guards", "保卫部门"))
    case = opening.open_case(
        PACKS["company"],
        leaver(),
        CaseKind.RESIGNATION,
        LAST_DAY,
        "E9",
        NOW,
        lines=[badge],
        reason="r",
        reference="HR-7",
    )
    assert case.items[-1] == badge
    assert (case.reason, case.reference) == ("r", "HR-7")


def test_a_decision_is_told_the_stage() -> None:
    assert opened("minimal").stage is DepartureStage.NOTICE
    assert approved("minimal").stage is DepartureStage.APPROVED
    assert decide_period(approved("minimal"), None, "E8", NOW, "held nothing").stage is DepartureStage.APPROVED
    cooling = settled(approved("minimal"))
    assert cooling.stage is DepartureStage.COOLING_OFF
    assert cooling.period
    assert cooling.period.until
    assert close(release_papers(cooling, "E8", NOW), "E8", cooling.period.until).stage is DepartureStage.CLOSED


def what(case: OffboardingCase) -> list[tuple[CaseEvent, str]]:
    return [(step.event, step.name) for step in next_steps(case, NOW)]


def test_what_comes_next_is_named_with_what_it_needs() -> None:
    assert what(opened("company")) == [(CaseEvent.APPROVE, "head")]
    assert what(replace(opened("company"), sent_back=True)) == [(CaseEvent.OPEN, "")]
    company = approved("company")
    for item in company.items[1:]:
        company = hand_over(company, item.key, "E8", NOW)
    assert what(company) == [
        (CaseEvent.HAND_OVER, "work"),
        (CaseEvent.EDUCATE, ""),
        (CaseEvent.EXAM, ""),
        (CaseEvent.SIGN, "agreement"),
        (CaseEvent.SIGN, "pledge"),
        (CaseEvent.SIGN, "bilateral"),
        (CaseEvent.COOL_OFF, ""),
    ]
    done = settled(approved("company"))
    assert what(done) == [(CaseEvent.PAPERS, "")]
    assert what(release_papers(done, "E8", NOW)) == [(CaseEvent.CLOSE, "")]
    assert "runs until 2027-02-10" in en(next_steps(release_papers(done, "E8", NOW), NOW)[0].what)
    nothing = decide_period(approved("minimal"), None, "E8", NOW, "held nothing")
    assert en(next_steps(release_papers(nothing, "E8", NOW), NOW)[0].what) == "close the case"
    assert what(replace(done, rescinded=True)) == []


@pytest.mark.parametrize("words", [CaseKind, CaseStep, CaseDuty])
def test_every_word_has_its_text_in_both_languages(words: type[CaseKind] | type[CaseStep] | type[CaseDuty]) -> None:
    for word in words:
        assert en(word.text)
        assert zh(word.text) != en(word.text)


def test_the_diagram_shows_every_step_every_duty_and_every_row_that_leads_elsewhere() -> None:
    for say in (en, zh):
        drawn = diagram(say)
        assert all(f" as {step}\n" in drawn or f" as {step} {{" in drawn for step in CaseStep)
        assert all(say(duty.text) in drawn for duty in CaseDuty)
        rows = sum(len(move.at) or 1 for move in TABLE if move.to is not None)
        assert drawn.count(" --> ") == rows + len(CaseDuty) + 3


def test_the_personnel_system_decides_a_period_and_never_makes_one_shorter() -> None:
    case = opening.noted(approved("state"), NOW, "核心", NOW + 2 * DAY)
    assert (case.printed_class, case.period) == ("核心", Period(NOW + 2 * DAY, PERSONNEL, NOW))
    for until in (None, NOW - DAY, NOW, NOW + DAY, NOW + 2 * DAY):
        assert opening.noted(case, NOW + DAY, until=until) == case
    assert opening.noted(case, NOW, until=NOW + 3 * DAY).period == Period(NOW + 3 * DAY, PERSONNEL, NOW)
    with pytest.raises(DepartureRefusedError, match=r"departure.period-too-short"):
        decide_period(case, NOW + DAY, "E8", NOW)
    none = decide_period(approved("minimal"), None, "E8", NOW, "knew nothing")
    assert opening.noted(none, NOW, until=NOW + DAY).period == Period(NOW + DAY, PERSONNEL, NOW)


ENTRUSTED = """
[measures.entrust]
title = { en = "entrust", zh = "委托" }
kind = "entrust"
[measures.visit]
title = { en = "visit", zh = "回访" }
kind = "visit"
kinds = ["transfer", "resignation"]
every_days = 90
"""


@pytest.mark.parametrize("kind", CaseKind)
def test_the_kind_decides_who_may_be_entrusted_and_the_pack_who_is_visited(kind: CaseKind) -> None:
    asked_for = {measure.name for measure in opening.measures(load(EVERYTHING + ENTRUSTED), kind)}
    staying = (CaseKind.TRANSFER, CaseKind.REHIRED, CaseKind.LONG_LEAVE, CaseKind.UNFIT)
    assert ("entrust" in asked_for) == (kind not in staying)
    assert ("visit" in asked_for) == (kind in (CaseKind.TRANSFER, CaseKind.RESIGNATION))


def test_before_access_is_over_nothing_counts_as_decided_and_a_period_before_that_is_none() -> None:
    assert opening.noted(opened(), NOW, until=NOW + DAY).period is None
    late = opening.noted(approved("state"), NOW, until=NOW)
    assert (late.period, CaseDuty.COOLING_OFF in late.owed) == (None, True)
