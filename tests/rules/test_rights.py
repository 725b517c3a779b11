"""Laws of what a change takes from people, and of what it gives them."""

from hypothesis import example, given
from hypothesis import strategies as st

from rules.model import RuleResult, Verdict
from rules.rights import MOMENTARY, Gain, Loss, Right, gains, losses, stands
from rules.text import Text

ROOMS = frozenset(("r1", "r2"))
RIGHTS = st.frozensets(st.builds(Right, st.sampled_from(["E1", "E2", "E3"]), st.sampled_from(["a1", "a2", "r1", "r2"])))
TAKEN = st.dictionaries(st.sampled_from(["E1", "E2"]), st.lists(st.integers(61_000, 61_003), min_size=1, unique=True))


def places(change: Loss | Gain) -> set[str]:
    return {*change.areas, *change.rooms}


@given(RIGHTS, RIGHTS)
def test_everybody_loses_exactly_what_they_had_and_have_no_more(
    before: frozenset[Right], after: frozenset[Right]
) -> None:
    found = {loss.person: places(loss) for loss in losses(before, after, ROOMS)}
    for person in ("E1", "E2", "E3"):
        gone = {right.place for right in before - after if right.person == person}
        assert found.get(person, set()) == gone
    assert all(set(loss.rooms) <= ROOMS and not set(loss.areas) & ROOMS for loss in losses(before, after, ROOMS))


@given(RIGHTS, RIGHTS)
def test_a_change_that_only_gives_takes_nothing(before: frozenset[Right], more: frozenset[Right]) -> None:
    assert losses(before, before | more, ROOMS) == ()


@given(RIGHTS, RIGHTS, TAKEN)
@example(frozenset({Right("E1", "a1"), Right("E1", "a2")}), frozenset({Right("E1", "a1")}), {"E1": [61_000]})
def test_an_account_that_was_taken_loses_every_area_its_person_had_and_no_other_account_does(
    before: frozenset[Right], after: frozenset[Right], taken: dict[str, list[int]]
) -> None:
    found = {loss.person: loss for loss in losses(before, after, ROOMS, taken)}
    plain = {loss.person: loss for loss in losses(before, after, ROOMS)}
    for person, uids in taken.items():
        had = {right.place for right in before if right.person == person} - ROOMS
        if had:
            assert had <= places(found[person])
            assert found[person].uids == (() if person in plain else tuple(sorted(uids)))
    assert all(found[person] == loss for person, loss in plain.items() if person not in taken)


@given(RIGHTS, RIGHTS)
def test_everybody_gains_exactly_what_they_have_and_had_not(before: frozenset[Right], after: frozenset[Right]) -> None:
    found = gains(before, after, ROOMS)
    assert [gain.person for gain in found] == sorted({right.person for right in after - before})
    for gain in found:
        assert places(gain) == {right.place for right in after - before if right.person == gain.person}
        assert (set(gain.rooms) <= ROOMS, set(gain.areas) & ROOMS, gain.uids) == (True, set(), ())


@given(RIGHTS, RIGHTS, TAKEN)
def test_an_account_that_was_given_gains_every_area_its_person_has(
    before: frozenset[Right], after: frozenset[Right], given: dict[str, list[int]]
) -> None:
    found = {gain.person: gain for gain in gains(before, after, ROOMS, given)}
    plain = {gain.person: gain for gain in gains(before, after, ROOMS)}
    for person, uids in given.items():
        has = {right.place for right in after if right.person == person} - ROOMS
        assert places(found[person]) == has | (places(plain[person]) if person in plain else set())
        assert found[person].uids == tuple(sorted(uids))
    assert {person: gain for person, gain in found.items() if person not in given} == {
        person: gain for person, gain in plain.items() if person not in given
    }


@given(st.lists(st.tuples(st.sampled_from([*sorted(MOMENTARY), "grant", "level", "hold"]), st.booleans()), max_size=6))
def test_a_right_stands_as_long_as_no_lasting_rule_denies(results: list[tuple[str, bool]]) -> None:
    text = Text("", "")
    found = tuple(RuleResult(rule=rule, ok=ok, because=text) for rule, ok in results)
    allow = bool(found) and all(ok for _, ok in results)
    lasting = any(not ok and rule not in MOMENTARY for rule, ok in results)
    assert stands(Verdict(allow, "x", (), text, findings=found)) == (bool(found) and not lasting)
