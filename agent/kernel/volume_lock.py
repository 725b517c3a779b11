"""Volume locks: one agent guards a filesystem, by a lock in a directory only root may enter.

Two agents on one volume would cover each other's areas and deny each other's people. Rules of this file: the lock is
the kernel's (flock(2)) and ends with its owner; the file's content, the owner's home, is for reading only. The
directory is the same for every agent of this host.
"""

import contextlib
import fcntl
import os
from pathlib import Path

from agent.kernel.mountinfo import Device

FOLDER = Path("/run/shoumi-volumes")


class VolumeLocks:
    """The filesystems this agent guards. *home* is its home, written into the lock."""

    def __init__(self, home: Path, folder: Path = FOLDER) -> None:
        self._home = os.fsencode(home)
        self._folder = folder
        self._held: dict[Device, int] = {}
        self._adopted: set[Device] = set()

    def take(self, device: Device) -> str | None:
        """Take the lock of *device*; return the home of another agent that has it, ``None`` when it is ours now.

        Raises ``OSError`` when the directory cannot be used.
        """
        if device in self._held:
            return None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(_path(self._folder, device), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.fsdecode(os.pread(file, 4096, 0))
            os.close(file)
            return owner
        os.ftruncate(file, 0)
        os.pwrite(file, self._home, 0)
        self._held[device] = file
        return None

    def adopt(self, device: Device) -> str | None:
        """Take it as :meth:`take` does, and keep it until :meth:`abandon`, whatever is guarded there."""
        if (owner := self.take(device)) is None:
            self._adopted.add(device)
        return owner

    def abandon(self, device: Device) -> None:
        """Release the lock of *device*: its number may be reused soon."""
        self._adopted.discard(device)
        if (file := self._held.pop(device, None)) is not None:
            os.close(file)

    def keep_only(self, devices: frozenset[Device]) -> None:
        """Release every other filesystem that was not adopted."""
        for device in [*self._held]:
            if device not in devices and device not in self._adopted:
                os.close(self._held.pop(device))

    def close(self) -> None:
        """Release all locks."""
        self._adopted.clear()
        self.keep_only(frozenset())


def owner(device: Device, folder: Path = FOLDER) -> str | None:
    """Return the home of the agent that guards *device*, ``None`` when none does."""
    with contextlib.suppress(OSError):
        file = os.open(_path(folder, device), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.fsdecode(os.pread(file, 4096, 0))
        finally:
            os.close(file)
    return None


def _path(folder: Path, device: Device) -> Path:
    return folder / f"{device[0]}:{device[1]}"
