"""Staging of a volume: it is mounted and marked before it is visible, and moved to its place beneath a cover.

    own mount namespace: mount → probe → mark both groups → cover → detached copy of both
    later, in the host's namespace: the copy is moved to its place

Rules of this file: the copy is volume and cover in one, so that the move shows the cover and never the volume; only a
proof removes the cover (:mod:`agent.volumes.protection`). The preparing thread has its own mount namespace, which ends
with it. It may block as long as the disk does; the waiting caller can give up, and the work continues.
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
from rules.text import Message
from rules.tiers import Tier
from rules.visible import visible


class VolumeSource(NamedTuple):
    """The source of a mount: a block device with a filesystem of ``fstype``, and options as for mount(8)."""

    node: str
    fstype: str
    options: str


@dataclass(slots=True)
class StagedVolume:
    """A marked volume beneath a cover, detached. ``tree`` is its descriptor; closing it makes the kernel release it."""

    tree: int
    point: str
    device: Device
    st_dev: int
    tier: Tier

    def publish(self) -> None:
        """Move it to its place, covered. Raises ``OSError``; then it can be tried again."""
        mounting.unhide(self.point)  # remove a cover of the empty place, because the volume would be mounted above it
        new_mount.move(self.tree, self.point)
        self.close()

    def close(self) -> None:
        """Close the descriptor."""
        if self.tree >= 0:
            os.close(self.tree)
            self.tree = -1


class Staging:
    """The preparation of one volume, in a thread of its own."""

    def __init__(self, groups: FanotifyGroups, protection: Protection, source: VolumeSource, point: str) -> None:
        self._groups = groups
        self._protection = protection
        self._source = source
        self._point = point
        self._turn = threading.Lock()
        self._outcome: StagedVolume | RefusedError | OSError | None = None
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="staging", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the work has ended."""
        return not self._thread.is_alive()

    def result(self, seconds: float) -> StagedVolume:
        """Return the volume. Raises ``OSError`` and :class:`RefusedError`; ``TimeoutError`` after *seconds*.

        After a timeout the volume is released as soon as it is ready.
        """
        self._thread.join(seconds)
        with self._turn:
            outcome = self._outcome
            self._given_up = outcome is None
        if outcome is None:
            raise TimeoutError
        if isinstance(outcome, StagedVolume):
            return outcome
        raise outcome

    def _run(self) -> None:
        outcome: StagedVolume | RefusedError | OSError
        try:
            outcome = self._stage()
        except (OSError, RefusedError) as error:
            outcome = error
        with self._turn:
            if not self._given_up:
                self._outcome = outcome
            elif isinstance(outcome, StagedVolume):
                outcome.close()

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
                with protection.turn:  # the lock was taken with the plan
                    protection.locks.abandon(plan.device)
                raise
        finally:
            os.close(root)

    def _marked(self, plan: AreaPlan, root: int) -> StagedVolume:
        tier = self._protection.volume_tiers.tier(plan)
        Guarding(self._groups, plan, (), tier).mark()
        if plan.st_dev not in guarding.marked(self._groups.open):
            shown_node = visible(self._source.node)
            raise RefusedError(Message("volumes.mark-missing", device=shown_node))
        mounting.hide(self._point)
        return StagedVolume(new_mount.detached_copy(root), self._point, plan.device, plan.st_dev, tier)
