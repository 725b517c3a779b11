"""Power cuts of the log: the disk is copied at the moment its writer is killed, and the copy is started again.

With ``power`` nothing acknowledged may be missing; with ``process`` entries may be, but what is left must start,
verify and take the next entry. Where the cut falls, how long the segments are and what was there before is chance.
"""

import shutil

from tests.log.disk import cut_power
from tests.long.rounds import Part, Run

_SEGMENTS = (2_000, 30_000, 200_000, 64 << 20)


def run(run: Run) -> None:
    """Cut the power once a round, on a new filesystem each time."""
    for number in run.rounds(need=5.0):
        chance = run.chance(number)
        folder = run.folder / "disk"
        folder.mkdir(exist_ok=True)
        try:
            _cut(run, number, chance.choice(_SEGMENTS), chance.randrange(1, 1_500), chance.choice((0, 0, 1, 500)))
        finally:
            shutil.rmtree(folder)


def _cut(run: Run, number: int, segment: int, acknowledgements: int, before: int) -> None:
    power = number % 3 < 2
    # Without fdatasync segments are written back one by one: only a single one leaves no hole (agent.log.append).
    durability, length = ("power", segment) if power else ("process", _SEGMENTS[-1])
    try:
        cut = cut_power(run.folder / "disk", "cut", durability, length, acknowledgements, before)
    except AssertionError as error:
        run.check("logs that did not start or verify", [f"{durability} {length} {acknowledgements} {before}: {error}"])
        return
    lost = max(0, cut.acknowledged - cut.found)
    if power:
        run.check("acknowledged entries lost", lost)
        run.count("entries acknowledged", cut.acknowledged)
    else:
        run.count("entries lost in `process`", lost)
    run.count(f"cuts in `{durability}`")


PART = Part("power", "power cuts of the log", run, rounds=300, short=60)
