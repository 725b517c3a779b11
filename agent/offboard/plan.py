"""What a revocation will do, shown before it does it: what ends, who else is touched, what cannot be undone.

Rules of this file: pure. It is made of what the steps saw (``agent.offboard.runner.survey``) and of who the person is;
the same inputs give the same plan. Whoever holds an administrator role leaves by the hand of two officers, neither of
them the leaver (contract C8); until the second one wants it too, nothing but the denial is carried out.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.offboard.context import RevocationSubject
from agent.offboard.guardrails import ordinary
from agent.offboard.steps.step import StepTarget
from rules.text import Text


class Cause(StrEnum):
    """Why access ends."""

    DEPARTURE = "departure"
    HOLD = "hold"
    EXPIRY = "expiry"
    TRANSFER = "transfer"
    LOSS = "loss"
    """An act took some rights, and the person stays: a grant ended, a level lowered, an account taken."""
    RESTORED = "restored"
    """It does not end: a grant is given again after a departure that was taken back."""


_UNKNOWN = Text("nothing is known of it now", "目前无法得知")
_GOING = (Cause.DEPARTURE, Cause.TRANSFER)
PARTLY = frozenset((Cause.TRANSFER, Cause.EXPIRY, Cause.LOSS))
"""The person keeps what is not named as lost."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step and what it saw. ``skipped`` is the reason when the host has no such thing.

    ``nothing``: what to say where there is nothing to end now, or why that is not known.
    """

    id: str
    title: Text
    targets: tuple[StepTarget, ...] = ()
    lasting: Text | None = None
    skipped: Text | None = None
    nothing: Text = _UNKNOWN

    @property
    def irreversible(self) -> bool:
        """Whether something of it cannot be undone, as far as there is something to do."""
        return self.lasting is not None and self.skipped is None and bool(self.targets)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "id": self.id,
            "title": self.title.to_json(),
            "skipped": _words(self.skipped),
            "lasting": _words(self.lasting) if self.irreversible else None,
            "nothing": None if self.targets or self.skipped else self.nothing.to_json(),
            "targets": [{"what": what.to_json(), "other": _words(other)} for what, other in self.targets],
        }


@dataclass(frozen=True, slots=True)
class RevocationPlan:
    """The whole of it. ``officers``: how many different officers must want it; ``notices``: what to know before."""

    person: str
    cause: Cause
    steps: tuple[PlannedStep, ...]
    officers: int
    notices: tuple[Text, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "person": self.person,
            "cause": str(self.cause),
            "officers": self.officers,
            "notices": [notice.to_json() for notice in self.notices],
            "steps": [step.to_json() for step in self.steps],
        }


def plan(leaver: RevocationSubject, cause: Cause, seen: Iterable[PlannedStep]) -> RevocationPlan:
    """Return the plan for *leaver*."""
    return RevocationPlan(leaver.id, cause, tuple(seen), officers_needed(leaver, cause), notices(leaver, cause))


def officers_needed(leaver: RevocationSubject, cause: Cause) -> int:
    """Return how many officers must want it: two for a privileged leaver, nobody where the rights are gone already.

    A hold takes one, whoever it is about: it cannot wait, and is lifted again. Giving something back takes two.
    """
    if cause in (Cause.EXPIRY, Cause.LOSS):
        return 0
    privileged = cause in _GOING and bool(leaver.roles or leaver.sole)
    return 2 if privileged or cause is Cause.RESTORED else 1


def agreed(leaver: RevocationSubject, cause: Cause, officers: Collection[str]) -> bool:
    """Whether enough different officers want it; the leaver is none, whatever their role."""
    others = {officer for officer in officers if officer and officer != leaver.id}
    return len(others) >= officers_needed(leaver, cause)


def notices(leaver: RevocationSubject, cause: Cause) -> tuple[Text, ...]:
    """Return what an officer must know before the run."""
    found = []
    if officers_needed(leaver, cause) > 1:
        roles = ", ".join(sorted(leaver.roles | leaver.sole))
        found.append(
            Text(f"an administrator ({roles}): two officers are needed", f"该人员是管理员（{roles}）：需要两名管理员")
        )
    found += [
        Text(
            f"nobody else holds the role {role}: name a successor first, or nobody can act in it",
            f"角色 {role} 没有其他人：请先指定继任者，否则该角色无人行使",
        )
        for role in sorted(leaver.sole)
    ]
    found += [
        Text(
            f"uid {uid} is no ordinary account: what runs as it is left alone, end it by hand",
            f"uid {uid} 不是普通账号：其进程不会被触及，请手工处理",
        )
        for uid in leaver.uids
        if not ordinary(uid)
    ]
    if not leaver.accounts:
        found.append(
            Text("no account is known of them: nothing runs in their name", "未登记其账号：没有以其名义运行的进程")
        )
    return tuple(found)


def _words(text: Text | None) -> dict[str, str] | None:
    return text.to_json() if text else None
