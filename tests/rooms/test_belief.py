"""What is believed of a doors process that was taken over: words of its own doors, and nothing else."""

from typing import get_args

import pytest

from agent.doors.frames import CardStates, FromDoors, Heard, Swept
from agent.doors.messages import Contact, KeyPress, Online, Read, RequestToExit, Tamper
from agent.registry.rows.doors import DoorRow, ReaderRow
from agent.rooms.field.belief import doubt
from tests.rooms.site import BOARD, IN, OUT
from tests.sentences import en

VAULT = DoorRow("vault", "vault", "osdp", (ReaderRow(IN, "in", ""),), IN, 0, 5, True)
HALL = DoorRow("hall", "hall", "uhppote", (ReaderRow(BOARD, "in", ""),), BOARD, 0, 5, True)
DOORS = {"vault": VAULT, "hall": HALL}
SERIAL = 405419896


def _read(door: str, side: str) -> Read:
    return Read(door, side, 1, 0.0, secure=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "frame",
    [
        _read("vault", "in"),
        _read("hall", "in"),
        _read("hall", "out"),
        Contact("vault", open=True),
        RequestToExit("vault"),
        Online("vault", "in", IN, online=True, secure=True),
        Heard(SERIAL, 7),
        CardStates("c", SERIAL),
        Swept("s", SERIAL, ok=True),
        Contact("removed a moment ago", open=True),
    ],
    ids=repr,
)
def test_of_its_own_doors_readers_and_boards_it_is_believed(frame: FromDoors) -> None:
    assert doubt(frame, DOORS) is None


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (_read("vault", "out"), "a side of `vault` that has no reader"),
        (KeyPress("vault", "out", "1"), "a side of `vault` that has no reader"),
        (Tamper("vault", "out", active=True), "a side of `vault` that has no reader"),
        (Online("vault", "in", OUT, online=True, secure=True), "a reader that `vault` does not have"),
        (Heard(SERIAL + 1, 7), "board 405419897, which no door of this site uses"),
        (CardStates("c", SERIAL + 1, confirmed=(1,)), "board 405419897, which no door of this site uses"),
        (Swept("s", SERIAL + 1, ok=True, removed=(1,)), "board 405419897, which no door of this site uses"),
    ],
    ids=repr,
)
def test_of_another_side_reader_or_board_it_is_not(frame: FromDoors, why: str) -> None:
    found = doubt(frame, DOORS)
    assert found is not None
    assert why in en(found)


def test_no_word_of_it_names_a_person_a_right_or_an_area() -> None:
    fields = {name for frame in get_args(FromDoors) for name in frame.__struct_fields__}
    assert not fields & {"person", "account", "uid", "grant", "area", "level", "role", "verdict"}
