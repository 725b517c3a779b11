"""A departure case as JSON: what ``case show``, ``case status`` and ``case list`` answer.

Rules of this file: pure. Instants are RFC 3339, words come with their text in both languages, free text is as it came.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from agent.api.timestamps import printed
from rules.offboarding.case import OffboardingCase
from rules.offboarding.next_steps import flags, next_steps
from rules.text import Text

Json = Any


def shown(case: OffboardingCase, now: datetime, today: date) -> Json:
    """Return all of *case*, with what comes next and what is wrong with it; *today* is the site's."""
    values = _plain(asdict(case))
    del values["id"], values["chain"], values["sent_back"]
    return {
        **brief(case, now, today),
        **values,
        "approvals": [
            {"role": place.role, "title": place.title.to_json(), **_plain(given)}
            for place, given in zip(case.chain, _approvals(case), strict=True)
        ],
        "items": [_plain(asdict(item)) for item in case.items],
        "signatures": [_plain(asdict(paper)) for paper in case.signatures],
    }


def brief(case: OffboardingCase, now: datetime, today: date) -> Json:
    """Return where *case* stands."""
    return {
        "case": case.id,
        "person": case.person,
        "kind": case.kind.value,
        "kind_text": case.kind.text.to_json(),
        "step": case.step.value,
        "step_text": case.step.text.to_json(),
        "last_day": case.last_day.isoformat(),
        "approved_at": printed(case.approved_at) if case.approved_at else None,
        "cooling_off_until": printed(case.period.until) if case.period and case.period.until else None,
        "owed": [{"duty": duty.value, "text": duty.text.to_json()} for duty in case.owed],
        "next": [
            {"event": step.event.value, "name": step.name, "what": step.what.to_json()}
            for step in next_steps(case, now)
        ],
        "flags": [flag.to_json() for flag in flags(case, today)],
    }


def _approvals(case: OffboardingCase) -> list[dict[str, Json]]:
    given = [{"by": done.by, "at": done.at, "opinion": done.opinion} for done in case.approvals]
    return given + [{"by": None, "at": None, "opinion": ""}] * (len(case.chain) - len(given))


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
