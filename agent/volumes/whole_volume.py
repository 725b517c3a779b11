"""The dedicated volumes that areas lie on, as wholes: what a walk over one needs to know.

Rules of this file: only a mount that shows the root of its filesystem shows all of it; without one there is no walk
over the whole. Pure, but for :func:`find`, which reads the mount table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.kernel import mountinfo, mounting
from agent.kernel.mountinfo import Device, Mount, within
from agent.registry.rows.areas import AreaRow
from agent.volumes.planning import AreaPlan


@dataclass(frozen=True, slots=True)
class WholeVolume:
    """One filesystem. ``point`` is where all of it is seen, "" when nowhere; ``areas`` by their path through it.

    ``sealed``: every inode there was given a label once, and the registry says so. ``dedicated``: no area lies bound
    onto itself on a filesystem that people work on.
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
    known = {row.resource.id for row in rows}
    on: dict[Device, dict[str, AreaPlan]] = {}
    for name in guarded:
        if name in plans and name in known:
            on.setdefault(plans[name].device, {})[name] = plans[name]
    for device, areas in on.items():
        tops = [row for row in mounts if row.device == device and row.root == "/" and _seen(row, mounts)]
        # Of several the one people come by to an area: that is the path officers type, and read.
        tops.sort(key=lambda row: not any(row.outer(plan.inner) == plan.path for plan in areas.values()))
        top = tops[0] if tops else None
        shown = {(top.outer(plan.inner) or plan.path) if top else plan.path: name for name, plan in areas.items()}
        first = next(iter(areas.values()))
        yield WholeVolume(
            device,
            first.st_dev,
            top.point if top else "",
            shown,
            any(name in sealed for name in areas),
            all(plan.dedicated for plan in areas.values()),
        )


def find(plans: Mapping[str, AreaPlan], guarded: Iterable[str], rows: Sequence[AreaRow]) -> tuple[WholeVolume, ...]:
    """Return :func:`volumes` of this moment."""
    return tuple(volumes(plans, guarded, rows, mounting.uncovered(mountinfo.table())))


def around(path: str, known: Iterable[WholeVolume]) -> WholeVolume | None:
    """Return the volume whose whole shows *path*, or whose area does; *path* is absolute and has no links."""
    return next((one for one in known if any(within(path, at) for at in (one.point or path + "/", *one.areas))), None)


def _seen(mount: Mount, mounts: Sequence[Mount]) -> bool:
    top = mountinfo.resolve(mount.point, mounts)
    return top is not None and top.id == mount.id
