"""Command dispatcher: routes every command of control to its bus or board, and every answer back.

Rules of this file:
- each :class:`Release` gets one :class:`Released`, also for an unknown door, after a flush, and at shutdown;
- readers and boards are told apart by their address alone; a function a device lacks is not an error;
- events of the buses come from the buses' thread, which waits when this loop is behind: no queue grows without bound.
Belongs to one event loop, except :meth:`CommandDispatcher.heard`.
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
from rules.text import Message, as_message
from rules.visible import visible

_MOST_WAITING = 200  # events of the buses that may wait for this loop
_TICK = 0.2  # seconds between two checks for held-back states
_PATIENCE = 5.0  # seconds the buses' thread waits to hand over one event

_FLUSHED = Message("doors.release-withdrawn")
_NO_DOOR = Message("doors.door-not-found")


class CommandDispatcher:
    """The readers and boards of the site."""

    def __init__(self, outbox: Outbox) -> None:
        self._out = outbox
        self._loop = asyncio.get_running_loop()
        self._layout = Layout()
        self._boards = BoardDriver(outbox)
        self._backlog = threading.BoundedSemaphore(_MOST_WAITING)
        self._buses = OsdpBuses(self.heard)
        self._opening: dict[str, set[asyncio.Task[Opening]]] = {}
        self._budget = PeerBudget(outbox.say, self._dropped)
        self._ticking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start with nothing configured. Raises :class:`RefusedError` when this host has no randomness."""
        self._buses.start()

    async def stop(self) -> None:
        """Release all devices; open commands are answered first."""
        if self._ticking:
            self._ticking.cancel()
        for door in list(self._opening):
            self._flush(Flush(door))
        await asyncio.sleep(0)  # withdrawn commands are answered in the next turn of the loop
        await self._boards.stop()
        await asyncio.to_thread(self._buses.stop)

    def heard(self, frame: FromDoors) -> None:
        """Forward an event of a bus. For the buses' thread, which waits here when the loop is behind."""
        in_time = self._backlog.acquire(timeout=_PATIENCE)
        self._loop.call_soon_threadsafe(partial(self._say, frame, in_time=in_time))

    def _say(self, frame: FromDoors, *, in_time: bool) -> None:
        if in_time:
            self._backlog.release()
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
        """Carry out *frame*, or start it. Raises nothing: a failure of one command is reported and stops no door."""
        try:
            await self._obey(frame)
        except ShoumiError as error:
            self._failed(frame, as_message(error.text))
        except Exception as error:  # noqa: BLE001 - any failure concerns this command only
            error_text = visible(f"{type(error).__name__}: {error}")[:200]
            self._failed(frame, Message("doors.internal-error", error=error_text))

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

    def _failed(self, frame: ToDoors, reason: Message) -> None:
        match frame:
            case Release():
                self._out.say(Released(frame.id, ok=False, why=reason))
            case Commission() | Rekey():
                self._out.say(Keyed(frame.id, ok=False, why=reason))
            case _:
                self._out.say(Trouble(reason))

    # --- locks and lights --------------------------------------------------------------------------------------------

    def _release(self, command: Release) -> None:
        lock = self._layout.locks.get(command.door)
        if lock is None:
            raise RefusedError(_NO_DOOR)
        if isinstance(lock.at, Uhppote):
            task = self._loop.create_task(self._boards.release(lock.at, command.seconds))
            self._opening.setdefault(command.door, set()).add(task)
            task.add_done_callback(partial(self._opened, command))
        else:
            self._buses.strike(str(lock.at), lock.output, command.seconds, partial(self._struck, command))

    def _opened(self, command: Release, task: asyncio.Task[Opening]) -> None:
        """Answer a release. Not done in the task itself, because a task cancelled at once never starts."""
        self._opening[command.door].discard(task)
        if task.cancelled():
            opening = Opening(_FLUSHED)
        elif task.exception():
            opening = Opening(Message("doors.agent-internal-error"))
        else:
            opening = task.result()
        self._out.say(Released(command.id, ok=opening.reason is None, why=opening.reason, confirmed=opening.confirmed))
        if opening.reason is None:
            self._welcome(command)

    def _struck(self, command: Release, ok: bool, reason: Message | None) -> None:  # noqa: FBT001 - the shape of an answer
        """See :meth:`_opened`; from the buses' thread."""
        self.heard(Released(command.id, ok, reason))
        if ok:
            self._welcome(command)

    def _welcome(self, command: Release) -> None:
        self._signal(Signal(command.door, command.side, "green", "once"))

    def _keyed(self, request: str) -> Callable[[bool, Message | None], None]:
        return lambda ok, reason: self.heard(Keyed(request, ok, reason))

    def _signal(self, command: Signal) -> None:
        address = self._layout.sides.get((command.door, command.side))
        if address is not None and not isinstance(address, Uhppote):
            self._buses.signal(str(address), led=command.led, buzzer=command.buzzer, text=command.text)

    def _flush(self, command: Flush) -> None:
        for task in self._opening.get(command.door, ()):
            task.cancel()
        sides: tuple[Side, Side] = ("in", "out")
        lock = self._layout.locks.get(command.door)
        places = {self._layout.sides.get((command.door, side)) for side in sides} | {lock.at if lock else None}
        for address in places:
            if address is not None and not isinstance(address, Uhppote):
                self._buses.flush(str(address))

    # --- configuration -----------------------------------------------------------------------------------------------

    async def _configure(self, configuration: Configure) -> None:
        self._layout = planned = layout(configuration)
        self._out.pace(len(configuration.doors))
        self._budget.forget(frozenset(door.door for door in configuration.doors))
        for trouble in planned.troubles:
            self._out.say(trouble)
        try:
            self._buses.configure(planned.readers)
        finally:
            await self._boards.configure(planned.boards, configuration.listen, configuration.offset)
