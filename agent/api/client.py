"""The caller's side of the local API, for the command line and the screens.

Rules of this file: standard library only, synchronous, one call at a time on one connection. Whatever goes wrong
between here and the agent is :class:`UnreachableError`, never half an answer.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import IO, Any, Self

from agent.api import protocol
from agent.errors import ShoumiError, UnreachableError
from agent.runtime.home import Home
from rules.text import Text
from rules.visible import visible

Json = Any  # what json.loads can give

_LONGEST_PATH = 107  # sockaddr_un.sun_path without its final zero, unix(7)


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

    def call(self, op: str, **args: Json) -> Json:
        """Ask for *op* and return its result.

        Raises the :class:`agent.errors.ShoumiError` the agent answered with, or :class:`UnreachableError`. After
        Unreachable an act may or may not have happened: the log says.
        """
        ident = self._send(op, args)
        return self._answer(ident).get("result")

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

    def interrupt(self) -> None:
        """End the conversation from another thread: a waiting caller gets :class:`UnreachableError`."""
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


def connect(home: Home) -> socket.socket:
    """Connect to the control socket, however long its path is; raise ``OSError``."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with closing(_Address(home)) as address:
            end.connect(address.name)
    except BaseException:
        end.close()
        raise
    return end


class _Address:
    """A name of the control socket that fits ``sun_path``: its own, or one through a descriptor of its folder."""

    def __init__(self, home: Home) -> None:
        self._folder = -1
        self.name = str(home.socket)
        if len(os.fsencode(self.name)) > _LONGEST_PATH:
            self._folder = os.open(home.run, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            self.name = f"/proc/self/fd/{self._folder}/{home.socket.name}"

    def close(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)


def listen(home: Home) -> socket.socket:
    """Make the control socket, replacing one left by a dead agent; raise ``OSError``. The server's side of the address.

    Everybody may connect (mode 0666): what a caller may do hangs on its role, not on reaching the socket.
    """
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        home.socket.unlink(missing_ok=True)
        with closing(_Address(home)) as address:
            end.bind(address.name)
        home.socket.chmod(0o666)
        end.listen(128)
    except BaseException:
        end.close()
        raise
    return end
