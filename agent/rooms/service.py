"""Door service for any thread: requests of handlers, offboarding and the schedule, passed to the one doors thread.

Rules of this file: wiring only. A method an act uses never waits for that thread, which may itself wait for the
registry the act holds: a command returns a ticket at once, and the state is the last known one. Offboarding waits for
its answer, a few seconds at most.
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
from rules.text import Message

_TICK = 0.1  # seconds: how late a change of rights may reach the boards and the panels
_ANSWER = 10.0

_T = TypeVar("_T")
_Question = Callable[[DoorWorker], Any]


class DoorServer:
    """The doors of one agent, for handlers and, as :class:`agent.offboard.context.DoorRevoker`, for offboarding."""

    def __init__(self, site: SiteContext, registry: Registry, user: str | None) -> None:
        """*user* is the account of the doors process; ``None``: the default account or an unused uid."""
        self._site = site
        self._registry = registry
        self._user = user
        self._tickets = PendingCommands()
        self._questions: SimpleQueue[tuple[_Question, Future[Any]]] = SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stopped = threading.Event()
        self._last_state: Mapping[str, Any] | None = None

    # The thread.

    def serve(self) -> None:
        """Serve until :meth:`stop`. Raises :class:`FatalError`, and :class:`ShoumiError` when it could not start."""
        child = FieldProcess(_origin(self._site.home, self._user))
        work = DoorWorker(self._site, self._registry, child, self._tickets)
        try:
            work.begin()
            while not self._stopped.is_set():
                work.round()
                if work.news or self._last_state is None:
                    self._last_state = work.state()
                self._answer(work)
                due = work.rooms.due()
                late = _TICK if due is None else min(_TICK, max(0.0, due - self._site.now().timestamp()))
                heard = child.descriptors()
                select.select([self._wake, *heard], heard[:1] if child.waiting else [], [], late)
                self._drain()
        finally:
            self._last_state = None
            work.close()
            self._refuse_waiting()

    def stop(self) -> None:
        """Stop serving: the doors process ends, and doors stay locked."""
        self._stopped.set()
        self._poke()

    def close(self) -> None:
        """Release the resources, after serving and all requests have ended."""
        os.close(self._wake)

    # Handlers.

    def changed(self) -> None:
        """Signal that an act has changed the registry. Never waits, never raises."""
        self._poke()

    def state(self) -> Mapping[str, Any]:
        """Return ``process`` (running, down, none), ``readers`` and ``boards`` (serial numbers).

        A reader is ``door side address online secure why hint key``; ``why`` and ``hint`` of an offline one.
        """
        last_state = (
            self._last_state
        )  # an act calls this while it holds the registry, for which the other thread may wait
        if last_state is None:
            raise _not_served()
        return last_state

    def release(self, door: str, entry: int) -> str:
        """Release a door once, as authorised by the log entry of this number; return a ticket."""
        return self._command("release", lambda work, ticket: work.release(ticket, door))

    def commission(self, address: str) -> str:
        """Install a new key on a reader in install mode; return a ticket. The key is not returned."""
        return self._command("key", lambda work, ticket: work.commission(ticket, address))

    def rekey(self, address: str) -> str:
        """Change the key of a reader over its Secure Channel; return a ticket."""
        return self._command("key", lambda work, ticket: work.rekey(ticket, address))

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """Return the outcome of a command, after waiting at most *seconds*; an unknown ticket is refused."""
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
        self._questions.put((question, answer))
        self._poke()
        try:
            return answer.result(_ANSWER)
        except TimeoutError:
            raise _not_served() from None

    def _command(self, prefix: str, command: Callable[[DoorWorker, str], None]) -> str:
        ticket = self._tickets.open(prefix)

        def give(work: DoorWorker) -> None:
            try:
                command(work, ticket)
            except ShoumiError as error:
                self._tickets.settle(ticket, CommandOutcome(ok=False, reason=error.text))

        self._questions.put((give, Future()))
        self._poke()
        return ticket

    def _answer(self, work: DoorWorker) -> None:
        while True:
            try:
                question, answer = self._questions.get_nowait()
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
                _, answer = self._questions.get_nowait()
            except Empty:
                return
            answer.set_exception(_not_served())

    def _poke(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)


def _origin(home: Home, user: str | None) -> FieldOrigin:
    """Return the origin of the doors process. Raises :class:`ShoumiError` for an unusable account."""
    return FieldChild(identity(user)) if has_network() else FieldUnit(home.doors, partial(account, user))


def _not_served() -> UnreachableError:
    return UnreachableError(Message("rooms.doors-not-in-service"))
