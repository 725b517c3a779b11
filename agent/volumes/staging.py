"""A volume that is mounted and marked before anybody can see it, and comes to its place beneath a cover.

    own mount namespace: mount → probe → mark both groups → cover → detached copy of both
    later, in the host's: the copy to its place

Rules of this file: the copy is volume and cover in one, so that the move shows the cover and never the volume; only a
proof takes the cover off (:mod:`agent.volumes.protection`). The thread that prepares it has a mount namespace of its
own, which ends with it. It may sleep as long as the disk does; whoever waits can give up, and the work goes on.
"""

import os
import threading
from dataclasses import dataclass
from typing import NamedTuple

from agent.errors import RefusedError
from agent.kernel import mounting, new_mount
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.mountinfo import Device
from agent.volumes import guarding
from agent.volumes.guarding import Guarding
from agent.volumes.planning import AreaPlan
from agent.volumes.protection import Protection
from rules.text import Text
from rules.tiers import Tier
from rules.visible import visible


class VolumeSource(NamedTuple):
    """What is to be mounted: a block device with a filesystem of ``fstype``, with options as mount(8) takes them."""

    node: str
    fstype: str
    options: str


@dataclass(slots=True)
class StagedVolume:
    """A marked volume beneath a cover, detached. ``tree`` is its descriptor; without it the kernel lets it go."""

    tree: int
    point: str
    device: Device
    st_dev: int
    tier: Tier

    def publish(self) -> None:
        """Bring it to its place, covered. Raises ``OSError``, and it can be tried again."""
        mounting.unhide(self.point)  # a cover over the empty place; the volume would end up above it
        new_mount.move(self.tree, self.point)
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self.tree >= 0:
            os.close(self.tree)
            self.tree = -1


class Staging:
    """The work of preparing one volume, in a thread of its own."""

    def __init__(self, groups: FanotifyGroups, protection: Protection, source: VolumeSource, point: str) -> None:
        self._groups = groups
        self._protection = protection
        self._source = source
        self._point = point
        self._turn = threading.Lock()
        self._found: StagedVolume | RefusedError | OSError | None = None
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="staging", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the work has ended."""
        return not self._thread.is_alive()

    def result(self, seconds: float) -> StagedVolume:
        """Return the volume. Raises ``OSError`` and :class:`RefusedError`; ``TimeoutError`` after *seconds*.

        After that nobody gets it any more: it is let go when it comes.
        """
        self._thread.join(seconds)
        with self._turn:
            found = self._found
            self._given_up = found is None
        if found is None:
            raise TimeoutError
        if isinstance(found, StagedVolume):
            return found
        raise found

    def _run(self) -> None:
        found: StagedVolume | RefusedError | OSError
        try:
            found = self._stage()
        except (OSError, RefusedError) as error:
            found = error
        with self._turn:
            if not self._given_up:
                self._found = found
            elif isinstance(found, StagedVolume):
                found.close()

    def _stage(self) -> StagedVolume:
        point, protection = self._point, self._protection
        mounting.own_namespace_for_this_thread()
        mounting.unhide(point)
        mount = new_mount.make(self._source.node, self._source.fstype, new_mount.options(self._source.options))
        try:
            new_mount.move(mount, point)
        finally:
            os.close(mount)
        root = os.open(point, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            plan = protection.plan(point, (), sharing="dedicated", accept_links=True, inside=False)
            assert plan is not None
            try:
                return self._marked(plan, root)
            except BaseException:
                with protection.turn:  # taken with the plan
                    protection.locks.abandon(plan.device)
                raise
        finally:
            os.close(root)

    def _marked(self, plan: AreaPlan, root: int) -> StagedVolume:
        tier = self._protection.volume_tiers.tier(plan)
        Guarding(self._groups, plan, (), tier).mark()
        if plan.st_dev not in guarding.marked(self._groups.open):
            shown = visible(self._source.node)
            raise RefusedError(Text(f"no mark is seen on `{shown}`", f"`{shown}` 上未见标记"))
        mounting.hide(self._point)
        return StagedVolume(new_mount.detached_copy(root), self._point, plan.device, plan.st_dev, tier)
