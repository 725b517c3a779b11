"""One clock, measured spans, and the last read as the log has it."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.receipt.timeline import DoorMark, Marks, last_read, rows
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
    assert last_read(entries, "E1001") == kit.after(2000)
    assert last_read(entries[1:2], "E1001") is None


def test_a_deny_in_observe_mode_was_a_read() -> None:
    assert last_read([entry(verdict="deny", enforced=False)], "E1001") is not None
