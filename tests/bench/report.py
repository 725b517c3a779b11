"""The bench's findings for people and for programs.

Rules of this file: a bar is never only a sign: met and missed are words, in both languages. Columns are counted in
terminal cells. The page in ``docs`` carries the same rows, and what they mean stands in the page, outside the markers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

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
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def lines(rows: Iterable[Row], language: Language) -> list[str]:
    """Return the table as lines."""
    return text_table.lines([text.say(language) for text in _HEADING], _cells(rows, language))


def machine_lines(machine: Mapping[str, str], language: Language) -> list[str]:
    """Return the machine as lines."""
    return [f"{_MACHINE[name].say(language)}: {value}" for name, value in machine.items()]


def as_json(rows: Iterable[Row], machine: Mapping[str, str]) -> str:
    """Return everything as one JSON document."""
    whole = {"machine": dict(machine), "rows": [row.json() for row in rows]}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def write_page(page: Path, rows: Sequence[Row], machine: Mapping[str, str]) -> None:
    """Put the rows between the markers of *page*. Raises ``ValueError`` when it has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has no markers")
    listing = [f"- {line}" for line in machine_lines(machine, "en")]
    cells = [[text.en for text in _HEADING], ["---"] * len(_HEADING), *_cells(rows, "en")]
    body = "\n".join([*listing, "", *("| " + " | ".join(row) + " |" for row in cells)])
    page.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")


def _cells(rows: Iterable[Row], language: Language) -> list[list[str]]:
    return [
        [
            row.what.say(language),
            row.shown,
            f"{row.ratio:.2f} ×" if row.ratio is not None else "",
            row.against.say(language) if row.against and row.ratio is not None else "",
            row.bar,
            _VERDICTS[row.verdict].say(language),
        ]
        for row in rows
    ]
