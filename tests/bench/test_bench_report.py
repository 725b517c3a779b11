"""The bench's arithmetic and its table. What it measures is measured, not tested."""

import json
import re
from pathlib import Path

import pytest

from agent.presentation.table import width
from rules.text import Text
from tests import ROOT
from tests.bench import report
from tests.bench.rows import Row
from tests.bench.samples import latency, percentile, ratio

ROWS = (
    Row(
        "open.a", Text("open", "打开文件"), "1.00 µs", 2.0, Text("unguarded", "无防护"), "≤ 1.00", "missed", {"us": 1.0}
    ),
    Row("rate.b", Text("openers", "进程"), "9 /s", bar="≥ 15,000 /s", verdict="not judged"),
    Row("memory", Text("memory", "内存"), "41 MB", bar="≤ 80 MB", verdict="met"),
)
MACHINE = {"kernel": "6.18", "python": "3.11.7"}


@pytest.mark.parametrize(("percent", "expected"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_a_measured_value(percent: float, expected: int) -> None:
    assert percentile(range(1, 101), percent) == expected


def test_a_single_measurement_is_every_percentile() -> None:
    assert percentile([7], 1) == percentile([7], 99) == 7


def test_one_disturbed_round_does_not_move_a_latency_or_a_ratio() -> None:
    calm = [[10, 11, 12]] * 9
    disturbed = [*calm, [900, 1000, 1100]]
    assert latency(disturbed).median == 11
    assert latency(disturbed).quiet == 11
    assert ratio(disturbed, [[5, 5, 6]] * 10) == 11 / 5


def test_what_disturbs_a_whole_round_leaves_its_ratio_alone() -> None:
    assert ratio([[20], [200], [2000]], [[10], [100], [1000]]) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_columns_line_up_in_both_languages(language: str) -> None:
    lines = report.lines(ROWS, "zh" if language == "zh" else "en")
    bars = [line.index(bar) for line, bar in zip(lines[1:], ("≤ 1.00", "≥ 15,000", "≤ 80 MB"), strict=True)]
    assert len({width(line[:at]) for line, at in zip(lines[1:], bars, strict=True)}) == 1


def test_a_verdict_is_a_word_and_not_only_a_sign() -> None:
    said = "\n".join(report.lines(ROWS, "en"))
    assert "missed" in said
    assert "met" in said
    assert "cannot be judged" in said


def test_the_json_report_keeps_numbers_and_both_languages() -> None:
    first = json.loads(report.as_json(ROWS, MACHINE))["rows"][0]
    assert first["what"] == {"en": "open", "zh": "打开文件"}
    assert first["numbers"] == {"us": 1.0}
    assert (first["ratio"], first["verdict"]) == (2.0, "missed")


def test_the_page_keeps_what_stands_outside_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n", encoding="utf-8")
    report.write_page(page, ROWS, MACHINE)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| memory | 41 MB |" in text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("words", encoding="utf-8")
    with pytest.raises(ValueError, match="markers"):
        report.write_page(page, ROWS, MACHINE)
    assert page.read_text(encoding="utf-8") == "words"


def test_the_two_pages_have_the_same_figures() -> None:
    pages = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("performance.md", "performance.zh.md")]
    english, chinese = (_figures(page) for page in pages)
    assert english == chinese


def _figures(page: str) -> list[list[str]]:
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    return [sorted(re.findall(r"\d[\d,.]*\d|\d", line)) for line in rows]
