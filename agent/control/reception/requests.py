"""Processing of one request: permission, second factor, handler, result.

Rules of this file: it runs in the threads of acts and of queries, and raises :class:`ShoumiError` and
:class:`FatalError` only. The role of a caller is determined when processing begins, by groups looked up moments before;
lookups older than :data:`FRESH` do not count. A forbidden request is recorded where its execution would be.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from itertools import islice
from typing import Any

from agent.api import protocol
from agent.api.operations import TABLE, needs_factor
from agent.api.operations.break_glass import MEANWHILE
from agent.api.operations.schema import OFFICERS, Operation
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control.dispatch import HandlerRequest, HandlerTable
from agent.control.reception.arrivals import CallArrival
from agent.control.reception.budgets import FRESH
from agent.control.reception.standings import SeenGroups
from agent.control.services import ControlServices
from agent.control.transaction import ActExecutor, record_reading, record_refusal
from agent.errors import FatalError, ForbiddenError, RefusedError, ShoumiError, UsageError
from agent.runtime.saying import say_traceback
from rules.text import Message, either
from rules.visible import visible

_BATCH = 64  # items of a stream fetched at a time


@dataclass(slots=True)
class ReceivedRequest:
    """A request of a caller, and its arrival.

    ``seen_groups`` is renewed while it waits, unless the request is ``forbidden``, which selects the worker.
    """

    call: protocol.Call
    operation: Operation
    peer: Peer
    arrived: CallArrival
    seen_groups: SeenGroups
    forbidden: bool = field(init=False)

    def __post_init__(self) -> None:
        caller = self.seen_groups.standing(self.peer)
        permit = permission(self.operation, self.call.args, caller, _partner(self.seen_groups, caller))
        self.forbidden = isinstance(permit, ForbiddenError)


class RequestHandlers:
    """Answers requests with the handlers of all operations. For any thread; acts belong to the thread of acts."""

    def __init__(self, services: ControlServices, handlers: HandlerTable, executor: ActExecutor) -> None:
        self._services = services
        self._handlers = handlers
        self._executor = executor

    def answer(self, received: ReceivedRequest) -> Any:
        """Return the result, or the items of a stream."""
        try:
            return self._answer(received)
        except (ShoumiError, FatalError):
            raise
        except Exception as error:
            raise our_fault(error) from error

    def _answer(self, received: ReceivedRequest) -> Any:
        seen_groups, call, operation = received.seen_groups, received.call, received.operation
        self._require_fresh(seen_groups)
        now, caller = self._services.site.now(), seen_groups.standing(received.peer)
        request = HandlerRequest(
            call.op,
            operation.read(call.args, None),
            call.args,
            received.peer,
            caller,
            now,
            self._services,
            now - timedelta(seconds=time.monotonic() - received.arrived.read),
            _partner(seen_groups, caller),
            arrived=received.arrived.since,
        )
        permit = permission(operation, call.args, caller, request.partner)
        if isinstance(permit, ForbiddenError):
            if operation.act or operation.read_entry:
                record_refusal(request, permit)
            raise permit
        request.roles_needed.extend(permit)
        if needs_factor(call.op, call.args):
            self._services.factor.require(received.peer)
        if operation.act:
            return self._executor.execute(request)
        if operation.read_entry:
            record_reading(request)
        handlers = self._handlers
        return handlers.streams[call.op](request) if operation.stream else handlers.reads[call.op](request)

    def _require_fresh(self, seen_groups: SeenGroups) -> None:
        if time.monotonic() - seen_groups.at > FRESH or seen_groups.groups != self._services.site.role_groups():
            raise RefusedError(
                Message("control.caller-groups-outdated"),
                Message("control.retry-name-service"),
            )


def operation_of(op: str) -> Operation:
    """Return the operation of this name; raise :class:`UsageError` with similar names."""
    operation = TABLE.get(op)
    if operation is not None:
        return operation
    shown_name = visible(op[:64])
    near = ", ".join(f"`{name}`" for name in get_close_matches(op[:64], TABLE, n=3))
    hint = Message("control.did-you-mean", names=near) if near else None
    raise UsageError(Message("control.operation-not-found", name=shown_name), hint)


def take(items: Iterator[Any]) -> list[Any]:
    """Return the next items of a stream, up to the first ``None``. Errors of the agent pass unchanged."""
    batch = []
    try:
        for entry in islice(items, _BATCH):
            batch.append(entry)
            if entry is None:
                break
    except (ShoumiError, FatalError):
        raise
    except Exception as error:
        raise our_fault(error) from error
    return batch


def our_fault(error: Exception) -> RefusedError:
    """Return the error for an internal failure, and write its traceback to stderr."""
    say_traceback(error)
    error_name = type(error).__name__
    return RefusedError(
        Message("control.internal-error", error=error_name),
        Message("control.report-internal-error"),
    )


def permission(
    operation: Operation, arguments: Mapping[str, object], caller: CallerRole, partner: frozenset[Role]
) -> ForbiddenError | list[frozenset[Role]]:
    """Return the roles that a second officer must bring, or why *caller* may not do it.

    *partner*: roles that a second officer may have.
    """
    roles_needed = []
    if caller.role is Role.BREAK_GLASS and (operation.act or operation.read_entry) and operation.name not in MEANWHILE:
        op = operation.name
        return ForbiddenError(
            Message("control.break-glass-excludes-operation", op=op),
            Message("control.restore-administrators-first"),
        )
    for number, allowed in enumerate(operation.allowed(arguments)):
        if number and not caller.may(allowed) and partner & allowed:
            roles_needed.append(allowed)  # a second officer may bring the role for this argument
        elif not caller.may(allowed):
            names = either(role.text for role in sorted(allowed))
            reason, op = caller.why_none or Message("control.role-mismatch"), operation.name
            return ForbiddenError(
                Message("control.role-required", op=op, roles=names, reason=reason),
                Message("control.see-role-list"),
            )
    return roles_needed


def _partner(seen_groups: SeenGroups, caller: CallerRole) -> frozenset[Role]:
    return OFFICERS if seen_groups.groups.configured and caller.role in OFFICERS else frozenset[Role]()
