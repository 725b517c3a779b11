"""Control of one board: take-over, keep-alive, event fetching and releases.

Rules of this file (fail closed):
- the board holds no right of any card and leaves the decision to the agent (PC control); requests every few seconds
  keep it so, and without them it uses its own card list, which opens nothing;
- a packet at the listener is only a hint that an event can be fetched, because anybody can send it. Only the board's
  answer to a request is an event; each is fetched once, in the order of its index;
- events from before the take-over, or older than :data:`FRESH` seconds by the board's clock, are stale;
- a board's report that it opened and a lock that reads as open are kept apart;
- an opening the agent did not command is reported, also when the board names the network as the cause (reason 44).
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
from agent.doors.uhppote.events import DoorBinding, When, frames_of
from rules.text import Message

KEEP = 5.0  # seconds between requests when nothing happens; PC control ends after 30 without one
FRESH = 4.0  # seconds, by a clock with whole seconds that is set when it is more than _DRIFT off
_DRIFT = 1.5
_CHANGED_CLOCK = 60.0
_RETRY = (1.0, 30.0)  # seconds until a silent board is tried again: first, most
_FRUITLESS = 0.05  # seconds of delay after a hint without an event, against a flood of hints
_AT_ONCE = 200  # events
_HOLES = 8  # consecutive missing events until the index of the next stored one is searched
_LAST = 2**32 - 1  # an index is a 32-bit number
_FAR = 8  # seconds, at most, between a commanded opening and its event

_DECIDES_ITSELF = {reasons.SWIPE, 6, 7, 8, 9, 10, 11, 12, 13, 15, 33}


class Opening(NamedTuple):
    """The outcome of a release: ``reason`` it failed or is not known to have worked; whether the lock read as open."""

    reason: Message | None
    confirmed: bool = False


class Out(Protocol):
    """The sink of frames: :class:`agent.doors.outbox.Outbox`."""

    def say(self, frame: FromDoors, /) -> None:
        """Send *frame* after all earlier ones."""

    async def room(self, sent: int, /) -> None:
        """Return when there is room for events that can wait; *sent*: how many of them were just sent."""


class Controller:
    """One board. *last_index*: index of the last event already reported, ``None`` to start with new events."""

    def __init__(
        self,
        client: BoardClient,
        out: Out,
        *,
        last_index: int | None = None,
        now: Callable[[], float] = time.time,
        every: float = KEEP,
    ) -> None:
        self.online = False
        self.reason = Message("doors.board-not-contacted")
        self.reached, self.lost = asyncio.Event(), asyncio.Event()
        self._client, self._out, self._now, self._every = client, out, now, every
        self._places: Mapping[int, DoorBinding] = {}
        self._offset = 0
        self._listener: tuple[str, int] | None = None
        self._last_index = last_index
        self._old = 0  # events up to this one happened before the take-over
        self._hinted = 0
        self._wake = asyncio.Event()
        self._set_up_again = True
        self._told_online: bool | None = None
        self._seconds: dict[int, int] = {}
        self._openings: deque[tuple[int, float]] = deque(maxlen=256)

    def configure(self, places: Mapping[int, DoorBinding], offset: int, listener: tuple[str, int] | None) -> None:
        """Serve these doors; *listener*: address for the board's hints. An unchanged configuration has no effect."""
        wanted = (dict(places), offset, listener)
        if wanted == (self._places, self._offset, self._listener):
            return
        self._places, self._offset, self._listener = wanted
        self._set_up_again, self._told_online = True, None
        self._wake.set()

    def hint(self, index: int) -> None:
        """Note a hint that the board has an event *index*. It is cheap and proves nothing."""
        self._hinted = max(self._hinted, index)
        self._wake.set()

    async def run(self) -> None:
        """Serve the board until cancelled, whatever it answers."""
        wait = _RETRY[0]
        while True:
            try:
                await self._take_over()
                wait = _RETRY[0]
                await self._follow()
            except NoResponseError as silent:
                self._turned(online=False, reason=silent.reason)
                self._set_up_again = True
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait)
                wait = min(wait * 2, _RETRY[1])

    async def release(self, door: int, seconds: float) -> Opening:
        """Unlock *door* for *seconds*, rounded up. After success the board is asked whether the lock is open."""
        if not self.online:
            return Opening(self.reason)
        whole = min(255, math.ceil(seconds))
        try:
            if self._seconds.get(door) != whole:
                await self._client.set_door(door, whole)
                self._seconds[door] = whole
            opened = await self._client.open(door, lambda: self._openings.append((door, self._now())))
        except NoResponseError as silent:
            self._wake.set()
            return Opening(silent.reason)
        if not opened:
            return Opening(Message("doors.board-refused-to-open"))
        # The board has opened: from here on, cancellation or a missing answer only leaves the release unconfirmed.
        with suppress(NoResponseError, asyncio.CancelledError):
            return Opening(None, confirmed=(await self._client.status()).locks[door - 1])
        return Opening(None)

    # --- taking over -------------------------------------------------------------------------------------------------

    async def _take_over(self) -> None:
        self._set_up_again = False
        await self._client.take_control()  # first: from here on no card opens anything
        clock = await self._client.set_clock(self._wall())
        if clock is None or abs((clock - self._wall()).total_seconds()) > _DRIFT:
            raise NoResponseError(Message("doors.board-clock-not-settable"))
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
        if self._last_index is not None and newest < self._last_index:
            self._trouble(
                Message("doors.event-index-restarted", newest=newest, previous=self._last_index),
            )
            self._last_index = 0
        if self._last_index is None:
            self._last_index = newest
            self._out.say(Heard(self._client.serial, newest))
        self._old = newest
        self._hinted = 0

    def _turned(self, *, online: bool, reason: Message | None = None) -> None:
        self.online = online
        self.reason = reason or self.reason
        for event, true in ((self.reached, online), (self.lost, not online)):
            if true:
                event.set()
            else:
                event.clear()
        if self._told_online is online:
            return
        self._told_online = online
        for place in self._places.values():
            for side, address in place.readers.items():
                self._out.say(Online(place.door, side, address, online, secure=False, why=reason))

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
            elif self._last_index is not None and self._hinted > self._last_index and not await self._fetch():
                self._hinted = 0
                await asyncio.sleep(_FRUITLESS)

    async def _check(self, status: Status) -> None:
        if self._last_index is not None and status.index < self._last_index:
            self._set_up_again = True
            return
        off = abs((status.clock - self._wall()).total_seconds()) if status.clock else math.inf
        if off > _CHANGED_CLOCK:
            self._trouble(Message("doors.board-clock-changed"))
        if off > _DRIFT:
            await self._client.set_clock(self._wall())

    async def _fetch(self, newest: int = 0) -> int:
        """Fetch and report the events after the last one; *newest* is known to exist. Return how many were fetched.

        At most :data:`_AT_ONCE` at a time, so that the clock of a flooded board is still checked.
        """
        fetched = holes = frames = 0
        self._hinted = max(self._hinted, newest)
        while (
            fetched < _AT_ONCE and not self._set_up_again and self._last_index is not None and self._last_index < _LAST
        ):
            await self._out.room(frames)  # unfetched events stay on the board
            index = self._last_index + 1
            event, overwritten = await self._fetch_event(index)
            if not event and not overwritten and index > newest:
                break
            fetched, frames = fetched + 1, 1
            holes = 0 if event else holes + 1
            self._last_index = index
            if event:
                frames = await self._tell(event)
            elif overwritten or holes > _HOLES:
                self._last_index = await self._last_gone(index, newest)
                self._trouble(
                    Message("doors.events-overwritten", first=index, last=self._last_index),
                )
            else:
                self._trouble(Message("doors.event-missing", index=index))
            if self._last_index >= self._hinted:
                break
        else:
            self._wake.set()  # there is more
        if fetched and self._last_index is not None:
            self._out.say(Heard(self._client.serial, self._last_index))
        return fetched

    async def _fetch_event(self, index: int) -> tuple[Happened | None, bool]:
        """Return an event if the board has it, and whether the board reports it as overwritten."""
        try:
            return await self._client.event(index), False
        except EventOverwrittenError:
            return None, True

    async def _last_gone(self, overwritten: int, newest: int) -> int:
        """Return the index of the newest overwritten event; *overwritten* is one of them.

        The search ends whatever the board answers, after one request for each bit of an index.
        """
        stored = 1 + max(overwritten, newest, (await self._client.status()).index)
        middle = stored - 1
        while stored - overwritten > 1:
            event, _ = await self._fetch_event(middle)
            overwritten, stored = (overwritten, middle) if event else (middle, stored)
            middle = (overwritten + stored) // 2
        return overwritten

    async def _tell(self, event: Happened) -> int:
        """Report an event; return the number of frames sent."""
        when = self._when(event)
        ours = event.reason == reasons.REMOTE_OPEN and self._opened_by_us(event.door, when.at)
        frames = frames_of(self._client.serial, event, self._places, when, ours=ours)
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

    def _trouble(self, report: Message) -> None:
        self._out.say(Trouble(Message("doors.about-board", serial=self._client.serial, report=report)))
