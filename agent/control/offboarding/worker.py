"""The process of departures: what takes long after somebody's access was cut.

    python -I -m agent.control.offboarding.worker HOME holder=PID channel=FD [life=FD] [open=FD access=FD]

    channel   one end of the pair to the control process      life   reaches its end when the holder is gone

Rules of this file:
- it decides nothing and opens no socket: it reads the registry and the index, and everything that changes what is
  allowed or goes on record it asks of the control process;
- nobody waits for it. It runs behind everybody else, and whoever leaves meanwhile is cut by the control process;
- it remembers nothing: at the start, and every half minute, what the journal holds open is tried again, and a case that
  was approved without a run gets one. A run without a receipt is open too. So it may be killed at any moment, and it
  ends at once when the control process or the holder is gone.
"""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.control.offboarding.channel import ControlClient
from agent.control.offboarding.doors_proxy import DoorsProxy
from agent.control.offboarding.expiry_notices import ExpiryNotices
from agent.control.offboarding.host import MORE, revocation_context
from agent.control.offboarding.hr_reply import complete, payload_of
from agent.control.offboarding.stale_denials import StaleDenials
from agent.control.offboarding.timeline import ending
from agent.control.offboarding.triggers import RevocationTrigger, revocation_subject, trigger_of
from agent.control.offboarding.untold_receipts import UntoldReceipts
from agent.control.offboarding.walker import AreaWalker
from agent.errors import FatalError, RefusedError, ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.offboard import database, proof
from agent.offboard.deny_entries import DenyLedger
from agent.offboard.freezing import freeze_holders
from agent.offboard.journal import JournaledStep, RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.receipt import receipt
from agent.offboard.runner import Runner
from agent.offboard.steps import deny, samba
from agent.offboard.steps.step import StepState
from agent.runtime.failures import going_on, to_stderr
from agent.runtime.home import Home
from agent.runtime.saying import say
from agent.site.context import SiteContext, agent_clock

_HOLDING = frozenset((Cause.EXPIRY, Cause.LOSS))  # no run where nothing was held
_ENDS_NOTHING = frozenset((deny.STEP.id, proof.STEP.id))
_DID = frozenset((StepState.DONE, StepState.CONFIRMED))
AGAIN = 30.0  # seconds after which what is pending is tried again
_PATIENCE = 5.0  # seconds for what does not end at once: who waits here is cut already
_LAPSE = 2.0  # seconds between two looks at grants that end by themselves
_NEWS = timedelta(days=14)  # what ended longer ago has been dealt with
_TOGETHER = 32  # leavers who share a pass over the files: those who come next wait so long at the most
_REPORT = to_stderr("departures")
_NICE = 10  # behind whoever waits, and not so far that a busy host never gets its receipts


