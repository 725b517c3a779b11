"""The tests that carry the marker ``long``: too slow for ``make test``, and each of them the only one of its kind.

A round is one file of tests.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests import ROOT
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
        done = _pytest("-q", "-x", file)
        for count, what in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout):
            run.count(what, int(count))
        if done.returncode:
            run.fail(f"{file} ends with {done.returncode}: {done.stdout[-1500:]}")


def _has_some(file: Path) -> bool:
    """Whether a file has such tests: asking pytest would collect everything."""
    return "pytest.mark.long" in file.read_text(encoding="utf-8")


def _pytest(*words: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "pytest", "-m", "long", "--no-header", "--durations=0", *words)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS)


PART = Part("tests", "tests that are marked long", run, rounds=1_000, short=3)
