"""Which paths show an area, or stand in its place, though nobody is asked there. Pure: mount tables in, paths out.

Rules of this file: an area is closed until it is proven guarded (contract C11). A filesystem is guarded when it carries
a mark of ours; what is mounted over an area, at its volume's place or inside it, and carries none, is exposed. Where
nothing is mounted there is nothing to cover: an empty mount point stays visible, for a cover would look to systemd like
the mount it waits for. An automount point is left alone: looking at it would mount it.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

from agent.kernel import mounting
from agent.kernel.cover import GuardedPlace
from agent.kernel.mountinfo import Device, Mount, MountTree, prefixes, tree_of, within

Why = Literal["unguarded", "inside", "unbound", "beneath"]
_AUTOMOUNT = "autofs"


class Exposure(NamedTuple):
    """A path to be covered. ``area``: for whose sake. ``device``: what shows there.

    ``unguarded``: a filesystem without a mark stands where the volume stood. ``inside``: one is mounted in the area.
    ``unbound``: the area of a shared filesystem is not bound onto itself any more. ``beneath``: the volume is gone,
    and below its place is a directory of the same name; with this one the caller has to look whether it is there.
    """

    path: str
    area: str
    device: Device
    why: Why


def exposures(
    rows: Collection[Mount], places: Collection[GuardedPlace], guarded: Collection[Device]
) -> tuple[Exposure, ...]:
    """Return what must be covered: *rows* is the mount table with our covers in it, *guarded* what carries marks."""
    tree = tree_of(rows)
    found: dict[str, Exposure] = {}
    for exposure in (*_over(tree, places, guarded), *_inside(rows, tree, places, guarded)):
        found.setdefault(exposure.path, exposure)
    return tuple(found.values())


def _over(tree: MountTree, places: Iterable[GuardedPlace], guarded: Collection[Device]) -> Iterator[Exposure]:
    for place in places:
        top = tree.resolve(place.path)
        if top is None or mounting.is_cover(top) or top.fstype == _AUTOMOUNT:
            continue
        if top.device in guarded:
            if not place.alone and top.point != place.path:
                yield Exposure(place.path, place.area, top.device, "unbound")
        elif top.point != "/" and within(top.point, place.point or place.path):
            yield Exposure(top.point, place.area, top.device, "unguarded")
        else:
            yield Exposure(place.path, place.area, top.device, "beneath")


def _inside(
    rows: Iterable[Mount], tree: MountTree, places: Iterable[GuardedPlace], guarded: Collection[Device]
) -> Iterator[Exposure]:
    areas = {place.path: place.area for place in places}
    for row in rows:
        if row.device in guarded or mounting.is_cover(row) or row.fstype == _AUTOMOUNT or row.point in areas:
            continue
        area = next((areas[path] for path in reversed(prefixes(row.point)) if path in areas), None)
        top = tree.resolve(row.point) if area is not None else None
        if area is not None and top is not None and top.id == row.id:  # else it is covered, or mounted over
            yield Exposure(row.point, area, row.device, "inside")
