"""From rows to one :class:`rules.offboarding.case.OffboardingCase`, and back.

Rules of this file: standard library only; the caller holds the transaction. The rows hold the case wholly: what is read
equals what was written, and what the step of a case is follows from it.
"""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from agent.registry.columns import instant, maybe_instant, maybe_moment, moment, numbered
from agent.registry.connect import damaged
from rules.offboarding.case import (
    Approval,
    Approver,
    CaseRemark,
    Exam,
    HandoverItem,
    OffboardingCase,
    Period,
    Restoration,
    Signature,
)
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text

Rows = Iterator[tuple[str, tuple[object, ...]]]  # a table, and one row of it without the number of the case

MAIN = (
    "person, kind, last_day, noticed_at, opened_by, late_days, reason, reference, department, post, approved_at,"
    " sent_back, needs_education, needs_exam, needs_period, education_by, education_at, education_reason, period_until,"
    " period_by, period_at, period_reason, papers_by, papers_at, papers_reason, closed_by, closed_at, closed_reason,"
    " rescinded, roles, ended_by, confirmed_by, confirmed_at, confirmed_reason, printed_class"
)
CHILDREN = (
    "case_approvals",
    "case_items",
    "case_signatures",
    "case_exams",
    "case_decisions",
    "case_restorations",
)


def main_row(case: OffboardingCase) -> tuple[object, ...]:
    """Return the values of :data:`MAIN`."""
    period = case.period
    return (
        case.person,
        case.kind.value,
        case.last_day.isoformat(),
        instant(case.noticed_at),
        case.opened_by,
        case.late_days,
        case.reason,
        case.reference,
        case.department,
        case.post,
        maybe_instant(case.approved_at),
        int(case.sent_back),
        int(case.needs_education),
        int(case.needs_exam),
        int(case.needs_period),
        *_columns(case.education),
        maybe_instant(period.until if period else None),
        *_columns(CaseRemark(period.by, period.at, period.reason) if period else None),
        *_columns(case.papers),
        *_columns(case.closed),
        int(case.rescinded),
        " ".join(case.roles),
        case.ended_by,
        *_columns(case.confirmation),
        case.printed_class,
    )


def child_rows(case: OffboardingCase) -> Rows:
    """Yield the rows of the other tables, in :data:`CHILDREN`."""
    given: list[Approval | None] = [*case.approvals, *[None] * (len(case.chain) - len(case.approvals))]
    for place, (asked, approval) in enumerate(zip(case.chain, given, strict=True)):
        given_by = (approval.by, instant(approval.at), approval.opinion) if approval else (None, None, "")
        yield "case_approvals", (place, asked.role, *asked.title, *given_by)
    for place, item in enumerate(case.items):
        done = (item.done_by, maybe_instant(item.done_at), item.missing)
        yield "case_items", (place, item.key, *item.title, *item.department, *done)
    for place, paper in enumerate(case.signatures):
        signed = (paper.seen_by, maybe_instant(paper.signed_at))
        yield "case_signatures", (place, paper.name, *paper.title, *signed)
    for place, exam in enumerate(case.exams):
        yield "case_exams", (place, exam.by, instant(exam.at), int(exam.passed))
    for what, all_said in (("return", case.returns), ("rescind", case.rescissions)):
        for place, said in enumerate(all_said):
            yield "case_decisions", (what, place, *_columns(said))
    for place, back in enumerate(case.restorations):
        yield "case_restorations", (place, back.grant, back.asked_by, instant(back.asked_at), back.given_by)


def whole_case(path: Path, connection: sqlite3.Connection, number: int) -> OffboardingCase:
    """Return case *number*; raise :class:`agent.errors.FatalError` when it is not there or says what no case can."""
    try:
        case = _read(connection, number)
    except (ValueError, TypeError) as error:
        raise damaged(path, str(error)) from error
    if case is None:
        raise damaged(path, f"case {numbered('C', number)} is missing")
    return case


def _read(connection: sqlite3.Connection, number: int) -> OffboardingCase | None:
    found = connection.execute(f"SELECT {MAIN} FROM cases WHERE number = ?", (number,)).fetchone()  # noqa: S608
    if found is None:
        return None
    (person, kind, last_day, noticed_at, opened_by, late_days, reason, reference, department, post,
     approved_at, sent_back, needs_education, needs_exam, needs_period, *rest) = found  # fmt: skip
    education, until, papers, closed, rescinded = rest[:3], rest[3], rest[7:10], rest[10:13], rest[13]
    roles, ended_by, *confirmed = rest[14:19]
    decided = _said(rest[4:7])
    places = _children(connection, "case_approvals", number)
    return OffboardingCase(
        id=numbered("C", number),
        person=person,
        kind=CaseKind(kind),
        last_day=date.fromisoformat(last_day),
        noticed_at=moment(noticed_at),
        opened_by=opened_by,
        chain=tuple(Approver(role, Text(en, zh)) for _, _, role, en, zh, *_ in places),
        late_days=late_days,
        reason=reason,
        reference=reference,
        printed_class=rest[19],
        department=department,
        post=post,
        approvals=tuple(Approval(r, by, moment(at), op) for _, _, r, _, _, by, at, op in places if by is not None),
        approved_at=maybe_moment(approved_at),
        roles=tuple(roles.split()),
        ended_by=ended_by,
        confirmation=_said(confirmed),
        returns=_decisions(connection, number, "return"),
        sent_back=bool(sent_back),
        items=tuple(
            HandoverItem(name, Text(en, zh), Text(to_en, to_zh), by, maybe_moment(at), missing)
            for _, _, name, en, zh, to_en, to_zh, by, at, missing in _children(connection, "case_items", number)
        ),
        needs_education=bool(needs_education),
        education=_said(education),
        needs_exam=bool(needs_exam),
        exams=tuple(
            Exam(by, moment(at), bool(passed)) for _, _, by, at, passed in _children(connection, "case_exams", number)
        ),
        signatures=tuple(
            Signature(name, Text(en, zh), by, maybe_moment(at))
            for _, _, name, en, zh, by, at in _children(connection, "case_signatures", number)
        ),
        needs_period=bool(needs_period),
        period=Period(maybe_moment(until), decided.by, decided.at, decided.reason) if decided else None,
        papers=_said(papers),
        closed=_said(closed),
        rescissions=_decisions(connection, number, "rescind"),
        rescinded=bool(rescinded),
        restorations=tuple(
            Restoration(grant, asked_by, moment(at), given_by)
            for _, _, grant, asked_by, at, given_by in _children(connection, "case_restorations", number)
        ),
    )


def _children(connection: sqlite3.Connection, table: str, number: int) -> list[tuple[Any, ...]]:
    rows = connection.execute(f"SELECT * FROM {table} WHERE departure_case = ? ORDER BY place", (number,))  # noqa: S608
    return [tuple(row) for row in rows]


def _decisions(connection: sqlite3.Connection, number: int, what: str) -> tuple[CaseRemark, ...]:
    rows = _children(connection, "case_decisions", number)
    return tuple(CaseRemark(by, moment(at), reason) for _, said, _, by, at, reason in rows if said == what)


def _columns(said: CaseRemark | None) -> tuple[object, ...]:
    return (said.by, instant(said.at), said.reason) if said else (None, None, None)


def _said(columns: list[Any]) -> CaseRemark | None:
    by, at, reason = columns
    return None if by is None else CaseRemark(by, moment(at), reason)
