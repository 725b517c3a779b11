"""Laws of what a change takes from people."""

from hypothesis import given
from hypothesis import strategies as st

from rules.model import RuleResult, Verdict
from rules.rights import MOMENTARY, Loss, Right, losses, stands
from rules.text import Text

ROOMS = frozenset(("r1", "r2"))
RIGHTS = st.frozensets(st.builds(Right, st.sampled_from(["E1", "E2", "E3"]), st.sampled_from(["a1", "a2", "r1", "r2"])))
TAKEN = st.dictionaries(st.sampled_from(["E1", "E2"]), st.lists(st.integers(61_000, 61_003), min_size=1, unique=True))


def places(loss: Loss) -> set[str]:
    return {*loss.areas, *loss.rooms}


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


@given(st.lists(st.tuples(st.sampled_from([*sorted(MOMENTARY), "grant", "level", "hold"]), st.booleans()), max_size=6))
def test_a_right_stands_as_long_as_no_lasting_rule_denies(results: list[tuple[str, bool]]) -> None:
    text = Text("", "")
    found = tuple(RuleResult(rule=rule, ok=ok, because=text) for rule, ok in results)
    allow = bool(found) and all(ok for _, ok in results)
    lasting = any(not ok and rule not in MOMENTARY for rule, ok in results)
    assert stands(Verdict(allow, "x", (), text, findings=found)) == (bool(found) and not lasting)
