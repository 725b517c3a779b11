"""The log by itself: entries appended and verified a second."""

import tempfile
import time
from pathlib import Path
from statistics import median

from agent.log.append import Appender
from agent.log.entry import stamp_ns
from agent.log.verify import verify
from rules.text import Text
from tests.bench.rows import Row, judged

_ENTRIES = 100_000
_BATCH = 64
_TURNS = 3
_BAR = 500_000
FIELDS = (
    '"host":"files1","kind":"access","action":"open","verdict":"allow","mode":"enforce","enforced":true,"rule":"allow",'
    '"clauses":["D01-2.1","D03-3.13"],"person":"E1001","login_person":"E1001","service":null,"area":"plans",'
    '"level":"secret","domain":"state","pack":"minimal@3c29d6d554e7","epoch":4,"fsuid":61001,"loginuid":61001,'
    '"ruid":61001,"pid":7552,"tid":7552,"exe":"/usr/bin/cat","comm":"cat","client":null,'
    '"path":"/srv/vol/plans/项目甲/计划1.txt","dev":"7:1","ino":14'
)


def rows() -> list[Row]:
    """Append and verify a log of ordinary entries, in batches as they come under load."""
    appended, verified = zip(*(_once() for _ in range(_TURNS)), strict=True)
    appending, verifying = median(appended), median(verified)
    return [
        _row("log.append", Text(f"entries appended, {_BATCH} a batch", f"追加条目，每批 {_BATCH} 条"), appending),
        _row("log.verify", Text("entries verified", "校验条目"), verifying, _BAR),
    ]


def _once() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="shoumi-bench-") as made:
        folder = Path(made)
        with Appender(folder, "process") as appender:
            begun = time.perf_counter()
            for first in range(1, _ENTRIES + 1, _BATCH):
                stamp = stamp_ns(time.time_ns())
                numbers = range(first, min(first + _BATCH, _ENTRIES + 1))
                appender.append([f'{{"seq":{number},"time":"{stamp}",{FIELDS}}}'.encode() for number in numbers])
            appending = _ENTRIES / (time.perf_counter() - begun)
        begun = time.perf_counter()
        report = verify(folder)
        verifying = _ENTRIES / (time.perf_counter() - begun)
        if not report.ok or report.entries != _ENTRIES:
            raise OSError("the log of the bench is not in order")
        return appending, verifying


def _row(id_: str, what: Text, rate: float, bar: int | None = None) -> Row:
    shown, numbers = f"{rate:,.0f} /s", {"entries_per_second": rate}
    if bar is None:
        return Row(id_, what, shown, numbers=numbers)
    return Row(id_, what, shown, None, None, f"≥ {bar:,} /s", judged(rate >= bar), numbers)
