"""Trends of revocation times: median, 95th percentile and worst of every span, over all receipts that are kept.

Rules of this file: only genuine receipts count, of each case the last one; an unreadable one is counted, not hidden. A
percentile is the nearest rank: a measured span, never an average of two. A last read from before the notice arrived is
no measure of speed and is left out.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.language.catalogue import localized
from agent.offboard.receipt.page import span
from agent.offboard.receipt.receipt import kept
from agent.offboard.receipt.timeline import MARKS, START
from agent.offboard.receipt.verify import verify
from agent.presentation import table as text_table
from rules.text import Language, Message

DOORS = "doors"
_TITLES = {
    **{mark: text for mark, text in MARKS.items() if mark not in ("approved", START)},
    DOORS: Message("receipt.doors-refused"),
}


class Trend(NamedTuple):
    """The spans of one mark, in microseconds after the notice was received."""

    mark: str
    times: int
    p50: int
    p95: int
    worst: int


class Trends(NamedTuple):
    """All marks with at least one span; the numbers of receipts, of open ones and of bad ones."""

    rows: tuple[Trend, ...]
    receipts: int
    incomplete: int
    bad: int


def trends(folder: Path, key_of: Callable[[bytes], bytes]) -> Trends:
    """Read the receipts in *folder*, each checked with the key that *key_of* returns. Bad files are counted.

    Raises :class:`agent.errors.UsageError` for a bad key, and what *key_of* raises.
    """
    last: dict[str, Mapping[str, Any]] = {}
    bad = 0
    for path in kept(folder):
        try:
            contents = path.read_bytes()
            report = verify(contents, key_of(contents))
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


def lines(summary: Trends, language: Language) -> Iterable[str]:
    """Yield the trends for people."""
    yield localized(
        Message(
            "receipt.summary",
            receipts=summary.receipts,
            incomplete=summary.incomplete,
            bad=summary.bad,
        ),
        language,
    )
    heading = [
        Message("receipt.after-notice"),
        Message("receipt.count"),
        Message("receipt.median"),
        Message("receipt.percentile-95"),
        Message("receipt.worst"),
    ]
    yield from text_table.lines(
        [localized(text, language) for text in heading],
        [
            (
                localized(_TITLES[row.mark], language),
                row.times,
                *(span(microseconds, language) for microseconds in row[2:]),
            )
            for row in summary.rows
        ],
    )


def _trend(mark: str, spans: Sequence[int]) -> Trend:
    ordered = sorted(spans)
    return Trend(mark, len(ordered), _rank(ordered, 50), _rank(ordered, 95), ordered[-1])


def _rank(ordered: Sequence[int], percent: int) -> int:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]
