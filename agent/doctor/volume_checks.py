"""What ``doctor`` says of volumes: who still holds a hidden one, and that the agent holds a guarded one.

Rules of this file: findings from what it is given; looking is the caller's.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agent.api.findings import Finding
from rules.text import Text
from rules.visible import visible


class VolumeSeen(NamedTuple):
    """A volume. ``said`` is what a hidden one has to say that no area on it says already.

    ``free`` and ``holders`` are of a hidden one, too: whether nobody holds its disk, and who does.
    """

    point: str
    device: str
    hidden: bool = False
    said: Finding | None = None
    trouble: Text | None = None
    free: bool = True
    holders: tuple[Text, ...] = ()
    mounted: str = ""  # where else a hidden one is mounted


def volumes(seen: Iterable[VolumeSeen]) -> Iterator[Finding]:
    """Say how each volume is."""
    for volume in seen:
        point, device = visible(volume.point), visible(volume.device)
        if volume.trouble is not None:
            yield Finding(
                "serious",
                "volume",
                Text(f"the volume at `{point}`: {volume.trouble.en}", f"`{point}` 的卷：{volume.trouble.zh}"),
                Text(f"shoumi volume show {point}", f"shoumi volume show {point}"),
            )
        if volume.said is not None:
            yield volume.said
        if volume.hidden:
            yield _use(volume, point, device)
        else:
            yield Finding(
                "good",
                "volume",
                Text(
                    f"the agent holds `{device}` for `{point}`; `shoumi volume hide {point}` lets go of it",
                    f"代理为 `{point}` 持有 `{device}`；`shoumi volume hide {point}` 可将其释放",
                ),
            )


def _use(volume: VolumeSeen, point: str, device: str) -> Finding:
    if volume.free:
        return Finding("good", "volume", Text(f"nobody holds `{device}`", f"无人占用 `{device}`"))
    first = volume.holders[:5] or (Text("the kernel itself", "内核自身"),)
    who_en, who_zh = "; ".join(one.en for one in first), "；".join(one.zh for one in first)
    return Finding(
        "warning",
        "volume-held",
        Text(f"`{device}` is still held: {who_en}", f"`{device}` 仍被占用：{who_zh}"),
        Text(f"umount {elsewhere}", f"umount {elsewhere}")
        if (elsewhere := visible(volume.mounted))
        else Text(f"shoumi volume hide {point} --yes --end", f"shoumi volume hide {point} --yes --end"),
    )
