"""All boards of a site: which there are, and who is asked what. Every board is served by tasks of its own.

Rules of this file: boards never wait for each other. A board's tasks that end by a mistake of ours are told and started
again, and touch no other's. A board that is no longer configured is let go of: PC control lapses, and its own list,
which opens nothing, is what remains.
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
from rules.text import Text
from rules.visible import visible

_AFTER_MISTAKE = 1.0  # seconds
_NOWHERE = ("0.0.0.0", 0)  # noqa: S104 - requests leave from whatever address leads to the board


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """One board: where it is (any of its doors), what each door is, and the last event already told."""

    where: Uhppote
    places: Mapping[int, DoorBinding]
    seen: int | None = None


class _Served:
    """One board and the tasks that serve it."""

    def __init__(self, plan: BoardPlan, bind: str, out: Outbox, every: float, pace: float) -> None:
        client = BoardClient(plan.where, bind, pace)
        self.where, self.bind = plan.where, bind
        self.controller = Controller(client, out, seen=plan.seen, every=every)
        self.cards = CardSync(client, out)
        self._out = out
        works = (self.controller.run, self.cards.run, self._when_back)
        self._tasks = [asyncio.get_running_loop().create_task(self._kept_up(work)) for work in works]

    async def _kept_up(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this board's, and the others go on
                said = visible(f"{type(error).__name__}: {error}")[:200]
                serial = self.where.serial
                self._out.say(
                    Trouble(Text(f"board {serial}: a mistake: `{said}`", f"控制器 {serial}：内部错误：`{said}`"))
                )
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
    """Belongs to one event loop. *every*: :data:`uhppote_controller.KEEP`; *pace*: :data:`uhppote_client.PACE`."""

    def __init__(self, out: Outbox, every: float = KEEP, pace: float = PACE) -> None:
        self._out, self._every, self._pace = out, every, pace
        self._served: dict[int, _Served] = {}
        self._listener: Listener | None = None
        self._listening = ("", _NOWHERE)  # as configured, as it is

    async def configure(self, plans: Iterable[BoardPlan], listen: str, offset: int) -> None:
        """Serve these boards.

        Raises :class:`RefusedError` when *listen* cannot be listened at; boards are then polled.
        """
        wanted = {plan.where.serial: plan for plan in plans}
        trouble = await self._listen(listen if wanted else "")
        bind, port = self._listening[1]
        for serial, served in list(self._served.items()):
            plan = wanted.get(serial)
            if plan is None or plan.where.line != served.where.line or bind != served.bind:
                await self._served.pop(serial).stop()
        for serial, plan in wanted.items():
            if serial not in self._served:
                self._served[serial] = _Served(plan, bind, self._out, self._every, self._pace)
            self._served[serial].controller.configure(plan.places, offset, (bind, port) if port else None)
        if self._listener:
            self._listener.boards = {serial: plan.where.host for serial, plan in wanted.items()}
        if trouble:
            raise trouble

    async def release(self, where: Uhppote, seconds: float) -> Opening:
        """Unlock a door."""
        served = self._served.get(where.serial)
        if served is None:
            return Opening(Text("there is no such board", "没有该控制器"))
        return await served.controller.release(where.door, seconds)

    def cards(self, asked: Cards) -> None:
        """Wish for cards on boards. Raises :class:`RefusedError` for a day that is none: then nothing was wished."""
        try:
            put = [(badge.card, date.fromisoformat(badge.until)) for badge in asked.put]
        except ValueError:
            raise RefusedError(Text("a card's last day is not a day", "卡的截止日期无效")) from None
        for serial in asked.boards or self._served:
            if serial in self._served:
                self._served[serial].cards.want(asked.id, put, asked.gone)
            else:
                self._out.say(Trouble(Text(f"there is no board {serial}", f"没有控制器 {serial}")))

    def sweep(self, request: str) -> None:
        """Look through the card lists of all boards."""
        for served in self._served.values():
            served.cards.sweep(request)

    async def stop(self) -> None:
        """Let go of all boards."""
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
        self._out.say(
            Trouble(
                Text(
                    f"{packets} packets at the boards' listener came from no board of this site",
                    f"控制器监听端口收到 {packets} 个不属于本站点控制器的数据包",
                )
            )
        )
