"""What one event gets, once it is known what it is about: the verdict, its entry, and whether silence may follow.

Rules of this file: the verdict table decides, the agent's own attempts included; an entry stands for the reads that
follow it until rights change. An open is judged by the thread that opens, a use of what is open by whoever opened it in
that process and by the thread (:mod:`agent.guard.openers`), and each entry says which (``identity``). What is only
observed passes. Belongs to the loop; makes no call that could sleep.
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
    """Judges opens and accesses. *opens* is the open group."""

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
        """*client*: the address that a server process serves."""
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
        self, thing: Object, fd: int, tid: int, now: int, *, names: bool = False, looked: bool = False
    ) -> Answer | None:
        """Judge the open of *thing*, which thread *tid* waits for; *names*: the reading of names of a directory.

        Return ``None`` when the process has to be looked at first, which it was when *looked*.
        """
        if not thing.areas:
            self.unprotected += 1
            return True, b"", False, False
        who = self.who(tid)
        if who is None:
            return self.refusals.refused(UNIDENTIFIED, thing, tid, None)
        if who.worker:
            return self.refusals.refused(WORKER, thing, tid, who, identity=UNKNOWN)
        if names and (who.impersonates or self._openers.of(who, (thing.device, thing.inode))):
            return self.access(thing, tid, now, looked=True)
        action = Action.LIST if thing.directory else Action.OPEN
        ruling = self._verdicts.ruling(who, thing.areas, action, now)
        text = b"%b,%b,%b" % (ruling.fields, self._named(who), thing.fields)
        if self._own.announced and (
            own := self._own.answer((tid, who, thing), "open", ruling, text, time.monotonic_ns())
        ):
            self._silence.wake(fd)  # what is tried next, through an older descriptor, must be asked about
            return own
        if ruling.passes or self._policy.only_observes:
            if who.impersonates:
                inode = (thing.device, thing.inode)
                if not looked and self._openers.wants_look(who, inode):
                    return None
                if not self._openers.add(who, inode, time.monotonic_ns()):
                    return self.refusals.refused(CROWDED, thing, tid, who)
            if ruling.allow:
                self._silence.opened(ruling.until)
            if not self._silence.granted:  # this entry stands for the reads that follow, too
                self.recorded.add(_key(who, thing))
            return True, text, False, ruling.owed and not self._policy.only_observes
        if not names and self._maintains(thing, who):
            ruling = self._verdicts.maintenance(who, thing.areas)
            return True, b"%b,%b,%b" % (ruling.fields, self._named(who), thing.fields), False, True
        return False, self.refusals.entry(who, thing, text), False, True

    def who(self, tid: int) -> Subject | None:
        """Return who thread *tid* is, ``None`` when that cannot be told any more."""
        try:
            return self._identities.of(tid)
        except TaskGoneError:
            return None

    def _named(self, who: Subject, identity: bytes = b"thread") -> bytes:
        """Return who it is, as JSON; *identity* says why they are named."""
        if not who.impersonates:
            return b'%b,"client":null,"identity":"%b"' % (who.fields, identity)
        client = self._client(who)
        address = "null" if client is None else json_string(client)
        return b'%b,"client":%b,"identity":"%b"' % (who.fields, address.encode(), identity)

    def _maintains(self, thing: Object, who: Subject) -> bool:
        """Whether this is uid 0 at the root directory of a volume, where reading its names is asked about on its own.

        Freezing, trimming and syncing a volume need that directory open, and nothing that lies in it.
        """
        if not thing.top or who.fsuid:
            return False
        return fanotify.asks_about_names(self._opens, thing.device, thing.inode)

    def access(self, thing: Object, tid: int, now: int, *, looked: bool = False) -> Answer | None:
        """Judge the use of a descriptor that is open already. ``None`` and *looked* are as for :meth:`open`."""
        if not thing.areas:
            return True, b"", True, False
        who = self.who(tid)
        if who is None:
            return self.refusals.refused(UNIDENTIFIED, thing, tid, None)
        if not self._openers and not who.impersonates:
            return self._used(thing, who, who, b"thread", now)
        inode = (thing.device, thing.inode)
        if not looked and self._openers.wants_another(who, inode, time.monotonic_ns()):
            return None
        openers = self._openers.of(who, inode)
        judged = judged_by(who, openers)
        if judged is None:
            passes, text, _, owed = self.refusals.refused(NO_OPENER, thing, tid, who, "access", UNKNOWN)
            return passes, self._first((-1, None, *inode), text) if passes else text, False, owed
        if len(judged) == 1:
            return self._used(thing, who, judged[0], b"opener" if openers else b"thread", now)
        return self._used_by_several(thing, who, judged, now)

    def _used(self, thing: Object, thread: Subject, who: Subject, identity: bytes, now: int) -> Answer:
        """Judge a use by the rights of *who* alone."""
        ruling = self._verdicts.ruling(who, thing.areas, Action.ACCESS, now)
        text = b"%b,%b,%b" % (ruling.fields, self._named(who, identity), thing.fields)
        if self._own.announced and (
            own := self._own.answer((thread.tid, thread, thing), "access", ruling, text, time.monotonic_ns())
        ):
            return own
        if not (ruling.passes or self._policy.only_observes):
            return False, self._denial(thing, thread, who, text), False, True
        text = self._first(_key(who, thing), text)
        return True, text, self._may_be_silent(thing, ruling.until, now), self._owed(ruling)

    def _used_by_several(self, thing: Object, thread: Subject, judged: tuple[Subject, ...], now: int) -> Answer:
        """Judge a use that may be anybody's of *judged*: all of them must be allowed, and each is named."""
        rulings = [(who, self._verdicts.ruling(who, thing.areas, Action.ACCESS, now)) for who in judged]
        if not (all(ruling.passes for _, ruling in rulings) or self._policy.only_observes):
            denied = [
                (who, self._verdicts.shared(who, thing.areas) if ruling.passes else ruling) for who, ruling in rulings
            ]
            texts = [self._denial(thing, thread, who, self._text(thing, who, ruling)) for who, ruling in denied]
            return False, SEPARATOR.join(filter(None, texts)), False, True
        texts = [self._first(_key(who, thing), self._text(thing, who, ruling)) for who, ruling in rulings]
        until = min(ruling.until for _, ruling in rulings)
        owed = any(self._owed(ruling) for _, ruling in rulings)
        return True, SEPARATOR.join(filter(None, texts)), self._may_be_silent(thing, until, now), owed

    def _text(self, thing: Object, who: Subject, ruling: CachedVerdict) -> bytes:
        return b"%b,%b,%b" % (ruling.fields, self._named(who, b"shared"), thing.fields)

    def _owed(self, ruling: CachedVerdict) -> bool:
        return ruling.owed and not self._policy.only_observes

    def _denial(self, thing: Object, thread: Subject, who: Subject, text: bytes) -> bytes:
        """Return the entry of a denied use; a reader that tries on and on is one entry a second."""
        again = (thread.tid, who.fsuid, thing.device, thing.inode)
        repeated = again in self.denied_this_second
        self.denied_this_second.add(again)
        return self.refusals.entry(who, thing, text, counted=repeated)

    def _first(self, key: Recorded, text: bytes) -> bytes:
        """Return *text* once for each subject, file and epoch; it is taken back when it is not written."""
        if key in self.recorded:
            return b""
        self.recorded.add(key)
        return text

    def doubt_forgotten(self) -> None:
        """Keep loud what somebody had open in a server who was forgotten, until looks say who has it now."""
        if self._openers.dropped:
            self._silence.doubt(self._openers.dropped)
            self._openers.dropped.clear()

    def _may_be_silent(self, thing: Object, until: int, now: int) -> bool:
        """Whether *thing* need not be asked about: nobody has it open, in any server process, who may not use it."""
        inode = (thing.device, thing.inode)
        if self._own.watched(inode):
            return False
        self.doubt_forgotten()
        for who in self._openers.of_inode(inode):
            ruling = self._verdicts.ruling(who, thing.areas, Action.ACCESS, now)
            if not ruling.passes:
                return False
            until = min(until, ruling.until)
        return self._silence.allows(thing, until, now)


def _key(who: Subject, thing: Object) -> Recorded:
    return who.fsuid, who.loginuid, thing.device, thing.inode