class OffboardingWorker:
    """Everything that is open of the departures of one agent. One thread."""

    def __init__(self, site: SiteContext, asking: ControlClient, groups: FanotifyGroups | None, holder: int) -> None:
        self._site = site
        self._asking = asking
        self._walker = AreaWalker(groups)
        self._journal = RevocationJournal(database.path(site.home.root))
        ours = frozenset({os.getpid(), os.getppid(), holder})
        self._found: dict[str, str | None] = {}
        host = revocation_context(site, ours, self._walker.walk, DoorsProxy(asking), patience=_PATIENCE)
        self._denials = DenyLedger(database.path(site.home.root), site.now)
        self._host = replace(host, found=self._found, denials=self._denials)
        self._stale = StaleDenials(site, self._denials, self._host)
        self._runner = Runner(self._journal, self._host, MORE, stands=lambda name: not trigger_of(site, name).over)
        self._untold = UntoldReceipts(site, asking.settled, asking.fresh)
        self._open_in: dict[str, frozenset[str]] = {}  # the steps a receipt calls open, by its name
        self._lapsed: set[str] = set()  # grants whose end was looked into: only to save looking again

    def close(self) -> None:
        """Let go of the journal; a step alongside that still waits is pending in it."""
        self._runner.close()
        self._denials.close()
        self._journal.close()

    def take_back_of_shares(self) -> None:
        """Take back what somebody who was killed left denied on Samba's shares. Raises :class:`RefusedError`."""
        samba.take_back(self._host)

    def clear_denials(self) -> None:
        """Take deny entries away whose reason has gone. Raises ``ShoumiError``: the rest waits for the next time."""
        try:
            self._stale.step()
        finally:
            self._walker.close()

    def sweep(self) -> None:
        """Take up what is open, everybody's cut before anybody's rest. Raises the first error after all were tried."""
        errors = self._tell_untold()
        left = self._left()
        for name in left:
            try:
                self._asking.cut(name)
            except ShoumiError as error:
                errors.append(error)
        self.finish(left)
        if errors:
            raise errors[0]

    def _tell_untold(self) -> list[ShoumiError]:
        """Tell of the receipts that no entry tells of: whoever issued them was killed, or the log was full."""
        try:
            for path in self._untold.find():
                self._tell(trigger_of(self._site, receipt.case_of(path)), path)
        except ShoumiError as error:
            return [error]
        return []

    def lapse(self) -> None:
        """End what people still hold of an area they have lost: a grant ended by itself, an act was cut short.

        Raises as :meth:`sweep`.

        The decider denies them from that instant on; where nobody holds anything there is nothing to do or to prove.
        """
        site, now = self._site, self._site.now()
        ended = [str(row["id"]) for row in site.lists.grants.lapsed(now - _NEWS, now)]
        ended += [str(row["id"]) for row in site.lists.losses.since(now - _NEWS)]
        names = [one for one in ended if one not in self._lapsed]
        if names:
            begun = self._journal.begun()
            names = [one for one in names if one not in begun]
        wanted = []
        for name in names:
            found = trigger_of(site, name)
            if not found.over:
                wanted.append(WantedRun(name, revocation_subject(site, found), found.cause, tuple(found.officers)))
        holding = [run for run, had in zip(wanted, freeze_holders(self._host, wanted), strict=True) if had]
        self._runner.begin_together(holding)
        self._lapsed.update(ended)
        self.finish([run.case for run in holding])

    def finish(self, names: Iterable[str]) -> None:
        """Do the rest of these runs, whose access is cut, some of them at a time. Raises as :meth:`sweep`."""
        errors: list[ShoumiError] = []
        for some in _batches(self._wanted_ones(names, errors)):
            try:
                self._runner.advance_together(some, self._issue)
            except ShoumiError as error:
                errors.append(error)
            finally:
                self._walker.close()
                self._found.clear()
        if errors:
            raise errors[0]

    def _left(self) -> list[str]:
        """Return what was begun and is not finished, and what should have been begun."""
        lists, begun = self._site.lists, self._journal.begun()
        unfinished = {run.case for run in self._journal.unfinished()}
        approved = [case for case in lists.cases.find() if case.ended_at]
        left = [c.id for c in approved if c.id not in begun or (not c.unconfirmed and self._unproven(c.id, unfinished))]
        held = [str(row["id"]) for row in lists.holds.find()]
        left += [name for name in held if name not in begun or self._unproven(name, unfinished)]
        left += [name for name in lists.case_grants.restored() if name not in begun or name in unfinished]
        left += sorted(self._unsettled(unfinished) - set(left))
        return left + sorted(unfinished - set(left) - {case.id for case in approved})

    def _unsettled(self, unfinished: AbstractSet[str]) -> AbstractSet[str]:
        """Return the finished runs without a receipt: this process was killed between the proof and that."""
        names = self._journal.unsettled() - unfinished
        issued = {name for name in names if self._issued(name)}
        for name in issued:
            self._journal.settle(name, self._site.now())
        return names - issued

    def _unproven(self, name: str, unfinished: AbstractSet[str]) -> bool:
        return name in unfinished or not self._issued(name)

    def _wanted_ones(self, names: Iterable[str], errors: list[ShoumiError]) -> Iterator[str]:
        for name in names:
            try:
                if self._wanted(name):
                    yield name
            except ShoumiError as error:
                errors.append(error)

    def _wanted(self, name: str) -> bool:
        """Whether there is something to do in the run *name*. One that has lost its reason is given up here.

        What such a run has ended by then is told by a receipt all the same.
        """
        found = trigger_of(self._site, name)
        try:
            steps = self._journal.steps(self._journal.run(name))
        except RefusedError:  # it was not begun: there is nothing to give up
            return found.cause not in _HOLDING and not (found.over or found.waits)
        is_open = any(done.result.state.open for done in steps)
        if found.over and is_open:
            self._runner.abandon(name, found.over)
        if found.waits and not found.over:
            return False
        tells = ended_something(steps) if found.over else found.cause is not Cause.RESTORED
        wanted = (is_open and not found.over) or (tells and not self._issued(name))
        if not wanted:
            self._journal.settle(name, self._site.now())
        return wanted

    def _issued(self, name: str) -> bool:
        """Whether the newest receipt calls no step open that is over: who was to issue the next one may be dead."""
        kept = receipt.kept(receipt.receipts_folder(self._site.home.root), name)
        if not kept:
            return False
        newest = kept[-1]
        if newest.name not in self._open_in:
            said = payload_of(newest.read_bytes())["open"]
            self._open_in[newest.name] = frozenset(one for one in said if one.startswith("step:"))
        if not (open_then := self._open_in[newest.name]):
            return True
        return open_then <= self._open_steps(name)

    def _open_steps(self, name: str) -> frozenset[str]:
        """Return the steps that are open in the run *name*, as a receipt calls them."""
        steps = self._journal.steps(self._journal.run(name))
        return frozenset(f"step:{done.step}" for done in steps if done.result.state.open)

    def _issue(self, name: str) -> None:
        site, found = self._site, trigger_of(self._site, name)
        if found.cause is Cause.RESTORED:  # nothing has ended
            self._journal.settle(name, site.now())
            return
        self._asking.fresh()
        said = ending(site, found, self._journal.steps(self._journal.run(name)))
        path = receipt.issue(site.home.root, said, site.now())
        self._open_in[path.name] = self._open_steps(name)
        self._journal.settle(name, site.now())
        self._tell(found, path)

    def _tell(self, found: RevocationTrigger, path: Path) -> None:
        """Answer the personnel system, and have an entry tell of the receipt: last, for without one it is done again.

        Raises ``ShoumiError``; an answer that cannot be given keeps the entry from nothing.
        """
        site, payload = self._site, payload_of(path.read_bytes())
        fields = {"kind": "receipt", "case": found.name, "person": found.person, "file": path.name}
        try:
            if found.cause in (Cause.DEPARTURE, Cause.TRANSFER) and not found.over:
                complete(site, found.name, payload)
        finally:
            site.audit.append({**fields, "complete": payload["complete"], "open": payload["open"]})
            self._untold.told(path)


