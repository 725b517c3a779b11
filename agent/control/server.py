"""The control process's socket: reads requests, finds out who asks, answers.

Rules of this file:
- nothing a caller sends, or fails to send, stops the server or another caller: lines are bounded, half lines time out,
  connections are limited per uid and in all, and a caller who does not read is dropped;
- one thread does all acts, a few do questions; the event loop itself touches neither disk nor decider;
- :class:`FatalError` ends the process: the holder starts a new one, and recovery is its start.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from typing import Any, TypeVar

from agent.api import protocol
from agent.api.operations import FACTOR, TABLE
from agent.api.operations.break_glass import MEANWHILE
from agent.api.operations.schema import OFFICERS, Operation
from agent.api.peers import Peer, identify
from agent.api.roles import CallerRole, Role, standing
from agent.control.dispatch import HandlerRequest, HandlerTable
from agent.control.services import ControlServices
from agent.control.transaction import ActExecutor, record_reading
from agent.errors import FatalError, ForbiddenError, RefusedError, ShoumiError, UnreachableError, UsageError
from agent.runtime.os_groups import gid_of, present
from agent.runtime.saying import say_traceback
from agent.runtime.unix_server import serve_unix
from rules.text import Text
from rules.visible import visible

_T = TypeVar("_T")
MOST_CONNECTIONS = 256
MOST_OF_ONE_UID = 64
LINE_SECONDS = 10.0  # from the first byte of a request to its newline
WRITE_SECONDS = 30.0  # a caller who does not read for so long is gone
_BATCH = 64  # items of a stream fetched at a time
_PAUSE = 0.1  # seconds between two looks of a stream that has nothing new


class ControlServer:
    """Serves one agent on one listening socket until :meth:`stop`, or until a :class:`FatalError`."""

    def __init__(self, services: ControlServices, handlers: HandlerTable, executor: ActExecutor) -> None:
        self._services = services
        self._handlers = handlers
        self._executor = executor
        self._acts = ThreadPoolExecutor(1, "acts")
        self._questions = ThreadPoolExecutor(8, "questions")
        self._connected: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._fatal: FatalError | None = None

    async def serve(self, listening: socket.socket) -> None:
        """Answer until stopped. Raises the :class:`FatalError` a handler raised."""
        server = await serve_unix(self._accept, listening, protocol.LIMIT)
        try:
            await self._stopped.wait()
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._acts.shutdown()
            self._questions.shutdown(cancel_futures=True)
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
        return await asyncio.get_running_loop().run_in_executor(self._acts, work)

    def act(self, work: Callable[[], _T]) -> _T:
        """The same for another thread: run *work* there, wait for it, return or raise what it did."""
        return self._acts.submit(work).result()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        peer: Peer | None = None
        try:
            peer = identify(writer.get_extra_info("socket"))
            self._connected[peer.uid] += 1
            if self._connected[peer.uid] > MOST_OF_ONE_UID or self._connected.total() > MOST_CONNECTIONS:
                await _send(writer, protocol.failure("", _crowded()))
            else:
                await self._converse(peer, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the caller is gone, or we are stopping
        finally:
            self._tasks.discard(task)
            if peer:
                self._connected[peer.uid] -= 1
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def _converse(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await _line(reader)
                if not line:
                    return
                call = protocol.parse(line)
            except _BrokenRequestError as error:
                await _send(writer, protocol.failure("", error))
                return
            except UsageError as error:
                await _send(writer, protocol.failure("", error))
                continue
            try:
                await self._answer(peer, call, reader, writer)
            except ShoumiError as error:
                await _send(writer, protocol.failure(call.id, error))
            except FatalError as error:
                await _send(writer, protocol.failure(call.id, UnreachableError(error.text)))
                self.fail(error)
                return

    async def _answer(
        self, peer: Peer, call: protocol.Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        operation = TABLE.get(call.op)
        if operation is None:
            raise _unknown(call.op)
        thread = self._acts if operation.act else self._questions
        received = self._services.site.now()  # before it waits for those who came earlier
        found = await asyncio.get_running_loop().run_in_executor(thread, self._handle, peer, call, operation, received)
        if operation.stream:
            await self._pour(found, call.id, reader, writer)
        else:
            await _send(writer, protocol.result(call.id, found))

    async def _pour(
        self, items: Iterator[Any], ident: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send *items* as they come, until they end or the caller hangs up (a silent stream notices that too)."""
        loop = asyncio.get_running_loop()
        try:
            while batch := await loop.run_in_executor(self._questions, _take, items):
                if lines := b"".join(protocol.item(ident, item) for item in batch if item is not None):
                    await _send(writer, lines)
                if reader.at_eof():
                    return
                if batch[-1] is None:
                    await asyncio.sleep(_PAUSE)
        finally:
            if isinstance(items, Generator):
                await asyncio.shield(loop.run_in_executor(self._questions, items.close))
        await _send(writer, protocol.end(ident))

    def _handle(self, peer: Peer, call: protocol.Call, operation: Operation, received: datetime) -> Any:
        """Do what is asked, in a worker thread. Raises :class:`ShoumiError` and :class:`FatalError`, nothing else."""
        services, handlers = self._services, self._handlers
        try:
            groups = services.site.role_groups()
            broken = services.site.glass_is_broken()
            who = standing(peer, groups, gid_of, present(peer.uid), broken=broken)
            args, now = operation.read(call.args, None), services.site.now()
            partner = OFFICERS if groups.configured and who.role in OFFICERS else frozenset[Role]()
            request = HandlerRequest(call.op, args, call.args, peer, who, now, services, received, partner)
            self._permit(operation, request)
            if call.op in FACTOR:
                services.factor.require(peer)
            if operation.act:
                return self._executor.execute(request)
            if operation.read_entry:
                record_reading(request)
            return handlers.streams[call.op](request) if operation.stream else handlers.reads[call.op](request)
        except (ShoumiError, FatalError):
            raise
        except Exception as error:
            raise _our_fault(error) from error

    def _permit(self, operation: Operation, request: HandlerRequest) -> None:
        refused = _forbidden(operation, request)
        if refused is None:
            return
        if operation.act or operation.read_entry:
            self._executor.rejections.record(request, refused)
        raise refused


