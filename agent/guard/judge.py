"""The event judge: verdict, entry and possible silence for one event whose object is known.

Rules of this file: the verdict table decides, the agent's own attempts included; an entry covers the reads that follow
it until rights change. An open is judged by the thread that opens, a use of an open file by its openers in that process
and by the thread (:mod:`agent.guard.openers`), and each entry says which (``identity``). Observed areas are allowed.
Belongs to the loop; makes no call that could sleep.
"""

import time
from collections.abc import Callable

from agent.guard.identities import Identities
from agent.guard.ignore_marks import IgnoreMarks
from agent.guard.objects import Object
from agent.guard.openers import Openers, judged_by
from agent.guard.own_attempts import OwnAttempts
from agent.guard.policy import PolicySnapshot
from agent.guard.refusals import UNKNOWN, Refusals
from agent.guard.verdicts import CROWDED, NO_OPENER, UNIDENTIFIED, WORKER, Answer, CachedVerdict, VerdictCache
from agent.kernel import fanotify
from agent.kernel.subject import Subject, TaskGoneError
from agent.runtime.json_string import json_string
from rules.model import Action

Recorded = tuple[int, int | None, int, int]
SEPARATOR = b"\n"  # between the entries of one answer; JSON has none


class EventJudge:
    """The judge of opens and accesses. *opens* is the open group."""

    def __init__(
        self,
        opens: int,
        policy: PolicySnapshot,
        verdicts: VerdictCache,
        identities: Identities,
        silence: IgnoreMarks,
        own: OwnAttempts,
        openers: Openers,
        client: Callable[[Subject], str | None],
    ) -> None:
        """*client*: returns the address of the client that a server process serves."""
        self._opens = opens
        self._policy = policy
        self._verdicts = verdicts
        self._identities = identities
        self._silence = silence
        self._own = own
        self._openers = openers
        self._client = client
        self.refusals = Refusals(verdicts, policy, own, self._named)
        self.recorded: set[Recorded] = set()  # one entry per subject, file and epoch
        self.denied_this_second: set[tuple[int, int, int, int]] = set()
        self.unprotected = 0

    def open(
        self, target: Object, fd: int, tid: int, now: int, *, names: bool = False, inspected: bool = False
    ) -> Answer | None:
        """Judge the open of *target*, which thread *tid* waits for; *names*: reading the names of a directory.

        Return ``None`` when the process has to be inspected first; *inspected*: it was.
        """
        if not target.areas:
            self.unprotected += 1
            return True, b"", False, False
        subject = self.subject_of(tid)
        if subject is None:
            return self.refusals.refused(UNIDENTIFIED, target, tid, None)
        if subject.worker:
            return self.refusals.refused(WORKER, target, tid, subject, identity=UNKNOWN)
        if names and (subject.impersonates or self._openers.of(subject, (target.device, target.inode))):
            return self.access(target, tid, now, inspected=True)
        action = Action.LIST if target.directory else Action.OPEN
        ruling = self._verdicts.ruling(subject, target.areas, action, now)
        text = b"%b,%b,%b" % (ruling.fields, self._named(subject), target.fields)
        if self._own.announced and (
            own := self._own.answer((tid, subject, target), "open", ruling, text, time.monotonic_ns())
        ):
            self._silence.unignore(fd)  # the next attempt, through an older descriptor, must be asked about
            return own
        if ruling.passes or self._policy.only_observes:
            if subject.impersonates:
                inode = (target.device, target.inode)
                if not inspected and self._openers.wants_look(subject, inode):
                    return None
                if not self._openers.add(subject, inode, time.monotonic_ns()):
                    return self.refusals.refused(CROWDED, target, tid, subject)
            if ruling.allow:
                self._silence.opened(ruling.until)
            if not self._silence.granted:  # this entry covers the reads that follow, too
                self.recorded.add(_key(subject, target))
            return True, text, False, ruling.owed and not self._policy.only_observes
        if not names and self._maintains(target, subject):
            ruling = self._verdicts.maintenance(subject, target.areas)
            return True, b"%b,%b,%b" % (ruling.fields, self._named(subject), target.fields), False, True
        return False, self.refusals.entry(subject, target, text), False, True

    def subject_of(self, tid: int) -> Subject | None:
        """Return the subject of thread *tid*, ``None`` when it cannot be identified any more."""
        try:
            return self._identities.of(tid)
        except TaskGoneError:
            return None

    def _named(self, subject: Subject, identity: bytes = b"thread") -> bytes:
        """Return the identity as JSON; *identity* says by which rule they are named."""
        if not subject.impersonates:
            return b'%b,"client":null,"identity":"%b"' % (subject.fields, identity)
        client = self._client(subject)
        address = "null" if client is None else json_string(client)
        return b'%b,"client":%b,"identity":"%b"' % (subject.fields, address.encode(), identity)

    def _maintains(self, target: Object, subject: Subject) -> bool:
        """Return whether uid 0 opens the root directory of a volume; reading its names is a separate event.

        Freezing, trimming and syncing a volume need that directory open, and nothing in it.
        """
        if not target.top or subject.fsuid:
            return False
        return fanotify.asks_about_names(self._opens, target.device, target.inode)

    def access(self, target: Object, tid: int, now: int, *, inspected: bool = False) -> Answer | None:
        """Judge a use of an open descriptor. ``None`` and *inspected* are as for :meth:`open`."""
        if not target.areas:
            return True, b"", True, False
        subject = self.subject_of(tid)
        if subject is None:
            return self.refusals.refused(UNIDENTIFIED, target, tid, None)
        if not self._openers and not subject.impersonates:
            return self._used(target, subject, subject, b"thread", now)
        inode = (target.device, target.inode)
        if not inspected and self._openers.wants_another(subject, inode, time.monotonic_ns()):
            return None
        openers = self._openers.of(subject, inode)
        judged = judged_by(subject, openers)
        if judged is None:
            passes, text, _, owed = self.refusals.refused(NO_OPENER, target, tid, subject, "access", UNKNOWN)
            return passes, self._first((-1, None, *inode), text) if passes else text, False, owed
        if len(judged) == 1:
            return self._used(target, subject, judged[0], b"opener" if openers else b"thread", now)
        return self._used_by_several(target, subject, judged, now)

    def _used(self, target: Object, thread: Subject, subject: Subject, identity: bytes, now: int) -> Answer:
        """Judge a use by the rights of *subject* alone."""
        ruling = self._verdicts.ruling(subject, target.areas, Action.ACCESS, now)
        text = b"%b,%b,%b" % (ruling.fields, self._named(subject, identity), target.fields)
        if self._own.announced and (
            own := self._own.answer((thread.tid, thread, target), "access", ruling, text, time.monotonic_ns())
        ):
            return own
        if not (ruling.passes or self._policy.only_observes):
            return False, self._denial(target, thread, subject, text), False, True
        text = self._first(_key(subject, target), text)
        return True, text, self._may_be_silent(target, ruling.until, now), self._owed(ruling)

    def _used_by_several(self, target: Object, thread: Subject, judged: tuple[Subject, ...], now: int) -> Answer:
        """Judge a use that may be by any of *judged*: all must be allowed, and each is named."""
        rulings = [(subject, self._verdicts.ruling(subject, target.areas, Action.ACCESS, now)) for subject in judged]
        if not (all(ruling.passes for _, ruling in rulings) or self._policy.only_observes):
            denied = [
                (subject, self._verdicts.shared(subject, target.areas) if ruling.passes else ruling)
                for subject, ruling in rulings
            ]
            texts = [
                self._denial(target, thread, subject, self._text(target, subject, ruling)) for subject, ruling in denied
            ]
            return False, SEPARATOR.join(filter(None, texts)), False, True
        texts = [self._first(_key(subject, target), self._text(target, subject, ruling)) for subject, ruling in rulings]
        until = min(ruling.until for _, ruling in rulings)
        owed = any(self._owed(ruling) for _, ruling in rulings)
        return True, SEPARATOR.join(filter(None, texts)), self._may_be_silent(target, until, now), owed

    def _text(self, target: Object, subject: Subject, ruling: CachedVerdict) -> bytes:
        return b"%b,%b,%b" % (ruling.fields, self._named(subject, b"shared"), target.fields)

    def _owed(self, ruling: CachedVerdict) -> bool:
        return ruling.owed and not self._policy.only_observes

    def _denial(self, target: Object, thread: Subject, subject: Subject, text: bytes) -> bytes:
        """Return the entry of a denied use; a repeated one of the same thread is one entry a second."""
        attempt = (thread.tid, subject.fsuid, target.device, target.inode)
        repeated = attempt in self.denied_this_second
        self.denied_this_second.add(attempt)
        return self.refusals.entry(subject, target, text, counted=repeated)

    def _first(self, key: Recorded, text: bytes) -> bytes:
        """Return *text* once for each subject, file and epoch; an unwritten entry is repeated."""
        if key in self.recorded:
            return b""
        self.recorded.add(key)
        return text

    def doubt_forgotten(self) -> None:
        """Keep loud the inodes of forgotten server openers, until a scan finds their holders."""
        if self._openers.dropped:
            self._silence.doubt(self._openers.dropped)
            self._openers.dropped.clear()

    def _may_be_silent(self, target: Object, until: int, now: int) -> bool:
        """Return whether *target* may be silenced: every opener in a server process may use it."""
        inode = (target.device, target.inode)
        if self._own.watched(inode):
            return False
        self.doubt_forgotten()
        for subject in self._openers.of_inode(inode):
            ruling = self._verdicts.ruling(subject, target.areas, Action.ACCESS, now)
            if not ruling.passes:
                return False
            until = min(until, ruling.until)
        return self._silence.allows(target, until, now)


def _key(subject: Subject, target: Object) -> Recorded:
    return subject.fsuid, subject.loginuid, target.device, target.inode
