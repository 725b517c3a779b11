"""The shape of a step: its targets, the reason why it does not apply, and how it ends them.

Rules of this file:
- ``find_targets`` changes nothing and is what the plan shows; ``run`` may be called any number of times, and after any
  of them was interrupted: the second time ends what the first did not and has the same result in the end;
- no step requires another one to have succeeded;
- a step is ``done`` when it did its work, ``confirmed`` when it also checked that nothing remains.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from agent.offboard.context import RevocationContext, RevocationSubject
from rules.text import Message, Sentence


class StepState(StrEnum):
    """How far a step is. ``PLANNED`` and ``PENDING`` are tried again by every resumed run."""

    PLANNED = "planned"
    DONE = "done"
    CONFIRMED = "confirmed"
    PENDING = "pending"
    CANNOT_SEE = "cannot-see"
    SKIPPED = "skipped"

    @property
    def open(self) -> bool:
        """Whether the step still has work to do."""
        return self in (StepState.PLANNED, StepState.PENDING)

    @property
    def text(self) -> Sentence:
        """The sentence of this state."""
        return _WORDS[self]


_WORDS = {
    StepState.PLANNED: Message("common.planned"),
    StepState.DONE: Message("common.done"),
    StepState.CONFIRMED: Message("common.confirmed"),
    StepState.PENDING: Message("common.pending"),
    StepState.CANNOT_SEE: Message("common.cannot-see"),
    StepState.SKIPPED: Message("offboard.skipped"),
}


_NOTHING = Message("offboard.nothing-to-end")


class StepTarget(NamedTuple):
    """One target of a step. ``affected`` names who besides the person is affected, ``None`` when nobody is."""

    label: Sentence
    affected: Sentence | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of one attempt. ``facts`` are JSON values for the receipt: counts, pids, instants."""

    state: StepState
    detail: Sentence
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RevocationStep:
    """One kind of access and how it is ended.

    ``probe`` returns the reason why the step does not apply to this host, or ``None``. ``lasting`` names what cannot be
    undone. ``early`` steps cut access and come first; ``alongside`` ones wait for others (door controllers) in a
    thread. ``urgent`` ones need one officer only, even where the others wait for a second.

    ``leaving`` ones are only for a departure (``True``) or only for a person who stays (``False``), where it matters;
    ``whole`` ones only for causes that end all access: a departure, a hold. ``enabled`` returns whether the site wants
    the step at all. ``nothing`` is the sentence of a plan in which ``find_targets`` found nothing to end.

    ``partly`` is its title where only some of a person's access ends, if the title would name all of it.

    ``run`` gets the case, whose name is one path component. ``together`` does the same for many people at once, where
    most of the work is the same for all of them; its results are in their order.
    """

    id: str
    title: Sentence
    probe: Callable[[RevocationSubject, RevocationContext], Sentence | None]
    find_targets: Callable[[RevocationSubject, RevocationContext], tuple[StepTarget, ...]]
    run: Callable[[RevocationSubject, RevocationContext, str], StepResult]
    lasting: Sentence | None = None
    early: bool = False
    alongside: bool = False
    urgent: bool = False
    leaving: bool | None = None
    whole: bool = False
    enabled: Callable[[RevocationContext], bool] | None = None
    together: Callable[[Sequence[tuple[RevocationSubject, str]], RevocationContext], list[StepResult]] | None = None
    partly: Sentence | None = None
    nothing: Sentence = _NOTHING

    def titled(self, *, partly: bool) -> Sentence:
        """Return its title, *partly*: for a person who keeps everything that is not named as lost."""
        return self.partly if partly and self.partly else self.title


def always(_leaver: RevocationSubject, _context: RevocationContext) -> Sentence | None:
    """Probe of a step that every host has."""
    return None
