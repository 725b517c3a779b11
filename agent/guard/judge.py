"""What one event gets, once it is known what it is about: the verdict, its entry, and whether silence may follow.

Rules of this file: the verdict table decides, the agent's own attempts included; an entry stands for the reads that
follow it until rights change. What is only observed passes. Belongs to the loop; makes no call that could sleep.
"""

import time

from agent.guard.ignore_marks import IgnoreMarks
from agent.guard.objects import Object
from agent.guard.own_attempts import OwnAttempts
from agent.guard.policy import PolicySnapshot
from agent.guard.refusals import Refusals
from agent.guard.verdicts import UNIDENTIFIED, Answer, VerdictCache
from agent.kernel import fanotify
from agent.kernel.subject import Subject, TaskGoneError, Tasks
from rules.model import Action


class EventJudge:
    """Judges opens and accesses. *opens* is the open group."""

    def __init__(
        self,
        opens: int,
        policy: PolicySnapshot,
        verdicts: VerdictCache,
        tasks: Tasks,
        silence: IgnoreMarks,
        own: OwnAttempts,
    ) -> None:
        self._opens = opens
        self._policy = policy
        self._verdicts = verdicts
        self._tasks = tasks
        self._silence = silence
        self._own = own
        self.refusals = Refusals(verdicts, policy, own)
        self.recorded: set[tuple[int, int | None, int, int]] = set()  # one entry per subject, file and epoch
        self.denied_this_second: set[tuple[int, int, int]] = set()
        self.unprotected = 0

    def open(self, thing: Object, fd: int, tid: int, now: int, *, names: bool = False) -> Answer:
        """Judge the open of *thing*, which thread *tid* waits for; *names*: the reading of names of a directory."""
        if not thing.areas:
            self.unprotected += 1
            return True, b"", False, False
        who = self.who(tid)
        if who is None:
            return self.refusals.refused(UNIDENTIFIED, thing, tid, None)
        action = Action.LIST if thing.directory else Action.OPEN
        ruling = self._verdicts.ruling(who, thing.areas, action, now)
        text = b"%b,%b,%b" % (ruling.fields, who.fields, thing.fields)
        if self._own.announced and (
            own := self._own.answer((tid, who, thing), "open", ruling, text, time.monotonic_ns())
        ):
            self._silence.wake(fd)  # what is tried next, through an older descriptor, must be asked about
            return own
        if ruling.passes or self._policy.only_observes:
            if ruling.allow:
                self._silence.opened(ruling.until)
            if not self._silence.granted:  # this entry stands for the reads that follow, too
                self.recorded.add((who.fsuid, who.loginuid, thing.device, thing.inode))
            return True, text, False, ruling.owed and not self._policy.only_observes
        if not names and self._maintains(thing, who):
            ruling = self._verdicts.maintenance(who, thing.areas)
            return True, b"%b,%b,%b" % (ruling.fields, who.fields, thing.fields), False, True
        return False, self.refusals.entry(who, thing, text), False, True

    def who(self, tid: int) -> Subject | None:
        """Return who thread *tid* is, ``None`` when that cannot be told any more."""
        try:
            return self._tasks.identify(tid)
        except TaskGoneError:
            return None

    def _maintains(self, thing: Object, who: Subject) -> bool:
        """Whether this is uid 0 at the root directory of a volume, where reading its names is asked about on its own.

        Freezing, trimming and syncing a volume need that directory open, and nothing that lies in it.
        """
        if not thing.top or who.fsuid:
            return False
        return fanotify.asks_about_names(self._opens, thing.device, thing.inode)

    def access(self, thing: Object, tid: int, now: int) -> Answer:
        """Judge the use of a descriptor that is open already."""
        if not thing.areas:
            return True, b"", True, False
        who = self.who(tid)
        if who is None:
            return self.refusals.refused(UNIDENTIFIED, thing, tid, None)
        ruling = self._verdicts.ruling(who, thing.areas, Action.ACCESS, now)
        text = b"%b,%b,%b" % (ruling.fields, who.fields, thing.fields)
        if self._own.announced and (
            own := self._own.answer((tid, who, thing), "access", ruling, text, time.monotonic_ns())
        ):
            return own
        if not (ruling.passes or self._policy.only_observes):
            again = (tid, thing.device, thing.inode)
            repeated = again in self.denied_this_second  # a reader that tries on and on is one entry a second
            self.denied_this_second.add(again)
            return False, self.refusals.entry(who, thing, text, counted=repeated), False, True
        key = (who.fsuid, who.loginuid, thing.device, thing.inode)
        if key in self.recorded:
            text = b""
        self.recorded.add(key)  # one entry per subject, file and epoch; taken back when it is not written
        owed = ruling.owed and not self._policy.only_observes
        loud = self._own.watched((thing.device, thing.inode))
        return True, text, not loud and self._silence.allows(thing, ruling.until, now), owed
