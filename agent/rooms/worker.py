"""The doors, served: frames of the doors process in, decisions and their entries, commands out. One thread's work.

    doors process ─ frames ─▶ rooms (panel, decide, entry, strike)   boards (cards)   keys   tickets (commands)
    registry ─ epoch ─▶ configuration of the doors process, panels, cards

Rules of this file:
- the doors process runs while there is a door; what it was not told cannot be done, so nothing waits for it, and when
  it ends or misbehaves every release it had not answered is settled as unknown;
- it is not trusted: a frame that is none, silence, or more frames than doors can have ends it;
- an error about one event is one event's: the next one is dealt with.
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
from rules.text import Text

_ROUND = 64  # frames dealt with before anything else has its turn
_SAVE = 1.0
_BEHIND = Text("the doors process did not take it in time", "门禁进程未及时接收")


class DoorWorker:
    """Everything of the doors that belongs to one thread."""

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
        self.news = True  # since :meth:`state` was last asked
        self._saved = 0.0
        self._watch = FieldWatchdog()
        self._owed = {self._take_over: True, self._configure: True, self._tell_boards: True}
        self._boards_new = True

    def begin(self) -> None:
        """Take up what the last process left. May raise :class:`ShoumiError`: try again."""
        self.rooms.begin()
        self.boards.begin()
        self.rooms.restarted()  # what the last process had released and not settled

    def close(self) -> None:
        """End the doors process, and write what waits to be written."""
        self._child.close()
        with suppress(FatalError):
            self.rooms.restarted()
        self.recorder.close()
        self.building.close()

    def round(self) -> None:
        """Do everything there is to do now. Raises :class:`FatalError`; nothing else."""
        self._guarded(self._tend)
        self._guarded(self._follow)
        self._guarded(self._listen)
        self._guarded(self.rooms.tick)
        self._guarded(self._save)

    # What officers change.

    def _follow(self) -> None:
        """Do what is owed since something changed; what cannot be done now is owed until it can."""
        if self.building.moved():
            self.news = True
            self._owed = dict.fromkeys(self._owed, True)
        for part in [part for part, owed in self._owed.items() if owed]:
            part()
            self._owed[part] = False

    def _take_over(self) -> None:
        self.rooms.take_over()
        self._keys.keep_only(self._readers())

    def _configure(self) -> None:
        """Tell the doors process which doors there are, if that is news to it."""
        if not self._child.alive:
            return
        wanted = configuration(
            self.building.doors.values(),
            self._keys.all(),
            listen=self.building.reader.listens_at(),
            seen=self.building.reader.heard() | self._heard,
            offset=time.localtime().tm_gmtoff,
        )
        if self._configured is None or _without_seen(wanted) != _without_seen(self._configured):
            self._child.send(wanted)
            self._configured = wanted
            self._online = {key: one for key, one in self._online.items() if key[0] in self.building.doors}

    def _tell_boards(self) -> None:
        if not self._child.alive:
            return
        if self._boards_new:
            self.boards.anew()
            self._boards_new = False
        else:
            self.boards.follow()

    def _readers(self) -> dict[str, str]:
        return {reader.address: reader.key for row in self.building.doors.values() for reader in row.readers}

    # The doors process.

    def _tend(self) -> None:
        now = time.monotonic()
        if self._child.ended():
            self._lost(Text("it ended", "已退出"))
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
                self._owed |= {self._configure: True, self._tell_boards: True}
            return
        if why := self._watch.to_end(len(self.building.doors), now):
            self._end(why)
        elif self._watch.to_ask(now):
            self._child.send(Ping("ping"))

    def _listen(self) -> None:
        for line in self._child.said():
            say(f"shoumi: doors: {line}")
        try:
            for given_up in self._child.push():
                self.rooms.answered(Released(given_up.id, ok=False, why=_BEHIND))
            for frame in self._child.receive(_ROUND):
                door = getattr(frame, "door", "")
                self._watch.heard(time.monotonic(), door if door in self.building.doors else "")
                self._one(frame)
        except (LinkCorruptError, LinkClosedError) as error:
            self._end(error.text)

    def _end(self, why: Text) -> None:
        self._child.end()
        self._lost(why)

    def _lost(self, why: Text) -> None:
        self.recorder.later(entries.event("", "", "process-ended", why))
        self._forget()

    def _forget(self) -> None:
        self._configured, self.news = None, True
        self._online.clear()
        self.rooms.restarted()

    # Frames.

    def _one(self, frame: FromDoors) -> None:
        with going_on(self._report):  # a mistake of ours about one event keeps no other door shut
            if why := doubt(frame, self.building.doors):
                self._trouble(Trouble(why, getattr(frame, "door", "")))
            else:
                self._dispatch(frame)

    def _report(self, error: ShoumiError | FatalError) -> None:
        self._trouble(Trouble(error.text))

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
                        Text(f"board {frame.board}", f"控制板 {frame.board}"),
                        cards=len(frame.removed),
                    )
            case Heard():
                if self.boards.ours(str(frame.board)):
                    self._heard[str(frame.board)] = frame.index
                else:  # no row for a board that nobody configured, however many are named
                    self._trouble(Trouble(_not_ours(frame.board)))
            case Keyed():
                self._owed[self._configure] |= self._keys.answered(frame)
                self.news = True
            case ReaderKey():
                self._owed[self._configure] |= self._keys.shown(frame)
                self.news = True
            case Pong():
                self._watch.answered(frame, time.monotonic())
            case Lost():
                self._note("frames-dropped", frame.door, None, frames=frame.frames)
                self.rooms.flooded(frame.door)
            case Trouble():
                self._trouble(frame)
            case _:
                if isinstance(frame, Read):  # stamped with the wall clock, which is not always what is judged by
                    frame = structs.replace(frame, at=frame.at + self._ahead() / 1e9)
                if isinstance(frame, Online):
                    self._online[frame.door, frame.side, frame.address] = frame
                    self.news = True
                self.rooms.heard(frame.door, frame)  # a door that was removed a moment ago has no room

    def _trouble(self, trouble: Trouble) -> None:
        untold = self._watch.trouble(time.monotonic())
        if untold is not None:
            self._note("trouble", trouble.door, trouble.text, **({"untold": untold} if untold else {}))

    def _note(self, what: str, door: str, text: Text | None, **more: object) -> None:
        row = self.building.doors.get(door)
        self.recorder.later(entries.event(row.room if row else "", door, what, text, **more))

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
            self._trouble(Trouble(error.text))

    # Questions and commands, asked through ``doors_serving`` in this thread.

    def state(self) -> dict[str, Any]:
        """Return what :meth:`agent.rooms.service.DoorServer.state` promises."""
        self.news, wanted = False, bool(self.building.doors)
        return {
            "process": "running" if self._child.alive else "down" if wanted else "none",
            "readers": [self._reader(row, reader) for row in self.building.doors.values() for reader in row.readers],
            "boards": sorted(boards(self.building.doors.values())),
        }

    def _reader(self, row: DoorRow, reader: ReaderRow) -> dict[str, Any]:
        sides = (reader.side, "in")  # of a board, one row stands for both of its readers
        said = next((one for side in sides if (one := self._online.get((row.name, side, reader.address)))), None)
        gone = away(row, reader, said, keyed=self._keys.given(reader.address), running=self._child.alive)
        return {
            "door": row.name,
            "side": reader.side,
            "address": reader.address,
            "online": bool(said and said.online),
            "secure": bool(said and said.secure),
            "why": gone.why.to_json() if gone else None,
            "hint": gone.hint.to_json() if gone else None,
            "key": self._keys.proven(reader.address),
        }

    def release(self, ticket: str, door: str) -> None:
        """Release *door* once on an officer's word, whose entry is written."""
        row = self.building.doors.get(door)
        if row is None:
            raise RefusedError(Text("there is no such door any more", "该门已不存在"))
        self.rooms.heard(door, Freed(door, float(row.strike_seconds)))
        self._child.send(Release(ticket, door, "in", float(row.strike_seconds)))

    def commission(self, ticket: str, address: str) -> None:
        """See :meth:`ReaderKeys.give`."""
        self._keys.give(ticket, address)

    def rekey(self, ticket: str, address: str) -> None:
        """See :meth:`ReaderKeys.change`."""
        self._keys.change(ticket, address)

    def refusals(self, person: str) -> list[KnownRefusal]:
        """Say of every door whether it is known to refuse *person*; have the badges taken off the boards."""
        self._follow()
        try:
            if is_stopped(self.building, person, self._now()):
                self.boards.withdraw(cards_of(self.building, person)[1])
        except ShoumiError as error:
            self._trouble(Trouble(error.text))
        return list(refusals(self.building, self.rooms, self.boards, person, self._now()))


def _without_seen(frame: Configure) -> tuple[object, ...]:
    return frame.doors, dict(frame.keys), frame.listen, frame.offset


def _not_ours(board: int) -> Text:
    return Text(f"board {board} is named, and no door is on it", f"收到控制板 {board} 的消息，但没有门属于它")
