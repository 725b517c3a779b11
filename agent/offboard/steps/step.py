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

from agent.offboard.context import Context, Leaver
from rules.text import Text


class State(StrEnum):
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
        return self in (State.PLANNED, State.PENDING)

    @property
    def text(self) -> Text:
        """The word a person reads."""
        return _WORDS[self]


_WORDS = {
    State.PLANNED: Text("planned", "已计划"),
    State.DONE: Text("done", "已完成"),
    State.CONFIRMED: Text("confirmed", "已确认"),
    State.PENDING: Text("pending", "待完成"),
    State.CANNOT_SEE: Text("cannot see", "无法查看"),
    State.SKIPPED: Text("skipped", "已跳过"),
}


class Target(NamedTuple):
    """One thing that ends. ``other`` says who besides the person is touched by that, ``None`` when nobody is."""

    what: Text
    other: Text | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one try. ``facts`` are JSON values for the receipt: counts, pids, instants."""

    state: State
    detail: Text
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of access and how it is ended.

    ``probe`` returns why this host has no such thing, or ``None``. ``lasting`` says what of it cannot be undone.
    ``early`` steps cut access and come first; ``alongside`` ones wait for others (door controllers) in a thread.
    ``urgent`` ones are done on the word of one officer, even where the others wait for a second.
    ``leaving`` ones are only for who goes (``True``) or who stays (``False``), where it makes a difference.
    ``run`` gets the case, whose name is one path component. ``together`` does the same for many people at once, where
    most of the work is the same for all of them; its results are in their order.
    """

    id: str
    title: Text
    probe: Callable[[Leaver, Context], Text | None]
    look: Callable[[Leaver, Context], tuple[Target, ...]]
    run: Callable[[Leaver, Context, str], Result]
    lasting: Text | None = None
    early: bool = False
    alongside: bool = False
    urgent: bool = False
    leaving: bool | None = None
    together: Callable[[Sequence[tuple[Leaver, str]], Context], list[Result]] | None = None


def always(_leaver: Leaver, _context: Context) -> Text | None:
    """Probe of a step that every host has."""
    return None
