"""Tiers of volumes: the actual tier, probed or from the marks, and the required minimum (contract C5).

Rules of this file: a tier is what was seen to work on that volume, under this kernel, since this process started. A
volume that carries marks is not probed, because the probe would cause events there; its marks show the earlier result.
A missing part of the marks does not lower the tier: it is placed again.
"""

from collections.abc import Callable

from agent.kernel.fanotify import FanotifyGroups
from agent.volumes import guarding, marks, probe
from agent.volumes.planning import AreaPlan, Sharing
from rules import tiers
from rules.tiers import MinimumTier, Tier


class VolumeTiers:
    """The tiers of one agent's volumes. *configured* is the minimum of this host, *pack_minimum* that of the pack.

    *pack_minimum* never raises. Belongs to the thread that guards areas; other threads only read the minimum.
    """

    def __init__(
        self, groups: FanotifyGroups | None, configured: MinimumTier, pack_minimum: Callable[[], MinimumTier]
    ) -> None:
        self._groups = groups
        self._configured = configured
        self._pack_minimum = pack_minimum
        self._probed: dict[tuple[int, Sharing], Tier] = {}

    def tier(self, plan: AreaPlan | None) -> Tier:
        """Return the tier of *plan* on its volume; ``none`` in a rehearsal."""
        if self._groups is None or plan is None:
            return "none"
        access = guarding.masks(self._groups.access)
        probe_key = (plan.st_dev, plan.sharing)
        if plan.st_dev in access or plan.st_dev in guarding.marked(self._groups.open):
            return self._probed.get(probe_key) or marks.tier_of(access.get(plan.st_dev, 0), plan.sharing)
        tier = probe.tier_of(probe.probe(plan.path), plan.sharing)
        tier = "C" if self._groups.access < 0 and tier != "none" else tier
        self._probed[probe_key] = tier
        return tier

    @property
    def minimum(self) -> MinimumTier:
        """The minimum tier of an area: the stricter one of this host and the pack."""
        return tiers.strictest((self._configured, self._pack_minimum()))

    def below(self, tier: Tier) -> bool:
        """Return whether *tier* is below the minimum (false in a rehearsal, which has its own finding)."""
        return self._groups is not None and tiers.below(tier, self.minimum)
