"""UHPPOTE doors: from a badge at the board to the open command at the board, and a badge taken from a hundred boards.

Rules of this file: boards here, the doors process there, and the boards' own wire between them. The clock is the
boards': it starts when the badge is shown and stops when the command has come. Whoever stands for control decides
nothing, so what is measured is the way there and back.
"""

import asyncio
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import TypeVar

from agent.doors import link
from agent.doors.frames import BoardBadge, Cards, CardStates, Configure, DoorSetup, FromDoors, ReaderSetup, StrikeSetup
from agent.doors.messages import Contact, Read, Release, Released
from agent.simulator.uhppote_board import Board
from rules.text import Text
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile

_BADGES = 200
_BOARDS = 100
_DEAD, _LOSSY = 41, 42
_CARD = 4660
_FASTEST = 10e6  # ns: the bar for a badge
_SOON = 2.0  # seconds: the bar for a badge taken away
_PATIENCE = 60.0
_NOBODY = 64_778

_Kind = TypeVar("_Kind")
_Value = TypeVar("_Value")


def rows() -> Iterator[Row]:
    """Measure both, one after the other."""
    with _site(1) as site:
        took = [_badge(site, number) for number in range(_BADGES)]
        yield Row(
            "uhppote-badge",
            Text("badge → open command, UHPPOTE", "刷卡 → 开门命令，UHPPOTE"),
            f"{milliseconds(median(took))} (p95 {milliseconds(percentile(took, 95))})",
            bar="median ≤ 10 ms",
            verdict=judged(median(took) <= _FASTEST),
            numbers={"median_ns": median(took), "p95_ns": percentile(took, 95), "badges": len(took)},
        )
    with _site(_BOARDS) as site:
        site.boards[_LOSSY].faults.lose_requests = 2
        site.boards[_DEAD].faults.dead = True
        began = time.monotonic()
        site.link.send(Cards("gone", gone=(_CARD,)))
        _until(site, lambda: len(_confirmed(site, "gone")) >= _BOARDS - 1)
        took_all = time.monotonic() - began
        _until(site, lambda: [said for said in site.of(CardStates) if said.id == "gone" and said.pending])
        pending = {said.board for said in site.of(CardStates) if said.id == "gone" and said.pending}
        left = [board.serial for board in site.boards if board.card(_CARD)]
        named = pending == {site.boards[_DEAD].serial} == set(left)
        yield Row(
            "uhppote-revocation",
            Text(
                f"a badge taken from {_BOARDS} boards, one dead, one losing every second packet",
                f"从 {_BOARDS} 台控制器删除一张卡，其中一台离线、一台丢失一半数据包",
            ),
            f"{len(_confirmed(site, 'gone'))} confirmed in {took_all:.2f} s; pending: {', '.join(map(str, pending))}",
            bar="99 confirmed ≤ 2 s, the dead one pending by name",
            verdict=judged(took_all <= _SOON and named),
            numbers={"seconds": took_all, "confirmed": len(_confirmed(site, "gone")), "pending": len(pending)},
        )


class _Site:
    """Boards in a loop of their own, the doors process, and control's end of the link."""

    def __init__(
        self, boards: list[Board], loop: asyncio.AbstractEventLoop, end: link.FrameLink[FromDoors, object]
    ) -> None:
        self.boards, self.loop, self.link = boards, loop, end
        self.frames: list[FromDoors] = []

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def call(self, work: Callable[[], _Value]) -> _Value:
        async def called() -> _Value:
            return work()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(_PATIENCE)


def _badge(site: _Site, number: int) -> float:
    """Show a badge, release as soon as it is read; return the nanoseconds until the board had the command."""
    board = site.boards[0]
    site.frames.clear()
    shown = time.monotonic()
    site.call(lambda: board.swipe(1, _CARD))
    _until(site, lambda: site.of(Read))
    site.link.send(Release(f"r{number}", "door 0", "in", 3))
    _until(site, lambda: site.of(Released))
    leaf = board.doors[1]
    return (leaf.until - leaf.delay - shown) * 1e9


def _confirmed(site: _Site, request: str) -> set[int]:
    return {said.board for said in site.of(CardStates) if said.id == request and said.confirmed}


def _until(site: _Site, true: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not true():
        if not select.select([site.link], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError("the doors process says nothing")
        if (frame := site.link.receive()) is not None:
            site.frames.append(frame)


@contextmanager
def _site(count: int) -> Iterator[_Site]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    boards = [Board(405_000_000 + number) for number in range(count)]
    ours, theirs = link.pair()
    words = [f"channel={theirs.fileno()}"] + ([] if os.geteuid() else [f"uid={_NOBODY}", f"gid={_NOBODY}"])
    process = subprocess.Popen([sys.executable, "-I", "-m", "agent.doors", *words], pass_fds=(theirs.fileno(),))
    theirs.close()
    site = _Site(boards, loop, link.control_end(ours))  # type: ignore[arg-type]
    try:
        for board in boards:
            asyncio.run_coroutine_threadsafe(board.start(), loop).result(_PATIENCE)
        doors = (
            DoorSetup(f"door {n}", (ReaderSetup("in", f"{b.line}/1"),), StrikeSetup(f"{b.line}/1"))
            for n, b in enumerate(boards)
        )
        site.link.send(Configure(tuple(doors), listen="127.0.0.1:0"))
        _until(site, lambda: len(site.of(Contact)) == count)
        site.link.send(Cards("put", put=(BoardBadge(_CARD, "2099-12-31"),)))
        _until(site, lambda: len(_confirmed(site, "put")) == count)
        yield site
    finally:
        process.kill()
        process.wait()
        site.link.close()
        for board in boards:
            asyncio.run_coroutine_threadsafe(board.stop(), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
