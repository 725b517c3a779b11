"""Rehearsed doors: the panels, the rules, the registry and the log of a real site, without wires.

Rules of this file: commands to a reader or lock are recorded and answered as a device would; no door opens. Every log
entry is marked as a rehearsal.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent.demo import building
from agent.demo.building import Guest, Room
from agent.demo.cast import Player
from agent.demo.site import AccessAttempt, Entry
from agent.demo.userspace import UserSpace
from agent.doors.messages import Contact, Do, Read, Release, Released, Side
from agent.registry.store import Registry
from agent.rooms.controller import RoomController
from agent.rooms.facts import SiteSnapshot
from agent.rooms.recorder import Recorder
from agent.runtime.home import Home

_APART = timedelta(seconds=3)  # between two badges: the same badge at once would be one read


class RehearsedDoors:
    """The doors of a rehearsal. *decider* returns the present recorder; *forward* advances the clock."""

    def __init__(
        self,
        home: Home,
        registry: Registry,
        decider: Callable[[], UserSpace],
        now: Callable[[], datetime],
        forward: Callable[[float], None],
        entries: Callable[[], list[Entry]],
    ) -> None:
        self._now = now
        self._forward = forward
        self._entries = entries
        self._building = SiteSnapshot(home)
        self._recorder = Recorder(_Recording(decider), now)
        self._releases: list[Release] = []
        self._ahead = timedelta()
        self._rooms = RoomController(self._building, registry, self._recorder, self._send, now)
        self._rooms.begin()

    def close(self) -> None:
        """Close the registry."""
        self._recorder.close()
        self._building.close()

    def badge(self, holder: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Present the badge of *holder*; the door opens and closes if it would be released."""
        self._follow()
        before = len(self._entries())
        self._ahead += _APART
        self._forward(self._ahead.total_seconds())
        at = self._now().timestamp()
        self._rooms.heard(room.id, Read(room.id, side, building.badge(holder), at, secure=True))
        released, self._releases = self._releases, []
        for release in released:
            self._rooms.answered(Released(release.id, ok=True))
            self._rooms.heard(room.id, Contact(room.id, open=True))
            self._rooms.heard(room.id, Contact(room.id, open=False))
        self._recorder.flush()
        entry = next(e for e in self._entries()[before:] if e["kind"] == "door" and e["person"] == holder.id)
        return AccessAttempt(passed=bool(released), error="" if released else "locked", entry=entry)

    def force(self, room: Room) -> None:
        """Force the door of *room* open, and close it again."""
        self._follow()
        for is_open in (True, False):
            self._rooms.heard(room.id, Contact(room.id, open=is_open))
        self._recorder.flush()

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Return the open alarms of *kind*, each as the person it concerns, or ``""``."""
        self._follow()
        rows = self._building.reader.open_alarms()
        return [row.person for row in rows if (row.room, row.kind) == (room.id, kind)]

    def _follow(self) -> None:
        if self._building.moved():
            self._rooms.take_over()
        self._recorder.flush()

    def _send(self, frame: Do) -> None:
        if isinstance(frame, Release):
            self._releases.append(frame)


class _Recording:
    """The decider of the rehearsal, as the doors use it."""

    def __init__(self, decider: Callable[[], UserSpace]) -> None:
        self._decider = decider

    def append(self, fields: Mapping[str, Any]) -> int:
        """Write an entry."""
        return self._decider().record(fields)

    def epoch(self, _epoch: int) -> None:
        """Reload the rules."""
        self._decider().take_policy()
