"""The trial of one group: all its mutants, each against the tests that cover it and then against the questions.

    killed      a test failed, or the mutant ran far longer than the tests do, or died
    loosened    no test failed, and a question that was answered with no is answered with yes
    survived    no test failed, and every question that runs its line has the answer it had, or takes more away
    unasked     no test failed, and no question runs its line: nobody can say

Rules of this file: this process imports nothing of the product itself, so that a mutant of what runs at import is
imported as the mutant. One forked child of it collects the tests and forks a child for each mutant of a function.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests import ROOT
from tests.mutants import asking, children, compiled
from tests.mutants.collected import Collected, Covering, collect
from tests.mutants.groups import Group

KILLED, LOOSENED, SURVIVED, UNASKED = "killed", "loosened", "survived", "unasked"
_PATIENCE = 20.0  # seconds, and this many times what the tests take: what is not over by then loops
_TIMES = 15.0
_DRAWING = 60.0  # the questions are drawn anew where everything is imported anew


class Place(NamedTuple):
    """A mutant by its file and number."""

    file: str
    number: int


class Prepared(NamedTuple):
    """What is known of a group before a mutant is tried."""

    covering: Covering
    answers: asking.Answers


def prepare(group: Group, at_once: int) -> Prepared:
    """Run the group's tests and questions without a mutation."""
    job = children.Job("prepare", 3_600.0, lambda folder: _prepared(group, folder), loud=True)
    [(_, said)] = children.run([job], at_once)
    assert said is not None, f"the tests of `{group.name}` could not be run"
    return Prepared(Covering(*said[0]), asking.Answers(*said[1]))


def _prepared(group: Group, folder: Path) -> Any:
    found: list[Any] = []
    files = [str(file) for file in group.files()]
    traced = asking.traced(files)
    traced.start()

    def then(collected: Collected) -> None:
        traced.stop()
        found.append(collected.covering(files, traced, folder))

    code = collect(group.tests, then)
    assert found, f"pytest could not collect the tests: exit {code}"
    return [*found, asking.answers(group.questions, files)]


def trial(group: Group, ready: Prepared, places: list[Place], at_once: int) -> Iterator[tuple[Place, str, str]]:
    """Yield (place, outcome, by what) for each of *places*."""
    wanted: dict[str, set[int]] = {}
    for place in places:
        wanted.setdefault(place.file, set()).add(place.number)
    quick: list[tuple[Place, compiled.Mutant]] = []
    slow: list[tuple[Place, compiled.Mutant]] = []
    for file, numbers in wanted.items():
        source = (ROOT / file).read_text(encoding="utf-8")
        for number, mutant in enumerate(compiled.mutants(source, str(ROOT / file))):
            if number in numbers:
                (slow if mutant.at_import else quick).append((Place(file, number), mutant))
    again: list[Place] = []
    for place, outcome, by in _quickly(group, ready, quick, at_once):
        file_at_import = ready.covering.at_import.get(place.file, ())
        mutant = next(mutant for known, mutant in quick if known == place)
        if outcome != KILLED and _lines(mutant) & set(file_at_import):
            again.append(place)  # what imports have done with the right function stands: try it as they would have it
        else:
            yield place, outcome, by
    slow += [(place, mutant) for place, mutant in quick if place in again]
    jobs = [_job(group, ready, place, mutant) for place, mutant in slow]
    for place, said in children.run(jobs, at_once):
        yield place, *_outcome(said)


def _job(group: Group, ready: Prepared, place: Place, mutant: compiled.Mutant) -> children.Job:
    tests = ready.covering.of_file(place.file)

    def do(folder: Path) -> Any:
        compiled.import_as(mutant, str(ROOT / place.file))
        failed: list[str | None] = []
        collect(group.tests, lambda collected: failed.append(collected.first_failure(tests, folder)))
        if not failed or failed[0]:
            return [KILLED, failed[0] if failed else "import"]
        return _asked(group, ready, place, mutant)

    return children.Job(place, _seconds(ready, tests) + _DRAWING, do)


def _quickly(
    group: Group, ready: Prepared, tried: list[tuple[Place, compiled.Mutant]], at_once: int
) -> Iterator[tuple[Place, str, str]]:
    """Try mutants of functions: a child collects the tests once, and forks one for each mutant."""
    if not tried:
        return
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                collect(group.tests, lambda collected: _each(collected, group, ready, tried, at_once, pipe))
        finally:
            os._exit(0)
    os.close(writing)
    try:
        with os.fdopen(reading) as lines:
            for line in lines:
                file, number, outcome, by = json.loads(line)
                yield Place(file, number), outcome, by
    finally:
        os.kill(pid, signal.SIGTERM)  # it is a zombie by now, or nobody wants the rest: it ends its children
        os.waitpid(pid, 0)


def _each(
    collected: Collected,
    group: Group,
    ready: Prepared,
    tried: list[tuple[Place, compiled.Mutant]],
    at_once: int,
    to: Any,
) -> None:
    asking.prepare(group.questions)
    functions = compiled.loaded_functions(str(ROOT))

    def job(place: Place, mutant: compiled.Mutant) -> children.Job:
        tests = _tests(ready, place, mutant)

        def do(folder: Path) -> Any:
            compiled.put(mutant, functions)
            if (test := collected.first_failure(tests, folder)) is not None:
                return [KILLED, test]
            return _asked(group, ready, place, mutant)

        return children.Job(place, _seconds(ready, tests), do)

    for place, said in children.run((job(*one) for one in tried), at_once):
        to.write(json.dumps([*place, *_outcome(said)]) + "\n")
        to.flush()


def _asked(group: Group, ready: Prepared, place: Place, mutant: compiled.Mutant) -> list[str]:
    """Return what the questions say of a mutant no test has noticed."""
    looser = asking.looser(group.questions, ready.answers)
    if looser:
        return [LOOSENED, looser]
    run = set(ready.answers.lines.get(place.file, ()))
    return [SURVIVED if mutant.at_import or {mutant.line} & run else UNASKED, ""]


def _tests(ready: Prepared, place: Place, mutant: compiled.Mutant) -> list[str]:
    """Return the tests that run the line of the change, or anything of the function, where no line event is its own."""
    return ready.covering.tests_of(place.file, [mutant.line]) or ready.covering.tests_of(place.file, _lines(mutant))


def _lines(mutant: compiled.Mutant) -> set[int]:
    """Return the lines of the functions that change."""
    return {line for code in mutant.functions.values() for _, _, line in code.co_lines() if line}


def _seconds(ready: Prepared, tests: list[str]) -> float:
    return _PATIENCE + _TIMES * (sum(ready.covering.seconds[test] for test in tests) + ready.answers.seconds)


def _outcome(said: Any) -> tuple[str, str]:
    if not said:
        return KILLED, "its time"
    return (str(said[0]), str(said[1])) if len(said) == 2 else (KILLED, f"crash: {said[0]}")
