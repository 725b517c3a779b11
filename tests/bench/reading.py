"""What reads through an open descriptor cost, and what files cost that are not protected at all."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from rules.text import Text
from tests.bench.machine import pinned_cpu
from tests.bench.openers import opener, opens, reads
from tests.bench.rows import Row, judged, microseconds, spread
from tests.bench.samples import Rounds, by_name, latency, ratio
from tests.bench.sites import READER, Site

_ROUNDS = 40
_READS = 1000
_LOUD_READS = 300
_QUIET_SECONDS = 10.0
_BAR = 1.05
_UNGUARDED = Text("unguarded", "无防护")


def read_rows(bare: list[bytes], site: Site) -> list[Row]:
    """Compare 4 KiB reads: unguarded, in an area that is quiet, and where every read is asked about."""
    cpus = {pinned_cpu()}
    site.pin(cpus)
    with ExitStack() as stack:
        turn = {
            name: stack.enter_context(opener(READER, reads(file), cpus))
            for name, file in (("bare", bare[0]), ("quiet", site.files[0]), ("each", site.loud[0]))
        }
        _await_quiet(lambda: median(turn["quiet"].round(100)) < 2 * median(turn["bare"].round(100)))
        counts = {"bare": _READS, "quiet": _READS, "each": _LOUD_READS}
        rounds = by_name([{name: one.round(counts[name]) for name, one in turn.items()} for _ in range(_ROUNDS)])
    names = {
        "bare": Text("read 4 KiB, unguarded", "读取 4 KiB，无防护"),
        "quiet": Text("read 4 KiB, armed but quiet", "读取 4 KiB，已布防、静默"),
        "each": Text("read 4 KiB, every read asked about", "读取 4 KiB，每次读取均判定"),
    }
    return [_row(f"read.{name}", names[name], taken, rounds["bare"]) for name, taken in rounds.items()]


def unprotected_row(bare: list[bytes], site: Site) -> Row:
    """Compare opens of unprotected files while the agent runs and while it does not: on, off, off, on, …"""
    running: list[list[int]] = []
    stopped: list[list[int]] = []
    with opener(READER, opens(bare), {pinned_cpu()}) as person:
        for on in (True, False, False, True, True, False, False, True):
            if on and site.stage.agent is None:
                site.start()
            elif not on:
                site.stage.stop()
            person.round(5)
            for _ in range(10):
                (running if on else stopped).append(person.round(10))
    found = ratio(running, stopped)
    shown = f"{microseconds(latency(running).median)} / {microseconds(latency(stopped).median)}"
    what = Text("open of an unprotected file, agent running / stopped", "打开未受保护的文件，守护服务运行 / 停止")
    against = Text("agent stopped", "守护服务停止")
    return Row("unprotected", what, shown, found, against, f"≤ {_BAR:.2f}", judged(found <= _BAR), {"ratio": found})


def _row(id_: str, what: Text, taken: Rounds, bare: Rounds) -> Row:
    found, times = latency(taken), ratio(taken, bare)
    shown = spread(found)
    numbers = {"median_us": found.median / 1000, "p99_us": found.p99 / 1000, "against_bare": times}
    return Row(id_, what, shown, None if taken is bare else times, _UNGUARDED, numbers=numbers)


def _await_quiet(quiet: Callable[[], bool]) -> None:
    """Wait until the control process has looked who holds what, and reads are no longer asked about."""
    end = time.monotonic() + _QUIET_SECONDS
    while not quiet():
        if time.monotonic() > end:
            raise OSError("the area did not become quiet")
        time.sleep(0.1)
