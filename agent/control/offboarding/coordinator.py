"""Coordinator of revocations: cuts access right after an approval; the offboarding process does the rest.

    committed → processes stopped, denied (act thread) → run recorded, cut (thread of cuts) → notified: the rest, proof,
    receipt (offboarding process)

Rules of this file:
- the answer to an officer's approval waits for the cut only; HR's notices wait for nothing, so that every person of a
  batch is denied before the processes of the first are scanned a second time;
- no cut waits for the rest of another run: the rest grows with files and areas, and Python code in this process would
  slow down every cut;
- a cut is recorded before it begins; the offboarding process requests an unfinished cut again, at its start and every
  half minute. Nothing is kept here.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from agent.api.operations import EACH
from agent.control.offboarding.cut_executor import CutExecutor
from agent.control.offboarding.doors_proxy import door_states
from agent.control.offboarding.host import MORE, agent_processes, revocation_context
from agent.control.offboarding.triggers import revocation_subject, trigger_of
from agent.control.offboarding.worker_supervisor import WorkerSupervisor
from agent.errors import ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.log.indexer import BackgroundIndexer
from agent.offboard import database
from agent.offboard.callers import Caller, caller
from agent.offboard.context import DenialAck, RevocationSubject
from agent.offboard.freezing import freeze_processes
from agent.offboard.journal import WantedRun
from agent.offboard.plan import Cause
from agent.offboard.progress import Backlog, waiting
from agent.offboard.runner import survey
from agent.offboard.steps.places import accounts
from agent.rooms.service import DoorServer
from agent.runtime.channel import Packet
from agent.runtime.clock import instant_of
from agent.runtime.config import RoleGroups
from agent.runtime.os_groups import roles_of
from agent.site.context import SiteContext
from rules.tiers import Tier

_PATIENCE = 1.0  # seconds for processes that do not end at once: the next cut waits for this one
_CUT = 20.0  # seconds an approval waits at most for the cut


class OffboardingCoordinator:
    """The revocations of one agent, for the control process. Public methods are for any thread."""

    def __init__(
        self,
        site: SiteContext,
        roles: Callable[[], RoleGroups],
        indexer: BackgroundIndexer,
        doors: DoorServer,
        groups: FanotifyGroups | None,
        life: int | None,
        tiers: Callable[[], Mapping[str, Tier]],
    ) -> None:
        """*groups* is ``None`` in a rehearsal; *life* reaches its end when the holder is gone.

        *roles* reads the groups of the three roles, *tiers* returns the tier of each area.
        """
        self._site = site
        self._roles = roles
        self._indexer = indexer
        self._doors = doors
        self._lapsed_to = site.now()
        self._denied: dict[str, DenialAck] = {}
        self._committed: tuple[datetime | None, datetime | None] = (None, None)
        host = revocation_context(site, agent_processes(), _walks_nothing, doors, tiers, patience=_PATIENCE)
        self._context = replace(host, deny=self._unless_known(host.deny))
        # Boards drop the badges with the cut; the offboarding process verifies that.
        self._cuts = CutExecutor(site.home, self._context, self._wanted, doors.changed)
        inherited = {} if life is None else {"life": life}
        if groups:
            inherited |= {name: fd for name, fd in groups._asdict().items() if fd >= 0}
        self._worker = WorkerSupervisor(
            site.home,
            inherited,
            {
                "append": self._append,
                "epoch": self._epoch,
                "own": self._own,
                "settled": self._settled,
                "fresh": self._fresh,
                "cut": self._cut_again,
                "doors": self._refusals,
            },
        )

    def committed(self, received: datetime, durable: datetime) -> None:
        """Record when the act under way was read from its caller, and when its commit was durable.

        Called by the thread of acts before the follow-up of the act begins.
        """
        self._committed = received, durable

    def freeze(self, case: str, pid: int) -> None:
        """Stop the processes of the person of *case* after the approval is committed. *pid*: the approving command.

        Called by the thread of acts before the decider is notified: it needs a moment to take over the new rights, and
        no decider ends a mapping. A transferred person is skipped: finding the holders of classified files would take
        too long here.
        """
        asked_by = caller(pid) if pid != os.getpid() else None
        with suppress(OSError, ShoumiError):  # the following run reports failures
            trigger = trigger_of(self._site, case)
            if trigger.cause is not Cause.DEPARTURE:
                return
            callers = (asked_by,) if asked_by else ()
            subject = revocation_subject(self._site, trigger)
            freeze_processes(subject, self._context, trigger.cause, trigger.officers, callers)

    def freeze_unrecorded(self, person: str, approvers: Sequence[str], cause: Cause) -> None:
        """Stop the processes of a person whose departure, transfer or hold cannot be recorded now.

        Called repeatedly until it can be recorded. Nothing ends without an entry, but filling the disk of the log must
        not extend access. No file can be opened meanwhile, because that takes an entry, too; stopped processes cannot
        read files that are already open. They end with the run as soon as there is space.
        """
        with suppress(OSError, ShoumiError):
            freeze_processes(self._subject(person), self._context, cause, approvers, ())

    def revoke(self, case: str, pid: int) -> dict[str, Any]:
        """Cut all access of the person of *case* and start the rest; return how long the cut took.

        Called after the decider has acknowledged the denial. For a notice of the personnel system it does not wait: the
        receipt is the answer.
        """
        began = self._site.now()
        cut = self.start_revocation(case, pid)
        if pid == os.getpid():
            return {}
        with suppress(TimeoutError, ShoumiError):  # it is recorded and continues
            cut.result(_CUT)
        return {"cut_milliseconds": (self._site.now() - began).total_seconds() * 1000}

    def start_revocation(self, trigger: str, pid: int) -> "Future[bool]":
        """Start the run for the case or hold *trigger*, which the decider has acknowledged, without waiting."""
        asked_by = caller(pid) if pid != os.getpid() else None
        self._note_denial(trigger)
        cut = self._cuts.submit(trigger, (asked_by,) if asked_by else ())
        cut.add_done_callback(lambda _: self._worker.tell(trigger))
        return cut

    def backlog(self) -> Backlog:
        """Return the runs that are open or about to begin. Raises as :func:`agent.offboard.progress.waiting`."""
        return waiting(database.path(self._site.home.root), self._cuts.waiting)

    def cutting(self) -> bool:
        """Return whether a cut is under way or queued."""
        return self._cuts.busy

    def start_losses(self, losses: Sequence[str], pid: int) -> None:
        """Start the runs for these losses, which the decider has acknowledged, without waiting.

        If there are many, people who hold nothing get no run: the entry of the act records their loss.
        """
        asked_by = caller(pid) if pid != os.getpid() else None
        for name in losses:
            self._note_denial(name)
            cut = self._cuts.submit(name, (asked_by,) if asked_by else (), holding=len(losses) > EACH)
            cut.add_done_callback(partial(self._tell, name))

    def start_lapses(self) -> None:
        """Start runs for grants that expired since the last call, for people who hold something.

        The offboarding process also looks for them, in case this process did not run, but it may be busy with proofs.
        """
        now = self._site.now()
        ended = [str(row["id"]) for row in self._site.lists.grants.lapsed(self._lapsed_to, now)]
        self._lapsed_to = now
        for name in ended:
            self._cuts.submit(name, holding=True).add_done_callback(partial(self._tell, name))

    def start_restoration(self, name: str) -> None:
        """Start the removal of deny entries for a restored grant, without waiting."""
        self._cuts.submit(name, ()).add_done_callback(lambda _: self._worker.tell(name))

    def survey(self, person: str, cause: Cause) -> dict[str, Any]:
        """Return the plan of a revocation of *person* for *cause* as JSON; nothing is changed."""
        return self.survey_of(self._subject(person), cause)

    def survey_of(self, subject: RevocationSubject, cause: Cause) -> dict[str, Any]:
        """Return the plan for a subject who loses some areas or accounts only."""
        return survey(subject, self._context, cause, MORE).to_json()

    def serve(self) -> None:
        """Run and answer the offboarding process until :meth:`stop`. Raises :class:`FatalError`."""
        self._worker.serve()

    def stop(self) -> None:
        """End serving; the next start resumes the work."""
        self._worker.stop()

    def close(self) -> None:
        """End after the cut under way, and release all resources."""
        self._cuts.close()
        self._worker.close()

    def _subject(self, person: str) -> RevocationSubject:
        uids = [int(str(row["uid"])) for row in self._site.lists.accounts.find(person)]
        roles, sole = roles_of(uids, self._roles(), self._site.facts.accounts)
        return RevocationSubject(person, accounts(uids), roles, sole)

    def _append(self, message: Packet) -> Packet:
        return {"seq": self._site.audit.append(message["fields"])}

    def _epoch(self, message: Packet) -> Packet:
        self._site.audit.epoch(int(message["epoch"]))
        return {}

    def _own(self, message: Packet) -> Packet:
        self._site.audit.own(int(message["pid"]))
        return {}

    def _settled(self, _message: Packet) -> Packet:
        self._site.audit.settled()
        return {}

    def _fresh(self, _message: Packet) -> Packet:
        self._indexer.fresh()
        return {}

    def _refusals(self, message: Packet) -> Packet:
        return door_states(self._doors, str(message["person"]))

    def _cut_again(self, message: Packet) -> Packet:
        self._cuts.submit(str(message["case"]), ()).result()
        return {}

    def _wanted(self, name: str, callers: tuple[Caller, ...]) -> WantedRun | None:
        """Return the run for the trigger *name*; ``None`` when its reason no longer holds."""
        trigger = trigger_of(self._site, name)
        if trigger.over:
            self._denied.pop(name, None)
            return None
        return WantedRun(name, revocation_subject(self._site, trigger), trigger.cause, tuple(trigger.officers), callers)

    def _tell(self, name: str, cut: "Future[bool]") -> None:
        if cut.cancelled() or cut.exception() or not cut.result():
            self._denied.pop(name, None)  # no later cut uses it
        if cut.cancelled() or cut.exception() or cut.result():
            self._worker.tell(name)

    def _note_denial(self, name: str) -> None:
        """Store, for the run *name*, the acknowledgement that the act under way has just waited for."""
        epoch, since = self._site.audit.acknowledged
        at = instant_of(since, self._site.now)
        self._denied[name] = DenialAck.after(epoch, at, *self._committed)

    def _unless_known(self, ask: Callable[[str], DenialAck]) -> Callable[[str], DenialAck]:
        """Return a function that asks the decider only when no act has stored an acknowledgement."""

        def denied(name: str) -> DenialAck:
            return self._denied.pop(name, None) or ask(name)

        return denied


def _walks_nothing(path: str) -> NoReturn:
    raise RuntimeError(f"no cut walks an area, and one was asked to walk {path}")
