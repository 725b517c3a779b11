"""A doors process that is a service of its own: who is taken, what it is told, how it ends; over real sockets."""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.doors.frames import Configure, Ping, Pong
from agent.errors import RefusedError, UnreachableError
from agent.rooms.field.child import FieldChild
from agent.rooms.field.origin import FieldIdentity
from agent.rooms.field.process import FieldProcess
from agent.rooms.field.unit import FieldUnit, has_network
from rules.text import Text
from tests import needs
from tests.confinement import doors_under_unit
from tests.confinement.unit_file import DOORS, Unit

pytestmark = needs.root
_UID = 64_811  # no account has it
_DOORS = FieldIdentity(_UID, _UID)
_NONE = Text("none", "无")


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # which others may enter, as they may enter the home of an agent
        Path(folder).chmod(0o711)
        yield Path(folder) / "doors.sock"


@pytest.fixture
def gate(path: Path) -> Iterator[FieldUnit]:
    made = FieldUnit(path, lambda: _DOORS)
    assert not made.ready()  # nobody is there; the socket is
    yield made
    made.close()


def _as(uid: int, work: Callable[[], object]) -> int:
    """Do *work* as *uid* in a child and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        work()
    except OSError as error:
        os._exit(error.errno or 255)
    os._exit(0)


def _come(path: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.connect(str(path))
    return end


def _stay(path: Path) -> None:
    end = _come(path)
    select.select([end], [], [], 60)


def _code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _until(come: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def _service(path: Path) -> Iterator[int]:
    """The real doors process, as its unit has it."""
    unit = Unit(DOORS)
    unit.calls()
    pid = doors_under_unit.begin(str(path), _UID, unit)
    ended = os.pidfd_open(pid)
    try:
        yield pid
    finally:
        os.close(ended)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_nobody_but_the_doors_and_root_reaches_the_socket(path: Path, gate: FieldUnit) -> None:
    found = path.stat()
    assert (found.st_mode & 0o777, found.st_uid, found.st_gid) == (0o600, _UID, _UID)
    assert _code(_as(_UID + 1, lambda: _come(path))) == 13  # EACCES


def test_root_that_comes_is_sent_away(path: Path, gate: FieldUnit, capfd: pytest.CaptureFixture[str]) -> None:
    with _come(path) as end:
        assert not gate.ready()
        assert end.recv(1) == b""
    assert "a process of uid 0 was refused" in capfd.readouterr().err


def test_one_of_the_account_is_taken_and_known_by_the_kernel(path: Path, gate: FieldUnit) -> None:
    pid = _as(_UID, lambda: _stay(path))
    _until(gate.ready)
    begun = gate.begin()
    assert begun.process.pid == pid
    assert begun.process.poll() is None
    begun.process.kill()
    assert _code(pid) == -signal.SIGKILL
    begun.process.wait(10)
    assert begun.process.poll() == 0
    begun.end.close()


def test_one_that_has_gone_before_it_was_taken_is_none(path: Path, gate: FieldUnit) -> None:
    assert _code(_as(_UID, lambda: _come(path))) == 0
    assert not gate.ready()


def test_the_service_answers_below_its_unit_and_is_ended_when_it_should_be(path: Path, gate: FieldUnit) -> None:
    field = FieldProcess(gate)
    assert not field.start(), "it comes by itself"
    with _service(path) as pid:
        _until(field.start)
        assert field.pid == pid
        status = Path(f"/proc/{pid}/status").read_text()
        assert f"Uid:\t{_UID}\t{_UID}\t{_UID}\t{_UID}\n" in status
        field.send(Configure((), {}, "127.0.0.1:0"))
        field.send(Ping("p"))
        assert _heard(field) == Pong("p")
        assert "CapEff:\t0000000000000000\n" in Path(f"/proc/{pid}/status").read_text()
        assert int(status.partition("Seccomp_filters:")[2].split()[0]) > 6
        field.end()
        assert not field.alive
        _until(lambda: Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z")
    field.close()


def test_the_service_ends_with_control(path: Path, gate: FieldUnit) -> None:
    with _service(path) as pid:
        _until(gate.ready)
        begun = gate.begin()
        begun.end.close()
        gone = os.pidfd_open(pid)
        try:
            assert select.select([gone], [], [], 30)[0]
        finally:
            os.close(gone)
        assert begun.process.poll() == 0


def _heard(field: FieldProcess) -> object:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        select.select(field.descriptors(), [], [], 1)
        for frame in field.receive(1):
            return frame
    raise AssertionError("it said nothing")


def test_the_service_comes_to_nobody_but_root(path: Path) -> None:
    def wait() -> None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.bind(str(path))
        os.chmod(path, 0o777)
        made.listen(1)
        select.select([], [], [], 60)

    path.parent.chmod(0o777)
    false = _as(_UID + 2, wait)
    try:
        _until(lambda: path.exists() and path.stat().st_mode & 0o777 == 0o777)
        _until(lambda: _listens(path))
        words = [sys.executable, "-I", "-m", "agent.doors", f"connect={path}", f"uid={_UID}", f"gid={_UID}", "groups="]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "the peer is not root" in done.stderr
    finally:
        os.kill(false, signal.SIGKILL)
        os.waitpid(false, 0)


def _listens(path: Path) -> bool:
    try:
        _come(path).close()
    except OSError:
        return False
    return True


def test_without_an_account_it_is_said_once_a_minute_and_nobody_is_taken(path: Path) -> None:
    asked = []

    def who() -> FieldIdentity:
        asked.append(1)
        raise RefusedError(_NONE)

    made = FieldUnit(path, who)
    with pytest.raises(RefusedError):
        made.ready()
    assert not made.ready()
    assert asked == [1]
    assert not path.exists()
    made.close()


def test_where_no_socket_can_be_made_it_is_said(tmp_path: Path) -> None:
    made = FieldUnit(tmp_path / "missing" / "doors.sock", lambda: _DOORS)
    with pytest.raises(UnreachableError, match=r"rooms.socket-failed"):
        made.ready()
    made.close()


def test_who_has_a_network_starts_a_child_and_who_has_none_waits_for_a_service() -> None:
    assert has_network()
    assert FieldChild(None).ready()
    code = (
        "from agent.confinement import confine, process_rights; from agent.rooms.field.unit import has_network\n"
        "confine.filter_calls(process_rights.VERIFIER, print)\n"
        "print(has_network())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
