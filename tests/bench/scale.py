"""A large site: how soon a change of rights counts, how soon the decider is there, how much memory it takes."""

from contextlib import ExitStack
from statistics import median

from rules.text import Text
from tests.bench.crowd import AREAS, PEOPLE, crowd
from tests.bench.machine import other_cpus
from tests.bench.openers import opener
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile
from tests.sentences import en, zh

_CHANGES = 200
_PAIRS = 30_000  # every person in three areas; about as many as the decider keeps
_STARTS = 3
_ACK_BAR, _START_BAR, _MEMORY_BAR = 20e6, 2e9, 80.0  # ns, ns, MB
_SIZE = Text(f"{PEOPLE:,} people × {AREAS:,} areas", f"{PEOPLE:,} 人 × {AREAS:,} 个目录")


def rows() -> list[Row]:
    """Build the site once, then ask all three questions."""
    with crowd() as site:
        site.build()
        with ExitStack() as stack:  # opened before the volume is guarded, so that nothing of it asks
            visitor = stack.enter_context(opener(None, site.visits, other_cpus()))
            site.guard()
            starts = [site.start() for _ in range(_STARTS)]
            at_rest = site.memory()
            allowed = visitor.round(_PAIRS)
            full = site.memory()
            if site.stats()["allowed"] < allowed:
                raise OSError("opens went by the decider")
            changes = []
            for number in range(_CHANGES):
                changes.append(site.change(number))
                visitor.round(20)
        return [_start(starts), *_changes(changes), _memory(at_rest, full, allowed)]


def _start(took: list[int]) -> Row:
    what = Text(f"decider start, {en(_SIZE)}", f"判定进程启动，{zh(_SIZE)}")
    found = median(took)
    return Row(
        "start", what, milliseconds(found), None, None, "≤ 2 s", judged(found <= _START_BAR), {"ms": found / 1e6}
    )


def _changes(took: list[tuple[int, int]]) -> list[Row]:
    commits, acks = zip(*took, strict=True)
    p50, p99 = percentile(acks, 50), percentile(acks, 99)
    what = Text(
        f"change of rights committed → decider acknowledges, {en(_SIZE)}", f"权限变更提交 → 判定进程确认，{zh(_SIZE)}"
    )
    shown = f"{milliseconds(p50)} (p99 {milliseconds(p99)})"
    numbers = {"p50_ms": p50 / 1e6, "p99_ms": p99 / 1e6, "commit_p50_ms": percentile(commits, 50) / 1e6}
    return [Row("epoch", what, shown, None, None, "p99 ≤ 20 ms", judged(p99 <= _ACK_BAR), numbers)]


def _memory(rest: dict[str, float], full: dict[str, float], allowed: int) -> Row:
    what = Text(
        f"decider memory, {en(_SIZE)}, after {_PAIRS:,} verdicts", f"判定进程内存，{zh(_SIZE)}，{_PAIRS:,} 次判定后"
    )
    shown = f"{full['Pss']:.1f} MB (Rss {full['Rss']:.1f})"
    numbers = {"pss_mb": full["Pss"], "rss_mb": full["Rss"], "rss_at_start_mb": rest["Rss"], "allowed": allowed}
    return Row("memory", what, shown, None, None, "≤ 80 MB", judged(full["Rss"] <= _MEMORY_BAR), numbers)
