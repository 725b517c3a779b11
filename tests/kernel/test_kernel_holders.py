"""What the kernel keeps of files, and who is told of their use, read from /proc and /sys."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from agent.doctor import host_checks
from agent.kernel import kernel_holders, login_identity
from agent.simulator import volume_image
from tests.sentences import en

pytest_plugins = ("tests.volumes.fixture",)


def test_swap_on_files_is_read_with_its_escapes_and_swap_on_devices_is_not() -> None:
    text = b"Filename\tType\tSize\n/dev/vda2   partition 10 0 -2\n/srv/a\\040b\\011c   file 10 0 -3\n/x file\n"
    assert list(kernel_holders.swap_files(text)) == ["/srv/a b\tc", "/x"]
    assert list(kernel_holders.swap_files(b"")) == []


def test_a_watched_filesystem_is_read_from_fdinfo_of_inotify_and_fanotify() -> None:
    text = (
        "pos:\t0\nflags:\t00\ninotify wd:1 ino:2 sdev:700001 mask:fce ignored_mask:0 fhandle-bytes:8\n"
        "fanotify ino:3 sdev:fe00000 mflags:0 mask:1 ignored_mask:0\nfanotify sdev:2a mflags:0 mask:1 ignored_mask:0\n"
    )
    assert [(os.major(n), os.minor(n)) for n in kernel_holders.watched(text)] == [(7, 1), (254, 0), (0, 42)]


@pytest.mark.kernel
def test_a_loop_device_and_a_watcher_on_a_real_volume_are_found(ext4: volume_image.Volume) -> None:
    inner, device = ext4.point / "inner image", ext4.point.stat().st_dev
    with inner.open("wb") as file:
        file.truncate(1 << 20)
    made = subprocess.run(["losetup", "-f", "--show", inner], check=True, capture_output=True, text=True)
    name = Path(made.stdout.strip()).name
    try:
        assert kernel_holders.KernelHolder(name, str(inner)) in list(kernel_holders.kernel_holders())
    finally:
        subprocess.run(["losetup", "-d", f"/dev/{name}"], check=True)
    code = f"import ctypes; c=ctypes.CDLL(None); c.inotify_add_watch(c.inotify_init(), {os.fsencode(ext4.point)!r}, 1)"
    code += "; print(1, flush=True); input()"
    with subprocess.Popen(
        ["python3", "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "1\n"
        found = list(kernel_holders.file_watchers({device}))
        assert [(one.pid, one.how) for one in found] == [(watcher.pid, "inotify")]
        assert list(kernel_holders.file_watchers({device}, {watcher.pid})) == []
        nobodys = os.makedev(os.major(device), 0xFFFFF)  # the next one may be guarded by an agent beside us
        assert list(kernel_holders.file_watchers({nobodys})) == []


def test_the_kernels_word_on_login_identities_is_true_false_or_none() -> None:
    answer = struct.Struct("=IHHIIIIII")
    for features, said in ((0, False), (1, False), (2, True), (3, True)):
        assert login_identity.read(answer.pack(answer.size, 1019, 0, 1, 0, 1, 3, features, 0)) is said
    assert login_identity.read(answer.pack(answer.size, 2, 0, 1, 0, 1, 3, 2, 0)) is None  # an error
    assert login_identity.read(b"") is None
    code = "from agent.kernel import login_identity; print(login_identity.immutable())"
    user = subprocess.run(
        ["python3", "-c", code],
        user=61_999, group=61_999, extra_groups=(), cwd="/", check=False, capture_output=True, text=True,
        env={"PYTHONPATH": str(Path(login_identity.__file__).parents[2]), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    if not user.returncode:  # the tree can be read by others
        assert user.stdout == "None\n"


@pytest.mark.kernel
def test_a_set_uid_program_of_a_registered_person_is_found_and_what_was_not_seen_is_said(tmp_path: Path) -> None:
    for name, mode, owner in (("his", 0o4755, 61_777), ("plain", 0o755, 61_777), ("roots", 0o4755, 0)):
        (tmp_path / name).touch()
        os.chown(tmp_path / name, owner, 0)
        (tmp_path / name).chmod(mode)
    [found] = host_checks.set_uid_programs({61_777: "E1"}, [str(tmp_path)])
    assert (found.code, found.state) == ("set-uid", "serious")
    assert f"`{tmp_path / 'his'}` (E1)" in en(found.text)
    assert [one.code for one in host_checks.set_uid_programs({}, [str(tmp_path)])] == []
    [unknown] = host_checks.set_uid_programs({}, [], every=False)
    assert unknown.code == "set-uid-unknown"
