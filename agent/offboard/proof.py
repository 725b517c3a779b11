"""Proof of absence: two scans that find nothing of the person, and denied attempts at every area between them.

Rules of this file: it ends nothing and repairs nothing; a finding makes the proof fail, and the case stays open: the
step that should have ended it is done again (:mod:`agent.offboard.reopening`), and the proof after it. Absence is
claimed only for what was inspected in full: a scan outrun by new processes, a place that could not be reached and an
attempt that could not be made all count against it. What no scan can reach is listed explicitly.
"""

import os
import stat
from collections.abc import Callable, Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, get_args

from agent.kernel import process_sight
from agent.kernel.open_files import UNFINISHED, HeldFile
from agent.kernel.walk import WalkFailure
from agent.offboard import probe_access
from agent.offboard.context import AreaPath, RevocationContext, RevocationSubject
from agent.offboard.guardrails import Process, Reach, ends, ordinary, reach
from agent.offboard.probe_access import ProbeAnswer, ProbeAttempt, ProbeTarget
from agent.offboard.receipt.timeline import written
from agent.offboard.steps import holders, samba, starters, subids
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, always
from agent.offboard.steps.step import StepTarget as Planned
from agent.offboard.steps.tasks import Look
from rules.text import Message, Sentence
from rules.visible import visible

_TRIED = get_args(probe_access.What)  # in each area
_SHOWN = 5  # items that a sentence names
_NAMED = 100  # unreadable processes that a scan names
_SEARCHED = 2_000  # inodes of an area searched for one file to try

CANNOT_SEE: tuple[Sentence, ...] = (
    Message("offboard.cannot-see-reads-through-open-files"),
    Message("offboard.cannot-see-copies"),
    Message("offboard.cannot-see-descriptors-in-flight"),
    Message("offboard.cannot-see-other-hosts"),
    Message("offboard.cannot-see-freed-memory"),
    Message("offboard.cannot-see-old-hard-links"),
    Message("offboard.cannot-see-service-tickets"),
    Message("offboard.cannot-see-mechanical-keys"),
)


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of all processes. ``complete``: it read every one, and none was made that it did not reach."""

    at: datetime
    complete: bool
    remaining: tuple[Process, ...]
    """Processes that are the person's and would be ended, act as the person, or could not be touched."""
    holding: tuple[int, ...]
    """Those of them that hold something on a classified volume."""
    spared: int
    """The number of services that the person once started and that hold nothing: they are spared."""
    how: Mapping[int, Reach] = field(default_factory=dict)
    """The relation of each remaining process to the person, by pid."""
    started: Mapping[int, Starter] = field(default_factory=dict)
    """The possible starter of each remaining process, by pid."""
    unseen: tuple[str, ...] = ()
    """What was not inspected: ``process:PID`` that may not be read, ``ring:PID`` (an io_uring of the person's that did
    not show its files), ``held`` (held files changed faster than they could be read), ``hidepid`` and
    ``pid-namespace`` (:mod:`agent.kernel.process_sight`)."""

    @property
    def clean(self) -> bool:
        """Whether everything was inspected and nothing found."""
        return self.complete and not self.remaining and not self.holding

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "at": written(self.at),
            "complete": self.complete,
            "found": [self._process_json(process) for process in self.remaining],
            "holding": list(self.holding),
            "left": self.spared,
            "unseen": list(self.unseen),
        }

    def _process_json(self, process: Process) -> dict[str, Any]:
        by = self.started.get(process.pid)
        return {
            "pid": process.pid,
            "uid": process.ruid,
            "name": visible(process.name),
            "state": process.state,  # proc_pid_status(5): ``D`` ends when the kernel lets it, and not before
            "reach": str(self.how.get(process.pid, Reach.ACCOUNT)),
            "started_by": None if by is None else {"kind": by.kind, "name": visible(by.name), "pid": by.pid},
        }


