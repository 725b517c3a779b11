"""What one open costs: bare, guarded and recorded, and under fapolicyd, taking turns in one run.

Rules of this file: an opener and whoever decides about it share one processor ("pinned"), or the scheduler places them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from rules.text import Text
from tests.bench.machine import Cpus, pinned_cpu
from tests.bench.openers import Opener, opener, opens
from tests.bench.peer import Peer
from tests.bench.rows import Row, judged, microseconds, spread
from tests.bench.samples import Rounds, by_name, latency, ratio
from tests.bench.sites import READER, Site
from tests.sentences import en, zh

_ROUNDS = 40
_TIMES = 3  # through all files in a round: 300 opens
_SLOW_TIMES = 1  # where every open waits for a disk

BARE, PROCESS, POWER, PEER, WRITER = "bare", "process", "power", "fapolicyd", "fapolicyd-writing"
NAMES = {
    BARE: Text("open, unguarded", "打开文件，无防护"),
    PROCESS: Text("open, decided and recorded (`process`)", "打开文件，判定并记录（`process`）"),
    POWER: Text("open, decided and recorded (`power`)", "打开文件，判定并记录（`power`）"),
    PEER: Text("open, decided by fapolicyd, not recorded", "打开文件，由 fapolicyd 判定，不记录"),
    WRITER: Text("open, decided by fapolicyd, each written down", "打开文件，由 fapolicyd 判定并逐条写出"),
}
_AGAINST_BARE = Text("unguarded", "无防护")
_AGAINST_PEER = Text("fapolicyd", "fapolicyd")


class Subjects(NamedTuple):
    """What is compared: an unguarded folder's files, sites by durability, and fapolicyd by whether it writes."""

    bare: list[bytes]
    sites: Mapping[str, Site]
    peers: Mapping[str, Peer]


def rows(subjects: Subjects) -> list[Row]:
    """Measure pinned and unpinned."""
    everywhere = os.sched_getaffinity(0)
    pinned = _measured(subjects, {pinned_cpu()})
    unpinned = _measured(subjects, everywhere)
    on_one, free = Text("pinned to one processor", "同一处理器"), Text("unpinned", "不绑定处理器")
    return [*_told("pinned", on_one, pinned, barred=True), *_told("unpinned", free, unpinned, barred=False)]


def _measured(subjects: Subjects, cpus: Cpus) -> dict[str, Rounds]:
    with ExitStack() as stack:
        for site in subjects.sites.values():
            site.pin(cpus)
        for peer in subjects.peers.values():
            peer.pin(cpus)
        turn: dict[str, Opener] = {BARE: stack.enter_context(opener(READER, opens(subjects.bare), cpus))}
        for name, site in subjects.sites.items():
            turn[name] = stack.enter_context(opener(READER, opens(site.files), cpus))
        for name, peer in subjects.peers.items():
            turn[name] = stack.enter_context(opener(READER, opens(peer.files), cpus, peer.pid))
        for one in turn.values():
            one.round(1)  # everybody has been met once
        return by_name([{name: one.round(_times(name)) for name, one in turn.items()} for _ in range(_ROUNDS)])


def _times(name: str) -> int:
    return _SLOW_TIMES if name == POWER else _TIMES


def _told(place: str, where: Text, rounds: Mapping[str, Rounds], *, barred: bool) -> Iterator[Row]:
    for name, taken in rounds.items():
        found = latency(taken)
        against_bare = ratio(taken, rounds[BARE])
        numbers = {"median_us": found.median / 1000, "p99_us": found.p99 / 1000, "quiet_us": found.quiet / 1000}
        numbers["against_bare"] = against_bare
        for peer in (PEER, WRITER):
            if peer in rounds:
                numbers[f"against_{peer.replace('-', '_')}"] = ratio(taken, rounds[peer])
        what = Text(f"{en(NAMES[name])}, {en(where)}", f"{zh(NAMES[name])}，{zh(where)}")
        shown = spread(found)
        yield Row(
            f"open.{name}.{place}", what, shown, None if name == BARE else against_bare, _AGAINST_BARE, numbers=numbers
        )
        if name == PROCESS and barred:
            yield _against_peer(rounds)


def _against_peer(rounds: Mapping[str, Rounds]) -> Row:
    what = Text("the same against fapolicyd on a like filesystem, pinned alike", "同上，与同样绑定的 fapolicyd 相比")
    if PEER not in rounds:
        return Row("open.process.peer", what, "", bar="≤ 1.00", verdict="not judged")
    found = ratio(rounds[PROCESS], rounds[PEER])
    ours, theirs = latency(rounds[PROCESS]), latency(rounds[PEER])
    shown = f"{microseconds(ours.median)} / {microseconds(theirs.median)}, quiet {ours.quiet / theirs.quiet:.2f} ×"
    return Row("open.process.peer", what, shown, found, _AGAINST_PEER, "≤ 1.00", judged(found <= 1.0))
