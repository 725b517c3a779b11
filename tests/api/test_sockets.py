"""The control sockets: who may connect to which, which one a client takes, and what it does when one has ended."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from agent.api import sockets
from agent.api.client import AgentClient
from agent.api.roles import THREE, Role
from agent.errors import UnreachableError
from agent.runtime.home import Home
from tests.control.conftest import folder

UID, GIDS = 62_701, {Role.SYSTEM: 62_711, Role.SECURITY: 62_712, Role.AUDITOR: 62_713}


@pytest.fixture
def home() -> Iterator[Home]:
    with folder() as root:
        home = Home(root / "home")
        home.create()
        yield home


def as_member(gids: list[int], work: Callable[[], object]) -> object:
    """Return what *work* returns in a process of an unused uid in these groups."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(gids)
            os.setresgid(UID, UID, UID)
            os.setresuid(UID, UID, UID)
            os.write(writing, json.dumps(work()).encode())
        except BaseException as error:
            os.write(writing, json.dumps(type(error).__name__).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as said:
        found: object = json.loads(said.read())
    os.waitpid(pid, 0)
    return found


def taken(home: Home) -> str:
    with closing(sockets.connect(home)) as end:
        return Path(end.getpeername()).name


def test_each_takes_the_socket_that_is_kept_for_them(home: Home) -> None:
    with ExitStack() as stack:
        for _, end in sockets.sockets(home):
            stack.enter_context(closing(end))
        assert taken(home) == "control-root.sock"
        assert as_member([GIDS[Role.SECURITY]], lambda: taken(home)) == "control.sock"  # nobody has named the groups
        for role, gid in GIDS.items():
            sockets.keep(home, role, gid)
        for role, gid in GIDS.items():
            assert as_member([gid], lambda: taken(home)) == f"control-{role.value}.sock"
        assert as_member([], lambda: taken(home)) == "control.sock"
        for role in sockets.RESERVED:
            one = sockets.path(home, role)
            assert as_member([], lambda one=one: socket.socket(socket.AF_UNIX).connect(str(one))) == "PermissionError"  # type: ignore[misc]
        sockets.keep(home, Role.SECURITY, None)
        assert as_member([GIDS[Role.SECURITY]], lambda: taken(home)) == "control.sock"


def test_keeping_it_for_another_group_leaves_the_first_one_nothing(home: Home) -> None:
    with closing(sockets.listen(home, Role.SYSTEM)):
        for gid in (62_721, 62_722, None, 62_723):
            sockets.keep(home, Role.SYSTEM, gid)
            now = sockets.path(home, Role.SYSTEM).stat()
            assert now.st_mode & 0o777 == (0o600 if gid is None else 0o660)
            assert gid is None or now.st_gid == gid


def test_a_line_that_is_full_keeps_nobody_out_who_has_a_socket_of_their_own(home: Home) -> None:
    with ExitStack() as stack:
        for role in (Role.SECURITY, None):
            stack.enter_context(closing(sockets.listen(home, role)))
        sockets.keep(home, Role.SECURITY, GIDS[Role.SECURITY])
        while True:
            end = stack.enter_context(closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)))
            try:
                end.connect(str(sockets.path(home)))
            except BlockingIOError:
                break
        assert as_member([GIDS[Role.SECURITY]], lambda: taken(home)) == "control-security.sock"


def test_sockets_of_an_agent_that_has_ended_keep_nobody_from_the_one_that_is_there(home: Home) -> None:
    for role in sockets.RESERVED:
        sockets.listen(home, role).close()
    with closing(sockets.listen(home)):
        assert taken(home) == "control.sock"


@pytest.mark.parametrize("role", [*THREE, None])
def test_a_long_home_is_no_obstacle(role: Role | None, tmp_path: Path) -> None:
    home = Home(tmp_path / ("x" * 100) / ("y" * 100))
    home.create()
    with closing(sockets.listen(home, role)):
        assert sockets.path(home, role).is_socket()


class Ending:
    """An agent that answers some calls on each connection and then ends it."""

    def __init__(self, listening: socket.socket, answers: int) -> None:
        self.asked = 0
        self.ended = threading.Semaphore(0)
        self._listening = listening
        self._answers = answers
        listening.setblocking(True)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                end, _ = self._listening.accept()
            except OSError:
                return
            with end, end.makefile("rb") as lines:
                for _ in range(self._answers):
                    if not (line := lines.readline()):
                        break
                    self.asked += 1
                    end.sendall(
                        json.dumps({"id": json.loads(line)["id"], "ok": True, "result": self.asked}).encode() + b"\n"
                    )
            self.ended.release()


def test_a_connection_that_was_ended_while_it_was_idle_is_made_anew_and_nothing_is_asked_twice(home: Home) -> None:
    with closing(sockets.listen(home)) as listening:
        agent = Ending(listening, 1)
        try:
            with AgentClient(home, timeout=10) as client:
                for number in range(1, 4):
                    assert client.call("role.list") == number
                    assert agent.ended.acquire(timeout=10)
                assert agent.asked == 3
        finally:
            agent.stop()


def test_who_was_interrupted_connects_no_more(home: Home) -> None:
    with closing(sockets.listen(home)) as listening:
        agent = Ending(listening, 5)
        try:
            with AgentClient(home, timeout=10) as client:
                assert client.call("role.list") == 1
                client.interrupt()
                with pytest.raises(UnreachableError):
                    client.call("role.list")
                assert agent.asked == 1
        finally:
            agent.stop()
