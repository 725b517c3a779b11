"""The bench's findings for people and for programs.

Rules of this file: a bar is never only a sign: met and missed are words, in both languages. Columns are counted in
terminal cells. The pages in ``docs`` carry the same rows, and their meaning stands there outside the markers.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agent.language.catalogue import localized
from agent.presentation import table as text_table
from rules.text import Language, Text
from tests.bench.rows import Row

_HEADING = (
    Text("what", "项目"),
    Text("measured", "测得"),
    Text("ratio", "比值"),
    Text("against", "相对于"),
    Text("bar", "指标"),
    Text("verdict", "结论"),
)
_VERDICTS = {
    "met": Text("✓ met", "✓ 达到"),
    "missed": Text("✗ missed", "✗ 未达到"),
    "not judged": Text("– cannot be judged here", "– 此处无法评判"),
    "": Text("", ""),
}
_MACHINE = {
    "kernel": Text("kernel", "内核"),
    "cpu": Text("processor", "处理器"),
    "cores": Text("cores", "核数"),
    "memory_gib": Text("memory (GiB)", "内存 (GiB)"),
    "virtual": Text("virtual machine", "虚拟机"),
    "python": Text("Python", "Python"),
    "nice": Text("nice value of everything measured", "被测进程的 nice 值"),
    "busy": Text("load when it began", "开始时的负载"),
}
_CHINESE = (  # what stands in figures and bars, which rows have in English alone
    (r"^all$", "全部"),
    ("all stay online", "全部在线"),
    (r"(\d+) online, (\d+) lost; badge → strike", r"在线 \1 台，断开 \2 台；刷卡 → 开锁"),
    (r"(\d+) confirmed in (\S+ s); pending: ", r"\2 内确认 \1 台；待确认："),
    (r"(\d+) confirmed ≤ (\S+ s), the dead one pending by name", r"≤ \2 内确认 \1 台，离线的一台点名列为待确认"),
    (r"(\S+%) of a core", r"单核 \1"),
    ("control process", "控制进程"),
    ("longest stall", "最长停顿"),
    ("stall", "停顿"),
    ("median", "中位数"),
    ("quiet", "静默"),
    (r"^yes$", "是"),
    (r"^no$", "否"),
    ("without ", "未加 "),
    ("with ", "已加 "),
    (r" ?\((.*)\)", r"（\1）"),
    (", ", "，"),
)
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def lines(rows: Iterable[Row], language: Language) -> list[str]:
    """Return the table as lines."""
    return text_table.lines([localized(text, language) for text in _HEADING], _cells(rows, language))


def machine_lines(machine: Mapping[str, str], language: Language) -> list[str]:
    """Return the machine as lines."""
    if language == "zh":
        return [f"{_MACHINE[name].zh}：{chinese(value) if name != 'cpu' else value}" for name, value in machine.items()]
    return [f"{localized(_MACHINE[name], language)}: {value}" for name, value in machine.items()]


def chinese(cell: str) -> str:
    """Return a figure or a bar with its words in Chinese."""
    for pattern, words in _CHINESE:
        cell = re.sub(pattern, words, cell)
    return cell


def as_json(rows: Iterable[Row], machine: Mapping[str, str]) -> str:
    """Return everything as one JSON document."""
    whole = {"machine": dict(machine), "rows": [row.json() for row in rows]}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def write_page(page: Path, rows: Sequence[Row], machine: Mapping[str, str], language: Language = "en") -> None:
    """Put the rows between the markers of *page*. Raises ``ValueError`` when it has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has no markers")
    listing = [f"- {line}" for line in machine_lines(machine, language)]
    cells = [[localized(text, language) for text in _HEADING], ["---"] * len(_HEADING), *_cells(rows, language)]
    body = "\n".join([*listing, "", *("| " + " | ".join(row) + " |" for row in cells)])
    page.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")


def _cells(rows: Iterable[Row], language: Language) -> list[list[str]]:
    return [
        [
            localized(row.what, language),
            chinese(row.shown) if language == "zh" else row.shown,
            f"{row.ratio:.2f} ×" if row.ratio is not None else "",
            localized(row.against, language) if row.against and row.ratio is not None else "",
            chinese(row.bar) if language == "zh" else row.bar,
            localized(_VERDICTS[row.verdict], language),
        ]
        for row in rows
    ]
