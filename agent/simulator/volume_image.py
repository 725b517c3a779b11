"""Volume in a file: a real ext4 (or xfs) filesystem on a loop device, for the demo, the bench and the tests.

Rules of this file: one folder per volume under the temporary directory holds the image, the mount point and the
identity of its owner (process id and start time). Leaving the context unmounts and deletes it in any case. After a
killed run the next one does that: :func:`reclaim` removes every folder whose owner has ended. The loop device has
autoclear set, so unmounting frees it.
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
from rules.text import Message, Sentence
from rules.visible import visible

PREFIX = "shoumi-volume-"

_MAKE = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-m", "0"),
    "xfs": ("mkfs.xfs", "-q", "-f"),
}
_HINT = Message("simulator.run-as-root-with-tools")
_SMALLEST = {"ext4": 4 << 20, "xfs": 304 << 20}  # xfsprogs refuses less than 300 MB


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted temporary filesystem: its folder, and the mount point inside it."""

    folder: Path
    point: Path
    fstype: str


def available(fstype: str = "ext4") -> Sentence | None:
    """Return the reason a volume of this type cannot be created here, ``None`` when it can."""
    if os.geteuid() != 0:
        return Message("simulator.volume-requires-root")
    for tool in (_MAKE[fstype][0], "mount"):
        if _tool(tool) is None:
            return Message("simulator.tool-not-installed", tool=tool)
    if not os.path.exists("/dev/loop-control"):
        return Message("simulator.no-loop-devices")
    return None


@contextmanager
def volume(fstype: str = "ext4", size: int = 64 << 20, options: str = "") -> Iterator[Volume]:
    """Create, mount and finally remove a volume of *size* bytes (sparse). *options* are extra mount options.

    Raises ``RefusedError`` when a tool or the rights are missing, or when creating or mounting it fails.
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
        with _one_at_a_time():  # a partly removed one would look ownerless to another process's reclaim
            _remove(folder)


def reclaim() -> list[Path]:
    """Remove the volumes of dead runs; return the removed folders. A living owner's volume is never touched."""
    removed = []
    with _one_at_a_time() as top:
        for folder in top.glob(PREFIX + "*"):
            if _ours(folder) and _ownerless(folder):
                _remove(folder)
                removed.append(folder)
    return removed


def _new_folder() -> Path:
    # The owner is written under the lock, so a folder without one belongs to a run that died at this point.
    with _one_at_a_time() as top:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=top))
        (folder / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}", encoding="ascii")
    folder.chmod(0o755)  # the accounts of the demo must reach the documents
    return folder


@contextmanager
def _one_at_a_time() -> Iterator[Path]:
    """Hold a lock on the temporary directory itself: no lock file remains, and none can be planted."""
    top = Path(tempfile.gettempdir()).resolve()
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield top
    finally:
        os.close(descriptor)


def _ours(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


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
    process = subprocess.run(
        [_tool(tool) or tool, *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if process.returncode:
        error_text = visible(process.stderr.strip())
        raise RefusedError(Message("common.failed", tool=tool, error=error_text))
