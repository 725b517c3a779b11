"""Whether processes may go on with what they hold: every thread that shares it is judged as if it read it now.

Rules of this file: it looks and never opens; what cannot be told is a "may not". Belongs to one thread.
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
    """Verdicts about processes, by the policy in force."""

    def __init__(self, policy: PolicySnapshot, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._verdicts = VerdictCache("")
        self._tasks = Tasks(pidfd_info=pidfd_info_works())
        self._identities = Identities(self._tasks, policy, SambaPrograms(), FirstNamespaces(), most_ns=UNBOUNDED_NS)
        self._serving: dict[int, bool] = {}

    def close(self) -> None:
        """Close what is kept of processes."""
        self._tasks.close()

    def renew(self) -> None:
        """Forget every verdict: who is inside a room changes verdicts and no epoch."""
        policy = self._policy
        self._serving.clear()
        self._identities.forget()
        self._verdicts.advance(policy.epoch, policy.source, policy.trouble, policy.observed)

    def area_of(self, found: HeldFile) -> str | None:
        """Return the area that what is *found* belongs to, ``None`` when it is in none, or gone. Raises ``OSError``."""
        try:
            return labels.area_of(labels.read(found.link, follow=True)) or None
        except (FileNotFoundError, ProcessLookupError):
            return None  # it is gone, and what it held with it

    def all_may(self, pid: int, areas: Sequence[str]) -> bool:
        """Whether every thread of *pid* may read in each of *areas*. Of process 0 it cannot be told."""
        return self.until(pid, areas) is not None

    def until(self, pid: int, areas: Sequence[str]) -> int | None:
        """Return until when every thread of *pid* may read in each of *areas*, ``None`` when one may not."""
        until: int | None = NEVER if pid else None
        now = self._clock.now()
        for who in self.threads(pid) if pid else ():
            for area in areas:
                ruling = self._verdicts.ruling(who, (area,), Action.ACCESS, now) if who else None
                if until is None or ruling is None or not ruling.passes:
                    return None
                until = min(until, ruling.until)
        return until

    def serves(self, pid: int) -> bool:
        """Whether *pid* acts for other people, or is root's: then who opened a file there counts, not its threads."""
        if pid not in self._serving:
            self._serving[pid] = any(who and (who.impersonates or not who.fsuid) for who in self.threads(pid))
        return self._serving[pid]

    def threads(self, pid: int) -> Iterator[Subject | None]:
        """Yield who each living thread is; ``None`` for one that lives and cannot be identified."""
        # Names alone: psutil leaves out a thread of which it cannot read the rest, and here it has to count.
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
