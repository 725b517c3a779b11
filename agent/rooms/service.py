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
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from agent.errors import FatalError, ShoumiError, UnreachableError
from agent.registry.store import Registry
from agent.rooms.field.child import FieldChild
from agent.rooms.field.identity import account, identity
from agent.rooms.field.origin import FieldOrigin
from agent.rooms.field.process import FieldProcess
from agent.rooms.field.unit import FieldUnit, has_network
from agent.rooms.pending_commands import CommandOutcome, PendingCommands
from agent.rooms.refusal_check import KnownRefusal
from agent.rooms.worker import DoorWorker
from agent.runtime.home import Home
from agent.site.context import SiteContext
from rules.text import Text

_TICK = 0.1  # seconds: how late a change of rights may reach the boards and the panels
_ANSWER = 10.0

_T = TypeVar("_T")
_Question = Callable[[DoorWorker], Any]


class DoorServer:
    """The doors of one agent, for handlers and, as :class:`agent.offboard.context.DoorRevoker`, for departures."""

    def __init__(self, site: SiteContext, registry: Registry, user: str | None) -> None:
        """*user* is the account the doors process runs as, ``None``: one is found."""
        self._site = site
        self._registry = registry
        self._user = user
        self._tickets = PendingCommands()
        self._asked: SimpleQueue[tuple[_Question, Future[Any]]] = SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stopped = threading.Event()
        self._shown: Mapping[str, Any] | None = None

    # The thread.

    def serve(self) -> None:
        """Serve until :meth:`stop`. Raises :class:`FatalError`, and :class:`ShoumiError` when it could not begin."""
        child = FieldProcess(_origin(self._site.home, self._user))
        work = DoorWorker(self._site, self._registry, child, self._tickets)
        try:
            work.begin()
            while not self._stopped.is_set():
                work.round()
                if work.news or self._shown is None:
                    self._shown = work.state()
                self._answer(work)
                due = work.rooms.due()
                late = _TICK if due is None else min(_TICK, max(0.0, due - self._site.now().timestamp()))
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

    def close(self) -> None:
        """Let go of everything, once nobody serves or asks any more."""
        os.close(self._wake)

    # Handlers.

    def changed(self) -> None:
        """Take over what an act has just changed. Never waits, never raises."""
        self._poke()

    def state(self) -> Mapping[str, Any]:
        """Return ``process`` (running, down, none), ``readers`` and ``boards`` (serial numbers).

        A reader is ``door side address online secure why hint key``; ``why`` and ``hint`` of one that is not there.
        """
        shown = self._shown  # an act asks while it holds the registry, which the other thread may be waiting for
        if shown is None:
            raise _not_served()
        return shown

    def release(self, door: str, entry: int) -> str:
        """Release a door once, on the authority of the entry with this number, and return a ticket."""
        return self._command("release", lambda work, ticket: work.release(ticket, door))

    def commission(self, address: str) -> str:
        """Give a reader in installation mode a new key, and return a ticket. The key stays on that side."""
        return self._command("key", lambda work, ticket: work.commission(ticket, address))

    def rekey(self, address: str) -> str:
        """Give a reader another key over its secure channel, and return a ticket."""
        return self._command("key", lambda work, ticket: work.rekey(ticket, address))

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """Wait at most so long for what came of a command; refused for a ticket nobody gave."""
        return self._tickets.outcome(ticket, seconds)

    # Departures.

    def names(self) -> Iterable[str]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return sorted(row.name for row in self._site.facts.doors())

    def inside(self, person: str) -> Iterable[str]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return sorted(self._site.facts.rooms_of(person))

    def refuse(self, person: str) -> Iterable[KnownRefusal]:
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


def _origin(home: Home, user: str | None) -> FieldOrigin:
    """Return where the doors process comes from. Raises :class:`ShoumiError` for an account that cannot be."""
    return FieldChild(identity(user)) if has_network() else FieldUnit(home.doors, partial(account, user))


def _not_served() -> UnreachableError:
    return UnreachableError(Text("the doors are not served at the moment", "门禁服务暂不可用"))
