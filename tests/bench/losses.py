"""Rights that end otherwise than by a departure: from the request to the last look through a mapping.

Rules of this file: the agent is the whole real one, at a large site, and every loser has one process of their own with
a mapping, which no kernel asks about and which stamps each look. Two clocks: one starts before the request, and holds
the comparison of rights, the entry and the commit as well; the other starts with the entry, which is written before
the commit. Each way is tried many times, on somebody new, half a second apart: the cut of the last one is over then,
its proof is not. What leaves many to be proven (fifty holds, 200 notices, an act that takes from ten) has a site of
its own.
"""

import mmap
import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

from agent.api.client import AgentClient
from agent.demo.actors import acting
from agent.demo.record import LogPosition
from agent.demo.shared import wait_until
from rules.text import Text
from tests.bench.departures import Company, company, person
from tests.bench.machine import other_cpus
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile

PEOPLE, AREAS, FILES = 10_000, 1_000, 2_000
EACH, TOGETHER, NOTICES = 20, 50, 200
_PAUSE, _POLL = 0.0005, 0.05
_CALM = 0.02  # seconds between two looks of each of many, who would else need all processors themselves
_ALONE = 0.5  # seconds between two of a way
_SETTLED = 8.0  # seconds after a start, which looks at everything once
_PATIENCE = 30.0
_BAR, _ALL = 50e6, 1e9  # ns: one of them, the last of fifty
_DENIED, _GONE = 5.0, 10.0  # s: of 200 notices


class Way(NamedTuple):
    """One way of losing a right: its name, and the act that takes it from leaver *number*."""

    name: str
    act: Callable[[AgentClient, Company, int], object]


def _by_import(agent: AgentClient, _site: Company, number: int) -> object:
    csv = f"id,level,domain\n{person(number)},none,state\n"
    return agent.call("person.import", csv=csv, update=True)


WAYS = (
    Way("grant_end", lambda agent, site, n: agent.call("grant.end", grant=person(n), area=site.area(n), reason="x")),
    Way("level", lambda agent, _, n: agent.call("person.set", person=person(n), level=["none"], domain="state")),
    Way("inactive", lambda agent, _, n: agent.call("person.set", person=person(n), inactive=True)),
    Way("account", lambda agent, site, n: agent.call("account.remove", person=person(n), uid=site.identity(n).uid)),
    Way("import", _by_import),
    Way("hold", lambda agent, _, n: agent.call("hold.add", person=person(n), reason="x")),
)
FROM_TEN = Way("area", lambda agent, site, n: agent.call("area.set", area=site.area(n), level="top-secret"))
_LOSERS = len(WAYS) * EACH


class Mapping:
    """A process of loser *number* that looks through a mapping. Its last look outlives it, in memory shared with us."""

    def __init__(self, site: Company, number: int, stack: ExitStack, pause: float = _PAUSE) -> None:
        self._last = mmap.mmap(-1, 8)
        file = site.file(number)

        def act(_say: object) -> None:
            os.sched_setaffinity(0, other_cpus())
            fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
            while True:
                _ = mapped[0]
                struct.pack_into("q", self._last, 0, time.monotonic_ns())
                time.sleep(pause)

        actor = stack.enter_context(acting(site.identity(number), act))
        self._pidfd = os.pidfd_open(actor.pid)
        stack.callback(os.close, self._pidfd)
        if not wait_until(lambda: self.last() > 0, _PATIENCE):
            raise OSError("a mapping could not be made")

    def last(self) -> int:
        """Return when it looked for the last time; 0: never."""
        return int(struct.unpack("q", self._last[:])[0])

    def gone(self) -> int:
        """Wait until the process has ended, and return when that was seen. Raises ``OSError`` when it lives on."""
        if not select.select([self._pidfd], (), (), _PATIENCE)[0]:
            raise OSError("who lost the right lives on")
        return time.monotonic_ns()


def rows() -> Iterator[Row]:
    """Build a large site, and take rights there in every way; then fifty holds, 200 notices, and from ten at once."""
    with company(PEOPLE, AREAS, FILES, _LOSERS) as site:
        for place, way in enumerate(WAYS):
            yield _singly(site, way, range(place * EACH, (place + 1) * EACH))
    with company(PEOPLE, AREAS, FILES, TOGETHER) as site:
        time.sleep(_SETTLED)
        yield _together(site, range(TOGETHER))
    with company(PEOPLE, AREAS, FILES, NOTICES) as site:
        time.sleep(_SETTLED)
        yield _notices(site, range(NOTICES))
    with company(PEOPLE, AREAS, FILES, EACH) as site:
        yield _singly(site, FROM_TEN, range(EACH))


