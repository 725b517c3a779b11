"""A log of ten million entries: appended, indexed, verified and searched, with the time each of them took.

A round appends a batch of entries and has the index follow; what is there when a run is stopped stays for the next.
Rules of this file: a time is recorded and never judged; what is judged are numbers of entries.
"""

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from agent.log.append import Appender
from agent.log.entry import stamp
from agent.log.index import Indexer
from agent.log.search import Filter, last_seq, query
from agent.log.verify import verify
from tests.long.rounds import Part, Run
from tests.sentences import en

T = TypeVar("T")
_ROUND = 100_000  # entries
_BATCH = 64
_PEOPLE, _AREAS, _EVERY = 1_000, 100, 997  # one in so many names a rare word
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_FIELDS = (
    '"host":"files1","kind":"access","action":"open","verdict":"%s","mode":"enforce","enforced":true,"rule":"%s",'
    '"clauses":["D01-2.1","D03-3.13"],"person":"E%d","login_person":"E%d","service":null,"area":"area-%d",'
    '"level":"secret","domain":"state","pack":"minimal@3c29d6d554e7","epoch":4,"fsuid":61001,"loginuid":61001,'
    '"ruid":61001,"pid":7552,"tid":7552,"exe":"/usr/bin/cat","comm":"cat","client":null,'
    '"path":"/srv/vol/plans/项目甲/%s%d.txt","dev":"7:1","ino":14'
)
_SEARCHES = {
    "newest": Filter(),
    "a person": Filter(person="E17"),
    "an area": Filter(area="area-3"),
    "a verdict": Filter(verdict="deny"),
    "a rule": Filter(rule="level"),
    "a person's denials": Filter(person="E17", verdict="deny"),
    "two Chinese characters": Filter(text="北门"),
    "a word nobody wrote": Filter(text="没有"),
}


def run(run: Run) -> None:
    """Append and index in rounds; then verify and search the whole."""
    folder, index = run.folder / "log", run.folder / "index"
    folder.mkdir(mode=0o700, exist_ok=True)
    with Appender(folder, "process") as log, Indexer(folder, index) as indexer:
        for number in run.rounds():
            _append(run, log, (number + 1) * _ROUND)
            _timed(run, "index seconds", lambda: indexer.catch_up(3600))
        entries = log.next_seq - 1
    run.measure("entries", entries)
    run.check("entries missing from the index", entries - last_seq(index))
    report = _timed(run, "verify seconds", lambda: verify(folder))
    run.check("problems", [en(problem.text) for problem in report.problems])
    run.check("entries missing from the report", entries - report.entries)
    for name, wanted in _SEARCHES.items():
        found = _timed(run, f"first page of {name} ms", lambda wanted=wanted: _page(index, wanted), 1000)
        run.check("wrong pages", [name] if (name == "a word nobody wrote") != (found == 0) else [])
    run.measure("bytes an entry", sum(_sizes(folder, index)) / max(1, entries))


def _append(run: Run, log: Appender, last: int) -> None:
    """Append until the log ends with *last*: a round that was stopped in its middle is finished."""

    def act() -> None:
        while log.next_seq <= last:
            log.append([_line(seq) for seq in range(log.next_seq, min(log.next_seq + _BATCH, last + 1))])

    _timed(run, "append seconds", act)


def _line(seq: int) -> bytes:
    at = stamp(_BEGIN + timedelta(seconds=seq))
    denied = seq // 7 % 53 == 0  # no factor of 1000, so that everybody is denied now and then
    who, word = seq * 7919 % _PEOPLE, "北门" if seq % _EVERY == 0 else "计划"
    fields = _FIELDS % (*(("deny", "level") if denied else ("allow", "allow")), who, who, seq * 31 % _AREAS, word, seq)
    return b'{"seq":%d,"time":"%b",%b}' % (seq, at.encode(), fields.encode())


def _page(index: Path, wanted: Filter) -> int:
    return sum(1 for _ in itertools.islice(query(index, wanted), 200))


def _sizes(*folders: Path) -> list[int]:
    return [file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file()]


def _timed(run: Run, name: str, act: Callable[[], T], factor: float = 1.0) -> T:
    begun = time.perf_counter()
    found = act()
    run.count(name, (time.perf_counter() - begun) * factor)
    return found


PART = Part("log", "a log of ten million entries", run, rounds=100, short=3)
