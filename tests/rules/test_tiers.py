"""Tiers are ordered, and a lower one never cuts more than a higher one."""

from itertools import pairwise, product
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from rules import tiers
from rules.tiers import MINIMA, ORDER, MinimumTier, Tier, Use

TIER = st.sampled_from(get_args(Tier))
MINIMUM = st.sampled_from(get_args(MinimumTier))


def test_the_order_is_the_one_of_the_contract() -> None:
    assert " ".join(ORDER) == "A B A-read B-read C none"
    assert ORDER[:-1] == MINIMA


@given(TIER, TIER, MINIMUM)
def test_what_is_below_a_minimum_stays_below_a_stricter_one(one: Tier, other: Tier, minimum: MinimumTier) -> None:
    worse = tiers.lowest((one, other))
    assert worse in (one, other)
    assert tiers.below(worse, minimum) == (tiers.below(one, minimum) or tiers.below(other, minimum))
    assert tiers.below("none", minimum)


@given(st.lists(MINIMUM), TIER)
def test_the_stricter_minimum_counts(minima: list[MinimumTier], tier: Tier) -> None:
    wanted = tiers.strictest(minima)
    assert tiers.below(tier, wanted) == any(tiers.below(tier, one) for one in [*minima, "C"])  # type: ignore[arg-type]


def test_nothing_is_claimed_of_no_areas() -> None:
    assert tiers.lowest(()) == "none"


def test_a_lower_tier_never_cuts_more_and_no_tier_cuts_a_mapping() -> None:
    for (better, worse), use in product(pairwise(ORDER), Use):
        assert tiers.cuts(better, use) or not tiers.cuts(worse, use)
    assert not any(tiers.cuts(tier, Use.MAP) for tier in ORDER)
    assert tiers.cuts("B-read", Use.READ)
    assert not tiers.cuts("A-read", Use.WRITE)


def test_what_is_open_goes_on_where_only_reads_are_refused() -> None:
    """Of a file in a ring nobody can say what it is open for: only where every use is refused it is let be."""
    assert [tier for tier in ORDER if tiers.cuts_open_files(tier)] == ["A", "B"]
