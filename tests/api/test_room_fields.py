"""What a room shows of itself: whatever is not as a new room has it, and nothing else."""

from dataclasses import asdict

import pytest

from agent.api.operations.room_fields import ROOM_FIELDS, RoomField, asked_for, values
from rules.model import RoomRules, RoomSettings
from tests.sentences import en

NEW = {**asdict(RoomRules()), **asdict(RoomSettings())}
OTHER = {int: 7, str: "08:00"}


def shown(room: dict[str, object]) -> list[str]:
    return [en(text) for text in asked_for(room)] + [en(label) for label, _ in values(room, all_of_them=False)]


def test_a_new_room_shows_nothing() -> None:
    assert shown(NEW) == []


def other(field: RoomField) -> object:
    """Return a value of *field* that a new room does not have."""
    new = NEW[field.name]
    if isinstance(new, bool):
        return not new
    return next((code for code in field.labels if code != new), OTHER.get(type(new)))


@pytest.mark.parametrize("field", ROOM_FIELDS, ids=lambda field: field.name)
def test_each_field_that_is_changed_is_shown(field: RoomField) -> None:
    value = other(field)
    [text] = shown({**NEW, field.name: value})
    assert text == (f"{en(field.label)}: no" if value is False else en(field.label))
