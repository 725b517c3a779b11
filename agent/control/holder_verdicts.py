"""Holder verdicts: may a process keep using held files; every thread is judged as if it read them now.

Rules of this file: it inspects and never opens; what cannot be determined counts as denied. Belongs to one thread.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.guard.identities import UNBOUNDED_NS, Identities
from agent.guard.policy import PolicySnapshot
from agent.guard.verdicts import NEVER, VerdictCache
from agent.kernel import labels
from agent.kernel.open_files import HeldFile
from agent.kernel.program import FirstNamespaces
from agent.kernel.samba_program import SambaPrograms
from agent.kernel.subject import Subject, TaskGoneError, Tasks, pidfd_info_works
from agent.site.context import Clock
from rules.model import Action


class HolderVerdicts:
    """Verdicts about processes under the policy in force."""

    def __init__(self, policy: PolicySnapshot, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._verdicts = VerdictCache("")
        self._tasks = Tasks(pidfd_info=pidfd_info_works())
        self._identities = Identities(self._tasks, policy, SambaPrograms(), FirstNamespaces(), most_ns=UNBOUNDED_NS)
        self._serving: dict[int, bool] = {}

    def close(self) -> None:
        """Release process handles."""
        self._tasks.close()

    def renew(self) -> None:
        """Forget every verdict: room occupancy changes verdicts without a new epoch."""
        policy = self._policy
        self._serving.clear()
        self._identities.forget()
        self._verdicts.advance(policy.epoch, policy.source, policy.trouble, policy.observed)

    def area_of(self, held_file: HeldFile) -> str | None:
        """Return the area of *held_file*, ``None`` when it is in none, or closed. Raises ``OSError``."""
        try:
            return labels.area_of(labels.read(held_file.link, follow=True)) or None
        except (FileNotFoundError, ProcessLookupError):
            return None  # the process has ended and released the file

    def all_may(self, pid: int, areas: Sequence[str]) -> bool:
        """Return whether every thread of *pid* may read in each of *areas*; ``False`` for process 0 (unknown)."""
        return self.until(pid, areas) is not None

    def until(self, pid: int, areas: Sequence[str]) -> int | None:
        """Return until when every thread of *pid* may read in each of *areas*, ``None`` when one may not."""
        until: int | None = NEVER if pid else None
        now = self._clock.now()
        for subject in self.threads(pid) if pid else ():
            for area in areas:
                ruling = self._verdicts.ruling(subject, (area,), Action.ACCESS, now) if subject else None
                if until is None or ruling is None or not ruling.passes:
                    return None
                until = min(until, ruling.until)
        return until

    def serves(self, pid: int) -> bool:
        """Return whether *pid* impersonates users or runs as root: then the opener counts, not its threads."""
        if pid not in self._serving:
            self._serving[pid] = any(
                subject and (subject.impersonates or not subject.fsuid) for subject in self.threads(pid)
            )
        return self._serving[pid]

    def threads(self, pid: int) -> Iterator[Subject | None]:
        """Yield the subject of each living thread; ``None`` for one that cannot be identified."""
        # Names only: psutil omits a thread whose other files it cannot read, and here it has to count.
        tasks = Path(f"/proc/{pid}/task")
        try:
            tids = [int(task.name) for task in tasks.iterdir()]
        except OSError:
            return
        for tid in tids:
            try:
                yield self._identities.of(tid)
            except TaskGoneError:
                if (tasks / str(tid)).exists():
                    yield None
