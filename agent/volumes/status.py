"""What is known of an area's protection: data, and the sentences of what can be wrong with it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.api.findings import Finding
from agent.kernel import labels
from agent.volumes.planning import AreaPlan
from agent.volumes.probe import Tier
from rules.text import Text
from rules.visible import visible


class ProtectedArea(NamedTuple):
    """What protecting needs to know of an area. ``volume`` is what was found out when it was added."""

    name: str
    path: str
    volume: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Protected:
    """How an area is protected now; ``tier`` is ``none`` when it is not. ``findings``: what the officer must know."""

    area: str
    path: str
    tier: Tier
    sharing: str = ""
    files: int = 0
    directories: int = 0
    labelled: int = 0
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        fields = ("area", "path", "tier", "sharing", "files", "directories", "labelled")
        return {name: getattr(self, name) for name in fields} | {"findings": [f.to_json() for f in self.findings]}


def volume_of(plan: AreaPlan | None, tier: str, *, accept_links: bool) -> dict[str, Any]:
    """Return what the registry remembers of an area's place. The decider reads ``alone``."""
    if plan is None:
        return {"tier": tier}
    shape = {"alone": plan.dedicated, "sharing": plan.sharing, "fstype": plan.fstype, "tier": tier}
    return shape | ({"accept_links": True} if accept_links else {})


def of_sweep(report: labels.LabelReport, area: ProtectedArea) -> Iterator[Finding]:
    """Say what could not be labelled."""
    if not report.complete:
        first = report.troubles[0]
        said = visible(first.path)
        why = os.strerror(first.error)
        yield Finding(
            "serious",
            "unlabelled",
            Text(
                f"{report.trouble_count} places of `{area.name}` could not be labelled, first `{said}`: {why}",
                f"`{area.name}` 中有 {report.trouble_count} 处无法标记，首个为 `{said}`：{why}",
            ),
            Text("see to it, then restart the agent: it labels again", "处理后重启代理，将重新标记"),
        )


REHEARSAL = Finding(
    "serious",
    "rehearsal",
    Text("this is a rehearsal: no open waits for a verdict, nothing is blocked", "这是演练：不拦截任何访问"),
    Text("run the agent as root with CAP_SYS_ADMIN", "请以具有 CAP_SYS_ADMIN 的 root 运行代理"),
)


def too_low(area: ProtectedArea, tier: str, minimum: str) -> Finding:
    """Say that an area does not reach the configured minimum."""
    return Finding(
        "serious",
        "tier",
        Text(
            f"`{area.name}` reaches tier {tier}, below the configured minimum {minimum}",
            f"`{area.name}` 仅达到 {tier} 级，低于设定的最低等级 {minimum}",
        ),
        Text(
            "use a dedicated ext4 or xfs volume, observe only (--observe), or lower minimum_tier",
            "请使用独立的 ext4 或 xfs 卷，或仅观察（--observe），或降低 minimum_tier",
        ),
    )