@dataclass(frozen=True, slots=True)
class AccessProof:
    """The scans and attempts, with their results."""

    scans: tuple[Scan, ...]
    attempts: tuple[ProbeAttempt, ...]
    unreached: tuple[str, ...]
    """Areas that could not be walked to find a file to try."""
    areas: int
    uids: tuple[int, ...]
    """The accounts it was tried under."""
    untouched: tuple[int, ...]
    """Accounts that are root's, the system's or shared: nothing can be shown for them."""

    @property
    def holds(self) -> bool:
        """Whether absence is proven: two clean scans, every attempt at every area denied."""
        return (
            len(self.scans) >= 2
            and all(scan.clean for scan in self.scans)
            and not self.unreached
            and not self.untouched
            and all(attempt.answer is ProbeAnswer.DENIED for attempt in self.attempts)
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, the way it stands in a receipt."""
        return {
            "scans": [scan.to_json() for scan in self.scans],
            "attempts": [{**attempt._asdict(), "area": visible(attempt.area)} for attempt in self.attempts],
            "unreached": [visible(name) for name in self.unreached],
            "areas": self.areas,
            "uids": list(self.uids),
            "untouched": list(self.untouched),
        }


def staying(
    leaver: RevocationSubject, context: RevocationContext, patience: float = probe_access.PATIENCE
) -> AccessProof:
    """Scan for what a person who stays still holds, try what they lost as them, scan again. Raises as :func:`prove`.

    Their other processes and files are theirs. The attempts stand in the log as denied, and as the agent's own.
    """
    return _proof(leaver, context, _lost(leaver, context), _look_at_holders, patience)


def prove(
    leaver: RevocationSubject, context: RevocationContext, patience: float = probe_access.PATIENCE
) -> AccessProof:
    """Scan, try every area as the leaver, scan again. Raises what the callables of *context* raise."""
    return _proof(leaver, context, tuple(context.areas()), scan, patience)


def _proof(
    leaver: RevocationSubject,
    context: RevocationContext,
    areas: Sequence[AreaPath],
    scan_once: Callable[[RevocationSubject, RevocationContext], Scan],
    patience: float,
) -> AccessProof:
    uids = _ordinary_uids(leaver)
    areas = areas if uids else ()  # without an account there is no identity to try
    before = scan_once(leaver, context)
    targets: list[ProbeTarget] = []
    unreached = []
    for area in areas:
        targets.append(ProbeTarget(area.name, "list", area.path))
        try:
            file = _some_file(area, context)
        except OSError:
            unreached.append(area.name)
        else:
            targets += [ProbeTarget(area.name, "file", file)] if file else []
    attempts = [
        attempt
        for identity in probe_access.identities(uids)
        for attempt in probe_access.attempt(targets, identity, context.own, patience)
    ]
    return AccessProof(
        scans=(before, scan_once(leaver, context)),
        attempts=tuple(attempts),
        unreached=tuple(unreached),
        areas=len(areas),
        uids=uids,
        untouched=tuple(uid for uid in leaver.uids if not ordinary(uid)),
    )


def _lost(leaver: RevocationSubject, context: RevocationContext) -> tuple[AreaPath, ...]:
    """Return the areas where an attempt of a person who stays must be denied."""
    lost = leaver.tries if leaver.tries is not None else leaver.areas
    everything = leaver.tries is None and not leaver.areas
    return tuple(area for area in context.areas() if everything or area.name in lost)


def _look_at_holders(leaver: RevocationSubject, context: RevocationContext) -> Scan:
    """Scan once what the person holds of the areas they lose."""
    below = subids.of(leaver, context)
    processes_seen = Look(_ordinary_uids(leaver), below)
    processes = [
        process
        for process in processes_seen
        if reach(process, leaver.uids, context.rails(), below) is not Reach.BYSTANDER
    ]
    held = holders.held(leaver, context)
    holding = {process.pid for process in held}
    remaining = {
        process: reach(process, leaver.uids, context.rails(), below) for process in processes if process.pid in holding
    }
    return _scan(leaver, context, processes_seen, processes, remaining, held)


def scan(leaver: RevocationSubject, context: RevocationContext) -> Scan:
    """Scan every process once, and the held files on the classified volumes."""
    uids, rails, below = _ordinary_uids(leaver), context.rails(), subids.of(leaver, context)
    processes_seen = Look(uids, below)
    processes = [process for process in processes_seen if reach(process, uids, rails, below) is not Reach.BYSTANDER]
    own_pids = frozenset(process.pid for process in processes)
    held_files = frozenset(context.held(context.devices()))
    held = {process.pid for process in held_files} & own_pids
    remaining = {
        process: reach(process, uids, rails, below)
        for process in processes
        if ends(process, uids, rails, holds=process.pid in held, below=below)
        or reach(process, uids, rails, below) in (Reach.ACTING, Reach.PROTECTED)
        or process.pid in held
    }
    return _scan(leaver, context, processes_seen, processes, remaining, held_files)


def _scan(
    leaver: RevocationSubject,
    context: RevocationContext,
    processes_seen: Look,
    processes: Sequence[Process],
    remaining: Mapping[Process, Reach],
    held: AbstractSet[HeldFile],
) -> Scan:
    """Return the scan: *processes* are the person's, *remaining* those that should not exist, *held* the held files."""
    acting = [process for process, how in remaining.items() if how is Reach.ACTING]
    if elsewhere := samba.served_elsewhere(leaver, context, acting):
        processes = [process for process in processes if process.pid not in elsewhere]
        remaining = {process: how for process, how in remaining.items() if process.pid not in elsewhere}
    own_pids = {process.pid for process in processes}
    unseen = [f"process:{pid}" for pid in sorted(processes_seen.unread)[:_NAMED]]
    unseen += [
        f"ring:{process.pid}" for process in sorted(held) if not process.looked_into and process.pid in own_pids
    ][:_NAMED]
    unseen += ["held"] if UNFINISHED in held else []
    unseen += process_sight.hidden()
    by = {process.pid: starter for process in remaining if (starter := starters.of(process, own_pids))}
    holding = tuple(sorted({process.pid for process in held} & own_pids))
    complete = processes_seen.complete and not unseen
    how = {process.pid: relation for process, relation in remaining.items()}
    spared_count = len(processes) - len(remaining)
    return Scan(context.now(), complete, tuple(remaining), holding, spared_count, how, by, tuple(unseen))


def _ordinary_uids(leaver: RevocationSubject) -> tuple[int, ...]:
    return tuple(sorted(set(filter(ordinary, leaver.uids))))


def _some_file(area: AreaPath, context: RevocationContext) -> str | None:
    """Return the path of one regular file of *area*, ``None`` when none is near the top. Raises :class:`OSError`.

    A file found for another person a moment ago serves as well; if it is deleted by now, the attempt shows that.
    """
    sample_files = {} if context.found is None else context.found
    if area.name not in sample_files:
        sample_files[area.name] = _search(area, context)
    return sample_files[area.name]


def _search(area: AreaPath, context: RevocationContext) -> str | None:
    places = context.walk(area.path)
    blocked = 0
    try:
        for place in islice(places, _SEARCHED):
            if isinstance(place, WalkFailure):
                blocked = place.error
            elif stat.S_ISREG(place.found.st_mode):
                return place.path
        if blocked:  # there may be files in the unread directories
            raise OSError(blocked, os.strerror(blocked))
        return None
    finally:
        if isinstance(places, Generator):  # it may hold a doorway open
            places.close()


def _planned(leaver: RevocationSubject, context: RevocationContext) -> tuple[Planned, ...]:
    """Return what the proof will do: it ends nothing."""
    attempts = _attempts(tuple(context.areas()), leaver)
    return (Planned(Message("offboard.proof-scans-of-processes", attempts=attempts)),)


def _attempts(areas: Sequence[AreaPath], leaver: RevocationSubject) -> Sentence:
    """Return the number of planned attempts: in each area its list, and a file if it has one, under each identity."""
    most = len(areas) * len(_TRIED) * len(probe_access.identities(_ordinary_uids(leaver)))
    if not most:
        return Message("offboard.no-access-attempt")
    return Message("offboard.access-attempts", count=most)


def _run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Prove, and return the result: ``CONFIRMED`` or, for anything short of it, ``PENDING``."""
    proof = prove(leaver, context)
    state = StepState.CONFIRMED if proof.holds else StepState.PENDING
    return StepResult(state, summary(proof), proof.to_json())


def summary(proof: AccessProof) -> Sentence:
    """Return one sentence about *proof*."""
    if proof.holds:
        attempts = len(proof.attempts)
        return Message("offboard.absence-proven", scans=len(proof.scans), attempts=attempts)
    remaining = len({attempt.pid for scan in proof.scans for attempt in scan.remaining})
    allowed = sum(attempt.answer is ProbeAnswer.LET_IN for attempt in proof.attempts)
    unanswered = (
        sum(attempt.answer not in (ProbeAnswer.LET_IN, ProbeAnswer.DENIED) for attempt in proof.attempts)
        + len(proof.unreached)
        + len(proof.untouched)
    )
    incomplete = sum(not scan.complete for scan in proof.scans)
    text = Message(
        "offboard.absence-not-proven",
        remaining=remaining,
        allowed=allowed,
        unanswered=unanswered,
        incomplete=incomplete,
    )
    unseen = sorted({attempt for scan in proof.scans for attempt in scan.unseen})
    if unseen:
        return Message("offboard.not-inspected", summary=text, places=unseen[:_SHOWN])
    by = sorted({starter for scan in proof.scans for starter in scan.started.values()})[:_SHOWN]
    if not by:
        return text
    return Message("offboard.absence-not-proven-started-by", summary=text, starters=[starter.text for starter in by])


def _planned_staying(leaver: RevocationSubject, context: RevocationContext) -> tuple[Planned, ...]:
    attempts = _attempts(_lost(leaver, context), leaver)
    return (Planned(Message("offboard.proof-scans-of-held-files", attempts=attempts)),)


def _run_staying(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    proof = staying(leaver, context)
    return StepResult(StepState.CONFIRMED if proof.holds else StepState.PENDING, summary(proof), proof.to_json())


STEP = RevocationStep(
    id="proof", title=Message("common.proof"), probe=always, find_targets=_planned, run=_run, leaving=True
)
"""The proof as the last step of a plan."""
STAYING = RevocationStep("proof", STEP.title, always, _planned_staying, _run_staying, leaving=False)
"""The same for a person who stays: held files must be released, and lost areas must be denied."""
STEPS = (STEP, STAYING)
