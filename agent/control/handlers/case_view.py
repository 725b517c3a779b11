"""Offboarding cases as JSON, for ``case show``, ``case status`` and ``case list``.

Rules of this file: pure. Instants are RFC 3339, codes come with their text in both languages, free text is unchanged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from agent.api.timestamps import printed
from rules.offboarding.case import OffboardingCase
from rules.offboarding.cooling_off import keeper
from rules.offboarding.keeping import Kept
from rules.offboarding.next_steps import flags, next_steps
from rules.offboarding.vocabulary import CaseStep
from rules.text import Message, Sentence, Text

Json = Any

_UNIT, _POST = Message("control.leaves-unit"), Message("control.leaves-post")


def case_json(case: OffboardingCase, now: datetime, today: date, still_named: Sequence[Kept] = ()) -> Json:
    """Return all of *case*, with its next steps and flags; *today* is the day at the site.

    *still_named*: places in which its person is still named.
    """
    values = _plain(asdict(case))
    del values["id"], values["chain"], values["sent_back"]
    return {
        **brief(case, now, today, still_named),
        **values,
        "approvals": [
            {"role": place.role, "title": place.title.to_json(), **_plain(approval)}
            for place, approval in zip(case.chain, _approvals(case), strict=True)
        ],
        "items": [_plain(asdict(line)) for line in case.items],
        "signatures": [_plain(asdict(paper)) for paper in case.signatures],
        "keeper": _keeper(case),
    }


def _keeper(case: OffboardingCase) -> Json:
    """Return the party that supervises the cooling-off period; ``None`` without a period."""
    if not (case.period and case.period.until):
        return None
    duty_keeper = keeper(case)
    return {
        "keeper": duty_keeper.keeper.value,
        "text": duty_keeper.keeper.text.to_json(),
        "party": duty_keeper.party,
        "paper": duty_keeper.paper,
    }


def batches(cases: Iterable[OffboardingCase], today: date) -> list[Json]:
    """Return each batch among *cases*: the number of people at each step, and of flagged cases."""
    named: dict[str, list[OffboardingCase]] = {}
    for case in cases:
        if case.batch:
            named.setdefault(case.batch, []).append(case)
    return [
        {
            "batch": name,
            "people": len(members),
            "over": sum(case.ended_at is not None for case in members),
            "steps": [
                {"step": step.value, "text": step.text.to_json(), "people": count}
                for step in CaseStep
                if (count := sum(case.step is step for case in members))
            ],
            "first_day": min(case.last_day for case in members).isoformat(),
            "last_day": max(case.last_day for case in members).isoformat(),
            "flagged": sum(bool(flags(case, today)) for case in members),
        }
        for name, members in named.items()
    ]


def brief(case: OffboardingCase, now: datetime, today: date, still_named: Sequence[Kept] = ()) -> Json:
    """Return the summary of *case*."""
    return {
        "case": case.id,
        "person": case.person,
        "kind": case.kind.value,
        "kind_text": case.kind.text.to_json(),
        "leaves": "unit" if case.kind.leaves_unit else "post",
        "leaves_text": (_UNIT if case.kind.leaves_unit else _POST).to_json(),
        "batch": case.batch,
        "step": case.step.value,
        "step_text": case.step.text.to_json(),
        "last_day": case.last_day.isoformat(),
        "approved_at": printed(case.approved_at) if case.approved_at else None,
        "effective_at": printed(case.effective_at) if case.effective_at else None,
        "ended_at": printed(case.ended_at) if case.ended_at else None,
        "cooling_off_until": printed(case.period.until) if case.period and case.period.until else None,
        "owed": [{"duty": duty.value, "text": duty.text.to_json()} for duty in case.owed],
        "next": [
            {"event": step.event.value, "name": step.name, "what": step.what.to_json()}
            for step in next_steps(case, now)
        ],
        "flags": [flag.to_json() for flag in (*flags(case, today), *map(_still, still_named))],
    }


def _still(duty: Kept) -> Sentence:
    return Message("control.to-hand-over", duty=duty.what)


def _approvals(case: OffboardingCase) -> list[dict[str, Json]]:
    approvals: list[dict[str, Json]] = [
        {
            "by": approval.by,
            "at": approval.at,
            "opinion": approval.opinion,
            "written_by": approval.written_by,
            "paper": approval.paper,
            "paper_on": approval.paper_on.isoformat() if approval.paper_on else None,
        }
        for approval in case.approvals
    ]
    none = {"by": None, "at": None, "opinion": "", "written_by": "", "paper": "", "paper_on": None}
    return approvals + [none] * (len(case.chain) - len(approvals))


def _plain(node: Json) -> Json:
    """Return *node* as plain JSON. ``asdict`` leaves every :class:`Text` as it is: a pair."""
    if isinstance(node, datetime):
        return printed(node)
    if isinstance(node, date):
        return node.isoformat()
    if isinstance(node, dict):
        return {name: _plain(child) for name, child in node.items()}
    if isinstance(node, Message | Text):
        return node.to_json()
    if isinstance(node, list | tuple):
        return [_plain(child) for child in node]
    return node
