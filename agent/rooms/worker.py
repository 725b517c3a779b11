"""Door worker: frames of the doors process in, decisions and their entries, commands out, in one thread.

    doors process ─ frames ─▶ rooms (panel, decide, entry, strike)   boards (cards)   keys   tickets (commands)
    registry ─ epoch ─▶ configuration of the doors process, panels, cards

Rules of this file:
- the doors process runs while there is a door; nothing waits for it, and when it ends or misbehaves every unanswered
  release is settled as unknown;
- it is not trusted: an invalid frame, silence, or a message rate above the limit for its doors ends it;
- an error in one event affects that event only: the next one is processed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from msgspec import structs

from agent.doors.frames import (
    CardStates,
    Configure,
    FromDoors,
    Heard,
    Keyed,
    Lost,
    Ping,
    Pong,
    ReaderKey,
    Swept,
    Trouble,
)
from agent.doors.link import LinkClosedError, LinkCorruptError
from agent.doors.messages import Online, Read, Release, Released
from agent.doors.osdp.keys import KeyStore
from agent.errors import FatalError, RefusedError, ShoumiError
from agent.registry.rows.doors import DoorRow, ReaderRow
from agent.registry.store import Registry
from agent.rooms import entries
from agent.rooms.board_cards import BoardCardSync
from agent.rooms.configuration import boards, configuration
from agent.rooms.controller import RoomController
from agent.rooms.facts import SiteSnapshot
from agent.rooms.field.belief import doubt
from agent.rooms.field.process import FieldProcess
from agent.rooms.offline_reason import away
from agent.rooms.panel.events import Freed
from agent.rooms.pending_commands import CommandOutcome, PendingCommands
from agent.rooms.reader_keys import ReaderKeys
from agent.rooms.recorder import Recorder
from agent.rooms.refusal_check import KnownRefusal, cards_of, is_stopped, refusals
from agent.rooms.watchdog import FieldWatchdog
from agent.runtime.failures import going_on
from agent.runtime.saying import say
from agent.site.context import SiteContext
from rules.text import Message, Sentence, as_message

_ROUND = 64  # frames processed before other work has its turn
_SAVE = 1.0
_BEHIND = Message("rooms.command-not-accepted")


class DoorWorker:
    """The work of the doors thread."""

    def __init__(self, site: SiteContext, registry: Registry, child: FieldProcess, commands: PendingCommands) -> None:
        self._registry = registry
        self._child = child
        self._tickets = commands
        self._now, self._ahead = site.now, site.clock.ahead
        self.building = SiteSnapshot(site.home, site.stores)
        self.recorder = Recorder(site.audit, site.now)
        self.rooms = RoomController(self.building, registry, self.recorder, child.send, site.now)
        self.boards = BoardCardSync(self.building, registry, child.send, site.now)
        store = KeyStore(site.home.root / "doors.keys")
        self._keys = ReaderKeys(store, registry, commands, child.send, site.now)
        self._configured: Configure | None = None
        self._online: dict[tuple[str, str, str], Online] = {}
        self._heard: dict[str, int] = {}
        self.news = True  # since the last call of :meth:`state`
        self._saved = 0.0
        self._watch = FieldWatchdog()
        self._due = {self._take_over: True, self._configure: True, self._tell_boards: True}
        self._boards_new = True

    def begin(self) -> None:
        """Load the stored state. May raise :class:`ShoumiError`: try again."""
        self.rooms.begin()
        self.boards.begin()
        self.rooms.restarted()  # settles releases of the last process

    def close(self) -> None:
        """End the doors process, and write queued entries."""
        self._child.close()
        with suppress(FatalError):
            self.rooms.restarted()
        self.recorder.close()
        self.building.close()

    def round(self) -> None:
        """Do all work that is due now. Raises :class:`FatalError`; nothing else."""
        self._guarded(self._tend)
        self._guarded(self._follow)
        self._guarded(self._listen)
        self._guarded(self.rooms.tick)
        self._guarded(self._save)

    # Changes by officers.

    def _follow(self) -> None:
        """Do the parts that are due since the last change; a failed part stays due."""
        if self.building.moved():
            self.news = True
            self._due = dict.fromkeys(self._due, True)
        for part in [part for part, is_due in self._due.items() if is_due]:
            part()
            self._due[part] = False

    def _take_over(self) -> None:
        self.rooms.take_over()
        self._keys.keep_only(self._readers())

    def _configure(self) -> None:
        """Send the doors process its configuration, if it has changed."""
        if not self._child.alive:
            return
        wanted = configuration(
            self.building.doors.values(),
            self._keys.all(),
            listen=self.building.reader.listens_at(),
            last_events=self.building.reader.heard() | self._heard,
            offset=time.localtime().tm_gmtoff,
        )
        if self._configured is None or _without_seen(wanted) != _without_seen(self._configured):
            self._child.send(wanted)
            self._configured = wanted
            self._online = {key: event for key, event in self._online.items() if key[0] in self.building.doors}

    def _tell_boards(self) -> None:
        if not self._child.alive:
            return
        if self._boards_new:
            self.boards.resync()
            self._boards_new = False
        else:
            self.boards.follow()

    def _readers(self) -> dict[str, str]:
        return {reader.address: reader.key for row in self.building.doors.values() for reader in row.readers}

    # The doors process.

    def _tend(self) -> None:
        now = time.monotonic()
        if self._child.ended():
            self._lost(Message("rooms.doors-process-ended"))
        if not self.building.doors:
            if self._child.alive:
                self._child.end()
                self._forget()
            return
        if not self._child.alive:
            if self._child.start():
                self.news = True
                self._watch.started(now)
                self._boards_new = True
                self._due |= {self._configure: True, self._tell_boards: True}
            return
        if reason := self._watch.to_end(len(self.building.doors), now):
            self._end(reason)
        elif self._watch.to_ask(now):
            self._child.send(Ping("ping"))

    def _listen(self) -> None:
        for line in self._child.stderr_lines():
            say(f"shoumi: doors: {line}")
        try:
            for given_up in self._child.push():
                self.rooms.answered(Released(given_up.id, ok=False, why=_BEHIND))
            for frame in self._child.receive(_ROUND):
                door = getattr(frame, "door", "")
                self._watch.heard(time.monotonic(), door if door in self.building.doors else "")
                self._judge_frame(frame)
        except (LinkCorruptError, LinkClosedError) as error:
            self._end(error.text)

    def _end(self, reason: Sentence) -> None:
        self._child.end()
        self._lost(reason)

    def _lost(self, reason: Sentence) -> None:
        self.recorder.later(entries.event("", "", "process-ended", reason))
        self._forget()

    def _forget(self) -> None:
        self._configured, self.news = None, True
        self._online.clear()
        self.rooms.restarted()

    # Frames.

    def _judge_frame(self, frame: FromDoors) -> None:
        with going_on(self._report):  # an internal error in one event must not stop other doors
            if reason := doubt(frame, self.building.doors):
                self._trouble(Trouble(as_message(reason), getattr(frame, "door", "")))
            else:
                self._dispatch(frame)

    def _report(self, error: ShoumiError | FatalError) -> None:
        self._trouble(Trouble(as_message(error.text)))

    def _dispatch(self, frame: FromDoors) -> None:
        match frame:
            case Released():
                if not self._tickets.settle(frame.id, CommandOutcome(frame.ok, frame.why, confirmed=frame.confirmed)):
                    self.rooms.answered(frame)
            case CardStates():
                self.boards.stated(frame)
            case Swept():
                self.boards.swept(frame)
                if frame.removed:
                    self._note(
                        "cards-removed",
                        "",
                        Message("rooms.unknown-cards-removed", serial=frame.board),
                        cards=len(frame.removed),
                    )
            case Heard():
                if self.boards.ours(str(frame.board)):
                    self._heard[str(frame.board)] = frame.index
                else:  # no row for a board that is not configured, however many are named
                    self._trouble(Trouble(as_message(_not_ours(frame.board))))
            case Keyed():
                self._due[self._configure] |= self._keys.answered(frame)
                self.news = True
            case ReaderKey():
                self._due[self._configure] |= self._keys.came_online(frame)
                self.news = True
            case Pong():
                self._watch.answered(frame, time.monotonic())
            case Lost():
                self._note("frames-dropped", frame.door, None, frames=frame.frames)
                self.rooms.flooded(frame.door)
            case Trouble():
                self._trouble(frame)
            case _:
                if isinstance(frame, Read):  # stamped with the wall clock, which may differ from the trusted time
                    frame = structs.replace(frame, at=frame.at + self._ahead() / 1e9)
                if isinstance(frame, Online):
                    self._online[frame.door, frame.side, frame.address] = frame
                    self.news = True
                self.rooms.heard(frame.door, frame)  # a door removed just now has no room

    def _trouble(self, trouble: Trouble) -> None:
        unreported = self._watch.trouble(time.monotonic())
        if unreported is not None:
            self._note("trouble", trouble.door, trouble.text, **({"untold": unreported} if unreported else {}))

    def _note(self, event_kind: str, door: str, text: Sentence | None, **more: object) -> None:
        row = self.building.doors.get(door)
        self.recorder.later(entries.event(row.room if row else "", door, event_kind, text, **more))

    def _save(self) -> None:
        now = time.monotonic()
        if self._heard and now - self._saved > _SAVE:
            self._saved = now
            with self._registry.note(self._now()) as note:
                for serial, index in self._heard.items():
                    note.boards.hear(serial, index)
            self._heard = {}

    def _guarded(self, part: Callable[[], None]) -> None:
        try:
            part()
        except ShoumiError as error:  # tried again in the next round
            self._trouble(Trouble(as_message(error.text)))

    # Queries and commands, called by :mod:`agent.rooms.service` in this thread.

    def state(self) -> dict[str, Any]:
        """Return the state as :meth:`agent.rooms.service.DoorServer.state` describes it."""
        self.news, wanted = False, bool(self.building.doors)
        return {
            "process": "running" if self._child.alive else "down" if wanted else "none",
            "readers": [self._reader(row, reader) for row in self.building.doors.values() for reader in row.readers],
            "boards": sorted(boards(self.building.doors.values())),
        }

    def _reader(self, row: DoorRow, reader: ReaderRow) -> dict[str, Any]:
        sides = (reader.side, "in")  # of a board, one row stands for both of its readers
        last_online = next(
            (event for side in sides if (event := self._online.get((row.name, side, reader.address)))), None
        )
        offline = away(row, reader, last_online, keyed=self._keys.has_key(reader.address), running=self._child.alive)
        return {
            "door": row.name,
            "side": reader.side,
            "address": reader.address,
            "online": bool(last_online and last_online.online),
            "secure": bool(last_online and last_online.secure),
            "why": offline.reason.to_json() if offline else None,
            "hint": offline.hint.to_json() if offline else None,
            "key": self._keys.proven(reader.address),
        }

    def release(self, ticket: str, door: str) -> None:
        """Release *door* once by act of an officer, whose entry is written."""
        row = self.building.doors.get(door)
        if row is None:
            raise RefusedError(Message("rooms.door-removed"))
        self.rooms.heard(door, Freed(door, float(row.strike_seconds)))
        self._child.send(Release(ticket, door, "in", float(row.strike_seconds)))

    def commission(self, ticket: str, address: str) -> None:
        """See :meth:`ReaderKeys.give`."""
        self._keys.give(ticket, address)

    def rekey(self, ticket: str, address: str) -> None:
        """See :meth:`ReaderKeys.change`."""
        self._keys.change(ticket, address)

    def refusals(self, person: str) -> list[KnownRefusal]:
        """Return for every door whether it is known to deny *person*; have the badges deleted from the boards."""
        self._follow()
        try:
            if is_stopped(self.building, person, self._now()):
                self.boards.withdraw(cards_of(self.building, person)[1])
        except ShoumiError as error:
            self._trouble(Trouble(as_message(error.text)))
        return list(refusals(self.building, self.rooms, self.boards, person, self._now()))


def _without_seen(frame: Configure) -> tuple[object, ...]:
    return frame.doors, dict(frame.keys), frame.listen, frame.offset


def _not_ours(board: int) -> Sentence:
    return Message("rooms.report-about-unknown-board", serial=board)
