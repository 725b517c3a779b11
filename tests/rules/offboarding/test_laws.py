"""Laws of departures: whatever is tried, in whatever order, by whomever.

Half of the histories start with an approved case, and most tries are likely ones: a law about what follows an approval
is only tested by histories that get there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import DepartureStage
from rules.offboarding.case import GONE, PERSONNEL, STAYS, OffboardingCase
from rules.offboarding.duties import close, release_papers
from rules.offboarding.machine import TABLE, DepartureRefusedError, ended, moves, rescind
from rules.offboarding.next_steps import flags, next_steps
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind, CaseStep
from rules.pack.reader import Pack
from tests.rules.offboarding.cases import DAY, LEAVER, NOW, PACKS, PEOPLE, Try, approved, opened, settled, tries
from tests.rules.strategies import LAW
from tests.sentences import en, zh

LIKELY = (
    CaseEvent.CONFIRM,
    CaseEvent.PAPERS,
    CaseEvent.CLOSE,
    CaseEvent.RESCIND,
    CaseEvent.RESTORE,
    CaseEvent.COOL_OFF,
    CaseEvent.RETURN,
)
Moment = tuple[OffboardingCase, CaseEvent, OffboardingCase, datetime]
_ORDER = (DepartureStage.NOTICE, DepartureStage.APPROVED, DepartureStage.COOLING_OFF, DepartureStage.CLOSED)


@st.composite
def histories(draw: st.DrawFn) -> list[Moment]:
    """Draw what happened to one case: before, the event, after, when. Refused tries leave it as it was.

    A try is any, or what comes next, or the last one again, by anybody or by the same one: that is where rules break.
    """
    name, kind = draw(st.sampled_from(sorted(PACKS))), draw(st.sampled_from(CaseKind))
    start = draw(
        st.sampled_from(
            [opened, opened, approved, lambda *given: settled(approved(*given)), rescinded, waiting, dated, dated]
        )
    )
    case, pack, now = start(name, kind), PACKS[name], NOW
    last, happened = draw(tries(LIKELY)), []
    for how in draw(st.lists(st.sampled_from(["any", "likely", "next", "next", "again"]), min_size=6, max_size=25)):
        now += draw(st.sampled_from([timedelta(0), timedelta(hours=1), 40 * DAY]))
        tried = last if how == "again" else draw(tries(LIKELY if how == "likely" else tuple(CaseEvent)))
        if how == "next" and (following := next_steps(case, now)):
            step = draw(st.sampled_from(following))
            tried = replace(tried, event=step.event, word=step.name or tried.word, yes=True)
        if draw(st.booleans()):
            tried = replace(tried, by=last.by)
        last, after = tried, tried.on(case, pack, now)
        happened.append((case, tried.event, after, now))
        case = after
    return happened


def rescinded(pack: str, kind: CaseKind) -> OffboardingCase:
    return rescind(rescind(approved(pack, kind), "E6", NOW, "wrong"), "E7", NOW, "wrong")


def dated(pack: str, kind: CaseKind) -> OffboardingCase:
    return approved(pack, kind, NOW + 50 * DAY)


def waiting(pack: str, kind: CaseKind) -> OffboardingCase:
    return ended(approved(pack, kind), ("security",), "E7")


def steps(history: list[Moment]) -> Iterator[Moment]:
    return (moment for moment in history if moment[0] != moment[2])


@LAW
@given(histories())
def test_nothing_is_approved_without_every_approval_in_order_by_different_people_who_do_not_leave(
    history: list[Moment],
) -> None:
    for _, _, after, _ in history:
        by = [approval.by for approval in after.approvals]
        assert [approval.role for approval in after.approvals] == [place.role for place in after.chain][: len(by)]
        assert len(set(by)) == len(by)
        assert LEAVER not in by
        if after.kind not in (CaseKind.UNFIT, CaseKind.UNAUTHORISED, CaseKind.DEATH):
            assert (after.approved_at is not None) == (len(by) == len(after.chain) > 0)


@LAW
@given(histories())
def test_an_approval_is_never_taken_back(history: list[Moment]) -> None:
    for before, _, after, _ in history:
        if before.approved_at:
            assert after.approved_at == before.approved_at
            assert after.approvals == before.approvals
            assert _ORDER.index(after.stage) >= _ORDER.index(before.stage) > 0


@LAW
@given(histories())
def test_papers_come_after_everything_that_is_owed_and_closing_after_the_papers_and_the_period(
    history: list[Moment],
) -> None:
    for before, event, after, now in steps(history):
        if after.papers and not before.papers:
            assert before.owed == ()
            assert all(item.done_at and not item.missing for item in after.items)
            assert after.has_papers
            assert all(paper.signed_at for paper in after.signatures)
            assert not after.needs_exam or after.exams[-1].passed
        if event is CaseEvent.OVERTAKE:
            assert before.kind.passes or before.kind is CaseKind.UNFIT or before.step is CaseStep.SCHEDULED
        elif event is CaseEvent.RESUME:
            assert before.kind is CaseKind.LONG_LEAVE
        elif after.closed and not before.closed:
            assert before.owed == ()
            assert before.measures_open == ()
            assert before.papers or before.kind in (*STAYS, CaseKind.UNAUTHORISED, CaseKind.DEATH)
            assert before.period or before.kind is CaseKind.DEATH
        if after.closed and not before.closed and event is not CaseEvent.OVERTAKE and before.period:
            assert before.period.until is None or before.period.until <= now


@LAW
@given(histories())
def test_a_cooling_off_period_only_grows_and_is_there_where_it_must_be(history: list[Moment]) -> None:
    for before, _, after, _ in history:
        if before.period and before.period.until:
            assert after.period
            assert after.period.until
            assert after.period.until >= before.period.until
        if after.period and after.needs_period:
            assert after.period.until


@LAW
@given(histories())
def test_the_leaver_does_nothing_himself(history: list[Moment]) -> None:
    for _, _, after, _ in history:
        done = [item.done_by for item in after.items] + [paper.seen_by for paper in after.signatures]
        said = [*after.returns, *after.rescissions, *filter(None, (after.education, after.papers, after.closed))]
        done += [one.by for one in (*said, *after.exams)]
        done += [by for back in after.restorations for by in (back.asked_by, back.given_by)]
        done += [one.by for one in after.taken] + [one.ended.by for one in after.taken if one.ended]
        done += [after.resumption.by] if after.resumption else []
        assert LEAVER not in done


@LAW
@given(histories())
def test_taking_an_approved_departure_back_takes_two_officers(history: list[Moment]) -> None:
    for before, event, after, _ in steps(history):
        if after.rescinded and before.approved_at:
            assert len({said.by for said in after.rescissions}) == 2
        if event is CaseEvent.RESUME and after.closed:
            assert after.resumption
            assert after.resumption.by != after.closed.by
        for back in after.restorations:
            assert after.rescinded or after.kind is CaseKind.LONG_LEAVE
            assert after.ended_at
            assert back.given_by != back.asked_by


@LAW
@given(histories())
def test_an_administrator_leaves_by_two_and_nothing_is_settled_before_the_second(history: list[Moment]) -> None:
    for before, event, after, _ in history:
        if after.unconfirmed:
            assert after.scheduled or after.step in (CaseStep.CONFIRMATION, CaseStep.RESCINDED, CaseStep.WITHDRAWN)
            assert (after.papers, after.closed) == (None, None) or after.rescinded or after.kind.passes
        if after.roles and after.confirmation:
            assert len(after.officers - {LEAVER, PERSONNEL}) >= 2
        if before.unconfirmed and event is CaseEvent.CONFIRM and before != after:
            assert after.confirmation
            assert after.confirmation.by not in before.officers
            assert after.confirmation.by != LEAVER


@LAW
@given(histories())
def test_access_is_over_at_the_approval_or_at_the_leave_date_and_never_before_nor_put_off(
    history: list[Moment],
) -> None:
    for before, event, after, now in history:
        if before.ended_at:
            assert after.ended_at == before.ended_at
        if after.ended_at and not before.ended_at:
            assert event in (CaseEvent.APPROVE, CaseEvent.CARRY_OUT)
            assert after.ended_at <= now
        if before.effective_at and event is not CaseEvent.OPEN:
            assert after.effective_at
            assert after.effective_at <= before.effective_at
        if after.scheduled:
            assert after.stage is DepartureStage.APPROVED  # a later stage would deny before the leave date
            assert (after.papers, after.closed if not after.kind.passes else None) == (None, None)


@LAW
@given(histories())
def test_a_measure_is_of_a_period_and_its_end_comes_after_it(history: list[Moment]) -> None:
    for before, _, after, now in history:
        assert before.taken == tuple(
            replace(one, ended=was.ended) for one, was in zip(after.taken, before.taken, strict=False)
        )
        if after.taken:
            assert after.period
            assert after.period.until
        if sum(one.ended is not None for one in after.taken) > sum(one.ended is not None for one in before.taken):
            assert before.period
            assert before.period.until
            assert before.period.until <= now
        assert after.kind.leaves_unit or not any(one.keeper for one in after.taken)


@LAW
@given(histories())
def test_what_was_done_stays_done(history: list[Moment]) -> None:
    for before, _, after, _ in history:
        for was, now_is in zip(before.items, after.items, strict=False):
            assert was == now_is or was.done_at is None
        assert len(after.items) >= len(before.items)
        assert after.kind in GONE or not any(item.missing for item in after.items)
        assert set(before.exams) <= set(after.exams)
        assert before.returns == after.returns[: len(before.returns)]


@LAW
@given(histories())
def test_every_move_is_in_the_table(history: list[Moment]) -> None:
    for before, event, after, _ in steps(history):
        notice = event is CaseEvent.APPROVE and before.step is CaseStep.RETURNED  # handed in again and approved, in one
        ways = moves(event, CaseStep.NOTICE if notice else before.step)
        assert after.step in {move.to or before.step for move in ways}, (before.step, event, after.step)


@LAW
@given(histories())
def test_a_case_that_is_not_over_has_a_next_step_and_the_machine_takes_its_event(history: list[Moment]) -> None:
    for _, _, after, now in history:
        following = next_steps(after, now)
        assert bool(following) == (after.step not in (CaseStep.CLOSED, CaseStep.RESCINDED, CaseStep.WITHDRAWN))
        assert all(moves(step.event, after.step) for step in following)
        leaving = after.step is CaseStep.APPROVED or (after.scheduled and not (after.unconfirmed or after.rescinded))
        assert (leaving and CaseDuty.HAND_OVER in after.owed) == any(
            step.event is CaseEvent.HAND_OVER for step in following
        )
        assert all(en(flag) and zh(flag) for flag in flags(after, now.date()))


UNDONE = {
    "a line": lambda case: replace(case, items=(replace(case.items[0], done_at=None), *case.items[1:])),
    "a signature": lambda case: replace(
        case, signatures=(*case.signatures[:-1], replace(case.signatures[-1], signed_at=None))
    ),
    "the education": lambda case: replace(case, education=None),
    "the exam": lambda case: replace(case, exams=()),
    "passing the exam": lambda case: replace(case, exams=(*case.exams, replace(case.exams[0], passed=False))),
    "the period": lambda case: replace(case, period=None),
}


@pytest.mark.parametrize(
    "kind", [CaseKind.RESIGNATION, CaseKind.RETIREMENT, CaseKind.TRANSFER, CaseKind.DISMISSAL, CaseKind.UNFIT]
)
@pytest.mark.parametrize("undone", UNDONE)
def test_one_thing_owed_keeps_the_papers_back_and_the_case_open(undone: str, kind: CaseKind) -> None:
    case = UNDONE[undone](settled(approved("company", kind)))
    for move in (release_papers, close):
        with pytest.raises(DepartureRefusedError, match=r"departure.duties-owed"):
            move(case, "E8", NOW + 1000 * DAY)


def test_papers_are_out_before_the_case_is_closed_where_there_are_papers() -> None:
    with pytest.raises(DepartureRefusedError, match=r"departure.papers-not-released"):
        close(settled(approved("company")), "E8", NOW + 1000 * DAY)


def test_every_row_of_the_table_happens() -> None:
    """Walk every row once, so that none stands there for nothing."""
    happened = {(move.event, step, move.to) for move in TABLE for step in move.at or (None,)}
    walked: set[tuple[CaseEvent, CaseStep | None, CaseStep | None]] = set()
    kinds = (
        CaseKind.RESIGNATION,
        CaseKind.TRANSFER,
        CaseKind.LONG_LEAVE,
        CaseKind.UNFIT,
        CaseKind.UNAUTHORISED,
    )
    for kind in kinds:
        for name, pack in PACKS.items():
            for days in (50, 400) if kind in (CaseKind.RESIGNATION, CaseKind.TRANSFER) else ():
                _walk(opened(name, kind, effective_at=NOW + days * DAY), pack, walked)
            first = opened(name, kind)
            walked.add((CaseEvent.OPEN, None, first.step))
            if first.approved_at:
                walked.add((CaseEvent.OPEN, None, ended(first, ("security",), "E9").step))
            _walk(first, pack, walked)
    assert happened <= walked


def _walk(first: OffboardingCase, pack: Pack, walked: set[tuple[CaseEvent, CaseStep | None, CaseStep | None]]) -> None:
    """Follow every event from every case met, as long as it leads to a step and an event not met before."""
    ahead, seen = [first], set()
    if first.approved_at:
        ahead += [settled(first), ended(first, ("security",), "E9")]
    else:
        at = first.effective_at
        ahead += [approved(pack.name, first.kind, at), settled(approved(pack.name, first.kind, at))]
    while ahead:
        case = ahead.pop()
        for event in CaseEvent:
            people = [(by, True) for by in PEOPLE[1:]]
            for (by, yes), roles in product([*people, ("E7", False)], [(), ("security",)]):
                open_ones = [item.key for item in case.items if item.done_at is None]
                papers = [paper.name for paper in case.signatures if paper.signed_at is None]
                words = {
                    CaseEvent.HAND_OVER: open_ones,
                    CaseEvent.SIGN: papers,
                    CaseEvent.MEASURE: ["visit"],
                    CaseEvent.END_MEASURE: [one.measure for one in case.measures_open],
                }
                word = words.get(event) or ["more"]
                tried = Try(event, by, word[0], "x", yes, 200 * DAY, roles)
                after = tried.on(case, pack, NOW + 150 * DAY)
                if after == case:
                    continue
                met = (event, case.step, None if after.step is case.step and _stays(event, case.step) else after.step)
                walked.add(met)
                if (met, len(after.approvals)) not in seen:
                    seen.add((met, len(after.approvals)))
                    ahead.append(after)


def _stays(event: CaseEvent, step: CaseStep) -> bool:
    return any(move.to is None for move in moves(event, step))
