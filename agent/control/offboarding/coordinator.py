"""What follows an approval: access is cut at once; everything else is the process of departures'.

    committed → processes stopped, denied (act thread) → run written down, cut (thread of cuts) → told: the rest, proof,
    receipt (process of departures)

Rules of this file:
- the answer to an officer's approval waits for the cut and for nothing more; HR's notices wait for nothing, so that
  everybody of a pile is denied before the first one's processes are looked for a second time;
- no cut waits for the rest of anybody: the rest takes as long as there are files and areas, and whatever runs Python in
  this process would slow down every cut;
- a cut is written down before it begins; what is left of it is asked for again by the process of departures, which
  looks for it at its start and every half minute. Nothing is remembered here.
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
from agent.control.offboarding.doors_proxy import told as doors_told
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
from agent.runtime.channel import Message
from agent.runtime.clock import instant_of
from agent.runtime.config import RoleGroups
from agent.runtime.os_groups import roles_of
from agent.site.context import SiteContext
from rules.tiers import Tier

_PATIENCE = 1.0  # seconds for what does not end at once: the next cut waits for this one
_CUT = 20.0  # seconds an approval waits for the cut at the most


class OffboardingCoordinator:
    """The departures of one agent, as the control process sees them. Public methods may be called from any thread."""

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

        *roles* reads the groups of the three roles, *tiers* says how each area is protected now.
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
        # Boards lose the badges with the cut; whether they have is asked by who does the rest.
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
        """Take note of when the act under way was read from its caller, and when its commit was on the disk.

        Called by the thread of acts, before what follows the act is begun.
        """
        self._committed = received, durable

    def freeze(self, case: str, pid: int) -> None:
        """Stop the processes of the person of *case*, whose approval is committed. *pid*: the command that approved.

        Called by the thread of acts before the decider hears of the approval: it needs a moment to take over the new
        rights, and no decider ends a mapping; this ends it meanwhile. Of somebody who is only transferred, one would
        first have to find out what holds classified files; nobody waits for that here.
        """
        asked_by = caller(pid) if pid != os.getpid() else None
        with suppress(OSError, ShoumiError):  # the run that follows says what could not be done
            found = trigger_of(self._site, case)
            if found.cause is not Cause.DEPARTURE:
                return
            callers = (asked_by,) if asked_by else ()
            who = revocation_subject(self._site, found)
            freeze_processes(who, self._context, found.cause, found.officers, callers)

    def freeze_unrecorded(self, person: str, approvers: Sequence[str], cause: Cause) -> None:
        """Stop the processes of somebody whose departure, transfer or hold cannot be written down now.

        Called again and again until it can be. Without an entry nothing ends; but whoever can fill the disk of the log
        must not be able to read on because of it. Nothing more is opened meanwhile by anybody, because that takes an
        entry, too; what is open already is read by nobody who is stopped. What was stopped ends with the run, as soon
        as there is space.
        """
        with suppress(OSError, ShoumiError):
            freeze_processes(self._subject(person), self._context, cause, approvers, ())

    def revoke(self, case: str, pid: int) -> dict[str, Any]:
        """Cut everything of the person of *case* and let the rest follow; return how long the cut took.

        Called once the decider has acknowledged that the person is denied. The personnel system, for which this process
        asks itself, is told by the receipt, and waits for nothing here.
        """
        began = self._site.now()
        cut = self.start_revocation(case, pid)
        if pid == os.getpid():
            return {}
        with suppress(TimeoutError, ShoumiError):  # it is written down, and goes on
            cut.result(_CUT)
        return {"cut_milliseconds": (self._site.now() - began).total_seconds() * 1000}

    def start_revocation(self, trigger: str, pid: int) -> "Future[bool]":
        """Let begin what follows the case or hold *trigger*, which the decider has acknowledged; nobody need wait."""
        asked_by = caller(pid) if pid != os.getpid() else None
        self._note_denial(trigger)
        cut = self._cuts.submit(trigger, (asked_by,) if asked_by else ())
        cut.add_done_callback(lambda _: self._worker.tell(trigger))
        return cut

    def backlog(self) -> Backlog:
        """Return how many runs are open or about to begin. Raises as :func:`agent.offboard.progress.waiting`."""
        return waiting(database.path(self._site.home.root), self._cuts.waiting)

    def cutting(self) -> bool:
        """Whether somebody is being cut, or waits for it."""
        return self._cuts.busy

    def start_losses(self, losses: Sequence[str], pid: int) -> None:
        """Let begin what follows these losses, which the decider has acknowledged; nobody waits for it.

        Of many, those who hold nothing have no run: the entry of the act says what they lost.
        """
        asked_by = caller(pid) if pid != os.getpid() else None
        for name in losses:
            self._note_denial(name)
            cut = self._cuts.submit(name, (asked_by,) if asked_by else (), holding=len(losses) > EACH)
            cut.add_done_callback(partial(self._tell, name))

    def start_lapses(self) -> None:
        """Let begin what follows grants that have ended by themselves since the last call, where something is held.

        Who was not called for them, because this process did not run, looks for them as well: the process of
        departures, which may be busy with proofs for long.
        """
        now = self._site.now()
        ended = [str(row["id"]) for row in self._site.lists.grants.lapsed(self._lapsed_to, now)]
        self._lapsed_to = now
        for name in ended:
            self._cuts.submit(name, holding=True).add_done_callback(partial(self._tell, name))

    def start_restoration(self, name: str) -> None:
        """Let what refuses the person on the disk be taken away, for a grant given again; nobody waits for it."""
        self._cuts.submit(name, ()).add_done_callback(lambda _: self._worker.tell(name))

    def survey(self, person: str, cause: Cause) -> dict[str, Any]:
        """Return the plan of what a revocation for *cause* would end of *person* now, as JSON; nothing is touched."""
        return self.survey_of(self._subject(person), cause)

    def survey_of(self, subject: RevocationSubject, cause: Cause) -> dict[str, Any]:
        """Return the same of somebody who loses only some of their access, or some of their accounts."""
        return survey(subject, self._context, cause, MORE).to_json()

    def serve(self) -> None:
        """Keep the process of departures alive, and answer it, until :meth:`stop`. Raises :class:`FatalError`."""
        self._worker.serve()

    def stop(self) -> None:
        """End serving; what is under way is taken up at the next start."""
        self._worker.stop()

    def close(self) -> None:
        """End after the cut under way, and let go of everything."""
        self._cuts.close()
        self._worker.close()

    def _subject(self, person: str) -> RevocationSubject:
        uids = [int(str(row["uid"])) for row in self._site.lists.accounts.find(person)]
        roles, sole = roles_of(uids, self._roles(), self._site.facts.accounts)
        return RevocationSubject(person, accounts(uids), roles, sole)

    def _append(self, asked: Message) -> Message:
        return {"seq": self._site.audit.append(asked["fields"])}

    def _epoch(self, asked: Message) -> Message:
        self._site.audit.epoch(int(asked["epoch"]))
        return {}

    def _own(self, asked: Message) -> Message:
        self._site.audit.own(int(asked["pid"]))
        return {}

    def _settled(self, _asked: Message) -> Message:
        self._site.audit.settled()
        return {}

    def _fresh(self, _asked: Message) -> Message:
        self._indexer.fresh()
        return {}

    def _refusals(self, asked: Message) -> Message:
        return doors_told(self._doors, str(asked["person"]))

    def _cut_again(self, asked: Message) -> Message:
        self._cuts.submit(str(asked["case"]), ()).result()
        return {}

    def _wanted(self, name: str, callers: tuple[Caller, ...]) -> WantedRun | None:
        """Return the run for the trigger *name*; ``None``: it has lost its reason."""
        found = trigger_of(self._site, name)
        if found.over:
            self._denied.pop(name, None)
            return None
        return WantedRun(name, revocation_subject(self._site, found), found.cause, tuple(found.officers), callers)

    def _tell(self, name: str, cut: "Future[bool]") -> None:
        if cut.cancelled() or cut.exception() or not cut.result():
            self._denied.pop(name, None)  # nothing will ask for it
        if cut.cancelled() or cut.exception() or cut.result():
            self._worker.tell(name)

    def _note_denial(self, name: str) -> None:
        """Keep, for the run *name*, the instant of the acknowledgement that the act under way has just waited for."""
        epoch, since = self._site.audit.acknowledged
        at = instant_of(since, self._site.now)
        self._denied[name] = DenialAck.after(epoch, at, *self._committed)

    def _unless_known(self, ask: Callable[[str], DenialAck]) -> Callable[[str], DenialAck]:
        """Return what asks the decider only where no act has: another may have been acknowledged since."""

        def denied(name: str) -> DenialAck:
            return self._denied.pop(name, None) or ask(name)

        return denied


def _walks_nothing(path: str) -> NoReturn:
    raise RuntimeError(f"no cut walks an area, and one was asked to walk {path}")