def ended_something(steps: Iterable[JournaledStep]) -> bool:
    """Whether a run has ended anything beside the right to open: a process, or what only a departure touches."""
    done = [one for one in steps if one.step not in _ENDS_NOTHING and one.result.state is not StepState.SKIPPED]
    return any(one.result.facts.get("killed", one.result.state in _DID) for one in done)


def main(argv: Sequence[str]) -> int:
    """Run until the control process or the holder ends, or somebody ends us; return the exit code."""
    words = {name: int(value) for name, _, value in (word.partition("=") for word in argv[1:])}
    end = socket.socket(fileno=words["channel"])
    confine(process_rights.DEPARTURES, say)
    _end_with([words["channel"], *([words["life"]] if "life" in words else [])])
    os.nice(_NICE)
    asking = ControlClient(end)
    try:
        home = Home.at(argv[0])
        groups = FanotifyGroups(words["open"], words.get("access", -1)) if "open" in words else None
        with (
            end,
            SiteContext(home, asking, agent_clock(home)) as site,
            closing(OffboardingWorker(site, asking, groups, words["holder"])) as worker,
        ):
            serve(worker, ExpiryNotices(site), asking)
    except (ShoumiError, FatalError) as error:
        _REPORT(error)
    return 1


def serve(worker: OffboardingWorker, notices: ExpiryNotices, asking: ControlClient) -> None:
    """Do what is told and what is due, for ever. Raises :class:`FatalError`."""
    due = 0.0
    told: list[str] = []
    with going_on(_REPORT):
        worker.take_back_of_shares()
    while True:
        with going_on(_REPORT):  # one case that cannot be worked on must not keep back the others
            worker.finish(told)
        if time.monotonic() >= due:
            with going_on(_REPORT):
                worker.sweep()
            due = time.monotonic() + AGAIN
        with going_on(_REPORT):
            worker.lapse()
        with going_on(_REPORT):
            worker.clear_denials()
        with going_on(_REPORT):
            notices.step()
        told = asking.told(min(max(0.0, due - time.monotonic()), _LAPSE))


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, _TOGETHER)):
        yield some


def _end_with(descriptors: Iterable[int]) -> None:
    """End this process as soon as the other end of one of *descriptors* is gone, whatever it is doing."""
    poll = select.poll()
    for fd in descriptors:
        poll.register(fd, 0)  # POLLHUP and POLLERR come unasked

    def wait() -> None:
        poll.poll()
        os._exit(0)

    threading.Thread(target=wait, name="life", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
