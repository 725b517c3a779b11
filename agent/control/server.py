"""Server of the control sockets: assigns places to connections and turns to requests.

    entrances ─ a place ─▶ a line ─▶ who asks, seen anew ─▶ a turn ─▶ thread of acts, or of questions ─▶ the answer

Rules of this file:
- nothing a caller sends, or fails to send, stops the server or another caller. The limits of each are in
  :mod:`agent.control.reception.budgets`, and some places and turns are reserved for roles and root;
- one thread runs all acts, one runs rehearsals, a few answer other queries; the event loop itself touches neither disk,
  decider nor name service. It parses requests of up to 4 KiB itself, in 50 µs at most, which is faster than a
  hand-over. Larger ones, which only roles may send, are parsed in the threads of queries, in turn;
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
from rules.text import Message

_T = TypeVar("_T")
_PAUSE = 0.1  # seconds between two polls of a stream without news
_RENEW = 0.5  # seconds between two lookups of a waiting caller
_AGENT = -1  # stands for the uid of the agent's own acts


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
            {
                kind: TurnLimits(budget.running, budget.running_each, 2 * budget.places_each)
                for kind, budget in BUDGETS.items()
            },
            {kind: budget.parts for kind, budget in BUDGETS.items()},
        )
        self._rehearsals = TurnWorkers(
            ThreadPoolExecutor(1, "rehearsals"),
            1,
            {kind: TurnLimits(1, 1, budget.running_each) for kind, budget in BUDGETS.items()},
            dict.fromkeys(CallerKind, REHEARSING),
        )
        self._reader = ThreadPoolExecutor(1, "role-groups")
        names = NameService(gid_of, present)
        site = services.site
        roles = RoleSource(site.role_groups, site.glass_is_broken, site.was_on_host)
        self._standings = Standings(roles, names, self._reader)
        self._reserved = ReservedPlaces(services.site.home, services.site.role_groups, names, self._reader)
        self._places = CallerPlaces(
            {kind: Share(budget.places, budget.places_each) for kind, budget in BUDGETS.items()}
        )
        self._book = OverBudgetBook()
        self._streams: Counter[int] = Counter()
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by place
        self._stopped = asyncio.Event()
        self._fatal: FatalError | None = None

    async def serve(self, listening: Iterable[tuple[Role | None, socket.socket]]) -> None:
        """Answer until stopped. Raises the :class:`FatalError` a handler raised."""
        entrances = [Entrance(end, self._arrive, pause=0 if role else REST) for role, end in listening]
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
        """Run *work* in the thread of acts (scheduled acts take their turn there, too)."""
        return await asyncio.wrap_future(self._acts.ask(CallerKind.ROLE, _AGENT, work))

    def act(self, work: Callable[[], _T]) -> _T:
        """Run *work* in the thread of acts, for another thread: wait, and return its result or raise its error."""
        return self._acts.ask(CallerKind.ROLE, _AGENT, work).result()

    async def refresh_role_sockets(self) -> None:
        """Refresh the groups of the roles, for places and sockets. Called periodically."""
        await self._reserved.refresh()

    async def tell(self) -> None:
        """Report uids over their budget. Called periodically."""
        for uid, times in self._services.refusals.unrecorded().items():
            self._book.note(uid, Excess.REFUSALS, time.monotonic(), times)
        for over in self._book.due(time.monotonic()):
            await self.act_thread(partial(excess_alarms.tell, self._services, over))

    def _arrive(self, end: socket.socket, since: float) -> None:
        """Assign a place to a new connection, or refuse it."""
        end.setblocking(False)
        try:
            with suppress(BlockingIOError):
                if not end.recv(1, socket.MSG_PEEK):
                    raise ConnectionResetError  # gone already
            peer = credentials(end)
            kind = self._reserved.kind_of(peer)
            place, lost = self._places.arrive(kind, peer.uid)
            if lost is not None:
                self._tasks[lost].cancel()
            if place is None:
                self._turn_away(peer.uid, Excess.CONNECTIONS)
                end.send(protocol.failure("", _crowded()))
                raise ConnectionRefusedError
        except OSError:
            end.close()
            return
        caller = ConnectedCaller(end, with_login(peer, end), kind, since)
        self._tasks[place] = asyncio.get_running_loop().create_task(self._accompany(caller, place, end))

    async def _accompany(self, caller: ConnectedCaller, place: int, end: socket.socket) -> None:
        try:
            await self._converse(caller, place)
        except (OSError, asyncio.CancelledError):
            pass  # the caller disconnected or lost its place, or the server stops
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
                call = await self._parsed(caller, line.payload)
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
            seen_groups = await self._standings.see(caller.peer, caller.kind)
        except RefusedError as unknown:
            raise BrokenRequestError(unknown.text, unknown.hint) from None
        return seen_groups.standing(caller.peer).role is not None

    async def _parsed(self, caller: ConnectedCaller, payload: bytes) -> protocol.Call:
        if len(payload) <= SMALL:
            return protocol.parse(payload)
        return await asyncio.wrap_future(
            self._enqueue(self._questions, caller.kind, caller, partial(protocol.parse, payload))
        )

    async def _answer(self, caller: ConnectedCaller, call: protocol.Call, arrived: CallArrival) -> None:
        operation = requests.operation_of(call.op)
        seen_groups = await self._standings.see(caller.peer, caller.kind)
        received = ReceivedRequest(call, operation, caller.peer, arrived, seen_groups)
        kind = CallerKind.STRANGER if caller.peer.uid else CallerKind.ROOT
        if seen_groups.standing(caller.peer).role is not None:
            kind = CallerKind.ROLE
        workers = self._questions
        if not received.forbidden and (operation.act or operation.rehearses):
            workers = self._acts if operation.act else self._rehearsals
        reply = await self._in_turn(
            self._enqueue(workers, kind, caller, partial(self._requests.answer, received)), received
        )
        if operation.act and reply.get("act", call.op) in NAMING:
            await self._look_at_once()
        if operation.stream:
            await self._pour(reply, call.id, kind, caller)
        else:
            await caller.send(protocol.result(call.id, reply))

    async def _look_at_once(self) -> None:
        """Refresh the groups of the roles at once, so that officers have their places when the act is answered."""
        with suppress(OSError, ShoumiError):  # slow or broken: the next refresh reports and retries
            async with asyncio.timeout(LOOKUP):
                await self.refresh_role_sockets()

    async def _in_turn(self, future: "Future[Any]", received: ReceivedRequest) -> Any:
        """Wait for the answer; until the request has its turn, look up its caller periodically."""
        answer = asyncio.wrap_future(future)
        try:
            while not (await asyncio.wait({answer}, timeout=_RENEW))[0]:
                if not future.running() and not received.forbidden:
                    with suppress(RefusedError):  # the former lookup expires, and the request is refused then
                        received.seen_groups = await self._standings.see(
                            received.peer, self._reserved.kind_of(received.peer)
                        )
            return answer.result()
        finally:
            answer.cancel()

    async def _pour(self, items: Iterator[Any], ident: str, kind: CallerKind, caller: ConnectedCaller) -> None:
        """Send *items* as they come, until they end or the caller disconnects (noticed even without items)."""
        uid = caller.peer.uid
        if self._streams[uid] >= BUDGETS[kind].streams_each:
            self._turn_away(uid, Excess.REQUESTS)
            raise RefusedError(
                Message("control.too-many-streams"),
                Message("control.close-streams"),
            )
        self._streams[uid] += 1
        try:
            while batch := await asyncio.wrap_future(
                self._enqueue(self._questions, kind, caller, partial(requests.take, items))
            ):
                if lines := b"".join(protocol.item(ident, entry) for entry in batch if entry is not None):
                    await caller.send(lines)
                if caller.hung_up():
                    return
                if batch[-1] is None:
                    await asyncio.sleep(_PAUSE)
        finally:
            self._streams[uid] -= 1
            if isinstance(items, Generator):
                await asyncio.shield(asyncio.wrap_future(self._questions.ask(kind, uid, items.close)))
        await caller.send(protocol.end(ident))

    def _enqueue(
        self, workers: TurnWorkers, kind: CallerKind, caller: ConnectedCaller, work: Callable[[], _T]
    ) -> "Future[_T]":
        try:
            return workers.ask(kind, caller.peer.uid, work)
        except RefusedError:
            self._turn_away(caller.peer.uid, Excess.REQUESTS)
            raise

    def _turn_away(self, uid: int, excess: Excess) -> None:
        self._book.note(uid, excess, time.monotonic())


def _crowded() -> RefusedError:
    return RefusedError(
        Message("control.too-many-connections"),
        Message("control.close-connections"),
    )
