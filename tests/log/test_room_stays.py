"""Who was inside, from entries alone: against a plain model, and at the odd moments."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.log.room_stays import stays

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Script:
    """A log of one room, written one minute an entry."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def add(self, **fields: Any) -> int:
        seq = len(self.entries) + 1
        time = (NOON + timedelta(minutes=seq)).isoformat().replace("+00:00", "Z")
        self.entries.append({"seq": seq, "time": time, "room": "vault", **fields})
        return seq

    def door(self, person: str | None, action: str, *, verdict: str = "allow", **more: Any) -> int:
        return self.add(kind="door", action=action, verdict=verdict, person=person, door="d1", **more)

    def used(self, release: str, outcome: str = "used") -> int:
        return self.add(kind="door-released", release=release, released=outcome)

    def told(self) -> list[tuple[str, int, int | None, bool]]:
        return [(stay.person, stay.seq, stay.seq_out, stay.sure) for stay in stays(self.entries, "vault")]


def test_a_stay_begins_and_ends_with_the_badge() -> None:
    script = Script()
    came = script.door("E1", "enter", release="r1")
    script.used("r1")
    went = script.door("E1", "exit", release="r2")
    script.used("r2")
    assert script.told() == [("E1", came, went, True)]
    [stay] = stays(script.entries, "vault")
    assert (stay.since, stay.until) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert stay.covers(stay.since)
    assert not stay.covers(NOON + timedelta(minutes=3))


def test_who_was_refused_or_did_not_go_through_was_not_inside() -> None:
    script = Script()
    script.door("E1", "enter", verdict="deny")
    script.door("E2", "enter", release="r1")
    script.used("r1", "unused")
    script.door("E3", "enter", release="r2")
    script.used("r2", "failed")
    assert script.told() == []


def test_who_did_not_go_out_after_all_is_still_inside() -> None:
    script = Script()
    came = script.door("E1", "enter", release="r1")
    script.used("r1")
    script.door("E1", "exit", release="r2")
    script.used("r2", "unused")
    assert script.told() == [("E1", came, None, True)]
    went = script.door("E1", "exit", release="r3")
    script.used("r3")
    assert script.told() == [("E1", came, went, True)]


def test_what_nobody_knows_is_not_sure() -> None:
    script = Script()
    came = script.door("E1", "enter", release="r1")
    script.used("r1", "unknown")
    assert script.told() == [("E1", came, None, False)]


def test_a_way_out_of_which_nobody_knows_is_not_sure_either() -> None:
    script = Script()
    came = script.door("E1", "enter", release="r1")
    script.used("r1")
    went = script.door("E1", "exit", release="r2")
    script.used("r2", "unknown")
    assert script.told() == [("E1", came, went, False)]


def test_a_visitor_whom_the_desk_saw_leave_has_left() -> None:
    script = Script()
    came = script.door("V1", "enter")
    left = script.add(kind="act", act="visitor.exit", outcome="done", args={"visit": "V000001", "person": "V1"})
    assert script.told() == [("V1", came, left, True)]


def test_both_who_enter_together_are_inside_by_one_release() -> None:
    script = Script()
    first, second = (script.door(person, "enter", release="r1") for person in ("E1", "E2"))
    script.used("r1")
    assert script.told() == [("E1", first, None, True), ("E2", second, None, True)]


def test_the_button_and_other_rooms_end_nothing_and_an_officers_reset_does() -> None:
    script = Script()
    came = script.door("E1", "enter")
    script.door(None, "exit")
    script.door("E1", "exit", room="lab")
    script.add(kind="act", act="occupancy.reset", outcome="refused", args={"room": "vault"})
    script.add(kind="act", act="occupancy.reset", outcome="done", args={"room": "lab"})
    script.add(kind="act", act="occupancy.reset", outcome="done", args={"room": "vault", "person": "E2"})
    assert script.told() == [("E1", came, None, True)]
    reset = script.add(kind="act", act="occupancy.reset", outcome="done", args={"room": "vault"})
    assert script.told() == [("E1", came, reset, True)]


def test_a_way_in_that_was_not_used_leaves_the_stay_before_it() -> None:
    script = Script()
    came = script.door("E1", "enter", release="r1")
    script.used("r1")
    script.door("E1", "enter", release="r2")  # shown again at the door, from inside or by somebody else
    script.used("r2", "unused")
    assert script.told() == [("E1", came, None, True)]


steps = st.tuples(st.sampled_from(["E1", "E2", "E3"]), st.sampled_from(["enter", "exit"]), st.booleans())


@given(st.lists(steps, max_size=30))
def test_who_is_inside_at_the_end_is_whom_a_plain_model_says(given_steps: list[tuple[str, str, bool]]) -> None:
    script, inside = Script(), set()
    for number, (person, action, used) in enumerate(given_steps):
        script.door(person, action, release=f"r{number}")
        script.used(f"r{number}", "used" if used else "unused")
        if used:
            (inside.add if action == "enter" else inside.discard)(person)
    found = stays(script.entries, "vault")
    assert {stay.person for stay in found if stay.until is None} == inside
    for person in inside:
        mine = [stay for stay in found if stay.person == person]
        for before, after in pairwise(mine):
            assert before.until is not None
            assert before.until <= after.since  # nobody is inside twice at once


def test_a_stay_that_ends_before_it_began_by_a_clock_that_was_set_is_told_and_is_not_sure() -> None:
    script = Script()
    came = script.door("E1", "enter")
    went = script.door("E1", "exit")
    script.entries[-1]["time"] = "2026-03-02T11:00:00.000000Z"
    assert script.told() == [("E1", came, went, False)]
    [stay] = stays(script.entries, "vault")
    half = timedelta(minutes=30)
    assert stay.covers(NOON - half)
    assert stay.meets(NOON - half, NOON - half + timedelta(minutes=1))
    assert not stay.meets(NOON - 3 * half, NOON - 2 * half)
    assert not stay.meets(NOON + half, NOON + 2 * half)
