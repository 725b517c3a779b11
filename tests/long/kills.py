"""Rounds of SIGKILL under load, on ext4 and xfs: every part of the agent, and every pair that guards. Openers in C.

What must hold: nobody without a clearance gets a file or a room; every open and every lock that was let in has its
entry; the log is one unbroken sequence. A round is one death; a site lives for a dozen of them and is looked
through at its end. What was not looked through is done again.
"""

import itertools
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.enforcement.killing import documents, killed, survived, verified
from tests.enforcement.load import Load, load, unrecorded
from tests.enforcement.scene import dead_man, until
from tests.long.premises import Badges, Premises, badges, premises
from tests.long.rounds import Part, Run

VICTIMS = (
    ("decider",),
    ("doors",),
    ("control",),
    ("decider", "control"),
    ("watcher",),
    ("labels",),
    ("decider", "watcher"),
    ("control", "watcher"),
    ("control", "labels"),
)
_SETTINGS = ("heartbeat_seconds = 1.0",)
_DEATHS = 12  # of one site
_FILES = 40
_PAUSE = 0.003  # seconds between two opens of one opener
_DOOR_PATIENCE = 60.0  # seconds until a lock is released again
_SITE_SECONDS = 25.0  # what a site needs to be made and to be looked through
_SITE_PATIENCE = 600.0


def run(run: Run) -> None:
    """Kill, on sites of both types in turn."""
    opener = _compiled(run)
    for volume in itertools.cycle(("ext4", "xfs")):
        if not run.more(_SITE_SECONDS):
            return
        with premises(volume, _SETTINGS) as made, dead_man(made.site.site, _SITE_PATIENCE):
            files = documents(made.site, _FILES)
            with load(files, _PAUSE, opener) as people, badges(made) as shown:
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
    survived(made.site, {name: pid for name, pid in dead.items() if name != "labels"}, people)
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


def _compiled(run: Run) -> Path:
    assert shutil.which("gcc"), "a C compiler is needed: apt install gcc libc6-dev"
    program = run.folder / "opener"
    source = Path(__file__).with_name("opener.c")
    subprocess.run(["gcc", "-O2", "-o", str(program), str(source)], check=True, stdin=subprocess.DEVNULL)
    program.chmod(0o755)
    return program


PART = Part("kills", "SIGKILL under load, ext4 and xfs", run, rounds=300, short=24)
