"""The caller's side of the local API, for the command line and the screens.

Rules of this file: standard library only, synchronous, one call at a time on one connection. Whatever goes wrong
between here and the agent is :class:`UnreachableError`, never half an answer. A connection that the agent has ended
meanwhile, as it does with idle ones, is made anew before anything is asked on it; nothing is ever asked twice.
"""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Self

from agent.api import protocol
from agent.api.sockets import connect
from agent.errors import ShoumiError, UnreachableError
from agent.runtime.home import Home
from rules.text import Text
from rules.visible import visible

Json = Any  # what json.loads can give


class AgentClient:
    """A connection to the agent at *home*, made when it is first needed. Use it as a context manager, or close it.

    ``timeout`` is how many seconds one answer may take; a stream may be silent for as long as it likes.
    """

    def __init__(self, home: Home, *, timeout: float = 60.0) -> None:
        self._home = home
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._lines: IO[bytes] | None = None
        self._calls = 0
        self._interrupted = False

    def call(self, op: str, **args: Json) -> Json:
        """Ask for *op* and return its result.

        Raises the :class:`agent.errors.ShoumiError` the agent answered with, or :class:`UnreachableError`. After
        Unreachable an act may or may not have happened: the log says. The result of an act has
        ``caller_milliseconds`` beside what the agent measured itself: from before it was asked until it was answered.
        """
        began = time.monotonic()
        ident = self._send(op, args)
        result = self._answer(ident).get("result")
        if isinstance(result, dict) and "milliseconds" in result:
            result["caller_milliseconds"] = (time.monotonic() - began) * 1000
        return result

    def stream(self, op: str, **args: Json) -> Iterator[Json]:
        """Ask for *op* and yield its items as they come; raises as :meth:`call` does, at any item."""
        ident = self._send(op, args)
        assert self._socket
        self._socket.settimeout(None)
        try:
            while "item" in (answer := self._answer(ident)):
                yield answer["item"]
        except GeneratorExit:
            self.close()  # the rest of the stream is on its way, and nobody will read it
            raise
        if self._socket:
            self._socket.settimeout(self._timeout)

    def close(self) -> None:
        """End the connection; the next call makes a new one."""
        for end in (self._lines, self._socket):
            if end is not None:
                end.close()
        self._lines = self._socket = None
        self._interrupted = False

    def interrupt(self) -> None:
        """End the conversation from another thread: a waiting caller gets :class:`UnreachableError`."""
        self._interrupted = True
        if end := self._socket:
            with suppress(OSError):  # it has ended already
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _send(self, op: str, args: dict[str, Json]) -> str:
        self._calls += 1
        ident = str(self._calls)
        given = {
            name: value for name, value in args.items() if value is not None and value is not False and value != []
        }
        try:
            if self._socket is not None and _ended(self._socket) and not self._interrupted:
                self.close()
            if self._socket is None:
                self._socket = connect(self._home)
                self._socket.settimeout(self._timeout)
                self._lines = self._socket.makefile("rb")
            self._socket.sendall(protocol.request(ident, op, given))
        except BrokenPipeError:
            pass  # the agent refused the request before it had read it all; its answer says why
        except OSError as error:
            self.close()
            raise self._unreachable(error) from None
        return ident

    def _answer(self, ident: str) -> dict[str, Json]:
        assert self._lines
        try:
            line = self._lines.readline()
            answer = json.loads(line)
        except (OSError, ValueError) as error:
            self.close()
            raise self._unreachable(error) from None
        if not isinstance(answer, dict) or answer.get("id") not in (ident, ""):
            self.close()
            raise self._unreachable(ValueError("unexpected answer"))
        if answer.get("ok") is False:
            raise ShoumiError.from_json(answer["error"])
        return answer

    def _unreachable(self, error: Exception) -> UnreachableError:
        path = visible(str(self._home.socket))
        start = f"shoumi --home {visible(str(self._home.root))} run"
        match error:
            case FileNotFoundError() | ConnectionRefusedError():
                text = Text(f"the agent is not running at `{path}`", f"代理未在 `{path}` 运行")
                return UnreachableError(text, Text(f"start it as root: {start}", f"以 root 启动：{start}"))
            case PermissionError():
                text = Text(f"`{path}` may not be used", f"无权使用 `{path}`")
                return UnreachableError(text, Text("check the mode of the folders above it", "请检查其上级目录的权限"))
            case TimeoutError():
                text = Text("the agent did not answer in time", "代理未及时应答")
        if not isinstance(error, TimeoutError):
            text = Text("the agent ended the conversation", "代理中断了会话")
        doctor = f"shoumi --home {visible(str(self._home.root))} doctor"
        hint = Text(f"an act may have happened; see: {doctor}", f"操作可能已生效，请查看：{doctor}")
        return UnreachableError(text, hint)


def _ended(end: socket.socket) -> bool:
    """Whether the agent has ended a connection on which it owes no answer."""
    look = select.poll()
    look.register(end, select.POLLIN)
    return bool(look.poll(0))
