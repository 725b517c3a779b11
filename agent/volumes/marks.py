"""Fanotify marks of an area: the required ones, and placing them.

Two groups, because the kernel refuses pre-access events and directory events in one mark: the *open* group checks every
open and listing, the *access* group the use of descriptors that are already open: reads, writes and mappings (tiers A
and B), or reads of files and of directories (A-read and B-read), or nothing (C).

Rules of this file: protection comes from filesystem marks only. A mount mark is used only to ignore, on a shared
filesystem, mounts through which no area can be reached. Clones of a mount (a new namespace, a new bind) carry no marks,
so every access through them is checked. When in doubt a mount is not ignored; that costs time, never soundness.
Planning is pure; :func:`place` and :func:`prepare` act.
"""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.errors import RefusedError
from agent.kernel import fanotify, mark_flags, mountinfo, mounting
from agent.kernel.mountinfo import Mount, within
from agent.volumes.planning import AreaPlan, Sharing
from rules.text import Message
from rules.tiers import Tier
from rules.visible import visible

Group = Literal["open", "access"]

_OPENS = fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR
_READS = fanotify.FAN_ACCESS_PERM | fanotify.FAN_ONDIR
_ACCESSES: dict[Tier, int] = {
    "A": fanotify.FAN_PRE_ACCESS,
    "B": fanotify.FAN_PRE_ACCESS,
    "A-read": _READS,
    "B-read": _READS,
}
_IGNORE = fanotify.FAN_MARK_MOUNT | mark_flags.IGNORED
# On the root directory of a volume that is an area as a whole: root opens it to freeze, trim or sync the volume, and
# reads no names through it.
NAMES = fanotify.FAN_ACCESS_PERM | fanotify.FAN_ONDIR


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """One fanotify_mark(2) call. ``mount``: the id of the mount that must be on top of ``path``, for ignore marks.

    ``st_dev`` is checked for filesystem marks. Removing a missing mark counts as done.
    """

    group: Group
    flags: int
    mask: int
    path: str
    st_dev: int = 0
    mount: int = 0

    @property
    def removes(self) -> bool:
        """Whether this removes a mark."""
        return bool(self.flags & fanotify.FAN_MARK_REMOVE)


def accesses(tier: Tier) -> int:
    """Return the mask of the access group's mark on a volume of *tier*, 0 where it has none."""
    return _ACCESSES.get(tier, 0)


def tier_of(mask: int, sharing: Sharing) -> Tier:
    """Return the tier of a volume whose mark in the access group has *mask*."""
    if mask & fanotify.FAN_PRE_ACCESS:
        return "A" if sharing == "dedicated" else "B"
    if mask & fanotify.FAN_ACCESS_PERM:
        return "A-read" if sharing == "dedicated" else "B-read"
    return "C"


def prepare(plan: AreaPlan) -> None:
    """Bind the directory of a shared filesystem onto itself; idempotent. Raises ``OSError``."""
    if plan.sharing == "shared":
        mounting.bind_to_itself(plan.path)


def marks(
    plan: AreaPlan, rows: Sequence[Mount], other_plans: Iterable[AreaPlan] = (), *, access: int
) -> tuple[MarkRequest, ...]:
    """Return the marks of *plan*, the exemptions first so that unrelated processes do not wait in between.

    *rows* is the mount table after :func:`prepare`, *other_plans* the plans of the agent's other areas, *access* the
    mask of :func:`accesses` for its tier. Placing the marks again is harmless, and corrects the effect of a later mount
    or a new area.
    """
    exemptions = () if plan.dedicated else _exemptions(plan, rows, other_plans, access)
    return (*exemptions, *filesystem_marks(plan, access=access))


def filesystem_marks(plan: AreaPlan, *, access: int) -> tuple[MarkRequest, ...]:
    """Return the marks of the filesystem alone: with them every access to it is checked, except through exemptions."""
    return _filesystem_marks(plan, fanotify.FAN_MARK_ADD, access)


def unexempt(plan: AreaPlan, rows: Sequence[Mount], *, access: int) -> tuple[MarkRequest, ...]:
    """Return the requests that remove every exemption on the filesystem of *plan*."""
    removed = (_on_mount(fanotify.FAN_MARK_REMOVE, row, access) for row in rows if row.device == plan.device)
    return tuple(request for requests in removed for request in requests)


def unmarks(
    plan: AreaPlan, rows: Sequence[Mount], other_plans: Iterable[AreaPlan] = (), *, access: int
) -> tuple[MarkRequest, ...]:
    """Return the requests that remove the marks of *plan*: none while another area is on the same filesystem."""
    if any(other_plan.device == plan.device for other_plan in other_plans):
        return ()
    return (*_filesystem_marks(plan, fanotify.FAN_MARK_REMOVE, access), *unexempt(plan, rows, access=access))


def ignorable(mount: Mount, rows: Sequence[Mount], inners: Iterable[str]) -> bool:
    """Return whether no file of an area can be reached through *mount* itself.

    *inners* are the areas on its filesystem, as paths inside it. A mount is harmless when it does not show an area, or
    when another mount covers the area there: a lookup then leaves this mount before it reaches the area.
    """
    covers = [inner for row in rows if row.parent == mount.id != row.id and (inner := mount.inner(row.point))]
    return not any(
        within(mount.root, inner) or (within(inner, mount.root) and not any(within(inner, cover) for cover in covers))
        for inner in inners
    )


def place(open_group: int, access_group: int | None, requests: Iterable[MarkRequest]) -> None:
    """Carry out *requests*; those of the access group are skipped where there is none.

    Raises ``OSError`` from the kernel and ``RefusedError`` when a path no longer leads to the planned filesystem. An
    exemption whose mount is no longer on top of its path is skipped: without it accesses are checked.
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
            shown_path = visible(request.path)
            raise RefusedError(Message("volumes.filesystem-changed-since-plan", path=shown_path))
        fanotify.mark(group, request.flags, request.mask, f"/proc/self/fd/{target}")
    except OSError as error:
        if not (request.removes and error.errno == errno.ENOENT):
            raise
    finally:
        os.close(target)


def _masks(access: int) -> Iterator[tuple[Group, int]]:
    yield "open", _OPENS
    if access:
        yield "access", access


def _filesystem_marks(plan: AreaPlan, act: int, access: int) -> tuple[MarkRequest, ...]:
    """Return the filesystem's marks, the directory first: an open determines whether its reads are checked."""
    flags = act | fanotify.FAN_MARK_FILESYSTEM
    whole = tuple(MarkRequest(group, flags, mask, plan.path, st_dev=plan.st_dev) for group, mask in _masks(access))
    if plan.inner != "/":
        return whole
    return MarkRequest("open", act | fanotify.FAN_MARK_ONLYDIR, NAMES, plan.path, st_dev=plan.st_dev), *whole


def _exemptions(
    plan: AreaPlan, rows: Sequence[Mount], other_plans: Iterable[AreaPlan], access: int
) -> list[MarkRequest]:
    inners = [area.inner for area in (plan, *other_plans) if area.device == plan.device]
    wanted = []
    for row in rows:
        if row.device == plan.device:
            act = fanotify.FAN_MARK_ADD if ignorable(row, rows, inners) else fanotify.FAN_MARK_REMOVE
            wanted += _on_mount(act, row, access)
    return wanted


def _on_mount(act: int, row: Mount, access: int) -> list[MarkRequest]:
    return [MarkRequest(group, act | _IGNORE, mask, row.point, mount=row.id) for group, mask in _masks(access)]
