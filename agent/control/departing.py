"""What follows an approval: access is cut, everything of the person ended, proven, and put into a receipt.

    approved (act thread) → run written down, cut (thread of cuts) → the rest, proof, receipt (thread of departures)

Rules of this file:
- wiring only: what ends and in which order is ``agent.offboard``'s, what may be known comes from the desk;
- the answer to the approval waits for the cut, never for the rest; nobody's cut waits for the rest of anybody else,
  which takes as long as there are files and areas, so each of the two threads has its own hold on the journal;
- nothing is remembered here: at the start, and every half minute, what the journal holds open is tried again, and a
  case that was approved without a run gets one. A run without a receipt is open too.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.control.departing_marks import ending
from agent.control.desk import Desk
from agent.control.privilege import roles_of
from agent.errors import ShoumiError
from agent.guard import openfiles
from agent.guard.doorway import doorway
from agent.guard.walk import Entry
from agent.guard.walk import walk as guard_walk
from agent.offboard import proof, receipt
from agent.offboard.context import Area, Blocked, Context, Inode, Leaver
from agent.offboard.guardrails import Rails
from agent.offboard.journal import Journal
from agent.offboard.plan import Cause, Plan
from agent.offboard.run import Runner, survey
from agent.offboard.steps.places import accounts
from agent.offboard.steps.tasks import family
from rules.departure_case import Case
from rules.departure_words import Kind

AGAIN = 30.0  # seconds after which what is pending is tried again
_CUT = 20.0  # seconds an approval waits for the cut at the most


class Departing:
    """The departures of one agent. Public methods may be called from any thread; the work is done in one of its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cuts = _Lane(desk, "cuts")
        self._rest = _Lane(desk, "departures")
        self._stopped = threading.Event()
        self.completed: Callable[[Case, Mapping[str, Any]], None] = lambda _case, _payload: None

    def departed(self, person: str, case: str) -> dict[str, Any]:
        """Cut everything of *person*, return how long that took, and let the rest follow. See :class:`Desk`."""
        cut = self._cuts.submit(self._cut, case)
        began = self._desk.now()
        with suppress(TimeoutError, ShoumiError):  # it is written down, and goes on
            cut.result(_CUT)
        self._rest.submit(self._finish_unless_done, case)
        return {"cut_milliseconds": (self._desk.now() - began).total_seconds() * 1000}

    def survey(self, person: str) -> dict[str, Any]:
        """Return the plan of what a departure of *person* would end now, as JSON; nothing is touched."""
        more = (proof.STEP,)
        looked: Future[Plan] = self._rest.submit(
            lambda: survey(self._leaver(person), context(self._desk), Cause.DEPARTURE, more)
        )
        return looked.result(_CUT).record()

    def serve(self) -> None:
        """Take up what is open now, and again every :data:`AGAIN` seconds, until :meth:`stop`."""
        while True:
            with suppress(ShoumiError):
                self._rest.submit(self._resume).result()
            if self._stopped.wait(AGAIN):
                return

    def stop(self) -> None:
        """End; what is under way is done to its next step and taken up at the next start."""
        self._stopped.set()
        for lane in (self._rest, self._cuts):
            lane.close()

    def _cut(self, name: str) -> None:
        runner, _ = self._cuts.running()
        case = self._desk.lists.case(name)
        officers = [approval.by for approval in case.approvals]
        runner.begin(case.id, self._leaver(case.person), _cause(case), officers)
        runner.cut(case.id)

    def _finish(self, name: str) -> None:
        runner, journal = self._rest.running()
        runner.advance(name)  # what the cut left open first
        self._issue(self._desk.lists.case(name), journal)

    def _finish_unless_done(self, name: str) -> None:
        """Finish what was queued, unless :meth:`_resume` came first."""
        _, journal = self._rest.running()
        if not self._issued(name) or any(done.result.state.open for done in journal.steps(journal.run(name))):
            self._finish(name)

    def _issued(self, name: str) -> bool:
        return bool(receipt.kept(receipt.receipts_folder(self._desk.home.root), name))

    def _resume(self) -> None:
        """Take up what is open, everybody's cut before anybody's rest. Raises the first error after all were tried."""
        _, journal = self._rest.running()
        begun = {run.case for run in journal.unfinished()}
        approved = [case for case in self._desk.lists.cases() if case.approved_at]
        left = [c.id for c in approved if c.id in begun or not (c.rescinded or self._issued(c.id))]
        cuts = [self._cuts.submit(self._cut, name) for name in left]
        errors = [error for cut in cuts if (error := cut.exception())]
        for name in left:
            try:
                self._finish(name)
            except ShoumiError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _issue(self, case: Case, journal: Journal) -> None:
        run = journal.run(case.id)
        found = ending(self._desk, case, run.cause, journal.steps(run))
        path = receipt.issue(self._desk.home.root, found, self._desk.now())
        payload = json.loads(path.read_bytes().partition(b"\n")[0])
        fields = {"kind": "receipt", "case": case.id, "person": case.person, "file": path.name}
        self._desk.decider.append({**fields, "complete": payload["complete"], "open": payload["open"]})
        self.completed(case, payload)

    def _leaver(self, person: str) -> Leaver:
        desk = self._desk
        uids = [int(str(row["uid"])) for row in desk.lists.accounts(person)]
        roles, sole = roles_of(uids, desk.config.roles)
        return Leaver(person, accounts(uids), roles, sole)


class _Lane:
    """A thread that carries runs out, with a journal and a runner of its own, both made in it."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk = desk
        self._thread = ThreadPoolExecutor(1, name)
        self._made: tuple[Runner, Journal] | None = None
        self.submit = self._thread.submit

    def running(self) -> tuple[Runner, Journal]:
        """Return runner and journal. Only in this lane's thread."""
        if self._made is None:
            journal = Journal(self._desk.home.root / "offboard.db")
            self._made = Runner(journal, context(self._desk), (proof.STEP,)), journal
        return self._made

    def close(self) -> None:
        """End after what is under way; what has not begun is taken up at the next start."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._made:
            self._made[0].close()


def context(desk: Desk) -> Context:
    """Return what the steps of a revocation may know and do in this agent."""

    def deny(_person: str) -> int:
        epoch = desk.facts.epoch()
        desk.decider.epoch(epoch)
        return epoch

    def devices() -> frozenset[int]:
        found = set()
        for place in desk.facts.places():
            with suppress(OSError):
                found.add(Path(os.fsdecode(place.path)).stat().st_dev)
        return frozenset(found)

    def walk(path: str) -> Iterator[Inode | Blocked]:
        groups = desk.protection.groups
        if groups is None:
            yield from map(_adapted, guard_walk(path, path))
            return
        with doorway(groups.open, groups.access, path) as way:
            yield from map(_adapted, guard_walk(way, path))

    ours = {os.getpid(), os.getppid()}  # the holder's number is taken now: its successor would be somebody else

    return Context(
        seized=desk.home.root / "seized",
        deny=deny,
        now=desk.now,
        append=desk.decider.append,
        areas=lambda: [Area(place.area, os.fsdecode(place.path)) for place in desk.facts.places()],
        devices=devices,
        held=openfiles.held,
        walk=walk,
        rails=lambda: Rails(family(ours), frozenset((s.uid, s.executable) for s in desk.facts.services())),
    )


def _cause(case: Case) -> Cause:
    return Cause.TRANSFER if case.kind is Kind.TRANSFER else Cause.DEPARTURE


def _adapted(found: Any) -> Inode | Blocked:
    return Inode(*found) if isinstance(found, Entry) else Blocked(*found)
