"""Revocation plans: what a run will end, which other accounts it affects, and what cannot be undone.

Rules of this file: pure. A plan is made of the targets that the steps found (``agent.offboard.runner.survey``) and of
the person's data; the same inputs give the same plan. The departure of an administrator takes two officers, neither of
them the leaver (contract C8); until the second one agrees, only the denial is carried out.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.offboard.context import RevocationSubject
from agent.offboard.guardrails import ordinary
from agent.offboard.steps.step import StepTarget
from agent.presentation.terms import ROLES, word
from rules.text import Message, Sentence


class Cause(StrEnum):
    """Why access ends."""

    DEPARTURE = "departure"
    HOLD = "hold"
    EXPIRY = "expiry"
    TRANSFER = "transfer"
    LOSS = "loss"
    """An act took some rights, and the person stays: a grant ended, a level lowered, an account taken."""
    RESTORED = "restored"
    """Access does not end: a grant is restored after a rescinded departure."""


_UNKNOWN = Message("offboard.state-unknown")
_GOING = (Cause.DEPARTURE, Cause.TRANSFER)
PARTLY = frozenset((Cause.TRANSFER, Cause.EXPIRY, Cause.LOSS))
"""The person keeps what is not named as lost."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step and its targets. ``skipped`` is the reason why it does not apply to the host.

    ``nothing``: the sentence where there is nothing to end now, or why that is not known.
    """

    id: str
    title: Sentence
    targets: tuple[StepTarget, ...] = ()
    lasting: Sentence | None = None
    skipped: Sentence | None = None
    nothing: Sentence = _UNKNOWN

    @property
    def irreversible(self) -> bool:
        """Whether some of its targets cannot be restored."""
        return self.lasting is not None and self.skipped is None and bool(self.targets)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "id": self.id,
            "title": self.title.to_json(),
            "skipped": _sentence_json(self.skipped),
            "lasting": _sentence_json(self.lasting) if self.irreversible else None,
            "nothing": None if self.targets or self.skipped else self.nothing.to_json(),
            "targets": [
                {"what": label.to_json(), "other": _sentence_json(affected)} for label, affected in self.targets
            ],
        }


@dataclass(frozen=True, slots=True)
class RevocationPlan:
    """The whole plan. ``officers``: how many different officers must agree; ``notices``: what to know before."""

    person: str
    cause: Cause
    steps: tuple[PlannedStep, ...]
    officers: int
    notices: tuple[Sentence, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "person": self.person,
            "cause": str(self.cause),
            "officers": self.officers,
            "notices": [notice.to_json() for notice in self.notices],
            "steps": [step.to_json() for step in self.steps],
        }


def plan(leaver: RevocationSubject, cause: Cause, steps: Iterable[PlannedStep]) -> RevocationPlan:
    """Return the plan for *leaver*."""
    return RevocationPlan(leaver.id, cause, tuple(steps), officers_needed(leaver, cause), notices(leaver, cause))


def officers_needed(leaver: RevocationSubject, cause: Cause) -> int:
    """Return how many officers must agree: two for a privileged leaver, none where the rights are lost already.

    A hold takes one, for any person: it cannot wait, and can be lifted again. Restoring something takes two.
    """
    if cause in (Cause.EXPIRY, Cause.LOSS):
        return 0
    privileged = cause in _GOING and bool(leaver.roles or leaver.sole)
    return 2 if privileged or cause is Cause.RESTORED else 1


def agreed(leaver: RevocationSubject, cause: Cause, officers: Collection[str]) -> bool:
    """Whether enough different officers agree; the leaver never counts, whatever their role."""
    agreeing = {officer for officer in officers if officer and officer != leaver.id}
    return len(agreeing) >= officers_needed(leaver, cause)


def notices(leaver: RevocationSubject, cause: Cause) -> tuple[Sentence, ...]:
    """Return the notices for an officer before the run."""
    sentences = []
    if officers_needed(leaver, cause) > 1:
        roles = [word(ROLES, role) for role in sorted(leaver.roles | leaver.sole)]
        sentences.append(Message("offboard.administrator-needs-two-officers", roles=roles))
    sentences += [Message("offboard.last-holder-of-role", role=word(ROLES, role)) for role in sorted(leaver.sole)]
    sentences += [Message("offboard.uid-not-ordinary", uid=uid) for uid in leaver.uids if not ordinary(uid)]
    if not leaver.accounts:
        sentences.append(Message("offboard.no-account-registered"))
    return tuple(sentences)


def _sentence_json(text: Sentence | None) -> dict[str, str] | None:
    return text.to_json() if text else None
