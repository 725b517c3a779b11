"""Rights are lost in every way while a process of the agent is killed, each at any moment of it, on ext4 and xfs.

A round: three people lose what they hold, each in another way, all at once; somewhere in it a part of the agent dies.
What must hold afterwards: nothing is lost (who lost a right has no mapping, reads nothing, opens nothing, and a run
with a receipt says so, or the entry of whoever ended them first), nothing is done twice (one run for each loss, one
answer of a sort for each notice), nothing is untrue (receipts are genuine, their marks in order and no earlier than
what people saw, their steps what the journal says and what a look of our own finds), and a neighbour notices nothing.
"""

import base64
import itertools
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime
from typing import Any

from agent.demo.actors import attempt, reading
from agent.demo.personnel import HrDepartment
from agent.kernel import open_files
from agent.offboard import database
from agent.offboard.intake import outbox
from agent.offboard.receipt import receipt
from agent.offboard.receipt.signing import Signer, key_path
from agent.offboard.receipt.verify import ReceiptReport, verify
from agent.offboard.steps import tasks
from tests.enforcement.killing import killed, successor, verified
from tests.enforcement.scene import BYSTANDER, Scene, dead_man, until
from tests.enforcement.test_hold import alive, ended, holding
from tests.long.losers import WAYS, Loser, Way
from tests.long.premises import Premises, premises
from tests.long.rounds import Part, Run

VICTIMS = (
    ("control",), ("departures",), ("decider",), ("watcher",), ("labels",), ("doors",), ("verifier",),
    ("control", "decider"), ("departures", "decider"), ("control", "watcher"),
)  # fmt: skip
_SETTINGS = ("heartbeat_seconds = 1.0",)
_EACH = 3  # people who lose something in one round
_ROUNDS = 10  # of one site
_FIRST_UID = 63_100
_SOON, _LATE = 0.15, 4.0  # seconds: in the act and the cut, or anywhere up to the receipt
_SITE_SECONDS = 40.0
_SITE_PATIENCE = 900.0
_CUT, _PROVEN = 30.0, 120.0  # seconds a round waits at the most
_APART = 2_000_000  # ns between the clock of the agent and ours, which are one: rounding


def run(run: Run) -> None:
    """Have rights lost, on sites of both types in turn."""
    for volume in itertools.cycle(("ext4", "xfs")):
        if not run.more(_SITE_SECONDS):
            return
        with premises(volume, _SETTINGS) as made, dead_man(made.site.site, _SITE_PATIENCE), ExitStack() as stack:
            site = made.site
            personnel = HrDepartment(site.site.home.root.parent / "personnel", site.site.home, "E2")
            personnel.pin()
            personnel.listening()
            # somebody who maps the same document and loses nothing
            _, neighbour = stack.enter_context(alive(BYSTANDER, holding(site.plans / "doc.txt")))
            uids = itertools.count(_FIRST_UID)
            for number in run.rounds(_SITE_SECONDS, most=_ROUNDS):
                _round(run, number, made, personnel, [next(uids) for _ in range(_EACH)])
                run.check("neighbours who were ended", int(ended(neighbour, 0)))
                run.count(f"rounds on {volume}")
            run.count("entries", verified(site))


def _round(run: Run, number: int, made: Premises, personnel: HrDepartment, uids: Iterable[int]) -> None:
    chance, site = run.chance(number), made.site
    ways = [WAYS[number % len(WAYS)], *chance.sample(WAYS, _EACH - 1)]
    victims = VICTIMS[number % len(VICTIMS)]
    delay = chance.uniform(0, _SOON if chance.random() < 0.5 else _LATE)
    with ExitStack() as stack:
        losers = [_at_work(site, uid, way, stack) for uid, way in zip(uids, ways, strict=True)]
        if any(way.term for way in ways):
            delay += max(0.0, max(one.ends.timestamp() for one in losers if one.ends) - time.time() - _SOON)
        pool = stack.enter_context(ThreadPoolExecutor(_EACH))
        acts = [pool.submit(way.lose, site, personnel, loser) for way, loser in zip(ways, losers, strict=True)]
        time.sleep(delay)  # so that death comes at any moment of it
        dead = killed(site, victims)
        run.count("+".join(victims))
        for act in acts:
            act.result()
        until(lambda: all(successor(site, name) not in (None, pid) for name, pid in dead.items() if name != "labels"))
        until(site.answers)
        for way, loser in zip(ways, losers, strict=True):
            _look(run, site, way, loser, f"{way.name} {'+'.join(victims)} after {delay:.3f} s")
            run.count(way.name)


def _at_work(site: Scene, uid: int, way: Way, stack: ExitStack) -> Loser:
    made = Loser(site, uid, site.plans / "doc.txt", term=way.term)
    made.work(stack)
    return made


def _look(run: Run, site: Scene, way: Way, loser: Loser, about: str) -> None:
    """Hold everything that is said of one loss against what is so."""

    def wrong(name: str, found: object) -> None:
        run.check(name, [f"{about}: {found}"] if found else [])

    wrong("mappings that stay", not _comes(lambda: not loser.maps, _CUT))
    wrong("descriptors that read on", not _comes(lambda: not loser.reads, _CUT))
    wrong("opens of who lost it", attempt(loser.who, reading(site.plans / "doc.txt")).allowed)
    names = _runs(site, loser)
    if not way.always and not names:
        _comes(lambda: _runs(site, loser) or _ended_first(site, loser), _CUT)
        names = _runs(site, loser)
        if not names:
            wrong("losses that nothing says anything of", not _ended_first(site, loser))
            run.count("ended before there was a run")
            return
    _comes(lambda: _runs(site, loser), _CUT)
    names = _runs(site, loser)
    wrong("losses without one run", set(names) != _losses(site, way, loser) and names)
    wrong("losses without a run", not names)
    for name in names:
        _look_at_receipts(run, site, way, loser, name, about)
    if way.letter == "C":
        answers = Counter(_answers(site, loser))
        wrong("answers that came twice", [state for state, times in answers.items() if times > 1])
        _comes(lambda: "done" in _answers(site, loser), _PROVEN)
        wrong("notices without an answer", "done" not in _answers(site, loser))


