"""A departure case as JSON: what ``case show``, ``case status`` and ``case list`` answer.

Rules of this file: pure. Instants are RFC 3339, words come with their text in both languages, free text is as it came.
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
from rules.text import Text

Json = Any

_UNIT, _POST = Text("leaves the unit", "离职"), Text("leaves the post", "离岗")


def shown(case: OffboardingCase, now: datetime, today: date, kept: Sequence[Kept] = ()) -> Json:
    """Return all of *case*, with what comes next and what is wrong with it; *today* is the site's.

    *kept*: where its person is still named.
    """
    values = _plain(asdict(case))
    del values["id"], values["chain"], values["sent_back"]
    return {
        **brief(case, now, today, kept),
        **values,
        "approvals": [
            {"role": place.role, "title": place.title.to_json(), **_plain(given)}
            for place, given in zip(case.chain, _approvals(case), strict=True)
        ],
        "items": [_plain(asdict(item)) for item in case.items],
        "signatures": [_plain(asdict(paper)) for paper in case.signatures],
        "keeper": _keeper(case),
    }


def _keeper(case: OffboardingCase) -> Json:
    """Return who keeps the cooling-off period; ``None`` where there is none."""
    if not (case.period and case.period.until):
        return None
    found = keeper(case)
    return {
        "keeper": found.keeper.value,
        "text": found.keeper.text.to_json(),
        "party": found.party,
        "paper": found.paper,
    }


def batches(cases: Iterable[OffboardingCase], today: date) -> list[Json]:
    """Return each batch among *cases* as one: how many stand where, and how many have something wrong with them."""
    named: dict[str, list[OffboardingCase]] = {}
    for case in cases:
        if case.batch:
            named.setdefault(case.batch, []).append(case)
    return [
        {
            "batch": name,
            "people": len(some),
            "over": sum(case.ended_at is not None for case in some),
            "steps": [
                {"step": step.value, "text": step.text.to_json(), "people": count}
                for step in CaseStep
                if (count := sum(case.step is step for case in some))
            ],
            "first_day": min(case.last_day for case in some).isoformat(),
            "last_day": max(case.last_day for case in some).isoformat(),
            "flagged": sum(bool(flags(case, today)) for case in some),
        }
        for name, some in named.items()
    ]


def brief(case: OffboardingCase, now: datetime, today: date, kept: Sequence[Kept] = ()) -> Json:
    """Return where *case* stands."""
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
        "flags": [flag.to_json() for flag in (*flags(case, today), *map(_still, kept))],
    }


def _still(one: Kept) -> Text:
    return Text(f"to hand over: {one.what.en}", f"待移交：{one.what.zh}")


def _approvals(case: OffboardingCase) -> list[dict[str, Json]]:
    given: list[dict[str, Json]] = [
        {
            "by": done.by,
            "at": done.at,
            "opinion": done.opinion,
            "written_by": done.written_by,
            "paper": done.paper,
            "paper_on": done.paper_on.isoformat() if done.paper_on else None,
        }
        for done in case.approvals
    ]
    none = {"by": None, "at": None, "opinion": "", "written_by": "", "paper": "", "paper_on": None}
    return given + [none] * (len(case.chain) - len(given))


def _plain(value: Json) -> Json:
    """Return *value* as JSON takes it. ``asdict`` has copied every :class:`Text` as it is: a pair."""
    if isinstance(value, datetime):
        return printed(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Text):
        return value.to_json()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
