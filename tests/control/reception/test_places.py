"""Places as laws: nobody is kept out by another kind, nor by one uid, and no more is given than there is."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.control.reception.budgets import BUDGETS, CallerKind
from agent.control.reception.places import CallerPlaces, Share

SHARES = {"role": Share(6, 3), "stranger": Share(8, 4)}
kinds = st.sampled_from(sorted(SHARES))
steps = st.lists(
    st.tuples(
        st.sampled_from(["arrive"] * 5 + ["leave", "busy", "idle"]), kinds, st.integers(1, 4), st.integers(0, 40)
    ),
    min_size=10,
    max_size=80,
)

Holders = dict[int, tuple[str, int]]


def walked(taken: list[tuple[str, str, int, int]]) -> tuple[CallerPlaces[str], Holders, set[int]]:
    """Do the steps; return the places, who holds which by our own books, and which of them are busy."""
    places, holders, busy = CallerPlaces(SHARES), Holders(), set[int]()
    for what, kind, uid, number in taken:
        held = sorted(holders)
        if what == "arrive":
            arrival = places.arrive(kind, uid)
            if arrival.lost is not None:
                assert arrival.lost not in busy
                lost_kind, loser = holders.pop(arrival.lost)
                assert lost_kind == kind
                assert places.taken(kind, loser) >= places.taken(kind, uid) or arrival.place is None
            if arrival.place is not None:
                assert arrival.place not in holders
                holders[arrival.place] = kind, uid
        elif held:
            place = held[number % len(held)]
            if what == "leave":
                places.leave(place)
                del holders[place]
                busy.discard(place)
            elif what == "busy":
                places.busy(place)
                busy.add(place)
            else:
                places.idle(place)
                busy.discard(place)
    return places, holders, busy


@given(steps)
def test_no_kind_and_no_uid_has_more_than_its_share(taken: list[tuple[str, str, int, int]]) -> None:
    places, holders, _ = walked(taken)
    for kind, share in SHARES.items():
        each = Counter(uid for of, uid in holders.values() if of == kind)
        assert places.taken(kind) == each.total() <= share.in_all
        assert all(places.taken(kind, uid) == count <= share.each for uid, count in each.items())


@given(steps, kinds)
def test_who_has_none_gets_one_unless_all_are_busy_or_nobody_has_two_more(
    taken: list[tuple[str, str, int, int]], kind: str
) -> None:
    places, holders, busy = walked(taken)
    newcomer = 77
    each = Counter(uid for of, uid in holders.values() if of == kind)
    could_give = any(
        of == kind and place not in busy and each[uid] == max(each.values()) >= 2
        for place, (of, uid) in holders.items()
    )
    free = each.total() < SHARES[kind].in_all
    arrival = places.arrive(kind, newcomer)
    if free:
        assert arrival.place is not None
        assert arrival.lost is None
    elif could_give:
        assert arrival.place is not None
        assert arrival.lost is not None
        assert holders[arrival.lost][0] == kind
        assert arrival.lost not in busy


@given(steps, st.integers(1, 9))
def test_other_kinds_change_nothing(taken: list[tuple[str, str, int, int]], uid: int) -> None:
    with_all, _, _ = walked(taken)
    alone = CallerPlaces({"role": SHARES["role"], "stranger": SHARES["stranger"]})
    for _ in range(20):
        alone.arrive("stranger", uid)
    before = alone.taken("role")
    assert before == 0
    assert alone.arrive("role", uid).place is not None
    assert with_all.taken("role") <= SHARES["role"].in_all


@given(steps)
def test_whoever_was_displaced_takes_nothing_back_by_it(taken: list[tuple[str, str, int, int]]) -> None:
    """Two who displace each other for ever would keep the agent busy with nothing else."""
    places, _, _ = walked(taken)
    for _ in range(100):
        if not any(places.arrive("stranger", uid).lost is not None for uid in range(1, 10)):
            return
    raise AssertionError("they go on displacing each other")


def test_the_place_that_was_idle_longest_is_given() -> None:
    places = CallerPlaces({"x": Share(3, 3)})
    first, second, third = (places.arrive("x", 1).place for _ in range(3))
    assert first
    assert second
    places.busy(first)
    places.idle(first)
    assert places.arrive("x", 2).lost == second
    assert third


def test_nobody_is_kept_that_has_gone() -> None:
    places = CallerPlaces({"x": Share(4, 4)})
    for uid in range(1000):
        place = places.arrive("x", uid).place
        assert place
        places.leave(place)
        places.leave(place)
    assert places.taken("x") == 0
    assert len(places._taken) == 0  # noqa: SLF001 - a hostile user has tens of thousands of uids


@pytest.mark.parametrize("kind", CallerKind)
def test_the_shares_of_the_agent_let_four_uids_of_a_kind_not_keep_out_a_fifth(kind: CallerKind) -> None:
    places = CallerPlaces({kind: Share(one.places, one.places_each) for kind, one in BUDGETS.items()})
    for uid in (1, 2, 3, 4) if kind is not CallerKind.ROOT else (0,):
        for _ in range(200):
            places.arrive(kind, uid)
    assert places.taken(kind) <= BUDGETS[kind].places
    if kind is not CallerKind.ROOT:
        assert places.arrive(kind, 5).place is not None
    for other in set(CallerKind) - {kind}:
        assert places.arrive(other, 1).place is not None
