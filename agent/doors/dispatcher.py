"""Doing what control says: every command to the bus or board it is for, every answer back, whatever goes wrong.

Rules of this file:
- each :class:`Release` gets one :class:`Released`, also for a door there is not, after a flush, and at the end;
- readers and boards are told apart by their address alone; what a device cannot do is not an error;
- what the buses say comes from their thread and waits there when this loop is behind: nothing piles up.
Belongs to one event loop, but for :meth:`CommandDispatcher.heard`.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial

from agent.doors.address import Uhppote
from agent.doors.frames import (
    Cards,
    Commission,
    Configure,
    FromDoors,
    Keyed,
    Ping,
    Pong,
    Rekey,
    Sweep,
    ToDoors,
    Trouble,
)
from agent.doors.layout import Layout, layout
from agent.doors.messages import Flush, Refuse, Release, Released, Side, Signal
from agent.doors.osdp.buses import OsdpBuses
from agent.doors.outbox import Outbox
from agent.doors.peer_budget import PeerBudget
from agent.doors.uhppote.boards import BoardDriver
from agent.doors.uhppote.controller import Opening
from agent.errors import RefusedError, ShoumiError
from rules.text import Text
from rules.visible import visible

_BEHIND = 200  # words of the buses that may wait for this loop
_TICK = 0.2  # seconds between two looks for what was kept back
_PATIENCE = 5.0  # seconds the buses wait for the loop with one more

_FLUSHED = Text("withdrawn before it was carried out", "执行前已撤回")
_NO_DOOR = Text("there is no such door", "没有该门")


class CommandDispatcher:
    """All readers and boards of the site."""

    def __init__(self, outbox: Outbox) -> None:
        self._out = outbox
        self._loop = asyncio.get_running_loop()
        self._layout = Layout()
        self._boards = BoardDriver(outbox)
        self._behind = threading.BoundedSemaphore(_BEHIND)
        self._buses = OsdpBuses(self.heard)
        self._opening: dict[str, set[asyncio.Task[Opening]]] = {}
        self._budget = PeerBudget(outbox.say, self._dropped)
        self._ticking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, with nothing configured. Raises :class:`RefusedError` when this host has no randomness."""
        self._buses.start()

    async def stop(self) -> None:
        """Let go of everything; what is open is answered first."""
        if self._ticking:
            self._ticking.cancel()
        for door in list(self._opening):
            self._flush(Flush(door))
        await asyncio.sleep(0)  # what was withdrawn is answered in the next turn
        await self._boards.stop()
        await asyncio.to_thread(self._buses.stop)

    def heard(self, frame: FromDoors) -> None:
        """Say what a bus said. For the buses' thread, which waits here when the loop is behind."""
        in_time = self._behind.acquire(timeout=_PATIENCE)
        self._loop.call_soon_threadsafe(partial(self._say, frame, in_time=in_time))

    def _say(self, frame: FromDoors, *, in_time: bool) -> None:
        if in_time:
            self._behind.release()
        self._budget.heard(frame, self._loop.time())
        self._tick_later()

    def _dropped(self, door: str) -> None:
        self._out.lost(door)
        self._out.drain()

    def _tick_later(self) -> None:
        if self._ticking is None and self._budget.due():
            self._ticking = self._loop.call_later(_TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        self._budget.tick(self._loop.time())
        self._tick_later()

    async def obey(self, frame: ToDoors) -> None:
        """Carry *frame* out, or set it going. Raises nothing: a mistake in one command is told and ends no door."""
        try:
            await self._obey(frame)
        except ShoumiError as error:
            self._failed(frame, error.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this command's, and the doors go on
            said = visible(f"{type(error).__name__}: {error}")[:200]
            self._failed(frame, Text(f"a mistake: `{said}`", f"内部错误：`{said}`"))

    async def _obey(self, frame: ToDoors) -> None:
        match frame:
            case Release():
                self._release(frame)
            case Configure():
                await self._configure(frame)
            case Refuse():
                self._signal(Signal(frame.door, frame.side, "red", "twice", frame.text))
            case Signal():
                self._signal(frame)
            case Flush():
                self._flush(frame)
            case Cards():
                self._boards.cards(frame)
            case Sweep():
                self._boards.sweep(frame.id)
            case Commission():
                self._buses.commission(frame.address, bytes.fromhex(frame.key), self._keyed(frame.id))
            case Rekey():
                self._buses.rekey(frame.address, bytes.fromhex(frame.key), self._keyed(frame.id))
            case Ping():
                self._out.say(Pong(frame.id, self._buses.worn))

    def _failed(self, frame: ToDoors, why: Text) -> None:
        match frame:
            case Release():
                self._out.say(Released(frame.id, ok=False, why=why))
            case Commission() | Rekey():
                self._out.say(Keyed(frame.id, ok=False, why=why))
            case _:
                self._out.say(Trouble(why))

    # --- locks and lights --------------------------------------------------------------------------------------------

    def _release(self, asked: Release) -> None:
        lock = self._layout.locks.get(asked.door)
        if lock is None:
            raise RefusedError(_NO_DOOR)
        if isinstance(lock.at, Uhppote):
            task = self._loop.create_task(self._boards.release(lock.at, asked.seconds))
            self._opening.setdefault(asked.door, set()).add(task)
            task.add_done_callback(partial(self._opened, asked))
        else:
            self._buses.strike(str(lock.at), lock.output, asked.seconds, partial(self._struck, asked))

    def _opened(self, asked: Release, task: asyncio.Task[Opening]) -> None:
        """Answer; here and not in the task itself, because one that is withdrawn at once never begins."""
        self._opening[asked.door].discard(task)
        if task.cancelled():
            came = Opening(_FLUSHED)
        elif task.exception():
            came = Opening(Text("a mistake of the agent", "代理内部错误"))
        else:
            came = task.result()
        self._out.say(Released(asked.id, ok=came.why is None, why=came.why, confirmed=came.confirmed))
        if came.why is None:
            self._welcome(asked)

    def _struck(self, asked: Release, ok: bool, why: Text | None) -> None:  # noqa: FBT001 - the shape of an answer
        """See :meth:`_opened`; from the buses' thread."""
        self.heard(Released(asked.id, ok, why))
        if ok:
            self._welcome(asked)

    def _welcome(self, asked: Release) -> None:
        self._signal(Signal(asked.door, asked.side, "green", "once"))

    def _keyed(self, request: str) -> Callable[[bool, Text | None], None]:
        return lambda ok, why: self.heard(Keyed(request, ok, why))

    def _signal(self, asked: Signal) -> None:
        address = self._layout.sides.get((asked.door, asked.side))
        if address is not None and not isinstance(address, Uhppote):
            self._buses.signal(str(address), led=asked.led, buzzer=asked.buzzer, text=asked.text)

    def _flush(self, asked: Flush) -> None:
        for task in self._opening.get(asked.door, ()):
            task.cancel()
        sides: tuple[Side, Side] = ("in", "out")
        lock = self._layout.locks.get(asked.door)
        places = {self._layout.sides.get((asked.door, side)) for side in sides} | {lock.at if lock else None}
        for address in places:
            if address is not None and not isinstance(address, Uhppote):
                self._buses.flush(str(address))

    # --- configuration -----------------------------------------------------------------------------------------------

    async def _configure(self, asked: Configure) -> None:
        self._layout = found = layout(asked)
        self._out.pace(len(asked.doors))
        self._budget.forget(frozenset(door.door for door in asked.doors))
        for trouble in found.troubles:
            self._out.say(trouble)
        try:
            self._buses.configure(found.readers)
        finally:
            await self._boards.configure(found.boards, asked.listen, asked.offset)
