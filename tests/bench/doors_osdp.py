"""OSDP doors: from a badge at the reader to the strike command at the reader, and 64 readers on two lines.

Rules of this file: readers and panel are two processes, as on a site, and the protocol between them is the real one,
with Secure Channel. The clock is the readers': it starts when the badge is shown and stops when the strike command has
been understood. The panel's process decides nothing, so what is measured is the way there and back.
"""

import json
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median

from agent.doors.address import Uhppote, parse
from agent.doors.messages import Online, Read
from agent.doors.osdp.buses import OsdpBuses
from agent.doors.osdp.plan import ReaderPlan
from agent.simulator.osdp_commands import ReceivedCommand
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from rules.text import Text
from tests import ROOT
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile

_BADGES = 80
_LINES, _EACH = 2, 32
_LOADED_BADGES = 200
_BAR = 70e6  # ns
_PATIENCE = 30.0


def rows() -> Iterator[Row]:
    """Measure both, one after the other."""
    with _site(1, 1) as (readers, _panel):
        took = _badges(readers, _BADGES, pause=0.02)
        yield Row(
            "osdp-badge",
            Text("badge → strike command, OSDP, tick of 5 ms", "刷卡 → 开锁命令，OSDP，5 毫秒周期"),
            f"{milliseconds(median(took))} (p95 {milliseconds(percentile(took, 95))})",
            bar="median ≤ 70 ms",
            verdict=judged(median(took) <= _BAR),
            numbers={"median_ns": median(took), "p95_ns": percentile(took, 95), "badges": len(took)},
        )
    with _site(_LINES, _EACH) as (readers, panel):
        took = _badges(readers, _LOADED_BADGES, pause=0.0)
        online, lost = panel.ask()
        yield Row(
            "osdp-64",
            Text(
                f"{_LINES * _EACH} OSDP readers on {_LINES} lines, under a stream of badges",
                f"{_LINES} 条线路上的 {_LINES * _EACH} 台 OSDP 读卡器，连续刷卡",
            ),
            f"{online} online, {lost} lost; badge → strike {milliseconds(median(took))}",
            bar="all stay online",
            verdict=judged(online == _LINES * _EACH and lost == 0),
            numbers={"online": online, "lost": lost, "median_ns": median(took), "p95_ns": percentile(took, 95)},
        )


def _badges(readers: Sequence[SoftwareReader], count: int, *, pause: float) -> list[float]:
    """Show *count* badges, one after the other at any reader, and return what each took, in nanoseconds."""
    chance = random.Random(4)
    took = []
    for number in range(count):
        reader = chance.choice(readers)
        before = reader.times("strike")
        time.sleep(pause + chance.random() * 0.05)  # at any moment between two polls
        shown = time.monotonic()
        reader.swipe(number)
        if not reader.wait(lambda heard, n=before: sum(told.kind == "strike" for told in heard) > n, _PATIENCE):
            raise TimeoutError("a badge was shown and no strike followed")
        took.append((_last_strike(reader).at - shown) * 1e9)
        reader.heard.clear()
    return took


def _last_strike(reader: SoftwareReader) -> ReceivedCommand:
    return [told for told in reader.heard if told.kind == "strike"][-1]


class _Panel:
    """The panel's process."""

    def __init__(self, readers: Sequence[SoftwareReader]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.doors_osdp"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(json.dumps({reader.address: (reader.key or b"").hex() for reader in readers}))
        until = time.monotonic() + _PATIENCE
        while self.ask()[0] < len(readers):
            if time.monotonic() > until:
                raise TimeoutError("not all readers came online")
            time.sleep(0.1)

    def ask(self) -> tuple[int, int]:
        """Return how many readers are online and how many were ever lost."""
        self._tell("?")
        assert self._child.stdout is not None
        online, lost = json.loads(self._child.stdout.readline())
        return online, lost

    def end(self) -> None:
        """End the process."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(_PATIENCE)
        if self._child.stdout is not None:
            self._child.stdout.close()

    def _tell(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()


@contextmanager
def _site(lines: int, each: int) -> Iterator[tuple[list[SoftwareReader], _Panel]]:
    readers = [[SoftwareReader(number, secrets.token_bytes(16)) for number in range(each)] for _ in range(lines)]
    everyone = [reader for on_line in readers for reader in on_line]
    with ExitStack() as stack:
        for on_line in readers:
            stack.enter_context(ReaderLine(on_line))
        panel = _Panel(everyone)
        stack.callback(panel.end)
        yield everyone, panel


def _serve() -> None:
    """Be the panel's process: readers on the first line of standard input, questions on the others."""
    lost = 0
    up: set[str] = set()
    turn = threading.Lock()

    def hear(word: object) -> None:
        nonlocal lost
        if isinstance(word, Read):
            buses.strike(word.door, 0, 0.1, lambda _ok, _why: None)
        elif isinstance(word, Online):
            with turn:
                lost += not word.online and word.address in up
                (up.add if word.online else up.discard)(word.address)

    buses = OsdpBuses(hear)
    buses.start()
    plans = []
    for address, key in json.loads(sys.stdin.readline()).items():
        where = parse(address)
        assert not isinstance(where, Uhppote)
        plans.append(ReaderPlan(where, address, "in", (bytes.fromhex(key),), wired=True))
    buses.configure(plans)
    for _question in sys.stdin:
        with turn:
            print(json.dumps([len(up), lost]), flush=True)
    buses.stop()


if __name__ == "__main__":
    _serve()
