"""Asking the questions: without a mutation first, and then of every mutant that the tests have not noticed.

Rules of this file: whoever raises lets nothing through. The questions are drawn once, by the right program; a process
that imports everything anew reads what was drawn, and draws again only where a mutant cannot read it.
"""

import atexit
import functools
import importlib
import os
import pickle
import shutil
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import coverage
from hypothesis.errors import HypothesisSideeffectWarning

from tests import ROOT

Question = tuple[Callable[..., Collection[str]], tuple[Any, ...]]


class Answers(NamedTuple):
    """What was let through, question by question, and which lines the questions run, by file."""

    words: dict[str, list[list[str]]]
    lines: dict[str, list[int]]
    seconds: float
    """What it took to ask."""


_KEPT = ROOT / "build" / "mutants" / str(os.getpid())  # of whoever imported this first: all others are forked from it
atexit.register(shutil.rmtree, _KEPT, ignore_errors=True)


@functools.cache
def _drawn(name: str) -> Sequence[Question]:
    try:
        return list(pickle.loads((_KEPT / f"{name}.pickle").read_bytes()))
    except Exception:
        return _fresh(name)


def _fresh(name: str) -> Sequence[Question]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisSideeffectWarning)  # it takes us for a plugin of pytest that begins
        return list(importlib.import_module(f"tests.mutants.questions.{name}").questions())


def prepare(names: Sequence[str]) -> None:
    """Draw all questions, for whoever is forked from here."""
    for name in names:
        _drawn(name)


def answers(names: Sequence[str], files: Sequence[str]) -> Answers:
    """Return the answers of the right program."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    for name in names:
        (_KEPT / f"{name}.pickle").write_bytes(pickle.dumps(_fresh(name)))
    prepare(names)
    lines = traced(files)
    lines.start()
    begun = time.monotonic()
    words = {name: [_answer(one) for one in _drawn(name)] for name in names}
    seconds = time.monotonic() - begun
    lines.stop()
    run = {file: lines.get_data().lines(str(ROOT / file)) or [] for file in files}
    return Answers(words, run, seconds)


def traced(files: Sequence[str]) -> coverage.Coverage:
    """Return what notes the lines that are run of *files*, in memory; that none is run is no trouble."""
    found = coverage.Coverage(data_file=None, config_file=False, include=[str(ROOT / file) for file in files])
    found.set_option("run:disable_warnings", ["no-data-collected"])
    return found


def looser(names: Sequence[str], right: Answers) -> str | None:
    """Return what this process, a mutant's, lets through and should not: the first one found."""
    return next(_looser(names, right), None)


def _looser(names: Sequence[str], right: Answers) -> Iterator[str]:
    for name in names:
        for number, (question, was) in enumerate(zip(_drawn(name), right.words[name], strict=True)):
            if more := sorted(set(_answer(question)) - set(was)):
                yield f"{name} {number}: {', '.join(more)[:200]}"


def _answer(question: Question) -> list[str]:
    ask, given = question
    try:
        return sorted(ask(*given))
    except Exception:
        return []
