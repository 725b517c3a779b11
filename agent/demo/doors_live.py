"""Live doors: the rooms of the story over real wires, with readers, a controller and the agent that serves them.

Rules of this file: the devices are a process of their own that the agent reaches only over the wire. The device reports
whether a lock was released; the log reports the decision.
"""

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.api.client import AgentClient
from agent.demo import building
from agent.demo.building import ARCHIVE, DESIGN, ROOMS, Guest, Room
from agent.demo.cast import OfficerAct, Player
from agent.demo.shared import wait_until
from agent.demo.site import AccessAttempt, Entry
from agent.demo.stage import DemoStage
from agent.doors.messages import Side
from agent.errors import RefusedError
from agent.simulator.client import start
from rules.text import Message

_PATIENCE = 20.0
_SETTLING = 2.2  # seconds after a reader came online in which its reads are not trusted
_NOT_OPENED = 0.1  # seconds in which a lock that was refused would have opened


class LiveDoors:
    """The doors of one stage. *entries* returns everything of the story in the log so far."""

    def __init__(
        self,
        stage: DemoStage,
        client: AgentClient,
        act: Callable[[OfficerAct], Any],
        entries: Callable[[], list[Entry]],
    ) -> None:
        self._client = client
        self._entries = entries
        self._usable: datetime | None = None
        self._tickets: list[str] = []
        self.devices = start(building.devices(), stage.home.root.parent / "devices")
        try:
            self._register(act)
        except BaseException:
            self.close()
            raise

    def _register(self, act: Callable[[OfficerAct], Any]) -> None:
        for act_of_officer in building.opening(self._addresses(), f"127.0.0.1:{_unused_port()}"):
            act(act_of_officer)
        self._tickets += [
            act(OfficerAct("door.commission", {"door": room.id, "side": side}))["ticket"]
            for room in ROOMS
            if not room.on_board
            for side in ("in", "out")
        ]

    def close(self) -> None:
        """End the devices."""
        self.devices.stop()

    def badge(self, holder: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Present the badge of *holder*; if the door is released, they pass and the door closes."""
        self._ready()
        before, door = len(self._entries()), self.devices.do("state")["doors"][room.id]
        self.devices.do("swipe", door=room.id, side=side, card=building.badge(holder))
        entry = self._next(before, lambda entry: entry["kind"] == "door" and entry["person"] == holder.id)
        waits = _PATIENCE if entry.get("release") else _NOT_OPENED
        opened = self.devices.do("opened", door=room.id, times=door["opened"] + 1, seconds=waits)["opened"]
        if opened and entry.get("release"):
            self.devices.do("contact", door=room.id, open=True)
            self._next(
                before,
                lambda released_entry: (
                    released_entry["kind"] == "door-released" and released_entry["release"] == entry["release"]
                ),
            )
            self.devices.do("contact", door=room.id, open=False)
        return AccessAttempt(passed=opened, error="" if opened else "locked", entry=entry)

    def force(self, room: Room) -> None:
        """Force the door of *room* open, and close it again."""
        self._ready()
        self.devices.do("force", door=room.id)
        self.devices.do("contact", door=room.id, open=False)

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Return the open alarms of *kind*, each as the person it concerns, or ``""``, after waiting for one."""
        people: list[str] = []

        def alarm_raised() -> bool:
            rows = self._client.stream("alarm.list", room=room.id)
            people[:] = [str(row["person"] or "") for row in rows if row["kind"] == kind]
            return bool(people)

        wait_until(alarm_raised, _PATIENCE)
        return people

    def _ready(self) -> None:
        """Wait until every reader is online and its reads are trusted. Raises :class:`RefusedError` when one is not."""
        if self._usable is None:
            for ticket in self._tickets:
                outcome = self._client.call("door.outcome", ticket=ticket)
                if not outcome["ok"]:
                    raise RefusedError(Message("demo.reader-refused-key"))
            if not wait_until(self._online, _PATIENCE):
                raise RefusedError(Message("demo.a-door-is-silent"))
            self._usable = datetime.now(UTC) + timedelta(seconds=_SETTLING)
        time.sleep(max(0.0, (self._usable - datetime.now(UTC)).total_seconds()))

    def _online(self) -> bool:
        doors = [self._client.call("door.test", door=room.id)["readers"] for room in ROOMS]
        readers_online = all(
            readers and all(reader["online"] for reader in readers) for readers in doors
        )  # none: not registered yet
        board = self.devices.do("state")["doors"][ARCHIVE.id]
        return readers_online and board["under_control"] and bool(board["cards"])

    def _next(self, before: int, wanted: Callable[[Entry], bool]) -> Entry:
        entries: list[Entry] = []

        def entry_written() -> bool:
            entries[:] = [entry for entry in self._entries()[before:] if wanted(entry)]
            return bool(entries)

        if not wait_until(entry_written, _PATIENCE):
            raise RefusedError(Message("demo.door-did-not-answer"))
        return entries[0]

    def _addresses(self) -> dict[str, tuple[str, str]]:
        doors: dict[str, Any] = self.devices.doors
        readers = doors[DESIGN.id]["readers"]
        board = doors[ARCHIVE.id]["address"]
        return {DESIGN.id: (readers["in"]["address"], readers["out"]["address"]), ARCHIVE.id: (board, board)}


def _unused_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
