"""A dataclass as columns: the fields are the columns, and what each is declared to be says how it is read."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from agent.registry.dataclass_columns import DataclassColumns
from agent.registry.rows.resources import ROOM_RULES
from agent.registry.rows.rooms import ROOM_SETTINGS


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Box:
    locked: bool = False
    size: int = 1
    label: str = ""
    colour: Colour = Colour.RED


def test_the_fields_are_the_columns_in_order() -> None:
    assert DataclassColumns(Box).selected == "locked, size, label, colour"


def test_what_is_stored_is_read_as_it_was_declared() -> None:
    assert DataclassColumns(Box).read((1, 3, "1", "blue")) == Box(True, 3, "1", Colour.BLUE)
    assert DataclassColumns(Box).read((0, 3, "", "red")).locked is False


@pytest.mark.parametrize("values", [(1, 3, "", "green"), (1, "many", "", "red"), (1, 3, ""), (1, 3, "", "red", 1)])
def test_what_no_box_can_be_is_an_error(values: tuple[object, ...]) -> None:
    with pytest.raises((ValueError, TypeError)):
        DataclassColumns(Box).read(values)


def test_a_field_that_no_column_can_hold_is_named_at_once() -> None:
    @dataclass
    class Shelf:
        boxes: tuple[str, ...] = ()

    with pytest.raises(TypeError, match=r"Shelf\.boxes cannot be a column"):
        DataclassColumns(Shelf)


def test_the_table_of_rooms_has_a_column_for_each_field_and_no_other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        declared = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA table_info(rooms)")}
    del declared["resource"]
    fields = ROOM_RULES.types | ROOM_SETTINGS.types
    assert declared == {name: "TEXT" if issubclass(kind, str) else "INTEGER" for name, kind in fields.items()}
