"""Can this directory be protected soundly, and how? Pure: facts in, a plan or a refusal out.

Two shapes of plan:

* **dedicated**: the filesystem holds documents and nothing the machine or its people work on. One filesystem mark
  covers it; other filesystems cost nothing (tiers A, A-read and C).
* **shared**: people work on the filesystem, too (``/home``). The directory is bound onto itself, so that its border is
  a mount border no link or rename crosses, and every mount that cannot reach an area is exempted (tiers B, B-read and
  C).

Rules of this file: a reason to refuse beats every reason to accept (``unprotectable``). What can be protected but has
a past (links, open descriptors, foreign labels) is told as notices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.kernel.mountinfo import Device, Mount, self_bind, siblings, within
from agent.volumes.facts import UnprotectableError, VolumeFacts
from agent.volumes.refusals import refusal
from rules.text import Text
from rules.visible import visible

Sharing = Literal["dedicated", "shared"]


@dataclass(frozen=True, slots=True)
class PlanNotice:
    """Something the officer must know though the directory can be protected. ``code`` is a word for programs."""

    code: str
    text: Text
    hint: Text | None = None


@dataclass(frozen=True, slots=True)
class AreaPlan:
    """How to protect one directory.

    ``inner`` is its path inside its filesystem, which ``device`` names to mountinfo and ``st_dev`` to stat(2).
    """

    path: str
    inner: str
    device: Device
    st_dev: int
    fstype: str
    sharing: Sharing
    notices: tuple[PlanNotice, ...] = ()

    @property
    def dedicated(self) -> bool:
        """Whether the filesystem holds documents only."""
        return self.sharing == "dedicated"


def plan_area(facts: VolumeFacts, *, sharing: Sharing | None = None, accept_links: bool = False) -> AreaPlan:
    """Return how to protect the directory of *facts*.

    Raises :class:`UnprotectableError` with the reason when that cannot be.

    *sharing* is the officer's word against what was found. *accept_links*: protect a directory on a shared filesystem
    though files of it have names outside; they stay reachable there.
    """
    if reason := refusal(facts):
        raise reason
    assert facts.mount is not None, "refusal() has seen to it"
    chosen = sharing or sharing_of(facts)
    if chosen == "shared" and facts.survey.link_count and not accept_links:
        raise _leaking_links(facts)
    return AreaPlan(
        path=facts.path,
        inner=facts.mount.inner(facts.path) or "/",
        device=facts.mount.device,
        st_dev=facts.st_dev,
        fstype=facts.mount.fstype,
        sharing=chosen,
        notices=tuple(_notices(facts, chosen)),
    )


def doors(plan: AreaPlan, rows: Iterable[Mount]) -> tuple[str, ...]:
    """Return every path that must be covered to take the area out of reach, by every mount of its filesystem.

    A dedicated volume is covered whole: a file moved out of the area is still a file of the area.
    """
    views = [row for row in rows if row.device == plan.device]
    if plan.dedicated:
        return tuple(dict.fromkeys(row.point for row in views))
    shown = [row.outer(plan.inner) or (row.point if within(row.root, plan.inner) else None) for row in views]
    return tuple(dict.fromkeys(path for path in shown if path))


def sharing_of(facts: VolumeFacts) -> Sharing:
    """Return what the filesystem is: shared when people work on it, or when an area of it already is."""
    assert facts.mount is not None
    device = facts.mount.device
    busy = any(place.device == device for place in facts.busy)
    points = {row.point for row in siblings(facts.mount, facts.mounts)}
    bound = points.intersection((facts.path, *(path for _, path in facts.areas)))
    tops = (self_bind(path, facts.mounts) for path in bound)
    return "shared" if busy or any(top and top.device == device for top in tops) else "dedicated"


def _leaking_links(facts: VolumeFacts) -> UnprotectableError:
    count, first = facts.survey.link_count, visible(facts.survey.links[0].path)
    return UnprotectableError(
        "links",
        Text(
            f"{count} files of it have names outside of it, first `{first}`; on a shared filesystem these stay open",
            f"其中 {count} 个文件在目录之外另有名称，首个为 `{first}`；在共用文件系统上无法拦截",
        ),
        Text(
            "copy these files (cp, then mv over them), or say --accept-links",
            "请复制这些文件后覆盖原文件，或使用 --accept-links",
        ),
    )


def _notices(facts: VolumeFacts, sharing: Sharing) -> Iterator[PlanNotice]:
    assert facts.mount is not None
    if facts.holders:
        first = facts.holders[0]
        who = f"{first.pid} `{visible(first.comm)}`"
        yield PlanNotice(
            "held",
            Text(
                f"open or mapped by processes already, {len(facts.holders)} times; they keep it; first {who}",
                f"已被进程打开或映射 {len(facts.holders)} 处，这些占用不受约束；首个为 {who}",
            ),
            Text("end or restart these processes", "请结束或重启这些进程"),
        )
    if facts.unseen:
        yield PlanNotice(
            "unseen",
            Text(
                f"{facts.unseen} processes would not be looked into; they may hold something of it",
                f"有 {facts.unseen} 个进程无法检查，可能仍占用其中的文件",
            ),
        )
    if facts.survey.link_count:
        first_link = visible(facts.survey.links[0].path)
        yield PlanNotice(
            "links",
            Text(
                f"{facts.survey.link_count} files have names outside of it, first `{first_link}`",
                f"{facts.survey.link_count} 个文件在目录之外另有名称，首个为 `{first_link}`",
            ),
        )
    if facts.survey.strange_count:
        path, area = facts.survey.strange[0]
        yield PlanNotice(
            "strange-labels",
            Text(
                f"{facts.survey.strange_count} inodes carry the label of another area and keep it, "
                f"first `{visible(path)}` (`{visible(area)}`)",
                f"{facts.survey.strange_count} 个对象带有其他目录的标记并予保留，"
                f"首个为 `{visible(path)}`（`{visible(area)}`）",
            ),
        )
    for path, exporter in facts.exports:
        if within(path, facts.mount.point):
            yield PlanNotice(
                "exported-beside",
                Text(
                    f"`{visible(path)}` on the same filesystem is exported by {exporter}; "
                    "what it opens of the area is denied",
                    f"同一文件系统上的 `{visible(path)}` 由 {exporter} 导出；其对本目录的打开将被拒绝",
                ),
            )
    aliases = [mount for mount in siblings(facts.mount, facts.mounts) if mount.point != facts.path]
    if len(aliases) > 1:
        shown = ", ".join(f"`{visible(mount.point)}`" for mount in aliases[:5])
        yield PlanNotice("aliases", Text(f"the filesystem is mounted at {shown}", f"该文件系统挂载于 {shown}"))
    if sharing == "shared":
        yield PlanNotice(
            "shared",
            Text(
                "the filesystem is shared: a program in a mount namespace of its own waits for a verdict on each open",
                "文件系统为共用：具有独立挂载命名空间的程序每次打开都须等待判定",
            ),
            Text("use a volume that holds documents only", "建议使用只存放文件的卷"),
        )
    if facts.mount.fstype == "tmpfs":
        yield PlanNotice("volatile", Text("its content is gone after a restart", "其内容在重启后消失"))
