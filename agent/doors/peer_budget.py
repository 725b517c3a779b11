"""A budget of words for each side of each door, so that one hostile reader costs no other door anything.

    reads and keys of one side · exits, contacts and the rest of one door      20 at once, then 1.3 a second

Control ends a doors process that says more than its doors can (:data:`agent.doors.outbox.FRAMES`), and with it all
doors; what one device sends without end therefore stops here. Rules of this file: what is dropped is counted, and the
door is named. A state (contact, tamper, power) is not dropped but kept: the last one is said as soon as there is room,
so nobody believes for ever what was so in between. Exits have a budget that no reader can use up. Instants are of the
monotonic clock and handed in.
"""

from collections.abc import Callable
from typing import Final

from agent.doors.frames import FromDoors
from agent.doors.messages import Contact, KeyPress, Power, Read, RequestToExit, Tamper
from agent.doors.outbox import FRAMES_PER_DOOR

AT_ONCE: Final = 20
A_SECOND: Final = (FRAMES_PER_DOOR * 10 / 3 - AT_ONCE) / 10  # three budgets a door, over control's ten seconds

_Key = tuple[str, str]


class PeerBudget:
    """*say* takes what is within the budget, *lost* counts what is not. Belongs to one event loop."""

    def __init__(self, say: Callable[[FromDoors], None], lost: Callable[[str], None]) -> None:
        self._say, self._count = say, lost
        self._left: dict[_Key, tuple[float, float]] = {}  # words that may be said, as of when
        self._kept: dict[tuple[_Key, type, str], FromDoors] = {}

    def heard(self, word: FromDoors, now: float) -> None:
        """Say *word*, keep it, or count it as lost."""
        key = _key(word)
        if key is None:
            self._say(word)
            return
        state = (key, type(word), getattr(word, "side", ""))
        if state in self._kept or not self._takes(key, now):
            if isinstance(word, Contact | Power | Tamper):
                if state in self._kept:
                    self._count(key[0])
                self._kept[state] = word
            else:
                self._count(key[0])
            return
        self._say(word)

    def due(self) -> bool:
        """Whether states are kept: call :meth:`tick` again and again."""
        return bool(self._kept)

    def tick(self, now: float) -> None:
        """Say the kept states for which there is room."""
        for state, word in [*self._kept.items()]:
            if self._takes(state[0], now):
                del self._kept[state]
                self._say(word)

    def forget(self, doors: frozenset[str]) -> None:
        """Keep the budgets of *doors* only."""
        self._left = {key: left for key, left in self._left.items() if key[0] in doors}
        self._kept = {state: word for state, word in self._kept.items() if state[0][0] in doors}

    def _takes(self, key: _Key, now: float) -> bool:
        left, at = self._left.get(key, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + A_SECOND * max(0.0, now - at))
        taken = left >= 1
        self._left[key] = (left - taken, now)
        return taken


def _key(word: FromDoors) -> _Key | None:
    """Return whose budget *word* is of; ``None`` for what no device can say without end."""
    if isinstance(word, Read | KeyPress):
        return word.door, word.side
    if isinstance(word, RequestToExit | Contact | Tamper | Power):
        return word.door, ""
    return None
