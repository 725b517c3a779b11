"""Mutation testing of what decides: a group of files a round, and in the short form a sample of one group.

Which one depends on the commit, so that every commit tries others. A mutant that no test notices and that lets more
through than the program is a failure; the others are counted. `make mutants` does all of it, and keeps the page.
"""

import os

from tests.long.rounds import Part, Run
from tests.mutants import trial
from tests.mutants.__main__ import places
from tests.mutants.groups import GROUPS

_SAMPLE = 60
_LAST = 20.0  # seconds before the end at which nothing more is waited for


def run(run: Run) -> None:
    """Try the mutants of a group each round."""
    first = run.chance(0).randrange(len(GROUPS)) if run.short else 0
    for number in run.rounds():
        group = GROUPS[(first + number) % len(GROUPS)]
        chosen = places(group)
        run.measure(f"mutations of {group.name}", len(chosen))
        if run.short:
            chosen = run.chance(number).sample(chosen, min(_SAMPLE, len(chosen)))
        jobs = os.cpu_count() or 1
        ready = trial.prepare(group, jobs)
        run.check("tests that fail without a mutation", ready.covering.failed)
        for place, outcome, by in trial.trial(group, ready, chosen, jobs):
            run.count(outcome)
            if outcome == trial.LOOSENED:
                run.fail(f"lets more through: {place.file} #{place.number}: {by}")
            if run.seconds_left < _LAST:
                break


PART = Part("mutants", "wrong changes of what decides", run, rounds=len(GROUPS), short=1)
