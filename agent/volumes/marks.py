"""Which marks an area needs, and placing them.

Two groups, because the kernel refuses pre-access events and directory events in one mark: the *open* group asks about
every open and listing, the *access* group about reads, writes and mappings of what is already open.

Rules of this file: protection comes from filesystem marks only. A mount mark is used for one thing, to ignore: on a
shared filesystem, mounts through which no area can be reached. Clones of a mount (a new namespace, a new bind) carry no
marks, so everything reached through them is asked about. When in doubt a mount is not ignored; that costs time, never
soundness. Deciding is pure; :func:`place` and :func:`prepare` act.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.errors import RefusedError
from agent.kernel import fanotify, mountinfo, mounting
from agent.kernel.mountinfo import Mount, within
from agent.volumes.planning import AreaPlan
from rules.text import Text
from rules.visible import visible

Group = Literal["open", "access"]

_MASKS: dict[Group, int] = {
    "open": fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR,
    "access": fanotify.FAN_PRE_ACCESS,
}
_IGNORE = fanotify.FAN_MARK_MOUNT | fanotify.FAN_MARK_IGNORE | fanotify.FAN_MARK_IGNORED_SURV_MODIFY


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """One fanotify_mark(2) call. ``mount``: the id of the mount that must be on top of ``path``, for ignore marks.

    ``st_dev`` is checked for filesystem marks. Removing what is not there counts as done.
    """

    group: Group
    flags: int
    mask: int
    path: str
    st_dev: int = 0
    mount: int = 0

    @property
    def removes(self) -> bool:
        """Whether this takes a mark away."""
        return bool(self.flags & fanotify.FAN_MARK_REMOVE)


def prepare(plan: AreaPlan) -> None:
    """Bind the directory of a shared filesystem onto itself; idempotent. Raise ``OSError``."""
    if plan.sharing == "shared":
        mounting.bind_to_itself(plan.path)


def marks(plan: AreaPlan, rows: Sequence[Mount], others: Iterable[AreaPlan] = ()) -> tuple[MarkRequest, ...]:
    """Return the marks *plan* needs, the exemptions first so that no bystander waits in between.

    *rows* is the mount table after :func:`prepare`, *others* the plans of the agent's other areas. Placing the marks
    again is harmless, and mends what a later mount or a new area has changed.
    """
    exemptions = () if plan.dedicated else _exemptions(plan, rows, others)
    return (*exemptions, *filesystem_marks(plan))


def filesystem_marks(plan: AreaPlan) -> tuple[MarkRequest, ...]:
    """Return the marks of the filesystem alone: with them everything on it is asked about, for everybody not exempt."""
    return _filesystem_marks(plan, fanotify.FAN_MARK_ADD)


def unexempt(plan: AreaPlan, rows: Sequence[Mount]) -> tuple[MarkRequest, ...]:
    """Return what takes every exemption on the filesystem of *plan* away."""
    return tuple(
        _on_mount(group, fanotify.FAN_MARK_REMOVE, row) for row in rows if row.device == plan.device for group in _MASKS
    )


def unmarks(plan: AreaPlan, rows: Sequence[Mount], others: Iterable[AreaPlan] = ()) -> tuple[MarkRequest, ...]:
    """Return what takes the marks of *plan* away. Nothing, while another area lies on the same filesystem."""
    if any(other.device == plan.device for other in others):
        return ()
    return (*_filesystem_marks(plan, fanotify.FAN_MARK_REMOVE), *unexempt(plan, rows))


def ignorable(mount: Mount, rows: Sequence[Mount], inners: Iterable[str]) -> bool:
    """Whether no file of an area can be reached through *mount* itself.

    *inners* are the areas on its filesystem, as paths inside it. A mount is harmless when an area lies outside of what
    it shows, or when something is mounted over the area there: a lookup then leaves this mount before it gets in.
    """
    covers = [inner for row in rows if row.parent == mount.id != row.id and (inner := mount.inner(row.point))]
    return not any(
        within(mount.root, inner) or (within(inner, mount.root) and not any(within(inner, cover) for cover in covers))
        for inner in inners
    )


def place(open_group: int, access_group: int | None, requests: Iterable[MarkRequest]) -> None:
    """Carry out *requests*; those of the access group are left out where there is none (tier C).

    Raises ``OSError`` from the kernel and ``RefusedError`` when a path no longer leads to the planned filesystem. An
    exemption whose mount is no longer on top of its path is left out: what is not exempt is asked about.
    """
    for request in requests:
        group = open_group if request.group == "open" else access_group
        if group is not None:
            _place(group, request)


def _place(group: int, request: MarkRequest) -> None:
    try:
        target = mounting.reach(request.path)
    except OSError:
        if request.mount or request.removes:
            return
        raise
    try:
        if request.mount and mountinfo.mount_id(target) != request.mount:
            return
        if request.st_dev and os.fstat(target).st_dev != request.st_dev:
            shown = visible(request.path)
            raise RefusedError(
                Text(f"`{shown}` is on another filesystem than planned", f"`{shown}` 所在文件系统已改变")
            )
        fanotify.mark(group, request.flags, request.mask, f"/proc/self/fd/{target}")
    except OSError as error:
        if not (request.removes and error.errno == errno.ENOENT):
            raise
    finally:
        os.close(target)


def _filesystem_marks(plan: AreaPlan, act: int) -> tuple[MarkRequest, ...]:
    flags = act | fanotify.FAN_MARK_FILESYSTEM
    return tuple(MarkRequest(group, flags, mask, plan.path, st_dev=plan.st_dev) for group, mask in _MASKS.items())


def _exemptions(plan: AreaPlan, rows: Sequence[Mount], others: Iterable[AreaPlan]) -> list[MarkRequest]:
    inners = [area.inner for area in (plan, *others) if area.device == plan.device]
    wanted = []
    for row in rows:
        if row.device == plan.device:
            act = fanotify.FAN_MARK_ADD if ignorable(row, rows, inners) else fanotify.FAN_MARK_REMOVE
            wanted += [_on_mount(group, act, row) for group in _MASKS]
    return wanted


def _on_mount(group: Group, act: int, row: Mount) -> MarkRequest:
    return MarkRequest(group, act | _IGNORE, _MASKS[group], row.point, mount=row.id)
