"""Whether the guard of an area is seen to work before its cover comes off."""

from agent.api.findings import Finding
from agent.kernel.fanotify import FanotifyGroups
from agent.volumes import guarding
from agent.volumes.planning import AreaPlan
from agent.volumes.protection import Prove
from agent.volumes.status import ProtectedArea
from rules.text import Text
from rules.tiers import Tier
from rules.visible import visible


def mark_seen(groups: FanotifyGroups | None) -> Prove:
    """Return a proof that asks the kernel whether the filesystem of an area carries our mark."""

    def prove(area: ProtectedArea, plan: AreaPlan, tier: Tier) -> Finding | None:
        if groups is not None and plan.st_dev in guarding.marked(groups.open):
            return None
        said = visible(area.name)
        return Finding("serious", "unseen", Text(f"no mark is seen on `{said}`", f"`{said}` 上未见标记"))

    return prove
