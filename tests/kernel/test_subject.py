"""Identity is per thread and afresh (contract C4)."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.kernel.start_time import start_time
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


_BORROWS = "os.setresuid(U, U, 0)"
_SERVERS = {
    "smbd: the user's real and effective uid, root's saved one": (_BORROWS, True),
    "a server with a root's effective uid and the user's file system uid": ("ctypes.CDLL(None).setfsuid(U)", True),
    "a server without root that may set uids": (
        "ctypes.CDLL(None).prctl(8, 1, 0, 0, 0); os.setresuid(U, U, U)",  # PR_SET_KEEPCAPS
        True,
    ),
    "somebody who logged in": ("os.setresuid(U, U, U)", False),
    "a set-uid program of somebody": ("os.setresuid(U + 1, U, U)", False),
    "whoever is root in a user namespace of their own": (
        "os.setresuid(U, U, U); ctypes.CDLL(None).unshare(0x10000000)",  # CLONE_NEWUSER
        False,
    ),
    "root": ("pass", False),
}


@needs.root
@pytest.mark.parametrize(("act", "expected"), _SERVERS.values(), ids=_SERVERS)
def test_who_acts_for_others_and_who_for_themselves(tasks: Tasks, act: str, expected: bool) -> None:
    program = f"import ctypes, os, sys\nU = {UNUSED_UID}\n{act}\nprint('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        who = tasks.identify(process.pid)
        assert who.impersonates is expected
        assert who.started == (start_time(process.pid) if expected else 0)
        assert not who.worker


@needs.root
def test_who_is_in_more_groups_than_fit_may_still_set_uids(tasks: Tasks) -> None:
    """The groups stand before the capabilities in the kernel's text about a process."""
    program = (
        f"import ctypes, os, sys; os.setgroups(range(4_000_000_000, 4_000_010_000)); {_BORROWS.replace('U', '61777')}\n"
        "print('up', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert tasks.identify(process.pid).impersonates
