"""Turns as laws: nothing is lost, of a uid in its order, everybody in turn, and nobody has more than their part."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from agent.control.reception.turns import FairTurns, Turn, TurnLimits

LIMITS = {"role": TurnLimits(3, 2, 4), "stranger": TurnLimits(1, 1, 2)}
asked = st.lists(st.tuples(st.sampled_from(sorted(LIMITS)), st.integers(1, 5)), max_size=60)
steps = st.lists(
    st.tuples(
        st.sampled_from(["ask"] * 4 + ["next"] * 3 + ["over"]), st.sampled_from(sorted(LIMITS)), st.integers(1, 2)
    ),
    min_size=20,
    max_size=120,
)

Asked = tuple[str, int]
Of = FairTurns[str, int]


def all_of(turns: Of) -> list[Turn[str, int]]:
    """Do everything that waits, one after the other."""
    done = []
    while turn := turns.next():
        done.append(turn)
        turns.over(turn)
    return done


@given(asked)
def test_what_was_taken_is_done_once_and_in_the_order_of_its_uid(what: list[Asked]) -> None:
    turns: Of = FairTurns(LIMITS)
    waits = defaultdict(list)
    for number, (kind, uid) in enumerate(what):
        if turns.ask(kind, uid, number):
            waits[kind, uid].append(number)
    done = defaultdict(list)
    for turn in all_of(turns):
        done[turn.kind, turn.uid].append(turn.job)
    assert done == waits
    assert all(len(mine) <= LIMITS[kind].waiting_each for (kind, _), mine in waits.items())


@given(asked)
def test_between_two_turns_of_a_uid_everybody_else_has_had_one(what: list[Asked]) -> None:
    turns: Of = FairTurns(LIMITS)
    for number, (kind, uid) in enumerate(what):
        turns.ask(kind, uid, number)
    done = all_of(turns)
    for place, turn in enumerate(done):
        since = {one.uid for one in done[:place] if one.kind == turn.kind}
        later = {one.uid for one in done[place:] if one.kind == turn.kind}
        had = Counter(one.uid for one in done[:place] if one.kind == turn.kind)
        # Whoever still waits has had no fewer turns than whoever is next, but for the one that comes now.
        assert all(had[turn.uid] <= had[uid] for uid in later)
        assert since | later


@given(asked)
def test_kinds_come_in_their_order(what: list[Asked]) -> None:
    turns: Of = FairTurns(LIMITS)
    for number, (kind, uid) in enumerate(what):
        turns.ask(kind, uid, number)
    done = [turn.kind for turn in all_of(turns)]
    assert done == sorted(done, key=list(LIMITS).index)


@given(steps)
def test_no_more_is_under_way_than_may_be_and_what_may_be_is(taken: list[tuple[str, str, int]]) -> None:
    turns: Of = FairTurns(LIMITS)
    under_way: list[Turn[str, int]] = []
    waiting: Counter[Asked] = Counter()
    for number, (what, kind, uid) in enumerate(taken):
        if what == "ask":
            waiting[kind, uid] += turns.ask(kind, uid, number)
        elif what == "over" and under_way:
            turns.over(under_way.pop(uid % len(under_way)))
        elif what == "next":
            turn = turns.next()
            each = Counter((one.kind, one.uid) for one in under_way)
            of_kind = Counter(one.kind for one in under_way)
            may = [
                (of, who)
                for (of, who), count in waiting.items()
                if count and of_kind[of] < LIMITS[of].running and each[of, who] < LIMITS[of].running_each
            ]
            assert (turn is None) == (not may)
            if turn:
                assert (turn.kind, turn.uid) in may
                waiting[turn.kind, turn.uid] -= 1
                under_way.append(turn)


@given(asked)
def test_who_rests_is_passed_over(what: list[Asked]) -> None:
    turns: Of = FairTurns(LIMITS)
    taken = [kind for number, (kind, uid) in enumerate(what) if turns.ask(kind, uid, number)]
    done = []
    while turn := turns.next(resting={"stranger"}):
        done.append(turn.kind)
        turns.over(turn)
    assert done == ["role"] * taken.count("role")
    assert len(turns.drop()) == taken.count("stranger")
    assert turns.next() is None
