"""How fast revocations are here: median, 95th percentile and worst of every span, over all receipts that are kept.

Rules of this file: only genuine receipts count, of each case the last one; what cannot be read is counted, not hidden.
A percentile is the nearest rank: a span that was measured, never an average of two. A last read from before the notice
arrived says nothing about speed and is left out.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.offboard.receipt.page import span
from agent.offboard.receipt.receipt import kept
from agent.offboard.receipt.timeline import MARKS, START
from agent.offboard.receipt.verify import verify
from agent.presentation import table as text_table
from rules.text import Language, Text

DOORS = "doors"
_TITLES = {
    **{mark: text for mark, text in MARKS.items() if mark not in ("approved", START)},
    DOORS: Text("doors refused", "门禁拒绝"),
}


class Trend(NamedTuple):
    """The spans of one mark, in microseconds after the notice was received."""

    mark: str
    times: int
    p50: int
    p95: int
    worst: int


class Trends(NamedTuple):
    """All marks with at least one span; how many receipts there were, how many open, how many bad."""

    rows: tuple[Trend, ...]
    receipts: int
    incomplete: int
    bad: int


def trends(folder: Path, key_of: Callable[[bytes], bytes]) -> Trends:
    """Read the receipts in *folder*, each checked with what *key_of* says of it. Bad files are counted.

    Raises :class:`agent.errors.UsageError` for a bad key, and what *key_of* raises.
    """
    last: dict[str, Mapping[str, Any]] = {}
    bad = 0
    for path in kept(folder):
        try:
            data = path.read_bytes()
            report = verify(data, key_of(data))
        except OSError:
            bad += 1
            continue
        if report.genuine and report.payload:
            last[str(report.payload["case"])] = report.payload
        else:
            bad += 1
    return summed(tuple(last.values()), bad)


def summed(bodies: Sequence[Mapping[str, Any]], bad: int = 0) -> Trends:
    """Return the trends of receipts given as their JSON."""
    spans: dict[str, list[int]] = {}
    for body in bodies:
        for row in body["timeline"]:
            if row["mark"] in _TITLES and row["after_us"] is not None and row["after_us"] >= 0:
                spans.setdefault(row["mark"], []).append(row["after_us"])
        for door in body["doors"]:
            if door["state"] == "confirmed" and door["after_us"] is not None:
                spans.setdefault(DOORS, []).append(door["after_us"])
    rows = tuple(_trend(mark, spans[mark]) for mark in _TITLES if mark in spans)
    return Trends(rows, len(bodies), sum(not body["complete"] for body in bodies), bad)


def lines(found: Trends, language: Language) -> Iterable[str]:
    """Yield the trends for people."""
    yield Text(
        f"{found.receipts} receipts, {found.incomplete} not complete, {found.bad} not readable or not genuine",
        f"回执 {found.receipts} 份，未完成 {found.incomplete} 份，无法读取或未通过核验 {found.bad} 份",
    ).say(language)
    heading = [
        Text("after the notice", "收到通知后"),
        Text("count", "次数"),
        Text("p50", "中位数"),
        Text("p95", "95%"),
        Text("worst", "最慢"),
    ]
    yield from text_table.lines(
        [text.say(language) for text in heading],
        [
            (_TITLES[row.mark].say(language), row.times, *(span(value, language) for value in row[2:]))
            for row in found.rows
        ],
    )


def _trend(mark: str, spans: Sequence[int]) -> Trend:
    ordered = sorted(spans)
    return Trend(mark, len(ordered), _rank(ordered, 50), _rank(ordered, 95), ordered[-1])


def _rank(ordered: Sequence[int], percent: int) -> int:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]
