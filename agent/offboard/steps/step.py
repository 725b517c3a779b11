"""The shape of a step: what it would end, why it cannot, and how it ends it.

Rules of this file:
- ``look`` changes nothing and is what the plan shows; ``run`` may be called any number of times, and after any of them
  was cut short: the second time ends what the first did not and says the same in the end;
- no step needs another one to have succeeded;
- a step says ``done`` when it did its work, ``confirmed`` when it also looked and found nothing left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from agent.offboard.context import RevocationContext, RevocationSubject
from rules.text import Text


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
        """Whether there is something left to do."""
        return self in (StepState.PLANNED, StepState.PENDING)

    @property
    def text(self) -> Text:
        """The word a person reads."""
        return _WORDS[self]


_WORDS = {
    StepState.PLANNED: Text("planned", "已计划"),
    StepState.DONE: Text("done", "已完成"),
    StepState.CONFIRMED: Text("confirmed", "已确认"),
    StepState.PENDING: Text("pending", "待完成"),
    StepState.CANNOT_SEE: Text("cannot see", "无法查看"),
    StepState.SKIPPED: Text("skipped", "已跳过"),
}


_NOTHING = Text("nothing to end now", "目前没有可终止的事项")


class StepTarget(NamedTuple):
    """One thing that ends. ``other`` says who besides the person is touched by that, ``None`` when nobody is."""

    what: Text
    other: Text | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of one try. ``facts`` are JSON values for the receipt: counts, pids, instants."""

    state: StepState
    detail: Text
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RevocationStep:
    """One kind of access and how it is ended.

    ``probe`` returns why this host has no such thing, or ``None``. ``lasting`` says what of it cannot be undone.
    ``early`` steps cut access and come first; ``alongside`` ones wait for others (door controllers) in a thread.
    ``urgent`` ones are done on the word of one officer, even where the others wait for a second.
    ``leaving`` ones are only for who goes (``True``) or who stays (``False``), where it makes a difference; ``whole``
    ones only for causes that take everything: a departure, a hold. ``asked`` says whether the site wants it at all.
    ``nothing`` is said of a plan in which ``look`` found nothing to end.
    ``partly`` is its title where only some of a person's access ends, and the title would speak of all of it.
    ``run`` gets the case, whose name is one path component. ``together`` does the same for many people at once, where
    most of the work is the same for all of them; its results are in their order.
    """

    id: str
    title: Text
    probe: Callable[[RevocationSubject, RevocationContext], Text | None]
    look: Callable[[RevocationSubject, RevocationContext], tuple[StepTarget, ...]]
    run: Callable[[RevocationSubject, RevocationContext, str], StepResult]
    lasting: Text | None = None
    early: bool = False
    alongside: bool = False
    urgent: bool = False
    leaving: bool | None = None
    whole: bool = False
    asked: Callable[[RevocationContext], bool] | None = None
    together: Callable[[Sequence[tuple[RevocationSubject, str]], RevocationContext], list[StepResult]] | None = None
    partly: Text | None = None
    nothing: Text = _NOTHING

    def titled(self, *, partly: bool) -> Text:
        """Return its title, *partly*: of somebody who keeps what is not named as lost."""
        return self.partly if partly and self.partly else self.title


def always(_leaver: RevocationSubject, _context: RevocationContext) -> Text | None:
    """Probe of a step that every host has."""
    return None
