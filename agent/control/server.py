"""The control process's sockets: who comes gets a place, what they ask gets a turn, and an answer.

    entrances ─ a place ─▶ a line ─▶ who asks, seen anew ─▶ a turn ─▶ thread of acts, or of questions ─▶ the answer

Rules of this file:
- nothing a caller sends, or fails to send, stops the server or another caller. What each may take is in
  :mod:`agent.control.reception.budgets`, and there are places and turns that only roles and root can take;
- one thread does all acts, one tries acts on a copy for those who ask what they would do, a few do other questions; the
  event loop itself touches neither disk, decider nor name service. It reads requests of up to 4 KiB itself: that takes
  it some 50 µs at the most, and handing them on would take longer. Larger ones, which only roles may send, are read in
  the threads of questions, in turn;
- :class:`FatalError` ends the process: the holder starts a new one, and recovery is its start.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from agent.api import protocol
from agent.api.peers import credentials, with_login
from agent.api.roles import Role
from agent.control.dispatch import HandlerTable
from agent.control.reception import excess_alarms, requests
from agent.control.reception.arrivals import CallArrival
from agent.control.reception.budgets import BUDGETS, LOOKUP, QUESTIONS, REHEARSING, REST, SMALL, CallerKind
from agent.control.reception.caller import BrokenRequestError, ConnectedCaller
from agent.control.reception.entrance import Entrance
from agent.control.reception.over_budget import Excess, OverBudgetBook
from agent.control.reception.places import CallerPlaces, Share
from agent.control.reception.requests import ReceivedRequest, RequestHandlers
from agent.control.reception.reserved import NAMING, ReservedPlaces
from agent.control.reception.standings import NameService, RoleSource, Standings
from agent.control.reception.turns import TurnLimits
from agent.control.reception.workers import TurnWorkers
from agent.control.services import ControlServices
from agent.control.transaction import ActExecutor
from agent.errors import FatalError, RefusedError, ShoumiError, UnreachableError
from agent.runtime.os_groups import gid_of, present
from rules.text import Text

_T = TypeVar("_T")
_PAUSE = 0.1  # seconds between two looks of a stream that has nothing new
_RENEW = 0.5  # seconds: whose turn has not come is looked up again
_AGENT = -1  # in place of a uid: the agent's own acts


class ControlServer:
    """Serves one agent on its listening sockets until :meth:`stop`, or until a :class:`FatalError`."""

    def __init__(self, services: ControlServices, handlers: HandlerTable, executor: ActExecutor) -> None:
        self._services = services
        self._executor = executor
        self._requests = RequestHandlers(services, handlers, executor)
        self._acts = TurnWorkers(ThreadPoolExecutor(1, "acts"), 1, dict.fromkeys(CallerKind, TurnLimits(1, 1, 64)), {})
        self._questions = TurnWorkers(
            ThreadPoolExecutor(QUESTIONS, "questions"),
            QUESTIONS,
            {kind: TurnLimits(one.running, one.running_each, 2 * one.places_each) for kind, one in BUDGETS.items()},
            {kind: one.parts for kind, one in BUDGETS.items()},
        )
        self._rehearsals = TurnWorkers(
            ThreadPoolExecutor(1, "rehearsals"),
            1,
            {kind: TurnLimits(1, 1, one.running_each) for kind, one in BUDGETS.items()},
            dict.fromkeys(CallerKind, REHEARSING),
        )
        self._reader = ThreadPoolExecutor(1, "role-groups")
        names = NameService(gid_of, present)
        site = services.site
        roles = RoleSource(site.role_groups, site.glass_is_broken, site.was_on_host)
        self._standings = Standings(roles, names, self._reader)
        self._reserved = ReservedPlaces(services.site.home, services.site.role_groups, names, self._reader)
        self._places = CallerPlaces({kind: Share(one.places, one.places_each) for kind, one in BUDGETS.items()})
        self._book = OverBudgetBook()
        self._streams: Counter[int] = Counter()
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by place
        self._stopped = asyncio.Event()
        self._fatal: FatalError | None = None

    async def serve(self, listening: Iterable[tuple[Role | None, socket.socket]]) -> None:
        """Answer until stopped. Raises the :class:`FatalError` a handler raised."""
        entrances = [Entrance(end, self._arrive, rest=0 if kept else REST) for kept, end in listening]
        for entrance in entrances:
            entrance.open()
        try:
            await self._stopped.wait()
        finally:
            for entrance in entrances:
                entrance.close()
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._acts.close(drop=False)
            self._questions.close(drop=True)
            self._rehearsals.close(drop=True)
            self._reader.shutdown(cancel_futures=True)
        if self._fatal:
            raise self._fatal

    def stop(self) -> None:
        """End serving: the act under way is finished, streams are cut."""
        self._stopped.set()

    def fail(self, error: FatalError) -> None:
        """End serving because the state of this process is unknown; :meth:`serve` raises *error*."""
        self._fatal = error
        self.stop()

    async def act_thread(self, work: Callable[[], _T]) -> _T:
        """Run *work* in the thread of acts (scheduled acts take their turn there too)."""
        return await asyncio.wrap_future(self._acts.ask(CallerKind.ROLE, _AGENT, work))

    def act(self, work: Callable[[], _T]) -> _T:
        """The same for another thread: run *work* there, wait for it, return or raise what it did."""
        return self._acts.ask(CallerKind.ROLE, _AGENT, work).result()

    async def look(self) -> None:
        """Look whose groups are those of the roles, for places and sockets. Called again and again."""
        await self._reserved.look()

    async def tell(self) -> None:
        """Tell who asked for more than their budget. Called again and again."""
        for uid, times in self._services.refusals.unrecorded().items():
            self._book.note(uid, Excess.REFUSALS, time.monotonic(), times)
        for over in self._book.due(time.monotonic()):
            await self.act_thread(partial(excess_alarms.tell, self._services, over))

    def _arrive(self, end: socket.socket, since: float) -> None:
        """Give a place to who has just connected, or turn them away."""
        end.setblocking(False)
        try:
            with suppress(BlockingIOError):
                if not end.recv(1, socket.MSG_PEEK):
                    raise ConnectionResetError  # gone already
            known = credentials(end)
            kind = self._reserved.kind_of(known)
            place, lost = self._places.arrive(kind, known.uid)
            if lost is not None:
                self._tasks[lost].cancel()
            if place is None:
                self._turn_away(known.uid, Excess.CONNECTIONS)
                end.send(protocol.failure("", _crowded()))
                raise ConnectionRefusedError
        except OSError:
            end.close()
            return
        caller = ConnectedCaller(end, with_login(known, end), kind, since)
        self._tasks[place] = asyncio.get_running_loop().create_task(self._accompany(caller, place, end))

    async def _accompany(self, caller: ConnectedCaller, place: int, end: socket.socket) -> None:
        try:
            await self._converse(caller, place)
        except (OSError, asyncio.CancelledError):
            pass  # the caller is gone, or has lost its place, or we are stopping
        finally:
            del self._tasks[place]
            self._places.leave(place)
            end.close()

    async def _converse(self, caller: ConnectedCaller, place: int) -> None:
        while True:
            self._places.idle(place)
            call = protocol.Call("", "", {})
            try:
                line = await caller.line(partial(self._has_role, caller))
                if line is None:
                    return
                self._places.busy(place)
                call = await self._parsed(caller, line.data)
                await self._answer(caller, call, line.arrived)
            except BrokenRequestError as error:
                self._turn_away(caller.peer.uid, Excess.REQUESTS)
                await caller.send(protocol.failure("", error))
                return
            except ShoumiError as error:
                await caller.send(protocol.failure(call.id, error))
            except FatalError as error:
                await caller.send(protocol.failure(call.id, UnreachableError(error.text)))
                self.fail(error)
                return
            if caller.budget.pause:
                await asyncio.sleep(caller.budget.pause)

    async def _has_role(self, caller: ConnectedCaller) -> bool:
        try:
            seen = await self._standings.see(caller.peer, caller.kind)
        except RefusedError as unknown:
            raise BrokenRequestError(unknown.text, unknown.hint) from None
        return seen.standing(caller.peer).role is not None

    async def _parsed(self, caller: ConnectedCaller, data: bytes) -> protocol.Call:
        if len(data) <= SMALL:
            return protocol.parse(data)
        return await asyncio.wrap_future(
            self._asked(self._questions, caller.kind, caller, partial(protocol.parse, data))
        )

    async def _answer(self, caller: ConnectedCaller, call: protocol.Call, arrived: CallArrival) -> None:
        operation = requests.operation_of(call.op)
        seen = await self._standings.see(caller.peer, caller.kind)
        received = ReceivedRequest(call, operation, caller.peer, arrived, seen)
        kind = CallerKind.STRANGER if caller.peer.uid else CallerKind.ROOT
        if seen.standing(caller.peer).role is not None:
            kind = CallerKind.ROLE
        workers = self._questions
        if not received.forbidden and (operation.act or operation.rehearses):
            workers = self._acts if operation.act else self._rehearsals
        found = await self._in_turn(
            self._asked(workers, kind, caller, partial(self._requests.answer, received)), received
        )
        if operation.act and found.get("act", call.op) in NAMING:
            await self._look_at_once()
        if operation.stream:
            await self._pour(found, call.id, kind, caller)
        else:
            await caller.send(protocol.result(call.id, found))

    async def _look_at_once(self) -> None:
        """Look who the roles are now, so that their officers have their places when the act is answered."""
        with suppress(OSError, ShoumiError):  # slow or broken: the next look says so, and does it
            async with asyncio.timeout(LOOKUP):
                await self.look()

    async def _in_turn(self, asked: "Future[Any]", received: ReceivedRequest) -> Any:
        """Wait for the answer. Until it is the turn of the request, its caller is looked up again and again."""
        answer = asyncio.wrap_future(asked)
        try:
            while not (await asyncio.wait({answer}, timeout=_RENEW))[0]:
                if not asked.running() and not received.forbidden:
                    with suppress(RefusedError):  # what was seen before grows old, and will not do then
                        received.seen = await self._standings.see(received.peer, self._reserved.kind_of(received.peer))
            return answer.result()
        finally:
            answer.cancel()

    async def _pour(self, items: Iterator[Any], ident: str, kind: CallerKind, caller: ConnectedCaller) -> None:
        """Send *items* as they come, until they end or the caller hangs up (a silent stream notices that too)."""
        uid = caller.peer.uid
        if self._streams[uid] >= BUDGETS[kind].streams_each:
            self._turn_away(uid, Excess.REQUESTS)
            raise RefusedError(
                Text("too many streams are open", "打开的数据流过多"),
                Text("end some, and try again", "请结束一些后重试"),
            )
        self._streams[uid] += 1
        try:
            while batch := await asyncio.wrap_future(
                self._asked(self._questions, kind, caller, partial(requests.take, items))
            ):
                if lines := b"".join(protocol.item(ident, item) for item in batch if item is not None):
                    await caller.send(lines)
                if caller.gone():
                    return
                if batch[-1] is None:
                    await asyncio.sleep(_PAUSE)
        finally:
            self._streams[uid] -= 1
            if isinstance(items, Generator):
                await asyncio.shield(asyncio.wrap_future(self._questions.ask(kind, uid, items.close)))
        await caller.send(protocol.end(ident))

    def _asked(
        self, workers: TurnWorkers, kind: CallerKind, caller: ConnectedCaller, work: Callable[[], _T]
    ) -> "Future[_T]":
        try:
            return workers.ask(kind, caller.peer.uid, work)
        except RefusedError:
            self._turn_away(caller.peer.uid, Excess.REQUESTS)
            raise

    def _turn_away(self, uid: int, what: Excess) -> None:
        self._book.note(uid, what, time.monotonic())


def _crowded() -> RefusedError:
    return RefusedError(
        Text("too many connections", "连接过多"),
        Text("end some, and try again", "请关闭一些连接后重试"),
    )
