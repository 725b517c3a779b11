"""Ending of whole control groups at once: nothing in them can fork its way out.

Rules of this file: a group is frozen or killed only when every process in it and below it belongs to the person. That
is checked twice: before freezing, and again while it is frozen and cannot change by itself. The root group is never
touched. Only cgroup v2 can do this; on a hybrid host it is mounted at another place than usual.

Sources: cgroup-v2 in the kernel documentation (cgroup.freeze 5.2, cgroup.kill 5.14), cgroups(7), systemd.slice(5).
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.kernel import mountinfo

OwnProcess = Callable[[int], bool]


class Group(NamedTuple):
    """A group of the tree mounted at *root*."""

    root: Path
    path: Path

    def members(self) -> list[int] | None:
        """Return every process in it and below, ``None`` if that is unknown. 0 is one of another namespace."""
        try:
            files = [self.path / "cgroup.procs", *self.path.glob("*/**/cgroup.procs")]
            return [int(pid) for file in files for pid in file.read_text().split()]
        except (OSError, ValueError):
            return None

    def wholly(self, is_own: OwnProcess) -> bool:
        """Whether it is not the root, has processes, and all satisfy *is_own*."""
        pids = self.members() if self.path != self.root else None
        return bool(pids) and all(map(is_own, pids or ()))

    def end(self, is_own: OwnProcess) -> bool:
        """Kill the largest group around this one whose processes all satisfy *is_own*; return whether there was one.

        It is frozen first and checked again; nothing stays frozen in any case.
        """
        if not self.wholly(is_own):
            return False
        above = Group(self.root, self.path.parent)
        return above.end(is_own) or self._kill(is_own)

    def _kill(self, is_own: OwnProcess) -> bool:
        try:
            (self.path / "cgroup.freeze").write_text("1")
            if self.wholly(is_own):
                (self.path / "cgroup.kill").write_text("1")
                return True
        except OSError:  # it no longer exists, or may not be changed: its processes are ended one by one
            return False
        finally:
            with contextlib.suppress(OSError):
                (self.path / "cgroup.freeze").write_text("0")
        return False


def root() -> Path | None:
    """Return where the cgroup v2 tree is mounted, ``None`` when it is not."""
    return next((Path(mount.point) for mount in mountinfo.table() if mount.fstype == "cgroup2"), None)


def of_uid(tree: Path, uid: int) -> Group:
    """Return the slice in which systemd keeps the sessions of *uid*. It need not exist."""
    return Group(tree, tree / "user.slice" / f"user-{uid}.slice")


def of_pid(tree: Path, pid: int) -> Group:
    """Return the group of *pid*; the root group if that is unknown."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text(errors="surrogateescape").splitlines():
            if line.startswith("0::/") and ".." not in line.split("/"):
                return Group(tree, tree / line.removeprefix("0::/"))
    return Group(tree, tree)