class _BrokenRequestError(UsageError):
    """After this nothing more can be read from the connection."""


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next request line, ``b""`` at the end. Idle is no offence; a half line that stalls is."""
    first = await reader.read(1)
    if first in (b"", b"\n"):
        return first
    try:
        async with asyncio.timeout(LINE_SECONDS):
            return first + await reader.readuntil(b"\n")
    except TimeoutError:
        raise _BrokenRequestError(Text("the request did not end in time", "请求未在规定时间内结束")) from None
    except asyncio.LimitOverrunError:
        raise _BrokenRequestError(Text("the request is larger than 1 MiB", "请求超过 1 MiB")) from None
    except asyncio.IncompleteReadError:
        return b""


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await writer.drain()
    except TimeoutError:
        writer.transport.abort()
        raise ConnectionResetError from None


def _take(items: Iterator[Any]) -> list[Any]:
    """Return the next items, up to the first ``None``. Runs in a worker thread; errors of ours cross as they are."""
    batch = []
    try:
        for item in islice(items, _BATCH):
            batch.append(item)
            if item is None:
                break
    except (ShoumiError, FatalError):
        raise
    except Exception as error:
        raise _our_fault(error) from error
    return batch


def _forbidden(operation: Operation, request: HandlerRequest) -> ForbiddenError | None:
    who: CallerRole = request.standing
    if who.role is Role.BREAK_GLASS and (operation.act or operation.read_entry) and request.op not in MEANWHILE:
        return ForbiddenError(
            Text(
                f"`{request.op}` is not for the broken glass: it restores offices", f"应急状态下不能执行 `{request.op}`"
            ),
            Text("name officers again, who do it", "请先恢复三员，由其办理"),
        )
    for number, allowed in enumerate(operation.allowed(request.given)):
        if number and not who.may(allowed) and request.partner & allowed:
            request.asked.append(allowed)  # of what is given with it, a second hand may answer for
        elif not who.may(allowed):
            names = Text(
                " or ".join(sorted(role.text.en for role in allowed)),
                "或".join(sorted(role.text.zh for role in allowed)),
            )
            why = who.why_none or Text("another role", "角色不符")
            return ForbiddenError(
                Text(f"`{request.op}` is for the {names.en}: {why.en}", f"`{request.op}` 须由{names.zh}执行：{why.zh}"),
                Text("see `shoumi role list`", "参见 `shoumi role list`"),
            )
    return None


def _unknown(op: str) -> UsageError:
    said = visible(op[:64])
    near = ", ".join(f"`{name}`" for name in get_close_matches(op[:64], TABLE, n=3))
    hint = Text(f"perhaps {near}", f"也许是 {near}") if near else None
    return UsageError(Text(f"no operation is called `{said}`", f"没有名为 `{said}` 的操作"), hint)


def _crowded() -> RefusedError:
    return RefusedError(
        Text("too many connections", "连接过多"),
        Text("end some, and try again", "请关闭一些连接后重试"),
    )


def _our_fault(error: Exception) -> RefusedError:
    say_traceback(error)
    said = type(error).__name__
    return RefusedError(
        Text(f"the agent failed on this request (`{said}`)", f"代理处理该请求时出错（`{said}`）"),
        Text(
            "nothing was changed; please report it with the agent's stderr", "未作任何更改；请附代理的标准错误输出报告"
        ),
    )
