"""Whom a process of an SMB server serves: the other end of its connection; of no other program is anything told."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.kernel.samba_program import SambaPrograms
from agent.kernel.smb_client import SmbPeers
from agent.kernel.subject import Subject, Tasks
from tests import needs

pytestmark = needs.root
_SERVER = """
import os, resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
held = [os.dup(0) for _ in range({before})]
server = socket.create_server(("127.0.0.1", 0))
os.setresuid(61777, 61777, {saved})
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
held += [os.dup(0) for _ in range({after})]
print("in", flush=True)
sys.stdin.read()
"""


@contextmanager
def _serving(program: Path, before: int = 0, after: int = 0, saved: int = 0) -> Iterator[Subject]:
    """A process of *program* with one connection, and so many descriptors before and after it."""
    text = _SERVER.format(before=before, after=after, saved=saved)
    with subprocess.Popen([program, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline())), timeout=5):
            assert process.stdout.readline() == "in\n"
            tasks = Tasks(pidfd_info=False)
            try:
                yield tasks.identify(process.pid)
            finally:
                tasks.close()
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def smbd(tmp_path: Path) -> Path:
    """Return a program of its own inode that stands for Samba's."""
    return Path(shutil.copy(Path(sys.executable).resolve(), tmp_path / "smbd"))


def test_the_first_connection_is_the_clients(smbd: Path) -> None:
    with _serving(smbd) as who:
        assert SmbPeers(SambaPrograms((str(smbd),))).address(who) == "127.0.0.1"


def test_what_it_opens_later_does_not_hide_it(smbd: Path) -> None:
    with _serving(smbd, after=5000) as who:
        assert SmbPeers(SambaPrograms((str(smbd),))).address(who) == "127.0.0.1"


def test_an_upgraded_server_goes_on_with_its_old_program(smbd: Path) -> None:
    peers = SmbPeers(SambaPrograms((str(smbd),)))
    with _serving(smbd) as first:
        assert peers.address(first) == "127.0.0.1"
    with _serving(smbd) as second:
        shutil.copy(sys.executable, smbd.with_name("new"))
        smbd.with_name("new").replace(smbd)
        assert peers.address(second) == "127.0.0.1"


def test_it_is_looked_for_once_a_second(smbd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = SmbPeers(SambaPrograms((str(smbd),)))
    with _serving(smbd) as who:
        assert peers.address(who) == "127.0.0.1"
        now = time.monotonic_ns()
        monkeypatch.setattr("time.monotonic_ns", lambda: now + 900_000_000)
        with monkeypatch.context() as quietly:
            quietly.setattr("os.pidfd_open", lambda _pid: pytest.fail("it is known"))
            assert peers.address(who) == "127.0.0.1"
        monkeypatch.setattr("time.monotonic_ns", lambda: now + 2_000_000_000)
        assert peers.address(who) == "127.0.0.1"


_IMPOSTORS = {
    "a program that is merely named smbd": (True, 0),
    "somebody's own run of the server": (False, 61777),
}


@pytest.mark.parametrize(("copied", "saved"), _IMPOSTORS.values(), ids=_IMPOSTORS)
def test_who_is_no_server_gains_nothing_and_costs_nothing(
    smbd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool, saved: int
) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    program = Path(shutil.copy(smbd, other / "smbd")) if copied else smbd
    with _serving(program, before=5000, saved=saved) as who:
        monkeypatch.setattr("os.scandir", lambda _path: pytest.fail("its descriptors are nobody's business"))
        assert SmbPeers(SambaPrograms((str(smbd),))).address(who) is None


def test_what_is_read_of_a_server_with_many_descriptors_is_bounded(smbd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    with _serving(smbd, before=5000) as who:
        read = __import__("os").readlink
        monkeypatch.setattr("os.readlink", lambda path: looked.append(path) or read(path))
        assert SmbPeers(SambaPrograms((str(smbd),))).address(who) is None
    assert len(looked) <= 256


def test_many_busy_servers_are_looked_at_again_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    now = [10**12]
    monkeypatch.setattr("agent.kernel.smb_client._peers", lambda pid: looked.append(pid) or "10.0.0.1")
    monkeypatch.setattr(SmbPeers, "_is_samba", lambda *_: True)
    monkeypatch.setattr("time.monotonic_ns", lambda: now[0])
    peers = SmbPeers(SambaPrograms(()))
    servers = [Subject(61777, None, 61777, pid, pid, b"", b"", impersonates=True, started=1) for pid in range(1, 301)]
    assert {peers.address(who) for who in servers} == {"10.0.0.1"}
    assert len(looked) == 300, "each once"
    now[0] += 2 * 10**9
    for _ in range(3):
        assert {peers.address(who) for who in servers} == {"10.0.0.1"}
    assert len(looked) == 350
