"""Exposures: paths that show an area, or are in its place, without raising events. Pure: mount tables in, paths out.

Rules of this file: an area is closed until it is proven guarded (contract C11). A filesystem is guarded when it carries
a mark of the agent; a mount without one over an area, at its volume's place or inside it is exposed. Where nothing is
mounted there is nothing to cover: an empty mount point stays visible, because systemd would take a cover for the
awaited mount. An automount point is left alone: inspecting it would mount it.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

from agent.kernel import mounting
from agent.kernel.cover import GuardedPlace
from agent.kernel.mountinfo import Device, Mount, MountTree, prefixes, tree_of, within

Why = Literal["unguarded", "inside", "unbound", "beneath"]
_AUTOMOUNT = "autofs"


class Exposure(NamedTuple):
    """A path to be covered. ``area``: the area it belongs to. ``device``: the filesystem shown there.

    ``unguarded``: a filesystem without a mark is in place of the volume. ``inside``: one is mounted in the area.
    ``unbound``: the area of a shared filesystem is not bound onto itself any more. ``beneath``: the volume is gone, and
    below its place is a directory of the same name; for this one the caller has to check that it exists.
    """

    path: str
    area: str
    device: Device
    why: Why


def exposures(
    rows: Collection[Mount], places: Collection[GuardedPlace], guarded: Collection[Device]
) -> tuple[Exposure, ...]:
    """Return the paths to cover: *rows* is the mount table with covers, *guarded* the devices with marks."""
    tree = tree_of(rows)
    exposed: dict[str, Exposure] = {}
    for exposure in (*_over(tree, places, guarded), *_inside(rows, tree, places, guarded)):
        exposed.setdefault(exposure.path, exposure)
    return tuple(exposed.values())


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
        if area is not None and top is not None and top.id == row.id:  # otherwise it is covered, or mounted over
            yield Exposure(row.point, area, row.device, "inside")
