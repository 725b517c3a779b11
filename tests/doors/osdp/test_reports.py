"""What a report means, without a wire."""

from agent.doors.address import OsdpTcp
from agent.doors.messages import Contact, KeyPress, Power, Read, RequestToExit, Tamper
from agent.doors.osdp import library
from agent.doors.osdp.library import Fields
from agent.doors.osdp.plan import ReaderPlan
from agent.doors.osdp.reports import Hearing

PLAN = ReaderPlan(OsdpTcp("127.0.0.1", 4001, 1), "d", "in", (bytes(range(16)),), wired=True)
CARD: Fields = {"event": library.EVENT_CARD, "data": bytes.fromhex("03891a40"), "length": 26}


def states(kind: int, *values: int) -> Fields:
    return {"event": library.EVENT_STATUS, "type": kind, "report": bytes(values)}


def heard(hearing: Hearing, fields: Fields, *, secure: bool = True, stale: bool = False) -> list[object]:
    return list(hearing.events(PLAN, fields, secure=secure, stale=stale, at=1.0))


def test_the_exit_button_counts_when_it_goes_down_and_not_when_it_is_found_down_or_may_be_old() -> None:
    hearing = Hearing()
    assert heard(hearing, states(library.INPUT, 0, 1)) == [Contact("d", False)]
    assert heard(hearing, states(library.INPUT, 0, 0)) == []
    assert heard(hearing, states(library.INPUT, 0, 1)) == [RequestToExit("d")]
    assert heard(hearing, states(library.INPUT, 0, 1)) == []
    assert heard(hearing, states(library.INPUT, 0, 0)) == []
    assert heard(hearing, states(library.INPUT, 0, 1), stale=True) == []
    assert heard(hearing, states(library.INPUT, 0, 1)) == []  # it is still the old press


def test_a_state_in_clear_is_not_heard_and_a_card_or_key_in_clear_says_so() -> None:
    hearing = Hearing()
    assert heard(hearing, states(library.INPUT, 1, 1), secure=False) == []
    assert heard(hearing, states(library.LOCAL, 1, 1), secure=False) == []
    assert heard(hearing, CARD, secure=False, stale=True) == [
        Read("d", "in", 4660, 1.0, False, True, 26, 7, "03891a40")
    ]
    pressed = {"event": library.EVENT_KEYS, "data": b"1"}
    assert heard(hearing, pressed, secure=False) == [KeyPress("d", "in", "1", False, False)]
    assert heard(hearing, {**pressed, "data": b"\x00"}) == []


def test_states_are_said_when_they_change_and_again_after_a_new_beginning() -> None:
    hearing = Hearing()
    calm = [Power("d", False), Tamper("d", "in", False)]
    assert heard(hearing, states(library.LOCAL, 0, 0)) == calm
    assert heard(hearing, states(library.LOCAL, 0, 0)) == []
    assert heard(hearing, states(library.LOCAL, 1, 0)) == [Tamper("d", "in", True)]
    assert heard(hearing, states(library.REMOTE, 1)) == []  # it is tampered with already
    assert heard(hearing, states(library.LOCAL, 0, 0)) == []
    assert heard(hearing, states(library.REMOTE, 0)) == [Tamper("d", "in", False)]
    hearing.forget()
    assert heard(hearing, states(library.LOCAL, 0, 0)) == calm


def test_reports_that_are_too_short_say_nothing() -> None:
    hearing = Hearing()
    for kind in (library.LOCAL, library.INPUT, library.REMOTE):
        assert heard(hearing, states(kind)) == []
