"""``python -m tests.mutants [GROUP …] [--file PART] [--jobs N] [--fresh | --page]``: ``make mutants``.

Exit: 0 no mutant lets more through than the program, 1 one does, or tests fail without a mutation, 2 usage, 3 stopped.
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from typing import NoReturn

from tests import ROOT
from tests.mutants import record, trial
from tests.mutants.groups import GROUPS, Group, group
from tests.mutants.mutations import count
from tests.mutants.trial import KILLED, LOOSENED, Place

_EVERY = 10.0  # seconds between two lines of progress


def main(argv: list[str]) -> int:
    """Try the mutants that are not settled, and renew the page of those that survive."""
    options = argparse.ArgumentParser(prog="python -m tests.mutants")
    options.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(one.name for one in GROUPS))
    options.add_argument("--file", default="", metavar="PART", help="only files with PART in their path")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at once")
    options.add_argument("--fresh", action="store_true", help="forget what earlier runs have killed")
    options.add_argument("--page", action="store_true", help="try nothing: write the page from what is known so far")
    chosen = options.parse_args(argv)
    if unknown := set(chosen.groups) - {one.name for one in GROUPS}:
        options.error(f"no group is called `{min(unknown)}`")
    if chosen.page:
        return _page()
    if chosen.fresh:
        record.RESULTS.unlink(missing_ok=True)
    wrong = 0
    signal.signal(signal.SIGTERM, _stopped)
    try:
        for one in map(group, chosen.groups or [one.name for one in GROUPS]):
            wrong += _try(one, chosen.file, chosen.jobs)
    except KeyboardInterrupt:
        _say("stopped; the same command goes on")
        return 3
    return 1 if wrong else 0


def places(one: Group, part: str = "") -> list[Place]:
    """Return all mutants of *one*."""
    files = [str(file) for file in one.files() if part in str(file)]
    return [Place(file, number) for file in files for number in range(count((ROOT / file).read_text("utf-8")))]


def _try(one: Group, part: str, jobs: int) -> int:
    """Try what is left of a group, and return how much is wrong with it."""
    everything, known = places(one, part), record.read()
    left = [place for place in everything if not record.settled(known, place)]
    _say(f"{one.name}: {len(everything)} mutants, {len(left)} to be tried")
    if not left:
        return 0
    begun, told, tried = time.monotonic(), time.monotonic(), Counter[str]()
    ready = trial.prepare(one, jobs)
    for test in ready.covering.failed:
        _say(f"{one.name}: fails without a mutation, and is left out: {test}")
    for place, outcome, by in trial.trial(one, ready, left, jobs):
        record.add(place, outcome, by)
        tried[outcome] += 1
        if outcome == LOOSENED:
            _say(f"LOOSENED {place.file} #{place.number}: {by}")
        if time.monotonic() > told + _EVERY:
            told = time.monotonic()
            _say(f"  {tried.total()} of {len(left)} in {told - begun:.0f} s: {_counts(tried)}")
    now = record.read()
    results = [now[place] for place in everything if place in now]
    found = list(record.survivors(results))
    record.write(found, {place.file for place in everything})
    loose = [survivor for survivor in found if survivor.outcome == LOOSENED]
    killed = sum(result.outcome == KILLED for result in results)
    _say(f"{one.name}: {_counts(tried)} in {time.monotonic() - begun:.0f} s; killed {killed} of {len(everything)}")
    for survivor in loose:
        _say(f"lets more through: {survivor.file}: {survivor.function}: `{survivor.line}`: {survivor.what}")
    return len(loose) + len(ready.covering.failed)


def _page() -> int:
    """Write the page from the results there are, and say how far they go."""
    known = record.read()
    found = list(record.survivors(known.values()))
    record.write(found, {place.file for place in known})
    for one in GROUPS:
        everything = places(one)
        tried = Counter(known[place].outcome if place in known else "not tried" for place in everything)
        _say(f"{one.name}: {len(everything)} mutants: {_counts(tried)}")
    return int(any(survivor.outcome == LOOSENED for survivor in found))


def _counts(tried: Counter[str]) -> str:
    return ", ".join(f"{outcome} {number}" for outcome, number in sorted(tried.items())) or "none"


def _stopped(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
