"""The offboarding process: the long steps of a revocation, after access is cut.

    python -I -m agent.control.offboarding.worker HOME holder=PID channel=FD [life=FD] [open=FD access=FD]

    channel   one end of the pair to the control process      life   reaches its end when the holder is gone

Rules of this file:
- it decides nothing and opens no socket: it reads the registry and the index, and requests from the control process
  everything that changes rights or is recorded;
- no caller waits for it. It runs at low priority, and the control process cuts new departures meanwhile;
- it keeps no state: at the start, and every half minute, open runs of the journal are retried, and an approved case
  without a run gets one. A run without a receipt is open, too. So it may be killed at any moment, and it ends at once
  when the control process or the holder has ended.
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

_HOLDING = frozenset((Cause.EXPIRY, Cause.LOSS))  # causes without a run where nothing was held
_ENDS_NOTHING = frozenset((deny.STEP.id, proof.STEP.id))
_DID = frozenset((StepState.DONE, StepState.CONFIRMED))
AGAIN = 30.0  # seconds until pending work is retried
_PATIENCE = 5.0  # seconds for processes that do not end at once: access is cut already
_LAPSE = 2.0  # seconds between two checks for expired grants
_NEWS = timedelta(days=14)  # older endings have been handled
_TOGETHER = 32  # leavers who share a pass over the files; it bounds the wait of the next ones
_REPORT = to_stderr("departures")
_NICE = 10  # low priority, but not so low that a busy host never issues receipts


class OffboardingWorker:
    """The open runs of one agent. One thread."""

    def __init__(self, site: SiteContext, asking: ControlClient, groups: FanotifyGroups | None, holder: int) -> None:
        self._site = site
        self._asking = asking
        self._walker = AreaWalker(groups)
        self._journal = RevocationJournal(database.path(site.home.root))
        ours = frozenset({os.getpid(), os.getppid(), holder})
        self._surveys: dict[str, str | None] = {}
        host = revocation_context(site, ours, self._walker.walk, DoorsProxy(asking), patience=_PATIENCE)
        self._denials = DenyLedger(database.path(site.home.root), site.now)
        self._host = replace(host, found=self._surveys, denials=self._denials)
        self._stale = StaleDenials(site, self._denials, self._host)
        self._runner = Runner(self._journal, self._host, MORE, stands=lambda name: not trigger_of(site, name).over)
        self._untold = UntoldReceipts(site, asking.settled, asking.fresh)
        self._open_in: dict[str, frozenset[str]] = {}  # open steps in a receipt, by its file name
        self._lapsed: set[str] = set()  # expired grants already examined; a cache only

    def close(self) -> None:
        """Close the journal; a concurrent step that still waits stays pending in it."""
        self._runner.close()
        self._denials.close()
        self._journal.close()

    def take_back_of_shares(self) -> None:
        """Remove denials on Samba shares left by a killed process. Raises :class:`RefusedError`."""
        samba.take_back(self._host)

    def clear_denials(self) -> None:
        """Remove stale deny entries. Raises ``ShoumiError``; the next call retries."""
        try:
            self._stale.step()
        finally:
            self._walker.close()

    def sweep(self) -> None:
        """Process all open runs: first every cut, then the rest. Raises the first error after all were tried."""
        errors = self._tell_untold()
        pending = self._runs_to_finish()
        for name in pending:
            try:
                self._asking.cut(name)
            except ShoumiError as error:
                errors.append(error)
        self.finish(pending)
        if errors:
            raise errors[0]

    def _tell_untold(self) -> list[ShoumiError]:
        """Record the receipts that have no entry yet."""
        try:
            for path in self._untold.find():
                self._tell(trigger_of(self._site, receipt.case_of(path)), path)
        except ShoumiError as error:
            return [error]
        return []

    def lapse(self) -> None:
        """Revoke what people still hold of areas they lost by an expired grant or by an interrupted act.

        Raises as :meth:`sweep`.

        The decider denies them from that instant on; without held files there is nothing to do or to prove.
        """
        site, now = self._site, self._site.now()
        ended = [str(row["id"]) for row in site.lists.grants.lapsed(now - _NEWS, now)]
        ended += [str(row["id"]) for row in site.lists.losses.since(now - _NEWS)]
        names = [number for number in ended if number not in self._lapsed]
        if names:
            begun = self._journal.begun()
            names = [number for number in names if number not in begun]
        wanted = []
        for name in names:
            trigger = trigger_of(site, name)
            if not trigger.over:
                wanted.append(
                    WantedRun(name, revocation_subject(site, trigger), trigger.cause, tuple(trigger.officers))
                )
        holding = [run for run, had in zip(wanted, freeze_holders(self._host, wanted), strict=True) if had]
        self._runner.begin_together(holding)
        self._lapsed.update(ended)
        self.finish([run.case for run in holding])

    def finish(self, names: Iterable[str]) -> None:
        """Do the rest of these runs, whose access is cut, in batches. Raises as :meth:`sweep`."""
        errors: list[ShoumiError] = []
        for batch in _batches(self._wanted_ones(names, errors)):
            try:
                self._runner.advance_together(batch, self._issue)
            except ShoumiError as error:
                errors.append(error)
            finally:
                self._walker.close()
                self._surveys.clear()
        if errors:
            raise errors[0]

    def _runs_to_finish(self) -> list[str]:
        """Return the runs that are unfinished, and those that should have begun."""
        lists, begun = self._site.lists, self._journal.begun()
        unfinished = {run.case for run in self._journal.unfinished()}
        approved = [case for case in lists.cases.find() if case.ended_at]
        pending = [
            c.id for c in approved if c.id not in begun or (not c.unconfirmed and self._unproven(c.id, unfinished))
        ]
        held = [str(row["id"]) for row in lists.holds.find()]
        pending += [name for name in held if name not in begun or self._unproven(name, unfinished)]
        pending += [name for name in lists.case_grants.restored() if name not in begun or name in unfinished]
        pending += sorted(self._unsettled(unfinished) - set(pending))
        return pending + sorted(unfinished - set(pending) - {case.id for case in approved})

    def _unsettled(self, unfinished: AbstractSet[str]) -> AbstractSet[str]:
        """Return the finished runs without a receipt: this process was killed after the proof."""
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
        """Return whether the run *name* needs work. A run whose reason no longer holds is abandoned here.

        A receipt still reports what such a run ended by then.
        """
        trigger = trigger_of(self._site, name)
        try:
            steps = self._journal.steps(self._journal.run(name))
        except RefusedError:  # not begun: nothing to abandon
            return trigger.cause not in _HOLDING and not (trigger.over or trigger.waits)
        is_open = any(journaled.result.state.open for journaled in steps)
        if trigger.over and is_open:
            self._runner.abandon(name, trigger.over)
        if trigger.waits and not trigger.over:
            return False
        tells = ended_something(steps) if trigger.over else trigger.cause is not Cause.RESTORED
        wanted = (is_open and not trigger.over) or (tells and not self._issued(name))
        if not wanted:
            self._journal.settle(name, self._site.now())
        return wanted

    def _issued(self, name: str) -> bool:
        """Return whether the newest receipt lists no step as open that is finished by now."""
        paths = receipt.kept(receipt.receipts_folder(self._site.home.root), name)
        if not paths:
            return False
        newest = paths[-1]
        if newest.name not in self._open_in:
            open_entries = payload_of(newest.read_bytes())["open"]
            self._open_in[newest.name] = frozenset(entry for entry in open_entries if entry.startswith("step:"))
        if not (open_then := self._open_in[newest.name]):
            return True
        return open_then <= self._open_steps(name)

    def _open_steps(self, name: str) -> frozenset[str]:
        """Return the open steps of the run *name*, as named in a receipt."""
        steps = self._journal.steps(self._journal.run(name))
        return frozenset(f"step:{journaled.step}" for journaled in steps if journaled.result.state.open)

    def _issue(self, name: str) -> None:
        site, trigger = self._site, trigger_of(self._site, name)
        if trigger.cause is Cause.RESTORED:  # nothing was ended
            self._journal.settle(name, site.now())
            return
        self._asking.fresh()
        record = ending(site, trigger, self._journal.steps(self._journal.run(name)))
        path = receipt.issue(site.home.root, record, site.now())
        self._open_in[path.name] = self._open_steps(name)
        self._journal.settle(name, site.now())
        self._tell(trigger, path)

    def _tell(self, trigger: RevocationTrigger, path: Path) -> None:
        """Reply to the personnel system, then record the receipt: last, because without an entry both are repeated.

        Raises ``ShoumiError``; the entry is written even if the reply fails.
        """
        site, payload = self._site, payload_of(path.read_bytes())
        fields = {"kind": "receipt", "case": trigger.name, "person": trigger.person, "file": path.name}
        try:
            if trigger.cause in (Cause.DEPARTURE, Cause.TRANSFER) and not trigger.over:
                complete(site, trigger.name, payload)
        finally:
            site.audit.append({**fields, "complete": payload["complete"], "open": payload["open"]})
            self._untold.mark_recorded(path)


def ended_something(steps: Iterable[JournaledStep]) -> bool:
    """Return whether a run ended more than the right to open: a process, or an object of a departure."""
    ended = [
        journaled
        for journaled in steps
        if journaled.step not in _ENDS_NOTHING and journaled.result.state is not StepState.SKIPPED
    ]
    return any(journaled.result.facts.get("killed", journaled.result.state in _DID) for journaled in ended)


def main(argv: Sequence[str]) -> int:
    """Run until the control process or the holder ends, or a signal arrives; return the exit code."""
    descriptors = {name: int(number) for name, _, number in (argument.partition("=") for argument in argv[1:])}
    end = socket.socket(fileno=descriptors["channel"])
    confine(process_rights.DEPARTURES, say)
    _end_with([descriptors["channel"], *([descriptors["life"]] if "life" in descriptors else [])])
    os.nice(_NICE)
    asking = ControlClient(end)
    try:
        home = Home.at(argv[0])
        groups = FanotifyGroups(descriptors["open"], descriptors.get("access", -1)) if "open" in descriptors else None
        with (
            end,
            SiteContext(home, asking, agent_clock(home)) as site,
            closing(OffboardingWorker(site, asking, groups, descriptors["holder"])) as worker,
        ):
            serve(worker, ExpiryNotices(site), asking)
    except (ShoumiError, FatalError) as error:
        _REPORT(error)
    return 1


def serve(worker: OffboardingWorker, notices: ExpiryNotices, asking: ControlClient) -> None:
    """Process notices and due work, for ever. Raises :class:`FatalError`."""
    due = 0.0
    cases: list[str] = []
    with going_on(_REPORT):
        worker.take_back_of_shares()
    while True:
        with going_on(_REPORT):  # one failing case must not block the others
            worker.finish(cases)
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
        cases = asking.cases_to_finish(min(max(0.0, due - time.monotonic()), _LAPSE))


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(names)
    while batch := list(islice(remaining, _TOGETHER)):
        yield batch


def _end_with(descriptors: Iterable[int]) -> None:
    """End this process as soon as the other end of one of *descriptors* is closed, whatever it is doing."""
    poll = select.poll()
    for fd in descriptors:
        poll.register(fd, 0)  # POLLHUP and POLLERR are always reported

    def wait() -> None:
        poll.poll()
        os._exit(0)

    threading.Thread(target=wait, name="life", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
