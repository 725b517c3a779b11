"""What becomes of a label: laws over everything that can be seen of an inode."""

from hypothesis import given
from hypothesis import strategies as st

from agent.kernel.labels import DAMAGED, PUBLIC, area_of
from agent.volumes.label_rules import LabelSeen, LabelStep, Tour, judge

AREAS = frozenset({"plans", "notes"})
area = st.sampled_from(sorted(AREAS))
seen = st.builds(
    LabelSeen,
    label=st.none() | area | st.sampled_from((PUBLIC, DAMAGED, "gone")),
    place=st.just("") | area,
    above=st.just("") | area | st.just("gone"),
    empty=st.booleans(),
)
tours: st.SearchStrategy[Tour] = st.sampled_from(("seal", "scan", "mend"))


def after(one: LabelSeen, step: LabelStep) -> str | None:
    return one.label if step.write is None else step.write


@given(seen, tours)
def test_the_label_of_an_area_that_exists_is_never_changed(one: LabelSeen, tour: Tour) -> None:
    if one.label in AREAS:
        assert judge(one, AREAS, tour) == LabelStep("kept")


@given(seen, tours)
def test_a_tour_leaves_nothing_to_do_for_the_same_tour(one: LabelSeen, tour: Tour) -> None:
    step = judge(one, AREAS, tour)
    again = judge(one._replace(label=after(one, step)), AREAS, tour)
    assert again.write is None or again == step  # a label of nobody that stood above, and was handed on


@given(seen)
def test_a_scan_gives_nothing_with_content_a_label_that_it_lacks_or_replaces_a_strange_one(one: LabelSeen) -> None:
    step = judge(one, AREAS, "scan")
    if not one.empty or one.label is not None:
        assert step.write in (None, one.place)
    if one.label not in (None, PUBLIC) or (one.label is None and not one.empty):
        assert step.write is None


@given(seen)
def test_after_an_officers_word_every_label_is_an_area_that_exists_or_the_public_one(one: LabelSeen) -> None:
    found = after(one, judge(one, AREAS, "mend"))
    assert found in {*AREAS, PUBLIC}
    if one.place and one.label not in AREAS:
        assert found == one.place


@given(seen, tours)
def test_what_lies_in_an_area_is_never_made_public(one: LabelSeen, tour: Tour) -> None:
    step = judge(one, AREAS, tour)
    if one.place:
        assert step.write != PUBLIC
    if step.write == PUBLIC:
        assert not area_of(one.label) or tour == "mend"


@given(seen, tours)
def test_what_is_told_is_what_nobody_gets_into(one: LabelSeen, tour: Tour) -> None:
    kind = judge(one, AREAS, tour).kind
    assert (kind == "foreign") == bool(area_of(one.label) and one.label not in AREAS)
    assert (kind == "unlabelled") == (one.label is None and not one.empty)
