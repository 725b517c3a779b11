"""Whose login a caller has is read of the very process that connected, or is not known."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.api import peers
from agent.api.peers import Peer, credentials, seen_again, with_login
from tests import needs

LOGIN, OTHER_LOGIN = 61_812, 61_813
NO_OPTION = 9_999  # a kernel before 6.5


class Caller(NamedTuple):
    """A process that has connected, with a login of its own; each byte it is sent is one command."""

    pid: int
    orders: socket.socket
    end: socket.socket

    def does(self, what: bytes) -> None:
        self.orders.sendall(what)
        assert self.orders.recv(1) == what

    def ends(self) -> None:
        with suppress(ChildProcessError):
            self.orders.sendall(b"e")
            os.waitpid(self.pid, 0)

    def peer(self) -> Peer:
        return with_login(credentials(self.end), self.end)


def run(path: Path, orders: socket.socket) -> None:
    Path("/proc/self/loginuid").write_text(str(LOGIN), encoding="ascii")
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(str(path))
        orders.sendall(b"c")
        while (order := orders.recv(1)) != b"e":
            Path("/proc/self/loginuid").write_text(str(OTHER_LOGIN), encoding="ascii")
            orders.sendall(order)


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Caller]:
    path = tmp_path / "s"
    ours, theirs = socket.socketpair()
    with socket.socket(socket.AF_UNIX) as listening, closing(ours), closing(theirs):
        listening.bind(str(path))
        listening.listen()
        pid = os.fork()
        if not pid:
            try:
                ours.close()
                run(path, theirs)
            finally:
                os._exit(0)
        try:
            ours.settimeout(10)
            assert ours.recv(1) == b"c"
            end, _ = listening.accept()
            with closing(end):
                caller = Caller(pid, ours, end)
                yield caller
                caller.ends()
        finally:
            with suppress(ChildProcessError, ProcessLookupError):
                os.kill(pid, 9)
                os.waitpid(pid, 0)


@pytest.fixture(params=[peers.SO_PEERPIDFD, NO_OPTION], ids=["pinned by the kernel", "an older kernel"])
def option(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(peers, "SO_PEERPIDFD", request.param)
    return int(request.param)


@needs.root
@pytest.mark.usefixtures("option")
def test_the_login_of_a_living_caller_is_known_until_it_ends(connected: Caller) -> None:
    peer = connected.peer()
    assert (peer.login_known, peer.loginuid, peer.pid) == (True, LOGIN, connected.pid)
    assert seen_again(peer) == peer
    connected.ends()
    assert seen_again(peer) == replace(peer, login_known=False, loginuid=None)


@needs.root
@pytest.mark.usefixtures("option")
def test_the_login_of_a_caller_that_is_gone_is_not_known(connected: Caller) -> None:
    connected.ends()
    peer = connected.peer()
    assert (peer.login_known, peer.loginuid, peer.uid) == (False, None, os.getuid())
    assert not seen_again(peer).login_known


@needs.root
@pytest.mark.usefixtures("option")
def test_the_login_of_a_caller_that_has_ended_is_not_known_though_it_can_be_read(connected: Caller) -> None:
    peer = connected.peer()
    connected.orders.sendall(b"e")
    os.waitid(os.P_PID, connected.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{connected.pid}/loginuid").read_text(encoding="ascii") == str(LOGIN)
    assert not seen_again(peer).login_known
    assert not connected.peer().login_known


@needs.root
def test_a_caller_that_changes_its_login_has_none_that_is_known(connected: Caller) -> None:
    peer = connected.peer()
    connected.does(b"w")
    assert not seen_again(peer).login_known


@needs.root
@pytest.mark.parametrize(("option", "known"), [(peers.SO_PEERPIDFD, True), (NO_OPTION, False)])
def test_where_only_the_number_is_known_it_must_be_of_the_account(
    connected: Caller, monkeypatch: pytest.MonkeyPatch, option: int, known: bool
) -> None:
    monkeypatch.setattr(peers, "SO_PEERPIDFD", option)
    other = replace(credentials(connected.end), uid=61_814)
    assert with_login(other, connected.end).login_known is known


@needs.root
def test_a_process_is_kept_no_longer_than_its_caller(connected: Caller) -> None:
    held: Callable[[], int] = lambda: len(os.listdir("/proc/self/fd"))  # noqa: E731
    before = held()
    peer = connected.peer()
    assert held() == before + 1
    del peer
    assert held() == before
