"""Message budget per side of each door, so that one hostile reader affects no other door.

    reads and keys of one side · exits, contacts and the rest of one door      20 at once, then 1.3 a second

Control ends a doors process whose message rate exceeds the limit for its doors (:data:`agent.doors.outbox.FRAMES`), and
with it the service of all doors; a flood from one device is therefore limited here. Rules of this file: dropped frames
are counted per door. A state (contact, tamper, power) is not dropped but held: the last one is sent as soon as there is
room, so no outdated state stands. Exits have a budget that no reader can use up. Instants are of the monotonic clock
and passed in.
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
    """The budgets. *say* gets frames within the budget, *lost* counts the others. Belongs to one event loop."""

    def __init__(self, say: Callable[[FromDoors], None], lost: Callable[[str], None]) -> None:
        self._say, self._count = say, lost
        self._credits: dict[_Key, tuple[float, float]] = {}  # frames that may be sent, and as of when
        self._held_states: dict[tuple[_Key, type, str], FromDoors] = {}

    def heard(self, frame: FromDoors, now: float) -> None:
        """Send *frame*, hold it, or count it as lost."""
        key = _key(frame)
        if key is None:
            self._say(frame)
            return
        state = (key, type(frame), getattr(frame, "side", ""))
        if state in self._held_states or not self._takes(key, now):
            if isinstance(frame, Contact | Power | Tamper):
                if state in self._held_states:
                    self._count(key[0])
                self._held_states[state] = frame
            else:
                self._count(key[0])
            return
        self._say(frame)

    def due(self) -> bool:
        """Return whether states are held: call :meth:`tick` regularly then."""
        return bool(self._held_states)

    def tick(self, now: float) -> None:
        """Send the held states for which there is room."""
        for state, frame in [*self._held_states.items()]:
            if self._takes(state[0], now):
                del self._held_states[state]
                self._say(frame)

    def forget(self, doors: frozenset[str]) -> None:
        """Keep the budgets of *doors* only."""
        self._credits = {key: credit for key, credit in self._credits.items() if key[0] in doors}
        self._held_states = {state: frame for state, frame in self._held_states.items() if state[0][0] in doors}

    def _takes(self, key: _Key, now: float) -> bool:
        credit, at = self._credits.get(key, (float(AT_ONCE), now))
        credit = min(float(AT_ONCE), credit + A_SECOND * max(0.0, now - at))
        taken = credit >= 1
        self._credits[key] = (credit - taken, now)
        return taken


def _key(frame: FromDoors) -> _Key | None:
    """Return the key of the budget for *frame*; ``None`` for frames no device can cause without limit."""
    if isinstance(frame, Read | KeyPress):
        return frame.door, frame.side
    if isinstance(frame, RequestToExit | Contact | Tamper | Power):
        return frame.door, ""
    return None
