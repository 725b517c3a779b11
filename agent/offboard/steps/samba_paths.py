"""Mapping of the shares of a Samba server to areas.

Rules of this file: a share is spared only where it is known to lead elsewhere: its directory is the same for all users,
is neither in nor above a lost area (by inode and label, whatever path or mount leads there), and no file open through
it belongs to one (a link may lead out). A client closed out of more than necessary connects again by itself.
"""

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from agent.kernel.open_files import HeldFile
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import samba_tools
from agent.offboard.steps.samba_status import IPC, SmbOpen, SmbStatus, SmbTree


class SharePaths:
    """The areas that shares lead to, as far as queried."""

    def __init__(self, context: RevocationContext) -> None:
        self._context = context
        self._areas = {area.name: area.path for area in context.areas()}
        self._paths: dict[str, str | None] = {}

    def lead(self, tree: SmbTree, areas: Collection[str], opens: Iterable[SmbOpen]) -> bool:
        """Whether *tree* leads to one of *areas*: by its directory, or by one of *opens*, the files its user opened."""
        if tree.share not in self._paths:
            self._paths[tree.share] = samba_tools.path_of(tree.share)
        path = self._paths[tree.share]
        if path is None or self._lies_at(path, areas):
            return True
        top = os.path.realpath(path)
        names = (f"{top}/{file.name}" for file in opens if file.pid == tree.pid and os.path.realpath(file.top) == top)
        return any(self._context.area_of(HeldFile(tree.pid, 0, 0, "fd", name)) in {"", *areas} for name in names)

    def _lies_at(self, path: str, areas: Collection[str]) -> bool:
        try:
            status = Path(path).stat()
        except OSError:
            return True
        if not stat.S_ISDIR(status.st_mode):
            return True
        inside = self._context.area_of(HeldFile(0, status.st_dev, status.st_ino, "cwd", path))
        return inside == "" or inside in areas or any(_above(status, self._areas.get(area)) for area in areas)


def _above(directory: os.stat_result, area: str | None) -> bool:
    """Whether *directory* is *area* or above it, by whatever path: unknown areas may be anywhere."""
    if area is None:
        return True
    for place in (Path(area), *Path(area).parents):
        try:
            status = place.stat()
        except OSError:
            return True
        if (status.st_dev, status.st_ino) == (directory.st_dev, directory.st_ino):
            return True
    return False


def lost_by(now: SmbStatus, leaver: RevocationSubject, paths: SharePaths) -> tuple[SmbTree, ...]:
    """Return the trees of a person who stays that are to be closed."""
    trees = (tree for tree in now.trees_of(leaver.uids) if tree.share != IPC)
    opens = [file for file in now.opens if file.uid in leaver.uids]
    return tuple(tree for tree in trees if not leaver.areas or paths.lead(tree, leaver.areas, opens))
