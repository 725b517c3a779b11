"""Refused opens: what they get and how they stand in the log.

Rules of this file: a denial is recorded whole or counted (``denial_budget``); what could not be judged is denied, and
passes only where an area is observed, by its name, or where nothing is enforced at all. What has no label on a sealed
volume was judged: it may be anybody's, and an area that only observes opens none of it. Belongs to the loop.
"""

import errno
import time
from collections.abc import Callable, Hashable

from agent.guard.denial_budget import DenialBudget
from agent.guard.objects import Object
from agent.guard.own_attempts import How, OwnAttempts
from agent.guard.policy import PolicySnapshot
from agent.guard.verdicts import UNIDENTIFIED, Answer, VerdictCache
from agent.kernel.subject import Subject
from agent.runtime.json_string import json_string
from rules.model import Verdict

UNKNOWN = b"unknown"  # the thread that asks is no one's, or somebody else's: whose request it is cannot be told
_NOBODY = ("", "")


class Refusals:
    """Answers for what is refused, and the budget of their entries."""

    def __init__(
        self,
        verdicts: VerdictCache,
        policy: PolicySnapshot,
        own: OwnAttempts,
        named: Callable[[Subject, bytes], bytes],
    ) -> None:
        """*named* says who a subject is, and why they are named, as JSON."""
        self._named = named
        self._verdicts = verdicts
        self._policy = policy
        self._own = own
        self._budget = DenialBudget()

    def entry(self, who: Subject | None, thing: Object, text: bytes, *, counted: bool = False) -> bytes:
        """Return the entry *text* of a denial, nothing when it has only been counted (always with *counted*)."""
        person, now = person_of(who), time.monotonic_ns()
        account = person, thing.areas[0] if thing.areas else ""
        return text if self._budget.record(account, text, now, counted=counted, person=person) else b""

    def counts(self, moment: int) -> list[bytes]:
        """Return the entries of denials that were only counted, when they are due at *moment*.

        The first of each person and area is an alarm: it names who tries more than is recorded one by one.
        """
        alarm = b',"alarm":true'
        return [
            b'%b,"repeats":%d%b' % (due.fields, due.times, alarm if due.first else b"")
            for due in self._budget.due(moment)
        ]

    def refused(
        self,
        why: Verdict,
        thing: Object,
        tid: int,
        who: Subject | None,
        how: How = "late",
        identity: bytes = b"thread",
    ) -> Answer:
        """Refuse thread *tid* the object *thing*, of which only the name is known.

        *how* is what a canary is told of it: ``open`` or ``access`` when it was looked at, ``late`` for a guess.
        *identity* says why the thread is named; what is :data:`UNKNOWN` counts for nobody.
        """
        ruling = self._verdicts.refused(why, self._strictest(thing))
        subject = self._named(who, identity) if who else b'"tid":%d' % tid
        text = b"%b,%b,%b" % (ruling.fields, subject, thing.fields)
        if self._own.announced and (
            answer := self._own.answer((tid, who, thing), how, ruling, text, time.monotonic_ns())
        ):
            return answer
        passes = ruling.passes or self._policy.only_observes
        account = None if identity == UNKNOWN else who
        return passes, text if passes else self.entry(account, thing, text), False, not passes

    def unknown(self, tid: int, code: int, thing: Object | None = None) -> Answer:
        """Refuse what could not be read: its name, or its label. *code* is the ``errno``."""
        area = self._strictest(thing)
        passes = self._verdicts.refused(UNIDENTIFIED, area).passes or self._policy.only_observes
        return passes, self.unseen(tid, code, area), False, not passes

    def _strictest(self, thing: Object | None) -> str | None:
        areas = thing.areas if thing else ()
        return next((area for area in areas if area not in self._policy.observed), areas[0] if areas else None)

    def unseen(self, tid: int, code: int, area: str | None = None) -> bytes:
        """Return the entry of an object nobody could see."""
        self._own.unseen(tid)
        name = json_string(errno.errorcode.get(code, str(code))).encode()
        fields = self._verdicts.refused(UNIDENTIFIED, area).fields
        text = b'%b,"tid":%d,"path":null,"errno":%b' % (fields, tid, name)
        return text if self._budget.record(_NOBODY, text, time.monotonic_ns()) else b""


def person_of(who: Subject | None) -> Hashable:
    """Return whose denials and waiting events these are: a login's, whatever it becomes, else a user's."""
    if who is None:
        return None
    return who.fsuid if who.loginuid is None else (who.loginuid,)
