"""Identity is per thread and afresh (contract C4)."""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.kernel import subject
from agent.kernel.subject import TaskGoneError, Tasks, pidfd_info_works
from tests import needs

UNUSED_UID = 61_777


@pytest.fixture(params=["pidfd", "proc"])
def tasks(request: pytest.FixtureRequest) -> Iterator[Tasks]:
    if request.param == "pidfd" and not pidfd_info_works():
        needs.skip_or_fail("this kernel has no PIDFD_GET_INFO")
    found = Tasks(pidfd_info=request.param == "pidfd")
    yield found
    found.close()


def test_we_are_ourselves(tasks: Tasks) -> None:
    me = tasks.identify(os.getpid())
    assert (me.fsuid, me.ruid, me.tgid) == (os.geteuid(), os.getuid(), os.getpid())
    assert me.executable.decode() == os.readlink("/proc/self/exe")
    said = int(Path("/proc/self/loginuid").read_text())
    assert me.loginuid == (None if said == 0xFFFFFFFF else said)


@needs.root
def test_a_thread_has_its_own_file_system_uid(tasks: Tasks) -> None:
    ready, done = threading.Event(), threading.Event()
    tids: list[int] = []

    def other() -> None:
        tids.append(threading.get_native_id())
        ctypes.CDLL(None).setfsuid(UNUSED_UID)
        ready.set()
        done.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert ready.wait(30)
        assert tasks.identify(tids[0]).fsuid == UNUSED_UID
        assert tasks.identify(os.getpid()).fsuid == 0
    finally:
        done.set()
        thread.join()


@needs.root
def test_a_change_of_uid_is_seen_at_the_next_look(tasks: Tasks) -> None:
    said, told = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(told[0], 1)
        os.setuid(UNUSED_UID)
        os.write(said[1], b".")
        os.read(told[0], 1)
        os._exit(0)
    try:
        assert tasks.identify(pid).fsuid == 0
        os.write(told[1], b".")
        os.read(said[0], 1)
        assert tasks.identify(pid).fsuid == UNUSED_UID
    finally:
        os.write(told[1], b".")
        os.waitpid(pid, 0)
    with pytest.raises(TaskGoneError):
        tasks.identify(pid)
    for fd in (*said, *told):
        os.close(fd)


@needs.root
def test_a_login_uid_set_and_one_never_set(tasks: Tasks) -> None:
    said, told = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        Path("/proc/self/loginuid").write_text(str(UNUSED_UID))
        os.write(said[1], b".")
        os.read(told[0], 1)
        os._exit(0)
    try:
        os.read(said[0], 1)
        assert tasks.identify(pid).loginuid == UNUSED_UID
    finally:
        os.write(told[1], b".")
        os.waitpid(pid, 0)
        for fd in (*said, *told):
            os.close(fd)


@pytest.mark.parametrize("tid", [0, -1, 2**22 + 1])
def test_a_thread_out_of_sight_is_gone(tasks: Tasks, tid: int) -> None:
    with pytest.raises(TaskGoneError):
        tasks.identify(tid)


@needs.root
def test_a_kernel_thread_has_no_executable_and_no_login(tasks: Tasks) -> None:
    kthreadd = tasks.identify(2)
    assert (kthreadd.executable, kthreadd.loginuid, kthreadd.fsuid) == (b"", None, 0)


def test_descriptors_stay_bounded(tasks: Tasks) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for name in [name for name in os.listdir("/proc") if name.isdigit()]:
        try:
            tasks.identify(int(name))
        except TaskGoneError:
            continue
    tasks.close()
    assert len(os.listdir("/proc/self/fd")) <= before  # what an earlier test left may be closed meanwhile


@needs.root
@pytest.mark.parametrize(
    ("before", "uid", "seen"),
    [(0, 0, "127.0.0.1"), (2_000, 0, None), (0, UNUSED_UID, None)],
    ids=["smbd", "more descriptors than are looked at", "somebody's program of that name"],
)
def test_the_client_of_an_smb_server_process(
    tmp_path: Path, tasks: Tasks, before: int, uid: int, seen: str | None
) -> None:
    """A process called smbd that holds an established connection on port 445 shows its peer; anything else none."""
    server = tmp_path / "smbd"
    shutil.copy(shutil.which("python3", path="/usr/bin:/bin") or sys.executable, server)
    program = (
        "import os,resource,socket,sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n"
        f"held=[os.dup(0) for _ in range({before})]\n"
        "s=socket.create_server(('127.0.0.1',445))\n"
        f"os.setresuid({uid},{uid},{uid})\n"
        "print('up',flush=True); c,_=s.accept(); print('in',flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen([server, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "up\n":
            needs.skip_or_fail("port 445 is taken, or the copied interpreter does not start here")
        with socket.create_connection(("127.0.0.1", 445), timeout=5):
            process.stdout.readline()
            assert json.loads(b"{%b}" % tasks.identify(process.pid).fields)["client"] == seen
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def test_whom_an_smb_server_serves_is_asked_only_once_an_entry_is_written(
    monkeypatch: pytest.MonkeyPatch, tasks: Tasks
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(subject, "client_address", lambda pid: asked.append(pid))
    who = tasks.identify(os.getpid())
    who.executable, who.ruid = b"/usr/sbin/smbd", 0
    assert asked == []
    assert who.fields == who.fields
    assert asked == [os.getpid()]
