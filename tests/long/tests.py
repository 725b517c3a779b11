"""The tests that carry the marker ``long``: too slow for ``make test``, and each of them the only one of its kind.

A round is one file of tests.
"""

import re
from pathlib import Path

from tests import ROOT
from tests.long import suite
from tests.long.rounds import Part, Run

_SECONDS = 1_800.0
_SHORTEST = 60.0


def run(run: Run) -> None:
    """Run the files that have such tests, one a round; the short form as far as it comes."""
    files = [str(file.relative_to(ROOT)) for file in sorted((ROOT / "tests").rglob("test_*.py")) if _has_some(file)]
    start = run.chance(0).randrange(len(files)) if run.short else 0
    for number in run.rounds(need=_SHORTEST if run.short else 0):
        if number >= len(files):
            break
        file = files[(start + number) % len(files)]
        code, output = suite.run(min(_SECONDS, run.seconds_left), "-m", "long", "--durations=0", file)
        for count, what in re.findall(r"(\d+) (passed|failed|skipped|error)", output):
            run.count(what, int(count))
        if code is None and run.short:
            run.count("files ended by the clock")
        elif code != 0:
            run.fail(f"{file} ends with {code}: {output[-1500:]}")


def _has_some(file: Path) -> bool:
    """Whether a file has such tests: asking pytest would collect everything."""
    return "pytest.mark.long" in file.read_text(encoding="utf-8")


PART = Part("tests", "tests that are marked long", run, rounds=1_000, short=3)
