"""Which shares of a Samba server lead to which areas.

Rules of this file: a share is spared only where it is known to lead elsewhere: its directory is one and the same for
everybody, is neither in nor above an area that is lost (by inode and label, whatever path or mount leads there), and
nothing that is open through it is of one (a link may lead out). Who is closed out of more connects again by itself.
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
    """Which shares lead to which areas, as far as it was asked."""

    def __init__(self, context: RevocationContext) -> None:
        self._context = context
        self._areas = {area.name: area.path for area in context.areas()}
        self._paths: dict[str, str | None] = {}

    def lead(self, tree: SmbTree, areas: Collection[str], opens: Iterable[SmbOpen]) -> bool:
        """Whether *tree* leads to one of *areas*: by its directory, or by one of *opens*, what its user has open."""
        if tree.share not in self._paths:
            self._paths[tree.share] = samba_tools.path_of(tree.share)
        path = self._paths[tree.share]
        if path is None or self._lies_at(path, areas):
            return True
        top = os.path.realpath(path)
        names = (f"{top}/{one.name}" for one in opens if one.pid == tree.pid and os.path.realpath(one.top) == top)
        return any(self._context.area_of(HeldFile(tree.pid, 0, 0, "fd", name)) in {"", *areas} for name in names)

    def _lies_at(self, path: str, areas: Collection[str]) -> bool:
        try:
            found = Path(path).stat()
        except OSError:
            return True
        if not stat.S_ISDIR(found.st_mode):
            return True
        inside = self._context.area_of(HeldFile(0, found.st_dev, found.st_ino, "cwd", path))
        return inside == "" or inside in areas or any(_above(found, self._areas.get(area)) for area in areas)


def _above(found: os.stat_result, area: str | None) -> bool:
    """Whether the directory *found* is *area* or above it, by whatever path: unknown areas may be anywhere."""
    if area is None:
        return True
    for place in (Path(area), *Path(area).parents):
        try:
            there = place.stat()
        except OSError:
            return True
        if (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino):
            return True
    return False


def lost_by(now: SmbStatus, leaver: RevocationSubject, paths: SharePaths) -> tuple[SmbTree, ...]:
    """Return the trees of somebody who stays that are to be closed."""
    trees = (tree for tree in now.trees_of(leaver.uids) if tree.share != IPC)
    opens = [one for one in now.opens if one.uid in leaver.uids]
    return tuple(tree for tree in trees if not leaver.areas or paths.lead(tree, leaver.areas, opens))
