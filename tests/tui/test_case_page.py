"""What the page of a departure says of its leave date and its cooling-off period."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from agent.control.handlers.case_view import case_json
from agent.language.catalogue import localized
from rules.offboarding.case import OffboardingCase
from rules.offboarding.cooling_off import end, take
from rules.offboarding.measure import MeasureEnd
from rules.text import Language
from tests.rules.offboarding.cases import DAY, NOW, TODAY, approved, settled, taken
from tui.render.case import page
from tui.render.cells import Toned


def read(case: OffboardingCase, language: Language = "en") -> str:
    pieces = page(case_json(replace(case, id="C000001"), NOW, TODAY), None, NOW)
    return "".join(said(piece, language) for piece in pieces)


def said(piece: Any, language: Language) -> str:
    inner = piece.text if isinstance(piece, Toned) else piece
    return "" if inner is None else inner if isinstance(inner, str) else localized(inner, language)


def test_a_leave_date_stands_where_it_is_seen_until_access_is_over() -> None:
    case = approved("minimal", effective_at=NOW + 60 * DAY)
    day = f"{(NOW + 60 * DAY).astimezone():%F}"
    assert f"leave date: access ends {day}" in read(case)
    assert f"离岗时间：权限将于 {day}" in read(case, "zh")
    assert "access ended" not in read(case)
    over = read(replace(case, carried_out_at=NOW + 60 * DAY))
    assert f"access ended {day}" in over
    assert "leave date" not in over


def test_measures_stand_with_their_papers_and_what_was_undone_with_its_own() -> None:
    case = settled(approved("state"))
    assert "cooling-off period supervised by the local secrecy authority bureau" in read(case)
    assert "脱密期管理方：地方保密行政管理部门 bureau" in read(case, "zh")
    assert "hold passports and permits  E8  2026-11-02  passport  bureau  7" in read(case)
    case = take(case, taken(case.measures[-1]), TODAY)
    later = NOW + 101 * DAY
    case = end(case, "border", "", MeasureEnd("E8", later, later.date(), "撤8"), later.date())
    assert f"{(NOW + timedelta(days=101)).date()} 已归还或撤销  撤8" in read(case, "zh")
