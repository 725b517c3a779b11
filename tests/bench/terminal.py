"""The terminal over a long log: how soon it shows it, how fast it answers a key, what following and filtering cost.

Rules of this file: the terminal is the real program on a pseudo-terminal, the agent a real control process; only the
decider is without a kernel, because something must write ten thousand entries a second.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from agent import shipped_packs
from agent.log.append import Appender
from agent.log.entry import stamp
from agent.log.index import Indexer
from agent.runtime.home import Home
from agent.site.init import make
from rules.text import Text
from tests.bench.record import FIELDS
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile
from tests.control.site import Site
from tests.tui.pty_driver import Pty
from tui.app import Terminal
from tui.screens.log import LogScreen
from tui.settings import Settings

ENTRIES = 1_000_000
_SIZE = (120, 40)
_ROUNDS = 5
_STARTS, _KEYS, _RATE, _FOLLOWED = 5, 200, 10_000, 8.0
_START, _FRAME, _MEMORY, _TAIL, _FILTER, _STALL = 0.6, 25e6, 60.0, 0.15, 0.5, 0.05
_MARK = "›"
_DOWN, _UP, _PAGE_UP = b"\x1b[B", b"\x1b[A", b"\x1b[5~"
_DENIED = FIELDS.replace('"verdict":"allow"', '"verdict":"deny"').replace("项目甲/计划1", "项目乙/预算1")


class BusySite(Site):
    """A site whose decider writes by itself."""

    def _peer(self) -> "subprocess.Popen[bytes]":
        fd = self.peer_end.fileno()
        argv = [sys.executable, "-m", "tests.bench.busy_peer", str(self.home.root), str(fd)]
        return subprocess.Popen(argv, pass_fds=(fd,), stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def rows() -> Iterator[Row]:
    """Make a site with a million entries, then ask all questions."""
    with _site() as site:
        starts, memory = zip(*(_start(site) for _ in range(_STARTS)), strict=True)
        yield _start_row(starts)
        yield _memory_row(max(memory))
        yield _keys_row(_keys(site))
        yield from _filter_rows(asyncio.run(_filters(site)))
        yield _tail_row(*_tail(site))


@contextmanager
def _site() -> Iterator[BusySite]:
    with tempfile.TemporaryDirectory(prefix="shoumi-bench-") as made:
        home = Home(Path(made) / "home")
        make(home, shipped_packs.text("minimal"))
        _write(home)
        with Indexer(home.log, home.index) as indexer:
            indexer.catch_up(600)
        site = BusySite(home)
        try:
            yield site
        finally:
            site.stop()


def _write(home: Home) -> None:
    """Three months of entries, every thirtieth a denial."""
    begin, step = datetime.now(UTC) - timedelta(days=90), timedelta(days=90) / ENTRIES
    with Appender(home.log, "process") as appender:
        for first in range(1, ENTRIES + 1, 1000):
            time_ = stamp(begin + first * step)
            lines = [
                f'{{"seq":{n},"time":"{time_}",{_DENIED if n % 30 == 0 else FIELDS}}}'.encode()
                for n in range(first, first + 1000)
            ]
            appender.append(lines)


def _start(site: Site) -> tuple[float, float]:
    """Return the seconds from process start to the newest entry on the screen, and the memory then, in MB."""
    with Pty(site.home.root, "en", "log", size=_SIZE) as terminal:
        shown = terminal.until("1,000,0")
        terminal.rest()
        return shown - terminal.began, _memory(terminal.process.pid)


def _keys(site: Site) -> list[int]:
    """Return nanoseconds from a key to its frame, for keys that move by a line and by a page."""
    took = []
    with Pty(site.home.root, "en", "log", size=_SIZE) as terminal:
        terminal.until("1,000,0")
        terminal.rest()
        for number in range(_KEYS):
            key = (_UP, _UP, _PAGE_UP, _DOWN)[number % 4]
            terminal.clear()
            begun = time.perf_counter()
            terminal.press(key)
            took.append(int((terminal.until(_MARK) - begun) * 1e9))
            terminal.rest(0.05)
    return took


async def _filters(site: Site) -> dict[str, tuple[float, float]]:
    """Return for each filter the seconds until its result stands on the screen, and the longest stall until all do.

    Medians of some rounds: a stall is also what the machine does beside.
    """
    found = {}
    terminal = Terminal(site.home, "en", Settings())
    async with terminal.run_test(size=_SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await _until(lambda: isinstance(terminal.screen, LogScreen) and terminal.screen.view.current())
        screen = terminal.screen
        assert isinstance(screen, LogScreen)
        for typed in ("verdict:deny", "预算", "计划", "person:E1001"):
            rounds = []
            for _ in range(_ROUNDS):
                rounds.append(await _filter(screen, typed))
                screen._read("")  # noqa: SLF001 - as a filter that is typed does, without the keys
                await _until(lambda: not screen.view.reading or not screen.view.reading.wanted)
                await asyncio.sleep(0.5)
            found[typed] = median(took for took, _ in rounds), median(stall for _, stall in rounds)
    return found


async def _filter(screen: LogScreen, typed: str) -> tuple[float, float]:
    stalls: list[float] = []

    async def tick() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.002)
            stalls.append(time.perf_counter() - begun - 0.002)

    view = screen.view
    before = view.reading
    ticking = asyncio.create_task(tick())
    begun = time.perf_counter()
    screen._read(typed)  # noqa: SLF001
    await _until(lambda: view.reading is not before and view.current())
    took = time.perf_counter() - begun
    await _until(lambda: view.reading and view.reading.complete)
    ticking.cancel()
    return took, max(stalls)


async def _until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - the screen has no event for what a person sees
        await asyncio.sleep(0.001)


def _tail(site: BusySite) -> tuple[float, float, int]:
    """Return the share of a core that following takes, that of the control process, and how far behind it is."""
    with Pty(site.home.root, "en", "log", size=_SIZE) as terminal:
        terminal.until("following")
        terminal.rest()
        site.tell_peer(f"rate {_RATE}")
        _drain(terminal, 1.0)
        pids = (terminal.process.pid, site.control.pid)
        before, begun = [_cpu(pid) for pid in pids], time.perf_counter()
        _drain(terminal, _FOLLOWED)
        took = time.perf_counter() - begun
        shares = [(_cpu(pid) - was) / took for pid, was in zip(pids, before, strict=True)]
        site.tell_peer("rate 0")
        return shares[0], shares[1], len(terminal.seen)


def _drain(terminal: Pty, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while (left := deadline - time.perf_counter()) > 0:
        terminal.read(left)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmRSS")


def _start_row(took: tuple[float, ...]) -> Row:
    what = Text(f"terminal: process start → first rows, {ENTRIES:,} entries", f"终端：进程启动 → 首屏，{ENTRIES:,} 条")
    found = median(took)
    return Row("tui.start", what, f"{found:.2f} s", None, None, "≤ 0.6 s", judged(found <= _START), {"s": found})


def _memory_row(found: float) -> Row:
    what = Text("terminal: memory", "终端：内存")
    return Row("tui.memory", what, f"{found:.1f} MB", None, None, "≤ 60 MB", judged(found <= _MEMORY), {"mb": found})


def _keys_row(took: list[int]) -> Row:
    p50, p95 = percentile(took, 50), percentile(took, 95)
    what = Text("terminal: key → frame", "终端：按键 → 显示")
    shown = f"{milliseconds(p50)} (p95 {milliseconds(p95)})"
    numbers = {"p50_ms": p50 / 1e6, "p95_ms": p95 / 1e6}
    return Row("tui.key", what, shown, None, None, "p95 ≤ 25 ms", judged(p95 <= _FRAME), numbers)


def _filter_rows(found: dict[str, tuple[float, float]]) -> Iterator[Row]:
    for typed, (took, stall) in found.items():
        what = Text(f"terminal: filter `{typed}` → its rows", f"终端：筛选 `{typed}` → 显示")
        shown = f"{took * 1000:.0f} ms (longest stall {stall * 1000:.0f} ms)"
        met = took <= _FILTER and stall <= _STALL
        numbers = {"ms": took * 1000, "stall_ms": stall * 1000}
        yield Row(f"tui.filter.{typed}", what, shown, None, None, "≤ 500 ms, stall ≤ 50 ms", judged(met), numbers)


def _tail_row(share: float, control: float, sent: int) -> Row:
    what = Text(f"terminal: following {_RATE:,} entries a second", f"终端：跟随每秒 {_RATE:,} 条")
    shown = f"{share:.0%} of a core (control process {control:.0%})"
    numbers = {"share": share, "control_share": control, "bytes_per_second": sent / _FOLLOWED}
    return Row("tui.tail", what, shown, None, None, "≤ 15 %", judged(share <= _TAIL), numbers)
