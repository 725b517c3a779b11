"""A volume in a file: a real ext4 (or xfs) filesystem on a loop device, for the demo, the bench and the tests.

Rules of this file: one folder per volume under the temporary directory holds the image, the mount point and the name of
its owner (process id and start time). Leaving the context unmounts and deletes, whatever happened. A run that was
killed cannot do that: the next one does, because :func:`reclaim` removes every folder whose owner is gone. The loop
device is made with autoclear, so unmounting is all it takes to free it.
"""

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import RefusedError
from agent.kernel import mounting
from agent.kernel.start_time import start_time
from rules.text import Text
from rules.visible import visible

PREFIX = "shoumi-volume-"

_MAKE = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-m", "0"),
    "xfs": ("mkfs.xfs", "-q", "-f"),
}
_HINT = Text(
    "run as root, with e2fsprogs and util-linux installed", "请以 root 身份运行，并安装 e2fsprogs 与 util-linux"
)
_SMALLEST = {"ext4": 4 << 20, "xfs": 304 << 20}  # xfsprogs refuses less than 300 MB


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted throw-away filesystem: its folder, and the mount point inside it."""

    folder: Path
    point: Path
    fstype: str


def available(fstype: str = "ext4") -> Text | None:
    """Return why a volume of this type cannot be made here, or ``None`` when it can."""
    if os.geteuid() != 0:
        return Text("making a volume needs root", "建立测试卷需要 root 权限")
    for tool in (_MAKE[fstype][0], "mount"):
        if _tool(tool) is None:
            return Text(f"`{tool}` is not installed", f"未安装 `{tool}`")
    if not os.path.exists("/dev/loop-control"):
        return Text("this kernel offers no loop devices", "内核没有提供 loop 设备")
    return None


@contextmanager
def volume(fstype: str = "ext4", size: int = 64 << 20, options: str = "") -> Iterator[Volume]:
    """Make, mount and finally remove a volume of *size* bytes (sparse). *options* are extra mount options.

    Raise ``RefusedError`` when a tool or the rights are missing, or when making or mounting it fails.
    """
    if missing := available(fstype):
        raise RefusedError(missing, _HINT)
    reclaim()
    folder = _new_folder()
    try:
        image, point = folder / "image", folder / "mnt"
        with image.open("wb") as file:
            file.truncate(max(size, _SMALLEST[fstype]))
        point.mkdir()
        _run(*_MAKE[fstype], str(image))
        _run("mount", "-t", fstype, "-o", ",".join(filter(None, ("loop", options))), str(image), str(point))
        yield Volume(folder, point, fstype)
    finally:
        with _one_at_a_time():  # half removed it would look like a dead run's to somebody else's reclaim
            _remove(folder)


def reclaim() -> list[Path]:
    """Remove what runs that died left behind; return the folders removed. Never touches a living owner's volume."""
    removed = []
    with _one_at_a_time() as top:
        for folder in top.glob(PREFIX + "*"):
            if _ours(folder) and _ownerless(folder):
                _remove(folder)
                removed.append(folder)
    return removed


def _new_folder() -> Path:
    # The owner is written before anybody else may look, so a folder without one belongs to a run that died right here.
    with _one_at_a_time() as top:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=top))
        (folder / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}", encoding="ascii")
    folder.chmod(0o755)  # the demo's people must reach the documents
    return folder


@contextmanager
def _one_at_a_time() -> Iterator[Path]:
    """Hold a lock on the temporary directory itself: no lock file to leave behind, none for a stranger to plant."""
    top = Path(tempfile.gettempdir()).resolve()
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield top
    finally:
        os.close(descriptor)


def _ours(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _ownerless(folder: Path) -> bool:
    try:
        pid, started = (folder / "owner").read_text(encoding="ascii").split()
        return start_time(int(pid)) != int(started)
    except (FileNotFoundError, ValueError):
        return True


def _remove(folder: Path) -> None:
    mounting.unmount_below(str(folder))
    shutil.rmtree(folder)


def _tool(name: str) -> str | None:
    # mkfs lives in sbin, which the PATH of an ordinary login may lack.
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run([_tool(tool) or tool, *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = visible(done.stderr.strip())
        raise RefusedError(Text(f"`{tool}` failed: `{said}`", f"`{tool}` 失败：`{said}`"))
