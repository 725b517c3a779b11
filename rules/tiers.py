"""Protection tiers of volumes, and the minimum that a site or its pack requires (contract C5).

    A        a filesystem of its own, where every use of an open descriptor can be refused
    B        the same on a filesystem that others use, too, by binding the directory onto itself
    A-read   a filesystem of its own, where only reads through open descriptors can be refused
    B-read   the same on a filesystem that others use, too
    C        opens only
    none     nothing is sound

Rules of this file: one order, the best first; all comparisons of tiers are made here. Where a tier does not cut a use,
a process that continues it without rights is ended.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Literal, get_args

MinimumTier = Literal["A", "B", "A-read", "B-read", "C"]
Tier = Literal[MinimumTier, "none"]

ORDER: Final[tuple[Tier, ...]] = get_args(Tier)
MINIMA: Final[tuple[MinimumTier, ...]] = get_args(MinimumTier)


class Use(StrEnum):
    """A use of a file that a process has open already."""

    READ = "read"
    WRITE = "write"
    MAP = "map"


_CUTS: Final[dict[Tier, frozenset[Use]]] = {
    "A": frozenset((Use.READ, Use.WRITE)),
    "B": frozenset((Use.READ, Use.WRITE)),
    "A-read": frozenset((Use.READ,)),
    "B-read": frozenset((Use.READ,)),
}


def below(tier: Tier, minimum: MinimumTier) -> bool:
    """Whether *tier* is less than *minimum*; ``none`` always is."""
    return ORDER.index(tier) > ORDER.index(minimum)


def lowest(tiers: Iterable[Tier]) -> Tier:
    """Return the least of *tiers*, ``none`` of none."""
    return max(tiers, key=ORDER.index, default="none")


def strictest(minima: Iterable[MinimumTier]) -> MinimumTier:
    """Return the highest of some minima; ``C``, which requires only that opens are enforced, of none."""
    return min(minima, key=ORDER.index, default="C")


def cuts(tier: Tier, use: Use) -> bool:
    """Whether the kernel refuses *use* on a volume of *tier* as soon as rights end. No tier cuts a mapping."""
    return use in _CUTS.get(tier, frozenset())


def cuts_open_files(tier: Tier) -> bool:
    """Whether the kernel refuses every use of what is open, in a descriptor or in the table of an io_uring."""
    return cuts(tier, Use.READ) and cuts(tier, Use.WRITE)
