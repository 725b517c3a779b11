"""One clock, measured spans, and the last read as the log has it."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.context import DenialAck
from agent.offboard.receipt.timeline import ClockName, DoorMark, Marks, Origin, Source, by_boot, last_read, rows
from tests.offboard import proof_kit as kit


def entry(**more: Any) -> dict[str, Any]:
    made = {"kind": "access", "time": "2026-03-02T12:00:00.000001Z", "verdict": "allow", "enforced": True}
    return {**made, "person": "E1001", "login_person": None, **more}


def test_spans_count_from_the_receipt_and_never_from_the_other_clock() -> None:
    timeline, doors = rows(kit.ending().marks, kit.ending().doors)
    assert {row["mark"]: row["after_us"] for row in timeline} == {
        "approved": None,
        "received": 0,
        "durable": 4000,
        "denied": 7000,
        "last-read": 6500,
        "last-gone": 12000,
    }
    assert [row["clock"] for row in timeline] == ["personnel", *["agent"] * 5]
    assert doors[0]["after_us"] == 40_000


def test_nothing_to_measure_is_told_from_not_measured_yet() -> None:
    timeline, _ = rows(Marks(None, kit.NOON, None, None))
    states = {row["mark"]: row["state"] for row in timeline}
    assert states == {
        "approved": "none",
        "received": "measured",
        "durable": "pending",
        "denied": "pending",
        "last-read": "none",
        "last-gone": "none",
    }


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_a_span_is_exact_to_the_microsecond(span: timedelta) -> None:
    [door] = rows(Marks(None, kit.NOON, None, None), [DoorMark("x", "confirmed", kit.NOON + span)])[1]
    assert timedelta(microseconds=door["after_us"]) == span


def test_the_last_read_is_the_last_access_that_went_through() -> None:
    entries = [
        entry(time="2026-03-02T12:00:01.000000Z"),
        entry(time="2026-03-02T12:00:03.000000Z", verdict="deny"),
        entry(time="2026-03-02T12:00:02.000000Z", person=None, login_person="E1001"),
        entry(time="2026-03-02T12:00:05.000000Z", person="E2"),
        entry(time="2026-03-02T12:00:06.000000Z", kind="act"),
    ]
    assert last_read(entries, "E1001") == (kit.after(2000), None)
    assert last_read(entries[1:2], "E1001") is None


def test_a_deny_in_observe_mode_was_a_read() -> None:
    assert last_read([entry(verdict="deny", enforced=False)], "E1001") is not None


def test_what_the_agent_tried_itself_is_no_read_of_the_person() -> None:
    entries = [entry(seq=1), entry(time="2026-03-02T12:00:09.000000Z", own="departure", seq=2)]
    assert last_read(entries, "E1001") == (kit.after(0.001), 1)


def test_an_entry_of_this_boot_is_as_late_as_it_was_by_the_agents_clock() -> None:
    """The wall clock may be behind by less than an entry tells of: the read was half a second later than its stamp."""
    at = by_boot(kit.after(10_000), 50_000_000, "boot")
    assert at(entry(boot="boot", mono=40_500_000)) == kit.after(500)
    assert at(entry(boot="boot", mono=42_000_000)) == kit.after(0.001)  # a step since: the stamp says more
    assert at(entry(boot="another", mono=40_500_000)) == kit.after(0.001)
    assert at(entry(boot="boot", mono=30_000_000)) == kit.after(0.001)


instants = st.one_of(st.none(), st.integers(-5000, 5000).map(kit.after))


@given(
    st.lists(instants, min_size=6, max_size=6),
    st.sampled_from(["agent", "personnel"]),
    st.sampled_from(["departure", "expiry"]),
)
def test_marks_of_one_clock_are_in_order_whatever_was_measured(
    given_marks: list[datetime | None], clock: str, cause: str
) -> None:
    approved = Origin(Source.ACT, ClockName(clock))
    marks = Marks(*given_marks, origins={"approved": approved})
    timeline, _ = rows(marks, cause=cause, now=kit.after(4000))
    at = {row["mark"]: row["at"] for row in timeline if row["at"] and row["clock"] == "agent"}
    chain = [at[mark] for mark in ("approved", "received", "durable", "denied") if mark in at]
    assert chain == sorted(chain)
    if "last-gone" in at:
        assert all(at["last-gone"] >= at[mark] for mark in ("approved", "received", "durable") if mark in at)
    assert all(instant <= "2026-03-02T12:00:04.000000Z" for instant in at.values())
    for row, found in zip(timeline, given_marks, strict=True):
        assert (row["state"] == "unordered") == (found is not None and row["at"] is None)
        assert row["clock"] == "agent" or row["after_us"] is None


@given(st.lists(st.integers(0, 5000), min_size=5, max_size=5).map(sorted))
def test_what_was_in_order_is_kept_as_it_was_measured(milliseconds: list[int]) -> None:
    received, durable, denied, gone, issued = map(kit.after, milliseconds)
    timeline, _ = rows(Marks(None, received, durable, denied, None, gone), now=issued)
    assert [row["state"] for row in timeline] == ["none", *["measured"] * 3, "none", "measured"]


def test_what_ends_by_itself_needs_no_sync_of_its_own() -> None:
    timeline, _ = rows(Marks(kit.NOON, kit.NOON, None, kit.NOON), cause="expiry")
    assert {row["mark"]: row["state"] for row in timeline}["durable"] == "none"


def test_an_act_was_durable_when_a_decider_had_read_it_whoever_saw_that_first() -> None:
    received, acknowledged, seen = kit.NOON, kit.after(4), kit.after(5)
    ack = DenialAck.after(7, acknowledged, received, seen)
    assert (ack.received, ack.durable, ack.at) == (received, acknowledged, acknowledged)
    assert DenialAck.after(7, seen, received, acknowledged).durable == acknowledged
    timeline, _ = rows(Marks(received, ack.received, ack.durable, ack.at), cause="loss")
    assert not [row["mark"] for row in timeline if row["state"] == "unordered"]
