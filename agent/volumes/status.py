"""What is known of an area's protection: data, and the sentences of what can be wrong with it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.api.findings import Finding
from agent.kernel import labels
from agent.volumes.facts import UnprotectableError
from agent.volumes.planning import AreaPlan
from rules.text import Text
from rules.tiers import MinimumTier, Tier
from rules.visible import visible


class ProtectedArea(NamedTuple):
    """What protecting needs to know of an area. ``volume`` is what was found out when it was added."""

    name: str
    path: str
    volume: dict[str, Any]


UNLABELLED, STRIPPED, FOREIGN, UNSEALED = "unlabelled", "stripped", "foreign-labels", "unsealed"
NOT_SEEN = "not-seen"  # of a canary: the guard of an area did not refuse, or left no entry
NOT_TRIED = "not-tried"  # of a canary: it could not be said whether the guard refuses; it is tried again


class Counts(NamedTuple):
    """What the last sweep met; zero before the first."""

    files: int = 0
    directories: int = 0
    labelled: int = 0

    @classmethod
    def of(cls, report: labels.LabelReport) -> "Counts":
        """Return the counts of a sweep."""
        return cls(report.files, report.directories, report.fresh)


NOT_COUNTED = Counts()


@dataclass(frozen=True, slots=True)
class Protected:
    """How an area is protected now; ``tier`` is ``none`` when it is not. ``findings``: what the officer must know.

    ``closed``: it is covered, so nobody gets in. ``hidden``: an officer has had its volume let go of. ``fresh``: its
    filesystem carried no mark before; whoever opened something there earlier was not asked. ``since``: when it was
    last brought under guard (:func:`agent.kernel.start_time.ticks_now`).
    """

    area: str
    path: str
    tier: Tier
    sharing: str = ""
    counts: Counts = NOT_COUNTED
    findings: tuple[Finding, ...] = ()
    closed: bool = False
    hidden: bool = False
    read_only: bool = False
    fresh: bool = False
    since: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        fields = ("area", "path", "tier", "sharing", "closed", "hidden")
        shown = {name: getattr(self, name) for name in fields} | self.counts._asdict()
        return shown | {"findings": [finding.to_json() for finding in self.findings]}


def volume_of(plan: AreaPlan | None, tier: str, *, accept_links: bool, held: str | None = None) -> dict[str, Any]:
    """Return what the registry remembers of an area's place. The decider reads ``alone``.

    *held*: what becomes of processes that held its files before it was guarded, ``name`` or ``end``.
    """
    if plan is None:
        return {"tier": tier}
    shape = {"alone": plan.dedicated, "sharing": plan.sharing, "fstype": plan.fstype, "tier": tier}
    return shape | ({"accept_links": True} if accept_links else {}) | ({"held": held} if held else {})


def of_sweep(report: labels.LabelReport, area: ProtectedArea) -> Iterator[Finding]:
    """Say what could not be labelled."""
    if not report.complete:
        first = report.troubles[0]
        said = visible(first.path)
        why = os.strerror(first.error)
        yield Finding(
            "serious",
            UNLABELLED,
            Text(
                f"{report.trouble_count} places of `{area.name}` could not be labelled, first `{said}`: {why}",
                f"`{area.name}` 中有 {report.trouble_count} 处无法标记，首个为 `{said}`：{why}",
            ),
            Text("see to it, then restart the agent: it labels again", "处理后重启代理，将重新标记"),
        )

    if report.stripped_count:
        yield stripped(area.name, report.stripped_count, report.stripped[0], area.path)


def stripped(area: str, count: int, first: str, top: str) -> Finding:
    """Say that files lost their labels, or came to the volume while no agent ran."""
    said, name, where = visible(first), visible(area), visible(top)
    return Finding(
        "serious",
        STRIPPED,
        Text(
            f"{count} files on the volume of `{name}` have content and no label, first `{said}`: stripped, or put "
            "there while no agent ran; nobody gets in",
            f"`{name}` 所在卷上有 {count} 个文件有内容而无标记，首个为 `{said}`：标记被去除，或在代理未运行时放入；"
            "任何人均不能打开",
        ),
        Text(
            f"find out why; what is in order is given its label by: shoumi area relabel {where}",
            f"请查明原因；确认无误后补上标记：shoumi area relabel {where}",
        ),
    )


def foreign(area: str, count: int, first: str, top: str) -> Finding:
    """Say that inodes carry the label of an area that does not exist, or a damaged one."""
    said, name, where = visible(first), visible(area), visible(top)
    return Finding(
        "serious",
        FOREIGN,
        Text(
            f"{count} inodes on the volume of `{name}` carry a damaged label, or one of no area that exists, first "
            f"`{said}`; nobody gets in",
            f"`{name}` 所在卷上有 {count} 个对象的标记已损坏，或所指目录不存在，首个为 `{said}`；任何人均不能打开",
        ),
        Text(f"shoumi area relabel {where}", f"shoumi area relabel {where}"),
    )


def unsealed(area: str, first: str) -> Finding:
    """Say that not every inode of a dedicated volume carries a label, so that one without is not seen as stripped."""
    name, said = visible(area), visible(first)
    return Finding(
        "warning",
        UNSEALED,
        Text(
            f"not every file on the volume of `{name}` could be labelled, first `{said}`"
            if said
            else f"the whole volume of `{name}` is mounted nowhere, so not every file on it could be labelled",
            f"`{name}` 所在卷上并非每个文件都能标记，首个为 `{said}`"
            if said
            else f"`{name}` 所在卷未整体挂载，无法标记其上全部文件",
        ),
        Text(
            "until then a file whose label root has stripped passes for one of no area",
            "在此之前，被 root 去除标记的文件会被视为不属于任何目录",
        ),
    )


def read_only(area: ProtectedArea) -> Finding:
    """Say that the volume cannot be written: what has no label yet stays out of reach."""
    return Finding(
        "warning",
        "read-only",
        Text(
            f"the volume of `{area.name}` is read-only: files without a label cannot be opened",
            f"`{area.name}` 所在卷为只读：尚无标记的文件无法打开",
        ),
        Text("mount it read-write, and it is labelled", "以读写方式重新挂载后将自动标记"),
    )


def guarded_by(owner: str) -> UnprotectableError:
    """Return the refusal of a volume that another agent guards."""
    said = visible(owner)
    return UnprotectableError(
        "another-agent",
        Text(f"the agent at `{said}` guards this volume", f"该卷由位于 `{said}` 的代理保护"),
        Text(
            "one volume has one agent: add the area there, or stop that agent",
            "一个卷只由一个代理保护：请在该代理中添加，或先将其停止",
        ),
    )


def held_before(area: str, holders: Sequence[tuple[int, str, bool]]) -> Finding:
    """Say who held files of an area before it was guarded: process, its name, whether it may read them now."""
    said = visible(area)
    refused = [holder for holder in holders if not holder[2]]
    first = ", ".join(f"{pid} `{visible(comm)}`" for pid, comm, _ in (refused or holders)[:5])
    text = Text(
        f"{len(holders)} processes opened files of `{said}` before it was guarded, {len(refused)} of them may not "
        f"read them; the kernel asks about none of that: {first}",
        f"有 {len(holders)} 个进程在 `{said}` 受保护之前已打开其文件，其中 {len(refused)} 个无权读取；"
        f"内核不再询问这些读取：{first}",
    )
    hint = Text(
        f"end or restart them; `shoumi area set {said} --held end` ends who may not read, at each start",
        f"请结束或重启这些进程；`shoumi area set {said} --held end` 可在每次启动时结束无权者",
    )
    return Finding("serious" if refused else "warning", "held-before", text, hint)


def open_to_all(area: ProtectedArea, error: OSError) -> Finding:
    """Say that an area is neither guarded nor covered."""
    said, why = visible(area.path), visible(error.strerror or "")
    return Finding(
        "serious",
        "uncovered",
        Text(
            f"`{said}` is not guarded and could not be covered: {why}; whoever its permissions let in gets in",
            f"`{said}` 未受保护且无法遮蔽：{why}；凡文件权限允许者均可进入",
        ),
        Text("unmount it until that is mended", "请先将其卸载，待问题解决"),
    )


def replaced(area: ProtectedArea, change: str) -> Finding:
    """Say that another volume, or an older state of it, stands where the area was."""
    said = visible(area.path)
    older = Text(
        f"`{said}` is an older state of the volume than was guarded last: a snapshot or a restored image",
        f"`{said}` 是该卷的较旧状态：快照或还原的镜像",
    )
    other = Text(f"`{said}` is on another volume than was guarded last", f"`{said}` 所在卷并非上次受保护的卷")
    return Finding(
        "serious",
        f"volume-{change}",
        older if change == "older" else other,
        Text("it is guarded; make sure that it is the one you mean", "该卷已受保护；请确认其正确无误"),
    )


REHEARSAL = Finding(
    "serious",
    "rehearsal",
    Text("this is a rehearsal: no open waits for a verdict, nothing is blocked", "这是演练：不拦截任何访问"),
    Text("run the agent as root with CAP_SYS_ADMIN", "请以具有 CAP_SYS_ADMIN 的 root 运行代理"),
)


def too_low(area: str, tier: Tier, minimum: MinimumTier) -> Finding:
    """Say that *area* does not reach what the site or its pack asks for."""
    said = visible(area)
    return Finding(
        "serious",
        "tier",
        Text(
            f"`{said}` reaches tier {tier}, below the minimum {minimum} that the site or its pack asks for",
            f"`{said}` 仅达到 {tier} 级，低于本站或规则包要求的最低等级 {minimum}",
        ),
        Text(
            "use a dedicated ext4 or xfs volume and Linux 6.14 or later, observe only (--observe), or ask for less",
            "请使用独立的 ext4 或 xfs 卷及 6.14 以上内核，或仅观察（--observe），或降低要求",
        ),
    )
