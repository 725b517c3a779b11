"""Canary attempts on areas, to see that the guard refuses them (contract C11).

    reach (a thread with a deadline) → one process for some areas → for each: announce → try → the decider's record

Rules of this file: it tries and judges, and changes nothing: the caller acts on the result. If an attempt is impossible
the result is *unknown*. A volume that did not answer is not tried until it does. One area at a time is announced, with
its directory and one file. For one thread at a time.
"""

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from agent.errors import ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.runtime.deadline import Deadline
from agent.volumes.canary.process import CanaryProcess
from agent.volumes.canary.reach import Inode, Reached, reach
from agent.volumes.canary.verdict import AttemptKind, CanaryTry, Judgement, Outcome, WitnessedEvent, judge

SECONDS = 4.0  # for one answer: longer than the decider's longest wait for a label
REACH_SECONDS = 5.0
_TOGETHER = 16  # areas that share a process


class CanaryTarget(NamedTuple):
    """An area to try. ``reads``: its tier promises that reads through older descriptors are refused.

    ``volume`` is its device as mountinfo names it.
    """

    area: str
    path: str
    st_dev: int
    volume: str
    enforced: bool
    reads: bool


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """The result of trying one area. ``proven`` are the attempts that the guard demonstrably answered."""

    target: CanaryTarget
    judgement: Judgement
    tries: int = 0

    @property
    def outcome(self) -> Outcome:
        """The outcome: whether the guard was seen."""
        return self.judgement.outcome

    @property
    def proven(self) -> tuple[AttemptKind, ...]:
        """The proven attempts."""
        return self.judgement.proven


class CanaryWitness(Protocol):
    """The decider, as witness of canaries. Both methods raise :class:`ShoumiError`."""

    def announce_canary(self, tid: int, uid: int, inodes: Iterable[Inode]) -> str | None:
        """Announce that thread *tid* will try *inodes* as *uid*; return the canary's number, ``None`` if it ended."""

    def canary_results(self, number: str) -> tuple[tuple[WitnessedEvent, ...] | None, bool]:
        """Return the events of canary *number* (``None``: unknown number), and whether they may be too late."""


class Canary:
    """The canary. *uid* returns the uid to try as: see :class:`agent.volumes.canary.uid.CanaryUid`."""

    def __init__(self, groups: FanotifyGroups, witness: CanaryWitness, uid: Callable[[], int]) -> None:
        self._groups = groups
        self._witness = witness
        self._uid = uid
        self._files: dict[str, str] = {}  # by area: the file tried last time
        self._looks: dict[int, Deadline[Reached]] = {}  # by device: abandoned calls that still run

    def try_area(self, target: CanaryTarget) -> CanaryResult:
        """Try one area, covered or not."""
        [canary_result] = self.try_areas((target,))
        return canary_result

    def try_areas(self, targets: Iterable[CanaryTarget]) -> Iterator[CanaryResult]:
        """Try areas, several with one process, and yield the result of each, in order."""
        remaining = iter(targets)
        while group := list(islice(remaining, _TOGETHER)):
            yield from self._try_some(group)

    def _try_some(self, targets: Sequence[CanaryTarget]) -> list[CanaryResult]:
        reached: list[Reached | Judgement] = []
        try:
            reached += map(self._reach, targets)
            pairs = list(zip(targets, reached, strict=True))
            descriptors = [fd for entry in reached if isinstance(entry, Reached) for fd in entry.descriptors()]
            if not descriptors:
                return [CanaryResult(target, entry) for target, entry in pairs if isinstance(entry, Judgement)]
            try:
                with CanaryProcess(self._uid(), descriptors, SECONDS) as process:
                    return [self._tried(process, target, entry) for target, entry in pairs]
            except (OSError, ShoumiError) as error:
                failed = Judgement("unknown", reason="process", error=_name(error))
                return [
                    CanaryResult(target, entry if isinstance(entry, Judgement) else failed) for target, entry in pairs
                ]
        finally:
            for entry in reached:
                if isinstance(entry, Reached):
                    entry.close()

    def _tried(self, process: CanaryProcess, target: CanaryTarget, entry: Reached | Judgement) -> CanaryResult:
        if isinstance(entry, Judgement):
            return CanaryResult(target, entry)
        if entry.absent:
            return CanaryResult(target, Judgement("unknown", reason="absent"))
        attempts: list[tuple[AttemptKind, int, Inode]] = [("list", entry.directory, entry.listed)]
        attempts += [("open", entry.file, entry.inode)] if entry.file >= 0 else []
        attempts += [("read", entry.older, entry.inode)] if entry.older >= 0 else []
        try:
            number = self._witness.announce_canary(process.pid, process.uid, {inode for _, _, inode in attempts})
        except ShoumiError:
            return CanaryResult(target, Judgement("unknown", reason="decider"))
        if number is None:
            return CanaryResult(target, Judgement("unknown", reason="silent"))
        tries = [CanaryTry(kind, inode, process.attempt(kind, fd)) for kind, fd, inode in attempts]
        try:
            events, over = self._witness.canary_results(number)
        except ShoumiError:
            events, over = None, True
        return CanaryResult(target, judge(tries, events, over=over, enforced=target.enforced), len(tries))

    def _reach(self, target: CanaryTarget) -> Reached | Judgement:
        pending = self._looks.get(target.st_dev)
        if pending is not None and not pending.over:
            return Judgement("unknown", reason="disk")
        name = self._files.get(target.area, "")

        def work() -> Reached:
            return reach(self._groups, target.path, target.st_dev, name, older=target.reads)

        deadline = Deadline(work, Reached.close)
        try:
            reached = deadline.result(REACH_SECONDS)
        except TimeoutError:
            self._looks[target.st_dev] = deadline
            return Judgement("unknown", reason="disk")
        except OSError as error:
            self._files.pop(target.area, None)
            return Judgement("unknown", reason="unreached", error=_name(error))
        self._files[target.area] = reached.name
        return reached


def _name(error: Exception) -> str:
    return errno.errorcode.get(getattr(error, "errno", 0) or 0, type(error).__name__)