def _look_at_receipts(run: Run, site: Scene, way: Way, loser: Loser, name: str, about: str) -> None:
    def wrong(what: str, found: object) -> None:
        run.check(what, [f"{about} {name}: {found}"] if found else [])

    _comes(lambda: any(one.complete for one in _receipts(site, name)), _PROVEN)
    reports = _receipts(site, name)
    wrong("losses without a complete receipt", not any(one.complete for one in reports) and _open(reports))
    wrong("receipts that are not genuine", [one.problems for one in reports if not one.genuine])
    wrong("losses with two complete receipts", sum(one.complete for one in reports) > 1)
    files = {path.name for path in receipt.kept(receipt.receipts_folder(site.site.home.root), name)}
    _comes(lambda: files <= set(_told(site, name)), _CUT)
    told = _told(site, name)
    wrong("receipts told of twice", [file for file, times in Counter(told).items() if times > 1])
    wrong("receipts that no entry tells of", files - set(told))
    if not reports or not (body := reports[-1].payload) or not reports[-1].complete:
        return
    steps = {step["id"]: step["state"] for step in body["steps"]}
    journal = _journal(site, name)
    wrong("steps that are not as the journal has them", {s: (steps.get(s), journal[s]) for s in journal
                                                        if steps.get(s) != _said(journal[s])})  # fmt: skip
    left = [process.pid for process in tasks.scan([loser.uid])]
    device = {site.plans.stat().st_dev}
    wrong("holders that a receipt denies", [one.pid for one in open_files.held(device) if one.pid in left
                                            and (way.letter != "L" or one.how == "map")])  # fmt: skip
    wrong("processes that a receipt denies", left if way.letter == "C" else [])
    marks = {row["mark"]: row["at"] for row in body["timeline"]}
    wrong("reads that began after the denial", _after(loser.read.began, marks["denied"]))
    if marks.get("last-gone"):
        wrong("looks after the last process was gone", _after(loser.mapped.ended, marks["last-gone"]))


def _losses(site: Scene, way: Way, loser: Loser) -> set[str]:
    """Return the names of the runs there should be: one, or one for each hold, which an officer may place again."""
    if way.letter == "H":
        return {str(row["id"]) for row in site.ask("hold.list") if row["person"] == loser.id}
    return {name for name in _runs(site, loser)[:1] if name[0] == way.letter}


def _told(site: Scene, name: str) -> list[str]:
    """Return the files of the receipts of the run *name* that entries tell of."""
    return [str(one["file"]) for one in site.site.entries() if one["kind"] == "receipt" and one["case"] == name]


def _runs(site: Scene, loser: Loser) -> list[str]:
    """Return the names of all runs about *loser*."""
    return [name for (name,) in _asked(site, "SELECT case_id FROM runs WHERE person = ?", loser.id)]


def _journal(site: Scene, name: str) -> dict[str, str]:
    rows = _asked(site, "SELECT step, state FROM steps JOIN runs ON number = run WHERE case_id = ?", name)
    return {str(step): str(state) for step, state in rows if step != "proof"}


def _asked(site: Scene, question: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(f"file:{database.path(site.site.home.root)}?mode=ro", uri=True)) as db:
        return db.execute(question, values).fetchall()


def _said(state: str) -> str:
    return "not-present" if state == "skipped" else state


def _receipts(site: Scene, name: str) -> list[ReceiptReport]:
    public = Signer.at(key_path(site.site.home.root)).public_pem()
    paths = receipt.kept(receipt.receipts_folder(site.site.home.root), name)
    return [verify(path.read_bytes(), public) for path in paths]


def _open(reports: list[ReceiptReport]) -> object:
    return [one.left for one in reports] or "none at all"


def _ended_first(site: Scene, loser: Loser) -> list[int]:
    """Return the numbers of the entries that say a look at all holders has ended a process of *loser*."""
    return [
        int(entry["seq"])
        for entry in site.site.entries()
        if entry["kind"] == "holder-ended" and entry["uid"] == loser.uid
    ]


def _answers(site: Scene, loser: Loser) -> Iterator[str]:
    """Yield the state of each answer about *loser* that HR was given."""
    for file in outbox.folder(site.site.home.root).glob("*.set"):
        part = file.read_bytes().split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
        if loser.id in json.dumps(claims.get("sub_id", "")):
            for said in claims["events"].values():
                yield str(said["state"])


def _after(look: int, mark: str) -> str:
    """Return how long after *mark* a look was, empty when it was not."""
    late = look - int(datetime.fromisoformat(mark).timestamp() * 1e6) * 1000
    return f"{late / 1e6:.1f} ms" if late > _APART else ""


def _comes(come: Callable[[], object], patience: float) -> bool:
    try:
        until(come, patience)
    except AssertionError:
        return False
    return True


PART = Part("losses", "rights lost in every way, SIGKILL at any moment of it", run, rounds=100, short=10)
