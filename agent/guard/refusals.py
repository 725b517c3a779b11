"""Refusals: the answers to refused opens, and their entries in the log.

Rules of this file: a denial is recorded whole or counted (``denial_budget``); what could not be judged is denied, and
allowed only where an area is observed, by its name, or where nothing is enforced at all. A file without a label on a
sealed volume was judged: its area is unknown, and an observing area allows none of it. Belongs to the loop.
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

UNKNOWN = b"unknown"  # the person behind the request cannot be determined from the thread
_NOBODY = ("", "")


class Refusals:
    """The answers to refused opens, and the budget of their entries."""

    def __init__(
        self,
        verdicts: VerdictCache,
        policy: PolicySnapshot,
        own: OwnAttempts,
        named: Callable[[Subject, bytes], bytes],
    ) -> None:
        """*named* returns the identity of a subject and its rule, as JSON."""
        self._named = named
        self._verdicts = verdicts
        self._policy = policy
        self._own = own
        self._budget = DenialBudget()

    def entry(self, subject: Subject | None, target: Object, text: bytes, *, counted: bool = False) -> bytes:
        """Return the entry *text* of a denial, empty when it was only counted (always with *counted*)."""
        person, now = person_of(subject), time.monotonic_ns()
        account = person, target.areas[0] if target.areas else ""
        return text if self._budget.record(account, text, now, counted=counted, person=person) else b""

    def counts(self, moment: int) -> list[bytes]:
        """Return the entries of counted denials that are due at *moment*.

        The first of each person and area is an alarm: it names a person who exceeds what is recorded one by one.
        """
        alarm = b',"alarm":true'
        return [
            b'%b,"repeats":%d%b' % (due.fields, due.times, alarm if due.first else b"")
            for due in self._budget.due(moment)
        ]

    def refused(
        self,
        verdict: Verdict,
        target: Object,
        tid: int,
        subject: Subject | None,
        how: How = "late",
        identity: bytes = b"thread",
    ) -> Answer:
        """Refuse thread *tid* the object *target*, of which only the name is known.

        *how* is reported to a canary: ``open`` or ``access`` when the object was inspected, ``late`` otherwise.
        *identity* says why the thread is named; :data:`UNKNOWN` counts for nobody.
        """
        ruling = self._verdicts.refused(verdict, self._strictest(target))
        subject_fields = self._named(subject, identity) if subject else b'"tid":%d' % tid
        text = b"%b,%b,%b" % (ruling.fields, subject_fields, target.fields)
        if self._own.announced and (
            answer := self._own.answer((tid, subject, target), how, ruling, text, time.monotonic_ns())
        ):
            return answer
        passes = ruling.passes or self._policy.only_observes
        account = None if identity == UNKNOWN else subject
        return passes, text if passes else self.entry(account, target, text), False, not passes

    def unknown(self, tid: int, code: int, target: Object | None = None) -> Answer:
        """Refuse an object whose name or label could not be read. *code* is the ``errno``."""
        area = self._strictest(target)
        passes = self._verdicts.refused(UNIDENTIFIED, area).passes or self._policy.only_observes
        return passes, self.unseen(tid, code, area), False, not passes

    def _strictest(self, target: Object | None) -> str | None:
        areas = target.areas if target else ()
        return next((area for area in areas if area not in self._policy.observed), areas[0] if areas else None)

    def unseen(self, tid: int, code: int, area: str | None = None) -> bytes:
        """Return the entry of an object that could not be opened."""
        self._own.unseen(tid)
        name = json_string(errno.errorcode.get(code, str(code))).encode()
        fields = self._verdicts.refused(UNIDENTIFIED, area).fields
        text = b'%b,"tid":%d,"path":null,"errno":%b' % (fields, tid, name)
        return text if self._budget.record(_NOBODY, text, time.monotonic_ns()) else b""


def person_of(subject: Subject | None) -> Hashable:
    """Return the owner of denials and waiting events: the login, whatever it becomes, else the user."""
    if subject is None:
        return None
    return subject.fsuid if subject.loginuid is None else (subject.loginuid,)
