"""How far a volume can be protected, and how far it must be: probed, told by its marks, asked for (contract C5).

Rules of this file: a tier is what was seen to work on that volume, under this kernel, in this life of the process. A
volume that carries marks is not probed, because we would be asked about that; its marks are what was probed before. A
part of them that somebody took away makes it no lower tier: it is placed again.
"""

from collections.abc import Callable

from agent.kernel.fanotify import FanotifyGroups
from agent.volumes import guarding, marks, probe
from agent.volumes.planning import AreaPlan, Sharing
from rules import tiers
from rules.tiers import MinimumTier, Tier


class VolumeTiers:
    """The tiers of one agent's volumes. *configured* is the least for this host, *asked* what the pack asks for.

    *asked* never raises. Belongs to whoever brings areas under guard; the rest only looks at the minimum.
    """

    def __init__(
        self, groups: FanotifyGroups | None, configured: MinimumTier, asked: Callable[[], MinimumTier]
    ) -> None:
        self._groups = groups
        self._configured = configured
        self._asked = asked
        self._probed: dict[tuple[int, Sharing], Tier] = {}

    def tier(self, plan: AreaPlan | None) -> Tier:
        """Return what *plan* can reach on its volume; ``none`` in a rehearsal."""
        if self._groups is None or plan is None:
            return "none"
        access = guarding.masks(self._groups.access)
        known = (plan.st_dev, plan.sharing)
        if plan.st_dev in access or plan.st_dev in guarding.marked(self._groups.open):
            return self._probed.get(known) or marks.tier_of(access.get(plan.st_dev, 0), plan.sharing)
        tier = probe.tier_of(probe.probe(plan.path), plan.sharing)
        tier = "C" if self._groups.access < 0 and tier != "none" else tier
        self._probed[known] = tier
        return tier

    @property
    def minimum(self) -> MinimumTier:
        """The least tier an area must have: the stricter of what this host and the pack ask for."""
        return tiers.strictest((self._configured, self._asked()))

    def below(self, tier: Tier) -> bool:
        """Whether *tier* is below the minimum (a rehearsal protects nothing, and says so itself)."""
        return self._groups is not None and tiers.below(tier, self.minimum)
