"""Whole volumes: the dedicated volumes of areas, with the data for a walk over all of each.

Rules of this file: only a mount of the root of a filesystem shows all of it; without such a mount there is no walk over
the whole. Pure, except :func:`find`, which reads the mount table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.kernel import mountinfo, mounting
from agent.kernel.mountinfo import Device, Mount, within
from agent.registry.rows.areas import AreaRow
from agent.volumes.planning import AreaPlan


@dataclass(frozen=True, slots=True)
class WholeVolume:
    """One filesystem. ``point`` is the mount point of its root, "" for none; ``areas`` by their path through it.

    ``sealed``: the registry says that every inode there has been labelled. ``dedicated``: no area on it is bound onto
    itself on a shared filesystem.
    """

    device: Device
    st_dev: int
    point: str
    areas: Mapping[str, str]
    sealed: bool
    dedicated: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The areas on it."""
        return tuple(self.areas.values())


def volumes(
    plans: Mapping[str, AreaPlan], guarded: Iterable[str], rows: Sequence[AreaRow], mounts: Sequence[Mount]
) -> Iterator[WholeVolume]:
    """Yield each filesystem that carries a *guarded* area. *mounts* is the mount table without our covers."""
    sealed = {row.resource.id for row in rows if row.volume.get("sealed") is True}
    registered = {row.resource.id for row in rows}
    on: dict[Device, dict[str, AreaPlan]] = {}
    for name in guarded:
        if name in plans and name in registered:
            on.setdefault(plans[name].device, {})[name] = plans[name]
    for device, areas in on.items():
        tops = [row for row in mounts if row.device == device and row.root == "/" and _is_on_top(row, mounts)]
        # Of several mounts the one through which people reach an area: officers type and read that path.
        tops.sort(key=lambda row: not any(row.outer(plan.inner) == plan.path for plan in areas.values()))
        top = tops[0] if tops else None
        by_path = {(top.outer(plan.inner) or plan.path) if top else plan.path: name for name, plan in areas.items()}
        first = next(iter(areas.values()))
        yield WholeVolume(
            device,
            first.st_dev,
            top.point if top else "",
            by_path,
            any(name in sealed for name in areas),
            all(plan.dedicated for plan in areas.values()),
        )


def find(plans: Mapping[str, AreaPlan], guarded: Iterable[str], rows: Sequence[AreaRow]) -> tuple[WholeVolume, ...]:
    """Return the current :func:`volumes`."""
    return tuple(volumes(plans, guarded, rows, mounting.uncovered(mountinfo.table())))


def around(path: str, whole_volumes: Iterable[WholeVolume]) -> WholeVolume | None:
    """Return the volume whose mount or area contains *path*; *path* is absolute and has no links."""
    return next(
        (
            volume
            for volume in whole_volumes
            if any(within(path, at) for at in (volume.point or path + "/", *volume.areas))
        ),
        None,
    )


def _is_on_top(mount: Mount, mounts: Sequence[Mount]) -> bool:
    top = mountinfo.resolve(mount.point, mounts)
    return top is not None and top.id == mount.id
