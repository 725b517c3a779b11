"""Rounds of SIGKILL under load, on ext4 and xfs: the decider, the control process, both, and the doors process.

What must hold: nobody without a clearance gets a file or a room; every open and every lock that was let in has its
entry; the log is one unbroken sequence. A round is one death; a site lives for a dozen of them and is looked
through at its end. What was not looked through is done again.
"""

import itertools
import time
from collections import Counter

from tests.enforcement.killing import documents, killed, survived, verified
from tests.enforcement.load import Load, load, unrecorded
from tests.enforcement.scene import dead_man, until
from tests.long.premises import Badges, Premises, badges, premises
from tests.long.rounds import Part, Run

VICTIMS = (("decider",), ("doors",), ("control",), ("decider", "control"))
_SETTINGS = ("heartbeat_seconds = 1.0",)
_DEATHS = 12  # of one site
_FILES = 40
_DOOR_PATIENCE = 60.0  # seconds until a lock is released again
_SITE_SECONDS = 25.0  # what a site needs to be made and to be looked through
_SITE_PATIENCE = 600.0


def run(run: Run) -> None:
    """Kill, on sites of both types in turn."""
    for volume in itertools.cycle(("ext4", "xfs")):
        if not run.more(_SITE_SECONDS):
            return
        with premises(volume, _SETTINGS) as made, dead_man(made.site.site, _SITE_PATIENCE):
            with load(documents(made.site, _FILES)) as people, badges(made) as shown:
                for number in run.rounds(_SITE_SECONDS, most=_DEATHS, checked=False):
                    _death(run, number, made, people)
                    run.count(f"deaths on {volume}")
            _look(run, made, people, shown)
            run.save()


def _death(run: Run, number: int, made: Premises, people: Load) -> None:
    chance = run.chance(number)
    names = VICTIMS[number % len(VICTIMS)]
    time.sleep(chance.uniform(0, 0.3))  # so that death comes at any point of its work
    dead = killed(made.site, names)
    survived(made.site, dead, people)
    run.count("+".join(names))
    if {"doors", "control"} & dead.keys():
        opened = made.opened("vault")
        until(lambda: made.opened("vault") > opened, _DOOR_PATIENCE)


def _look(run: Run, made: Premises, people: Load, shown: Badges) -> None:
    """Hold everything that was let in against the log."""
    released = {door: made.opened(door) for door in ("vault", "annex")}
    opened, entries = people.opened(), made.site.news()
    run.check("wrong opens", len(people.wrongly_opened()))
    run.check("wrong doors", released["annex"])
    run.check("opens without an entry", len(unrecorded(opened, entries)))
    allowed = Counter(entry["door"] for entry in entries if entry["kind"] == "door" and entry["verdict"] == "allow")
    run.check("doors without an entry", max(0, released["vault"] - allowed["vault"]))
    run.count("opens", len(opened))
    run.count("badges", shown.shown)
    run.count("doors opened", released["vault"])
    run.count("entries", verified(made.site))


PART = Part("kills", "SIGKILL under load, ext4 and xfs", run, rounds=300, short=24)
