"""Rows of one :class:`rules.offboarding.case.OffboardingCase`, read and written.

Rules of this file: standard library only; the caller holds the transaction. The rows hold the whole case: reading
returns exactly what was written, and the step of a case follows from it.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from agent.language.catalogue import both
from agent.registry.columns import instant, maybe_instant, maybe_moment, moment, numbered
from agent.registry.connect import damaged
from agent.registry.rows.case_measures import taken_columns, taken_row
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
from rules.offboarding.measure import Measure, MeasureKind
from rules.offboarding.vocabulary import CaseKind
from rules.text import Message, Text

Rows = Iterator[tuple[str, tuple[object, ...]]]  # a table, and one row of it without the number of the case

CHILDREN = (
    "case_approvals",
    "case_items",
    "case_signatures",
    "case_exams",
    "case_decisions",
    "case_restorations",
    "case_measures",
    "case_measures_taken",
)


def main_columns(case: OffboardingCase) -> dict[str, object]:
    """Return the columns of the main row of the case."""
    period = case.period
    return {
        "person": case.person,
        "kind": case.kind,
        "last_day": case.last_day.isoformat(),
        "noticed_at": instant(case.noticed_at),
        "opened_by": case.opened_by,
        "late_days": case.late_days,
        "reason": case.reason,
        "reference": case.reference,
        "printed_class": case.printed_class,
        "department": case.department,
        "post": case.post,
        "approved_at": maybe_instant(case.approved_at),
        "roles": " ".join(case.roles),
        "ended_by": case.ended_by,
        "sent_back": case.sent_back,
        "needs_education": case.needs_education,
        "needs_exam": case.needs_exam,
        "needs_period": case.needs_period,
        "period_until": maybe_instant(period.until if period else None),
        "rescinded": case.rescinded,
        "withdrawn": case.withdrawn,
        "effective_at": maybe_instant(case.effective_at),
        "carried_out_at": maybe_instant(case.carried_out_at),
        **_remark_columns("advanced", case.advanced),
        "batch": case.batch,
        **_remark_columns("resumption", case.resumption),
        **_remark_columns("confirmed", case.confirmation),
        **_remark_columns("education", case.education),
        **_remark_columns("period", CaseRemark(period.by, period.at, period.reason) if period else None),
        **_remark_columns("papers", case.papers),
        **_remark_columns("closed", case.closed),
    }


def child_rows(case: OffboardingCase) -> Rows:
    """Yield the rows of the other tables, in :data:`CHILDREN`."""
    approvals: list[Approval | None] = [*case.approvals, *[None] * (len(case.chain) - len(case.approvals))]
    for place, (approver, approval) in enumerate(zip(case.chain, approvals, strict=True)):
        given_by = (
            (
                approval.by,
                instant(approval.at),
                approval.opinion,
                approval.written_by,
                approval.paper,
                approval.paper_on.isoformat() if approval.paper_on else None,
            )
            if approval
            else (None, None, "", "", "", None)
        )
        yield "case_approvals", (place, approver.role, *both(approver.title), *given_by)
    for place, handover in enumerate(case.items):
        handed_over = (handover.done_by, maybe_instant(handover.done_at), handover.missing)
        yield "case_items", (place, handover.key, *both(handover.title), *both(handover.department), *handed_over)
    for place, paper in enumerate(case.signatures):
        signed = (paper.seen_by, maybe_instant(paper.signed_at))
        yield "case_signatures", (place, paper.name, *both(paper.title), *signed)
    for place, exam in enumerate(case.exams):
        yield "case_exams", (place, exam.by, instant(exam.at), int(exam.passed))
    for decision, remarks in (("return", case.returns), ("rescind", case.rescissions)):
        for place, remark in enumerate(remarks):
            yield "case_decisions", (decision, place, remark.by, instant(remark.at), remark.reason)
    for place, back in enumerate(case.restorations):
        yield "case_restorations", (place, back.grant, back.asked_by, instant(back.asked_at), back.given_by)
    for place, asked_for in enumerate(case.measures):
        yield "case_measures", (place, asked_for.name, asked_for.kind, *asked_for.title, asked_for.every_days)
    for place, taken in enumerate(case.taken):
        yield "case_measures_taken", (place, *taken_columns(taken))


def whole_case(connection: sqlite3.Connection, path: Path, number: int) -> OffboardingCase:
    """Return case *number*; raise :class:`agent.errors.FatalError` when it is missing or invalid."""
    try:
        case = _read(connection, number)
    except (ValueError, TypeError) as error:
        raise damaged(path, str(error)) from error
    if case is None:
        raise damaged(path, Message("registry.case-missing", case=numbered("C", number)))
    return case


def _read(connection: sqlite3.Connection, number: int) -> OffboardingCase | None:
    cursor = connection.execute("SELECT * FROM cases WHERE number = ?", (number,))
    fields = cursor.fetchone()
    if fields is None:
        return None
    row: dict[str, Any] = dict(zip((name for name, *_ in cursor.description), fields, strict=True))
    decided = _remark(row, "period")
    places = _children(connection, "case_approvals", number)
    return OffboardingCase(
        id=numbered("C", number),
        person=row["person"],
        kind=CaseKind(row["kind"]),
        last_day=date.fromisoformat(row["last_day"]),
        noticed_at=moment(row["noticed_at"]),
        opened_by=row["opened_by"],
        chain=tuple(Approver(role, Text(en, zh)) for _, _, role, en, zh, *_ in places),
        late_days=row["late_days"],
        reason=row["reason"],
        reference=row["reference"],
        printed_class=row["printed_class"],
        department=row["department"],
        post=row["post"],
        approvals=tuple(
            Approval(role, by, moment(at), opinion, written_by, paper, date.fromisoformat(on) if on else None)
            for _, _, role, _, _, by, at, opinion, written_by, paper, on in places
            if by is not None
        ),
        approved_at=maybe_moment(row["approved_at"]),
        roles=tuple(row["roles"].split()),
        ended_by=row["ended_by"],
        confirmation=_remark(row, "confirmed"),
        returns=_decisions(connection, number, "return"),
        sent_back=bool(row["sent_back"]),
        items=tuple(
            HandoverItem(name, Text(en, zh), Text(to_en, to_zh), by, maybe_moment(at), missing)
            for _, _, name, en, zh, to_en, to_zh, by, at, missing in _children(connection, "case_items", number)
        ),
        needs_education=bool(row["needs_education"]),
        education=_remark(row, "education"),
        needs_exam=bool(row["needs_exam"]),
        exams=tuple(
            Exam(by, moment(at), bool(passed)) for _, _, by, at, passed in _children(connection, "case_exams", number)
        ),
        signatures=tuple(
            Signature(name, Text(en, zh), by, maybe_moment(at))
            for _, _, name, en, zh, by, at in _children(connection, "case_signatures", number)
        ),
        needs_period=bool(row["needs_period"]),
        period=Period(maybe_moment(row["period_until"]), decided.by, decided.at, decided.reason) if decided else None,
        papers=_remark(row, "papers"),
        closed=_remark(row, "closed"),
        rescissions=_decisions(connection, number, "rescind"),
        rescinded=bool(row["rescinded"]),
        withdrawn=bool(row["withdrawn"]),
        effective_at=maybe_moment(row["effective_at"]),
        carried_out_at=maybe_moment(row["carried_out_at"]),
        advanced=_remark(row, "advanced"),
        batch=row["batch"],
        resumption=_remark(row, "resumption"),
        measures=tuple(
            Measure(name, MeasureKind(kind), Text(en, zh), days)
            for _, _, name, kind, en, zh, days in _children(connection, "case_measures", number)
        ),
        taken=tuple(taken_row(values) for _, _, *values in _children(connection, "case_measures_taken", number)),
        restorations=tuple(
            Restoration(grant, asked_by, moment(at), given_by)
            for _, _, grant, asked_by, at, given_by in _children(connection, "case_restorations", number)
        ),
    )


def _children(connection: sqlite3.Connection, table: str, number: int) -> list[tuple[Any, ...]]:
    rows = connection.execute(f"SELECT * FROM {table} WHERE departure_case = ? ORDER BY place", (number,))  # noqa: S608 - names of our own
    return [tuple(row) for row in rows]


def _decisions(connection: sqlite3.Connection, number: int, decision: str) -> tuple[CaseRemark, ...]:
    rows = _children(connection, "case_decisions", number)
    return tuple(
        CaseRemark(by, moment(at), reason)
        for _, stored_decision, _, by, at, reason in rows
        if stored_decision == decision
    )


def _remark_columns(name: str, remark: CaseRemark | None) -> dict[str, object]:
    by, at, reason = (remark.by, instant(remark.at), remark.reason) if remark else (None, None, None)
    return {f"{name}_by": by, f"{name}_at": at, f"{name}_reason": reason}


def _remark(row: Mapping[str, Any], name: str) -> CaseRemark | None:
    by, at, reason = row[f"{name}_by"], row[f"{name}_at"], row[f"{name}_reason"]
    return None if by is None else CaseRemark(by, moment(at), reason)