def _singly(site: Company, way: Way, numbers: range) -> Row:
    with AgentClient(site.site.home) as agent:
        log = LogPosition(site.site.home.log)
        return _row(way, [_one(site, agent, way, number, log) for number in numbers])


def _one(site: Company, agent: AgentClient, way: Way, number: int, log: LogPosition) -> tuple[float, float, float]:
    """Return nanoseconds from the request and from the entry to the last look, and to the end of the process."""
    time.sleep(_ALONE)
    log.fresh()
    with ExitStack() as stack:
        mapping = Mapping(site, number, stack)
        begun = time.monotonic_ns()
        way.act(agent, site, number)
        gone = mapping.gone()
        entry = next(_monotonic(one) for one in log.fresh() if one.get("kind") == "act" and one["outcome"] == "done")
        return max(0, mapping.last() - begun), max(0, mapping.last() - entry), gone - begun


def _monotonic(entry: dict[str, Any]) -> int:
    """Return when *entry* was written, by the clock of this file: its own one goes on while the machine sleeps."""
    return int(entry["mono"]) * 1000 - (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns())


def _row(way: Way, took: list[tuple[float, float, float]]) -> Row:
    all_of_it, looks, ends = ([one[column] for one in took] for column in range(3))
    p50, p99 = percentile(looks, 50), percentile(looks, 99)
    what = Text(
        f"entry of `{way.name}` → last look through a mapping, {PEOPLE:,} people × {AREAS:,} areas",
        f"`{way.name}` 的日志条目 → 最后一次经映射读取，{PEOPLE:,} 人 × {AREAS:,} 个目录",
    )
    numbers = {
        "look_p50_ms": p50 / 1e6,
        "look_p99_ms": p99 / 1e6,
        "from_request_p50_ms": percentile(all_of_it, 50) / 1e6,
        "from_request_p99_ms": percentile(all_of_it, 99) / 1e6,
        "gone_p99_ms": percentile(ends, 99) / 1e6,
    }
    shown = f"{milliseconds(p50)} (p99 {milliseconds(p99)})"
    return Row(f"loss_{way.name}", what, shown, None, None, "p99 ≤ 50 ms", judged(p99 <= _BAR), numbers)


def _together(site: Company, numbers: range) -> Row:
    with ExitStack() as stack:
        mappings = [Mapping(site, number, stack, _CALM) for number in numbers]
        pool = stack.enter_context(ThreadPoolExecutor(4))
        own: list[Any] = [stack.enter_context(AgentClient(site.site.home)) for _ in range(4)]

        def hold(place: int) -> None:
            for number in numbers[place::4]:
                own[place].call("hold.add", person=person(number), reason="x")

        begun = time.monotonic_ns()
        list(pool.map(hold, range(4)))
        held = time.monotonic_ns()
        for mapping in mappings:
            mapping.gone()
        last = max(mapping.last() for mapping in mappings) - begun
    what = Text(
        f"{TOGETHER} holds at once → last look through any of {TOGETHER} mappings",
        f"同时停权 {TOGETHER} 人 → 最后一次经映射读取",
    )
    numbers_of = {"last_ms": last / 1e6, "acknowledged_ms": (held - begun) / 1e6}
    return Row("holds", what, milliseconds(last), None, None, "≤ 1 s", judged(last <= _ALL), numbers_of)


def _notices(site: Company, numbers: range) -> Row:
    tokens, log = [site.sign(number) for number in numbers], LogPosition(site.site.home.log)
    time.sleep(_ALONE)
    log.fresh()
    with ExitStack() as stack:
        mappings = [Mapping(site, number, stack, _CALM) for number in numbers]
        begun = min([site.drop(token) for token in tokens])
        dropped = (time.monotonic_ns() - begun) / 1e9
        left, deadline = {person(number) for number in numbers}, time.monotonic() + 60.0
        while left:  # read on, and not anew: whoever measures must leave the processors alone
            time.sleep(_POLL)
            left -= {str(one["args"].get("person")) for one in log.fresh() if one.get("act") == "case.notice"}
            if time.monotonic() > deadline:
                raise OSError(f"{len(left)} notices were not taken up")
        denied = (time.monotonic_ns() - begun) / 1e9
        gone = max([mapping.gone() for mapping in mappings])
        seconds = (gone - begun) / 1e9
    what = Text(
        f"{NOTICES} notices dropped in {dropped:.2f} s → all denied, last process gone",
        f"{dropped:.2f} 秒内投递 {NOTICES} 份通知 → 全部拒绝，最后一个进程消失",
    )
    met = denied <= _DENIED and seconds <= _GONE
    numbers_of = {"denied_s": denied, "gone_s": seconds}
    return Row(
        "notices", what, f"{denied:.1f} s, {seconds:.1f} s", None, None, "≤ 5 s, ≤ 10 s", judged(met), numbers_of
    )
