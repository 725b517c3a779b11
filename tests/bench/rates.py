"""How many opens a second: 1, 4 and 16 openers, each entry as durable as promised before its open returns.

Rules of this file: openers start together and stop at the same clock; the disk's own fdatasync is measured in between,
on the filesystem the log lies on, because it bounds what "power" can reach.
"""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rules.text import Text
from tests.bench.openers import opener, opens_for
from tests.bench.rows import Row, Verdict, judged, microseconds
from tests.bench.sites import READER, Site
from tests.sentences import en, zh

_OPENERS = (1, 4, 16)
_MILLISECONDS = 700
_TURNS = 3
_SYNCS = 100
_LINE = b"x" * 600 + b"\n"
_BAR, _QUICK_DISK = 15_000, 200_000  # opens a second; nanoseconds of one fdatasync


def rows(name: str, site: Site, where: Text) -> list[Row]:
    """Measure *site*; *where* says where its log lies."""
    everywhere = os.sched_getaffinity(0)
    site.pin(everywhere)
    rates: dict[int, list[float]] = {count: [] for count in _OPENERS}
    syncs: list[float] = []
    with ExitStack() as stack:
        people = [stack.enter_context(opener(READER, opens_for(site.files), everywhere)) for _ in range(max(_OPENERS))]
        for _ in range(_TURNS):
            for count in _OPENERS:
                syncs.append(sync_time(site.stage.home.root))
                for one in people[:count]:
                    one.tell(_MILLISECONDS)
                rates[count].append(sum(one.hear() for one in people[:count]) / _MILLISECONDS * 1000)
    sync = median(syncs)
    return [_row(name, where, count, median(rates[count]), sync) for count in _OPENERS]


def _row(name: str, where: Text, count: int, rate: float, sync: float) -> Row:
    power = name.startswith("power")
    people = Text("1 opener" if count == 1 else f"{count} openers", f"{count} 个进程")
    durability = name.partition("-")[0]
    what = Text(f"{en(people)}, `{durability}`, {en(where)}", f"{zh(people)}，`{durability}`，{zh(where)}")
    shown = f"{rate:,.0f} /s" + (f" (fdatasync {microseconds(sync)})" if power else "")
    numbers = {"opens_per_second": rate, "fdatasync_us": sync / 1000}
    if not power or count != 16:
        return Row(f"rate.{name}.{count}", what, shown, numbers=numbers)
    verdict: Verdict = judged(rate >= _BAR) if rate >= _BAR or sync <= _QUICK_DISK else "not judged"
    return Row(f"rate.{name}.{count}", what, shown, None, None, "≥ 15,000 /s, fdatasync ≤ 0.2 ms", verdict, numbers)


def sync_time(folder: Path) -> float:
    """Return the median of appending one entry's worth to a file in *folder* and fdatasync, in nanoseconds."""
    path = folder / "sync"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        took = []
        for _ in range(_SYNCS):
            os.write(fd, _LINE)
            start = time.perf_counter_ns()
            os.fdatasync(fd)
            took.append(time.perf_counter_ns() - start)
        return median(took)
    finally:
        os.close(fd)
        path.unlink()
