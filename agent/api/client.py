"""Client of the local API, for the command line and the screens.

Rules of this file: standard library only, synchronous, one call at a time on one connection. Any failure
between here and the agent raises :class:`UnreachableError`, never half an answer. A connection that the agent has
ended (it ends idle ones) is opened again before a request is sent; no request is sent twice.
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
from rules.text import Message

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
        """Call *op* and return its result.

        Raises the :class:`agent.errors.ShoumiError` the agent answered with, or :class:`UnreachableError`. After
        Unreachable an act may or may not have happened; the log shows it. The result of an act has
        ``caller_milliseconds`` too: the time from before the request until after the answer.
        """
        began = time.monotonic()
        ident = self._send(op, args)
        reply = self._answer(ident).get("result")
        if isinstance(reply, dict) and "milliseconds" in reply:
            reply["caller_milliseconds"] = (time.monotonic() - began) * 1000
        return reply

    def stream(self, op: str, **args: Json) -> Iterator[Json]:
        """Call *op* and yield its rows as they arrive; raises as :meth:`call` does, at any row."""
        ident = self._send(op, args)
        assert self._socket
        self._socket.settimeout(None)
        try:
            while "item" in (answer := self._answer(ident)):
                yield answer["item"]
        except GeneratorExit:
            self.close()  # the rest of the stream is on its way, and no one will read it
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
            with suppress(OSError):  # it has ended
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _send(self, op: str, args: dict[str, Json]) -> str:
        self._calls += 1
        ident = str(self._calls)
        arguments = {
            name: argument
            for name, argument in args.items()
            if argument is not None and argument is not False and argument != []
        }
        try:
            if self._socket is not None and _ended(self._socket) and not self._interrupted:
                self.close()
            if self._socket is None:
                self._socket = connect(self._home)
                self._socket.settimeout(self._timeout)
                self._lines = self._socket.makefile("rb")
            self._socket.sendall(protocol.request(ident, op, arguments))
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
        path = str(self._home.socket)
        start = f"shoumi --home {self._home.root} run"
        match error:
            case FileNotFoundError() | ConnectionRefusedError():
                text = Message("api.agent-not-running", path=path)
                return UnreachableError(text, Message("api.start-agent", start=start))
            case PermissionError():
                text = Message("api.socket-forbidden", path=path)
                return UnreachableError(text, Message("api.check-folder-modes"))
            case TimeoutError():
                text = Message("api.agent-timeout")
        if not isinstance(error, TimeoutError):
            text = Message("api.agent-closed-connection")
        doctor = f"shoumi --home {self._home.root} doctor"
        hint = Message("api.act-may-have-happened", doctor=doctor)
        return UnreachableError(text, hint)


def _ended(end: socket.socket) -> bool:
    """Whether the agent has ended a connection on which it owes no answer."""
    poller = select.poll()
    poller.register(end, select.POLLIN)
    return bool(poller.poll(0))
