"""Checks of ``doctor`` on volumes: the holders of a hidden volume, and the agent's hold on a guarded one.

Rules of this file: findings from the given data; the caller collects the data.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agent.api.findings import Finding
from rules.text import Message, Sentence, series
from rules.visible import visible


class VolumeSeen(NamedTuple):
    """A volume. ``said``: the finding about a hidden volume that no area on it reports.

    ``free`` and ``holders`` are of a hidden volume: whether its disk is free, and its holders.
    """

    point: str
    device: str
    hidden: bool = False
    said: Finding | None = None
    trouble: Sentence | None = None
    free: bool = True
    holders: tuple[Sentence, ...] = ()
    mounted: str = ""  # another mount point of a hidden volume


def volumes(volume_list: Iterable[VolumeSeen]) -> Iterator[Finding]:
    """Yield the state of each volume."""
    for volume in volume_list:
        point, device = visible(volume.point), visible(volume.device)
        if volume.trouble is not None:
            yield Finding(
                "serious",
                "volume",
                Message("doctor.of-volume", point=point, trouble=volume.trouble),
                Message("doctor.shoumi-volume-show", point=point),
            )
        if volume.said is not None:
            yield volume.said
        if volume.hidden:
            yield _use(volume, point, device)
        else:
            yield Finding(
                "good",
                "volume",
                Message("doctor.volume-held-by-agent", device=device, point=point),
            )


def _use(volume: VolumeSeen, point: str, device: str) -> Finding:
    if volume.free:
        return Finding("good", "volume", Message("doctor.device-free", device=device))
    first = volume.holders[:5] or (Message("doctor.kernel"),)
    return Finding(
        "warning",
        "volume-held",
        Message("doctor.volume-held", device=device, holders=series(first)),
        Message("doctor.unmount", elsewhere=elsewhere)
        if (elsewhere := visible(volume.mounted))
        else Message("doctor.end-volume-holders", point=point),
    )
