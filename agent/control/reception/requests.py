"""One request, from what was asked to its result: who may ask it, and the handler that answers it.

Rules of this file: it runs in the threads of acts and of questions, and raises :class:`ShoumiError` and
:class:`FatalError`, nothing else. A caller's standing is judged when the request is taken up, by groups that were
looked up moments before; ones that are older than :data:`FRESH` are unknown. What may not be asked is an entry where
doing it would be one.
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
from rules.text import Text
from rules.visible import visible

_BATCH = 64  # items of a stream fetched at a time


@dataclass(slots=True)
class ReceivedRequest:
    """What a caller asked, and when it arrived.

    ``seen`` is renewed while it waits, unless it is ``forbidden`` by that, which says who answers.
    """

    call: protocol.Call
    operation: Operation
    peer: Peer
    arrived: CallArrival
    seen: SeenGroups
    forbidden: bool = field(init=False)

    def __post_init__(self) -> None:
        who = self.seen.standing(self.peer)
        found = permission(self.operation, self.call.args, who, _partner(self.seen, who))
        self.forbidden = isinstance(found, ForbiddenError)


class RequestHandlers:
    """Answers requests with the handlers of all operations. For any thread, but acts belong to the thread of acts."""

    def __init__(self, services: ControlServices, handlers: HandlerTable, executor: ActExecutor) -> None:
        self._services = services
        self._handlers = handlers
        self._executor = executor

    def answer(self, received: ReceivedRequest) -> Any:
        """Return the result, of a stream its items."""
        try:
            return self._answer(received)
        except (ShoumiError, FatalError):
            raise
        except Exception as error:
            raise our_fault(error) from error

    def _answer(self, received: ReceivedRequest) -> Any:
        seen, call, operation = received.seen, received.call, received.operation
        self._require_fresh(seen)
        now, who = self._services.site.now(), seen.standing(received.peer)
        request = HandlerRequest(
            call.op,
            operation.read(call.args, None),
            call.args,
            received.peer,
            who,
            now,
            self._services,
            now - timedelta(seconds=time.monotonic() - received.arrived.read),
            _partner(seen, who),
            arrived=received.arrived.since,
        )
        found = permission(operation, call.args, who, request.partner)
        if isinstance(found, ForbiddenError):
            if operation.act or operation.read_entry:
                record_refusal(request, found)
            raise found
        request.asked.extend(found)
        if needs_factor(call.op, call.args):
            self._services.factor.require(received.peer)
        if operation.act:
            return self._executor.execute(request)
        if operation.read_entry:
            record_reading(request)
        handlers = self._handlers
        return handlers.streams[call.op](request) if operation.stream else handlers.reads[call.op](request)

    def _require_fresh(self, seen: SeenGroups) -> None:
        if time.monotonic() - seen.at > FRESH or seen.groups != self._services.site.role_groups():
            raise RefusedError(
                Text(
                    "what groups the caller is in was looked up too long ago, so the role is unknown",
                    "调用者所在的组查询已过时，无法确定其角色",
                ),
                Text("try again; if it stays so, the name service is slow", "请重试；若持续如此，则名称服务过慢"),
            )


def operation_of(op: str) -> Operation:
    """Return the operation of this name; raise :class:`UsageError` with the near ones."""
    operation = TABLE.get(op)
    if operation is not None:
        return operation
    said = visible(op[:64])
    near = ", ".join(f"`{name}`" for name in get_close_matches(op[:64], TABLE, n=3))
    hint = Text(f"perhaps {near}", f"也许是 {near}") if near else None
    raise UsageError(Text(f"no operation is called `{said}`", f"没有名为 `{said}` 的操作"), hint)


def take(items: Iterator[Any]) -> list[Any]:
    """Return the next items of a stream, up to the first ``None``. Errors of ours cross as they are."""
    batch = []
    try:
        for item in islice(items, _BATCH):
            batch.append(item)
            if item is None:
                break
    except (ShoumiError, FatalError):
        raise
    except Exception as error:
        raise our_fault(error) from error
    return batch


def our_fault(error: Exception) -> RefusedError:
    """Return what is told of a mistake of ours, which is said on stderr."""
    say_traceback(error)
    said = type(error).__name__
    return RefusedError(
        Text(f"the agent failed on this request (`{said}`)", f"代理处理该请求时出错（`{said}`）"),
        Text(
            "nothing was changed; please report it with the agent's stderr", "未作任何更改；请附代理的标准错误输出报告"
        ),
    )


def permission(
    operation: Operation, given: Mapping[str, object], who: CallerRole, partner: frozenset[Role]
) -> ForbiddenError | list[frozenset[Role]]:
    """Return the roles that a second hand has to bring for it, or why it is forbidden to *who*.

    *partner*: roles that a second hand may have.
    """
    asked = []
    if who.role is Role.BREAK_GLASS and (operation.act or operation.read_entry) and operation.name not in MEANWHILE:
        op = operation.name
        return ForbiddenError(
            Text(f"the broken glass restores offices, and does no `{op}`", f"应急状态下不能执行 `{op}`"),
            Text("name officers again, who do it", "请先恢复三员，由其办理"),
        )
    for number, allowed in enumerate(operation.allowed(given)):
        if number and not who.may(allowed) and partner & allowed:
            asked.append(allowed)  # of what is given with it, a second hand may answer for
        elif not who.may(allowed):
            names = Text(
                " or ".join(sorted(role.text.en for role in allowed)),
                "或".join(sorted(role.text.zh for role in allowed)),
            )
            why, op = who.why_none or Text("another role", "角色不符"), operation.name
            return ForbiddenError(
                Text(f"`{op}` is for the {names.en}: {why.en}", f"`{op}` 须由{names.zh}执行：{why.zh}"),
                Text("see `shoumi role list`", "参见 `shoumi role list`"),
            )
    return asked


def _partner(seen: SeenGroups, who: CallerRole) -> frozenset[Role]:
    return OFFICERS if seen.groups.configured and who.role in OFFICERS else frozenset[Role]()
