"""Keeping one board ours: taken over, kept alive, listened to, and never believed without being asked.

Rules of this file (fail closed):
- the board holds no right of any card and leaves the decision to us (PC control); asked every few seconds it stays so,
  and when we fall silent it asks its own list, which opens nothing;
- what arrives at the listener is a hint that there is something to fetch, and nothing else: anybody can send it. Only
  what the board answers to a question is an event; each is fetched once, in the order of its index;
- what happened before the board was taken over, or longer than :data:`FRESH` seconds ago by its clock, is old;
- that a board says it opened is one thing, and that its lock reads as open another: both are told apart;
- opening that we did not ask for is told, also when the board says that the network did it (reason 44).
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from agent.doors.frames import FromDoors, Heard, Trouble
from agent.doors.messages import Contact, Online
from agent.doors.uhppote import reasons
from agent.doors.uhppote.client import BoardClient, EventOverwrittenError, Happened, NoResponseError, Status
from agent.doors.uhppote.events import DoorBinding, When, told
from rules.text import Text

KEEP = 5.0  # seconds between questions when nothing happens; PC control ends after 30 without one
FRESH = 4.0  # seconds, by a clock with whole seconds that is set when it is more than _DRIFT off
_DRIFT = 1.5
_CHANGED_CLOCK = 60.0
_AGAIN = (1.0, 30.0)  # seconds until a silent board is asked again: first, most
_FRUITLESS = 0.05  # seconds a hint without an event costs whoever sends them
_AT_ONCE = 200  # events
_HOLES = 8  # events missing one after the other until it is asked where the next one is
_LAST = 2**32 - 1  # an index is a 32-bit number
_FAR = 8  # an opening of ours is at most this many seconds from the event it causes

_DECIDES_ITSELF = {reasons.SWIPE, 6, 7, 8, 9, 10, 11, 12, 13, 15, 33}


class Opening(NamedTuple):
    """What came of a release: ``why`` it did not happen or is not known to have; whether the lock then read as open."""

    why: Text | None
    confirmed: bool = False


class Out(Protocol):
    """Where words go: :class:`agent.doors.outbox.Outbox`."""

    def say(self, frame: FromDoors, /) -> None:
        """Say it, after everything said before."""

    async def room(self, said: int, /) -> None:
        """Return when there is room for something that can wait, after *said* frames that could."""


class Controller:
    """One board. *seen*: index of the last event already told, ``None`` to begin with what happens from now on."""

    def __init__(
        self,
        client: BoardClient,
        out: Out,
        *,
        seen: int | None = None,
        now: Callable[[], float] = time.time,
        every: float = KEEP,
    ) -> None:
        self.online = False
        self.why = Text("not reached yet", "尚未连接")
        self.reached, self.lost = asyncio.Event(), asyncio.Event()
        self._client, self._out, self._now, self._every = client, out, now, every
        self._places: Mapping[int, DoorBinding] = {}
        self._offset = 0
        self._listener: tuple[str, int] | None = None
        self._seen = seen
        self._old = 0  # events up to this one happened before the board was ours
        self._hinted = 0
        self._wake = asyncio.Event()
        self._set_up_again = True
        self._said: bool | None = None
        self._seconds: dict[int, int] = {}
        self._openings: deque[tuple[int, float]] = deque(maxlen=256)

    def configure(self, places: Mapping[int, DoorBinding], offset: int, listener: tuple[str, int] | None) -> None:
        """Serve these doors; *listener* is where the board is to send its hints. The same again changes nothing."""
        wanted = (dict(places), offset, listener)
        if wanted == (self._places, self._offset, self._listener):
            return
        self._places, self._offset, self._listener = wanted
        self._set_up_again, self._said = True, None
        self._wake.set()

    def hint(self, index: int) -> None:
        """Somebody says that the board has an event *index*. Costs nothing and proves nothing."""
        self._hinted = max(self._hinted, index)
        self._wake.set()

    async def run(self) -> None:
        """Serve the board until cancelled, whatever it does."""
        wait = _AGAIN[0]
        while True:
            try:
                await self._take_over()
                wait = _AGAIN[0]
                await self._follow()
            except NoResponseError as silent:
                self._turned(online=False, why=silent.why)
                self._set_up_again = True
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait)
                wait = min(wait * 2, _AGAIN[1])

    async def release(self, door: int, seconds: float) -> Opening:
        """Unlock *door* for *seconds*, whole ones. A board that says it did is asked whether the lock is open."""
        if not self.online:
            return Opening(self.why)
        whole = min(255, math.ceil(seconds))
        try:
            if self._seconds.get(door) != whole:
                await self._client.set_door(door, whole)
                self._seconds[door] = whole
            opened = await self._client.open(door, lambda: self._openings.append((door, self._now())))
        except NoResponseError as silent:
            self._wake.set()
            return Opening(silent.why)
        if not opened:
            return Opening(Text("the board refused to open", "控制器拒绝开门"))
        # It was carried out: from here on, being withdrawn or without an answer only leaves it unconfirmed.
        with suppress(NoResponseError, asyncio.CancelledError):
            return Opening(None, confirmed=(await self._client.status()).locks[door - 1])
        return Opening(None)

    # --- taking over -------------------------------------------------------------------------------------------------

    async def _take_over(self) -> None:
        self._set_up_again = False
        await self._client.take_control()  # first: from here on no card opens anything
        clock = await self._client.set_clock(self._wall())
        if clock is None or abs((clock - self._wall()).total_seconds()) > _DRIFT:
            raise NoResponseError(Text("its clock cannot be set", "无法设置其时钟"))
        for door, place in self._places.items():
            await self._client.set_door(door, place.seconds)
            self._seconds[door] = place.seconds
        await self._client.record_all()
        if self._listener:
            await self._client.report_to(*self._listener)
        status = await self._client.status()
        self._begin_after(status.index)
        self._turned(online=True)
        for door, place in self._places.items():
            self._out.say(Contact(place.door, open=status.leaves[door - 1]))
        await self._fetch(status.index)

    def _begin_after(self, newest: int) -> None:
        if self._seen is not None and newest < self._seen:
            self._trouble(
                f"its events begin again at {newest} after {self._seen}: it was reset or replaced",
                f"事件序号从 {self._seen} 回到 {newest}：可能被复位或更换",
            )
            self._seen = 0
        if self._seen is None:
            self._seen = newest
            self._out.say(Heard(self._client.serial, newest))
        self._old = newest
        self._hinted = 0

    def _turned(self, *, online: bool, why: Text | None = None) -> None:
        self.online = online
        self.why = why or self.why
        for event, true in ((self.reached, online), (self.lost, not online)):
            if true:
                event.set()
            else:
                event.clear()
        if self._said is online:
            return
        self._said = online
        for place in self._places.values():
            for side, address in place.readers.items():
                self._out.say(Online(place.door, side, address, online, secure=False, why=why))

    # --- following ---------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._every
        while not self._set_up_again:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            self._wake.clear()
            if loop.time() >= due:
                await self._client.take_control()
                status = await self._client.status()
                await self._check(status)
                await self._fetch(status.index)
                due = loop.time() + self._every
            elif self._seen is not None and self._hinted > self._seen and not await self._fetch():
                self._hinted = 0
                await asyncio.sleep(_FRUITLESS)

    async def _check(self, status: Status) -> None:
        if self._seen is not None and status.index < self._seen:
            self._set_up_again = True
            return
        off = abs((status.clock - self._wall()).total_seconds()) if status.clock else math.inf
        if off > _CHANGED_CLOCK:
            self._trouble("somebody else set its clock", "其时钟被他人更改")
        if off > _DRIFT:
            await self._client.set_clock(self._wall())

    async def _fetch(self, newest: int = 0) -> int:
        """Fetch and tell what comes after what was seen; *newest* is known to exist. Returns how many there were.

        At most :data:`_AT_ONCE`: a board whose reader raves still has its clock looked at.
        """
        found = holes = said = 0
        self._hinted = max(self._hinted, newest)
        while found < _AT_ONCE and not self._set_up_again and self._seen is not None and self._seen < _LAST:
            await self._out.room(said)  # what is not fetched now stays on the board
            index = self._seen + 1
            event, overwritten = await self._kept(index)
            if not event and not overwritten and index > newest:
                break
            found, said = found + 1, 1
            holes = 0 if event else holes + 1
            self._seen = index
            if event:
                said = await self._tell(event)
            elif overwritten or holes > _HOLES:
                self._seen = await self._last_gone(index, newest)
                self._trouble(
                    f"events {index} to {self._seen} were overwritten before they could be fetched",
                    f"事件 {index} 至 {self._seen} 在取回之前已被覆盖",
                )
            else:
                self._trouble(f"event {index} is missing", f"缺少事件 {index}")
            if self._seen >= self._hinted:
                break
        else:
            self._wake.set()  # there is more
        if found and self._seen is not None:
            self._out.say(Heard(self._client.serial, self._seen))
        return found

    async def _kept(self, index: int) -> tuple[Happened | None, bool]:
        """Return an event if the board has it, and whether it says that it had it once."""
        try:
            return await self._client.event(index), False
        except EventOverwrittenError:
            return None, True

    async def _last_gone(self, gone: int, newest: int) -> int:
        """Return the index of the newest event the board has no more; *gone* is one of them.

        Whatever the board says, this ends, after one question for each bit of an index.
        """
        kept = 1 + max(gone, newest, (await self._client.status()).index)
        middle = kept - 1
        while kept - gone > 1:
            event, _ = await self._kept(middle)
            gone, kept = (gone, middle) if event else (middle, kept)
            middle = (gone + kept) // 2
        return gone

    async def _tell(self, event: Happened) -> int:
        """Tell what an event means; return in how many frames."""
        when = self._when(event)
        ours = event.reason == reasons.REMOTE_OPEN and self._opened_by_us(event.door, when.at)
        frames = told(self._client.serial, event, self._places, when, ours=ours)
        for frame in frames:
            self._out.say(frame)
        if event.reason in (reasons.POWER_ON, reasons.RESET) and event.index > self._old:
            self._set_up_again = True
        elif event.reason in _DECIDES_ITSELF:
            await self._client.take_control()
        return len(frames)

    def _when(self, event: Happened) -> When:
        now = self._now()
        if event.clock is None:
            return When(now, stale=True)
        happened = event.clock.replace(tzinfo=UTC).timestamp() - self._offset
        stale = event.index <= self._old or abs(now - happened) > FRESH
        return When(max(0.0, min(now, happened)) if stale else now, stale)

    def _opened_by_us(self, door: int, at: float) -> bool:
        for opening in self._openings:
            if opening[0] == door and abs(opening[1] - at) <= _FAR:
                self._openings.remove(opening)
                return True
        return False

    def _wall(self) -> datetime:
        return datetime.fromtimestamp(self._now() + self._offset, UTC).replace(tzinfo=None)

    def _trouble(self, en: str, zh: str) -> None:
        serial = self._client.serial
        self._out.say(Trouble(Text(f"board {serial}: {en}", f"控制器 {serial}：{zh}")))
