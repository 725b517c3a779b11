"""Trying to get into areas, to see that the guard refuses (contract C11).

    reach (a thread with a deadline) → one process for some areas → for each: announce → try → what the decider saw

Rules of this file: it tries and judges, and changes nothing: what follows is up to the caller. Whatever keeps it from
trying is *unknown*. A volume that did not answer is left alone until it does. One area at a time is announced, with its
directory and one file. For one thread at a time.
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
from agent.volumes.canary.verdict import CanaryTry, Judgement, Outcome, What, WitnessedEvent, judge

SECONDS = 4.0  # for one answer: longer than the decider lets anybody wait for a label
REACH_SECONDS = 5.0
_TOGETHER = 16  # areas that share a process


class CanaryTarget(NamedTuple):
    """One area. ``reads``: its tier promises that reads through older descriptors are refused.

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
    """What came of trying one area. ``proven`` are the attempts that were seen to be answered by the guard."""

    target: CanaryTarget
    judgement: Judgement
    tries: int = 0

    @property
    def outcome(self) -> Outcome:
        """Whether the guard was seen."""
        return self.judgement.outcome

    @property
    def proven(self) -> tuple[What, ...]:
        """See the class."""
        return self.judgement.proven


class CanaryWitness(Protocol):
    """The decider. Both methods raise :class:`ShoumiError`."""

    def announce_canary(self, tid: int, uid: int, inodes: Iterable[Inode]) -> str | None:
        """Say that thread *tid* is about to try *inodes* as *uid*; return what to ask with, ``None``: it is gone."""

    def canary_results(self, number: str) -> tuple[tuple[WitnessedEvent, ...] | None, bool]:
        """Return what was seen of canary *number* (``None``: nothing is known of it), and whether it came too late."""


class Canary:
    """*uid* gives the number to try as: see :class:`agent.volumes.canary.uid.CanaryUid`."""

    def __init__(self, groups: FanotifyGroups, witness: CanaryWitness, uid: Callable[[], int]) -> None:
        self._groups = groups
        self._witness = witness
        self._uid = uid
        self._files: dict[str, str] = {}  # by area: the file that served last time
        self._looks: dict[int, Deadline[Reached]] = {}  # by device: a look that was given up and goes on

    def try_area(self, target: CanaryTarget) -> CanaryResult:
        """Try one area, covered by us or not."""
        [result] = self.try_areas((target,))
        return result

    def try_areas(self, targets: Iterable[CanaryTarget]) -> Iterator[CanaryResult]:
        """Try many, some with one process, and yield a result for each, in order."""
        rest = iter(targets)
        while some := list(islice(rest, _TOGETHER)):
            yield from self._try_some(some)

    def _try_some(self, targets: Sequence[CanaryTarget]) -> list[CanaryResult]:
        reached: list[Reached | Judgement] = []
        try:
            reached += map(self._reach, targets)
            found = list(zip(targets, reached, strict=True))
            descriptors = [fd for way in reached if isinstance(way, Reached) for fd in way.descriptors()]
            if not descriptors:
                return [CanaryResult(target, way) for target, way in found if isinstance(way, Judgement)]
            try:
                with CanaryProcess(self._uid(), descriptors, SECONDS) as process:
                    return [self._tried(process, target, way) for target, way in found]
            except (OSError, ShoumiError) as error:
                failed = Judgement("unknown", why="process", error=_name(error))
                return [CanaryResult(target, way if isinstance(way, Judgement) else failed) for target, way in found]
        finally:
            for way in reached:
                if isinstance(way, Reached):
                    way.close()

    def _tried(self, process: CanaryProcess, target: CanaryTarget, way: Reached | Judgement) -> CanaryResult:
        if isinstance(way, Judgement):
            return CanaryResult(target, way)
        if way.absent:
            return CanaryResult(target, Judgement("unknown", why="absent"))
        attempts: list[tuple[What, int, Inode]] = [("list", way.directory, way.listed)]
        attempts += [("open", way.file, way.inode)] if way.file >= 0 else []
        attempts += [("read", way.older, way.inode)] if way.older >= 0 else []
        try:
            number = self._witness.announce_canary(process.pid, process.uid, {inode for _, _, inode in attempts})
        except ShoumiError:
            return CanaryResult(target, Judgement("unknown", why="decider"))
        if number is None:
            return CanaryResult(target, Judgement("unknown", why="silent"))
        tries = [CanaryTry(what, inode, process.attempt(what, fd)) for what, fd, inode in attempts]
        try:
            seen, over = self._witness.canary_results(number)
        except ShoumiError:
            seen, over = None, True
        return CanaryResult(target, judge(tries, seen, over=over, enforced=target.enforced), len(tries))

    def _reach(self, target: CanaryTarget) -> Reached | Judgement:
        known = self._looks.get(target.st_dev)
        if known is not None and not known.over:
            return Judgement("unknown", why="disk")
        name = self._files.get(target.area, "")

        def work() -> Reached:
            return reach(self._groups, target.path, target.st_dev, name, older=target.reads)

        look = Deadline(work, Reached.close)
        try:
            found = look.result(REACH_SECONDS)
        except TimeoutError:
            self._looks[target.st_dev] = look
            return Judgement("unknown", why="disk")
        except OSError as error:
            self._files.pop(target.area, None)
            return Judgement("unknown", why="unreached", error=_name(error))
        self._files[target.area] = found.name
        return found


def _name(error: Exception) -> str:
    return errno.errorcode.get(getattr(error, "errno", 0) or 0, type(error).__name__)
