"""The doors from any thread: what handlers, departures and the schedule ask, handed to the one thread that serves them.

Rules of this file: wiring only. What an act may use never waits for that thread, which may itself wait for the registry
the act holds: a command is a ticket at once, and the state is what was last seen. A departure waits for its answer, a
few seconds at most.
"""

import os
import select
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from agent.doors.osdp.keys import KeyStore
from agent.errors import FatalError, ShoumiError, UnreachableError
from agent.offboard.context import DoorRefusal
from agent.rooms.field_identity import identity
from agent.rooms.field_process import FieldProcess
from agent.rooms.interface import CommandOutcome
from agent.rooms.reader_keys import ReaderKeys
from agent.rooms.tickets import PendingCommands
from agent.rooms.worker import DoorWorker
from rules.text import Text

if TYPE_CHECKING:
    from agent.control.services import ControlServices

_TICK = 0.1  # seconds: how late a change of rights may reach the boards and the panels
_ANSWER = 10.0

_T = TypeVar("_T")
_Question = Callable[[DoorWorker], Any]


class DoorServer:
    """The doors of one agent: :class:`DoorService`, and :class:`DoorRevoker`."""

    def __init__(self, desk: "ControlServices") -> None:
        self._desk = desk
        self._tickets = PendingCommands()
        self._asked: SimpleQueue[tuple[_Question, Future[Any]]] = SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stopped = threading.Event()
        self._shown: Mapping[str, Any] | None = None

    # The thread.

    def serve(self) -> None:
        """Serve until :meth:`stop`. Raises :class:`FatalError`, and :class:`ShoumiError` when it could not begin."""
        child = FieldProcess(identity(self._desk.config.doors_user))
        store = KeyStore(self._desk.home.root / "doors.keys")
        desk = self._desk
        work = DoorWorker(
            desk,
            child,
            lambda made: ReaderKeys(store, desk.registry, self._tickets, made.send, desk.now),
            self._tickets,
        )
        try:
            work.begin()
            while not self._stopped.is_set():
                work.round()
                if work.news or self._shown is None:
                    self._shown = work.state()
                self._answer(work)
                due = work.rooms.due()
                late = _TICK if due is None else min(_TICK, max(0.0, due - desk.now().timestamp()))
                heard = child.descriptors()
                select.select([self._wake, *heard], heard[:1] if child.waiting else [], [], late)
                self._drain()
        finally:
            self._shown = None
            work.close()
            self._refuse_waiting()

    def stop(self) -> None:
        """End serving: the doors process ends, and doors stay locked."""
        self._stopped.set()
        self._poke()

    # Handlers.

    def changed(self) -> None:
        """See :class:`agent.rooms.interface.DoorService`."""
        self._poke()

    def state(self) -> Mapping[str, Any]:
        """See :class:`agent.rooms.interface.DoorService`."""
        shown = self._shown  # an act asks while it holds the registry, which the other thread may be waiting for
        if shown is None:
            raise _not_served()
        return shown

    def release(self, door: str, entry: int) -> str:
        """See :class:`agent.rooms.interface.DoorService`."""
        return self._command("release", lambda work, ticket: work.release(ticket, door))

    def commission(self, address: str) -> str:
        """See :class:`agent.rooms.interface.DoorService`."""
        return self._command("key", lambda work, ticket: work.commission(ticket, address))

    def rekey(self, address: str) -> str:
        """See :class:`agent.rooms.interface.DoorService`."""
        return self._command("key", lambda work, ticket: work.rekey(ticket, address))

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """See :class:`agent.rooms.interface.DoorService`."""
        return self._tickets.outcome(ticket, seconds)

    # Departures.

    def names(self) -> Iterable[str]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return sorted(row.name for row in self._desk.facts.doors())

    def inside(self, person: str) -> Iterable[str]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return sorted(self._desk.facts.rooms_of(person))

    def refuse(self, person: str) -> Iterable[DoorRefusal]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return self._ask(lambda work: list(work.refusals(person)))

    # Between the threads.

    def _ask(self, question: Callable[[DoorWorker], _T]) -> _T:
        answer: Future[_T] = Future()
        self._asked.put((question, answer))
        self._poke()
        try:
            return answer.result(_ANSWER)
        except TimeoutError:
            raise _not_served() from None

    def _command(self, what: str, command: Callable[[DoorWorker, str], None]) -> str:
        ticket = self._tickets.open(what)

        def give(work: DoorWorker) -> None:
            try:
                command(work, ticket)
            except ShoumiError as error:
                self._tickets.settle(ticket, CommandOutcome(ok=False, why=error.text))

        self._asked.put((give, Future()))
        self._poke()
        return ticket

    def _answer(self, work: DoorWorker) -> None:
        while True:
            try:
                question, answer = self._asked.get_nowait()
            except Empty:
                return
            try:
                answer.set_result(question(work))
            except ShoumiError as error:
                answer.set_exception(error)
            except FatalError as error:
                answer.set_exception(UnreachableError(error.text))
                raise

    def _refuse_waiting(self) -> None:
        while True:
            try:
                _, answer = self._asked.get_nowait()
            except Empty:
                return
            answer.set_exception(_not_served())

    def _poke(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)


def _not_served() -> UnreachableError:
    return UnreachableError(Text("the doors are not served at the moment", "门禁服务暂不可用"))
