"""Mutation testing of what decides: a sample of wrong changes, and whether the tests notice them.

A round is one mutant: the checkout copied, one change made, the tests of that part run until one fails. Which ones a
run tries depends on its commit, so that every commit tries others. No score fails; survivors are named.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests import ROOT
from tests.long.mutations import count, mutations
from tests.long.rounds import Part, Run

_SECONDS = 300.0  # a mutant that takes longer loops for ever, or nearly: noticed
_SLOWEST = 75.0  # what a survivor takes, about
_LONGEST = 900.0
_COPIED = ("agent", "rules", "tui", "tests", "docs", "pyproject.toml")


class Target(NamedTuple):
    """What is mutated, and the tests that should notice: those that find most come first."""

    source: str
    tests: tuple[str, ...]


TARGETS = (
    Target(
        "rules",
        ("tests/rules/test_vectors.py", "tests/rules/offboarding/test_vectors.py", "tests/rules/pack", "tests/rules"),
    ),
    Target("agent/rooms/panel", ("tests/rooms/panel",)),
    Target("agent/log/verify.py", ("tests/log/test_verify.py", "tests/log/test_pass.py", "tests/log/test_entry.py")),
)


class Place(NamedTuple):
    """A mutation by its number in a file."""

    target: Target
    file: Path
    number: int


def run(run: Run) -> None:
    """Try mutants, one a round."""
    places = list(_places())
    run.chance(0).shuffle(places)
    run.measure("mutations there are", len(places))
    checkout = _copied(run.folder / "checkout")
    sound: set[Target] = set()
    for number in run.rounds(need=_SLOWEST if run.short else 0):
        place = places[number % len(places)]
        if place.target not in sound:
            _sound(checkout, place.target.tests[:1] if run.short else place.target.tests)
            sound.add(place.target)
        _try(run, checkout, place)
    tried = run.state.counts.get("killed", 0) + run.state.counts.get("survived", 0)
    run.measure("score", run.state.counts.get("killed", 0) / tried if tried else 0)


def _places() -> Iterator[Place]:
    for target in TARGETS:
        top = ROOT / target.source
        for file in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            for number in range(count(file.read_text(encoding="utf-8"))):
                yield Place(target, file.relative_to(ROOT), number)


def _sound(checkout: Path, tests: tuple[str, ...]) -> None:
    """Raise ``AssertionError`` when the tests fail without a mutation: then nothing they say counts."""
    done = _pytest(checkout, tests, _LONGEST)
    assert done.returncode == 0, done.stdout[-2000:]


def _try(run: Run, checkout: Path, place: Place) -> None:
    source = (ROOT / place.file).read_text(encoding="utf-8")
    mutation = next(one for at, one in enumerate(mutations(source)) if at == place.number)
    (checkout / place.file).write_text(mutation.source, encoding="utf-8")
    try:
        noticed = _pytest(checkout, place.target.tests, _SECONDS).returncode != 0
    except subprocess.TimeoutExpired:
        noticed = True
    finally:
        shutil.copyfile(ROOT / place.file, checkout / place.file)
    if noticed:
        run.count("killed")
    else:
        run.count("survived")
        run.note(f"survived: {place.file}:{mutation.line}: {mutation.what}")


def _copied(folder: Path) -> Path:
    """Make a checkout of its own, with what the tests of the targets read."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _pytest(checkout: Path, tests: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run tests until one fails; the packages of *checkout* are found before the installed ones."""
    words = (sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *tests)
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        words, cwd=checkout, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


PART = Part("mutants", "wrong changes of rules, room panel and log verification", run, rounds=200, short=15)
