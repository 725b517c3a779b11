"""Driver of all boards of a site. Every board is served by its own tasks.

Rules of this file: boards never wait for each other. A task that ends by an internal error is reported and restarted,
without effect on other boards. A board that is no longer configured is released: PC control lapses, and its own card
list, which opens nothing, takes over.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from agent.doors.address import Uhppote
from agent.doors.frames import Cards, Trouble
from agent.doors.outbox import Outbox
from agent.doors.uhppote.cards import CardSync
from agent.doors.uhppote.client import PACE, BoardClient
from agent.doors.uhppote.controller import KEEP, Controller, Opening
from agent.doors.uhppote.events import DoorBinding
from agent.doors.uhppote.listener import Listener
from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

_AFTER_MISTAKE = 1.0  # seconds
_NOWHERE = ("0.0.0.0", 0)  # noqa: S104 - requests leave from whatever address leads to the board


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """One board: its address (of any of its doors), its doors, and the index of the last event already reported."""

    address: Uhppote
    places: Mapping[int, DoorBinding]
    last_index: int | None = None


class _Served:
    """One board and the tasks that serve it."""

    def __init__(self, plan: BoardPlan, bind: str, out: Outbox, every: float, pace: float) -> None:
        client = BoardClient(plan.address, bind, pace)
        self.address, self.bind = plan.address, bind
        self.controller = Controller(client, out, last_index=plan.last_index, every=every)
        self.cards = CardSync(client, out)
        self._out = out
        works = (self.controller.run, self.cards.run, self._when_back)
        self._tasks = [asyncio.get_running_loop().create_task(self._keep_running(work)) for work in works]

    async def _keep_running(self, task: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            try:
                await task()
            except Exception as error:  # noqa: BLE001 - any failure concerns this board only
                error_text = visible(f"{type(error).__name__}: {error}")[:200]
                serial = self.address.serial
                self._out.say(Trouble(Message("doors.board-internal-error", serial=serial, error=error_text)))
            await asyncio.sleep(_AFTER_MISTAKE)

    async def _when_back(self) -> None:
        while True:
            await self.controller.reached.wait()
            self.cards.retry()
            await self.controller.lost.wait()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class BoardDriver:
    """The boards. Belongs to one event loop. *every*: :data:`.controller.KEEP`; *pace*: :data:`.client.PACE`."""

    def __init__(self, out: Outbox, every: float = KEEP, pace: float = PACE) -> None:
        self._out, self._every, self._pace = out, every, pace
        self._served: dict[int, _Served] = {}
        self._listener: Listener | None = None
        self._listening = ("", _NOWHERE)  # as configured, as it is

    async def configure(self, plans: Iterable[BoardPlan], listen: str, offset: int) -> None:
        """Serve these boards.

        Raises :class:`RefusedError` when it cannot listen at *listen*; boards are then polled.
        """
        wanted = {plan.address.serial: plan for plan in plans}
        trouble = await self._listen(listen if wanted else "")
        bind, port = self._listening[1]
        for serial, served in list(self._served.items()):
            plan = wanted.get(serial)
            if plan is None or plan.address.line != served.address.line or bind != served.bind:
                await self._served.pop(serial).stop()
        for serial, plan in wanted.items():
            if serial not in self._served:
                self._served[serial] = _Served(plan, bind, self._out, self._every, self._pace)
            self._served[serial].controller.configure(plan.places, offset, (bind, port) if port else None)
        if self._listener:
            self._listener.boards = {serial: plan.address.host for serial, plan in wanted.items()}
        if trouble:
            raise trouble

    async def release(self, address: Uhppote, seconds: float) -> Opening:
        """Unlock a door."""
        served = self._served.get(address.serial)
        if served is None:
            return Opening(Message("doors.board-not-configured", serial=address.serial))
        return await served.controller.release(address.door, seconds)

    def cards(self, request: Cards) -> None:
        """Request cards on boards. Raises :class:`RefusedError` for an invalid end date: then nothing was requested."""
        try:
            put = [(badge.card, date.fromisoformat(badge.until)) for badge in request.put]
        except ValueError:
            raise RefusedError(Message("doors.card-end-date-invalid")) from None
        for serial in request.boards or self._served:
            if serial in self._served:
                self._served[serial].cards.want(request.id, put, request.gone)
            else:
                self._out.say(Trouble(Message("doors.board-not-configured", serial=serial)))

    def sweep(self, request: str) -> None:
        """Check the card lists of all boards."""
        for served in self._served.values():
            served.cards.sweep(request)

    async def stop(self) -> None:
        """Release all boards."""
        await asyncio.gather(*(served.stop() for served in self._served.values()))
        self._served.clear()
        if self._listener:
            self._listener.stop()

    async def _listen(self, address: str) -> RefusedError | None:
        if address == self._listening[0]:
            return None
        if self._listener:
            self._listener.stop()
        self._listener, self._listening = None, ("", _NOWHERE)
        if not address:
            return None
        listener = Listener(self._hint, self._strange)
        try:
            self._listening = (address, await listener.start(address))
        except RefusedError as refused:
            return refused
        self._listener = listener
        return None

    def _hint(self, serial: int, index: int) -> None:
        if served := self._served.get(serial):
            served.controller.hint(index)

    def _strange(self, packets: int) -> None:
        self._out.say(Trouble(Message("doors.unknown-packets", count=packets)))
