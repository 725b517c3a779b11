"""Room fields: one declaration for each setting of a room, with its parameter, its help and its label.

Rules of this file: operations, handlers, command line and terminal are made from this table: a new field of
:class:`rules.model.RoomRules` or :class:`rules.model.RoomSettings` is declared here and stored by a migration; no
other code names it but the code that acts on it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from agent.api.operations.schema import Arguments, Param
from agent.presentation.terms import PASSBACKS, Words, word
from rules.model import Passback, RoomRules, RoomSettings
from rules.text import Message, Sentence

_Fields = TypeVar("_Fields", RoomRules, RoomSettings)
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class RoomField:
    """One field. ``name`` is that of the dataclass and of the JSON; ``label`` is its heading where it is shown.

    A field that is true or false is shown only where it differs from a new room: true by its label, false by "label:
    no". A setting in ``unset`` is shown as none.
    """

    name: str
    param: Param
    label: Sentence
    labels: Words = field(default_factory=dict)  # for codes
    unset: tuple[object, ...] = (0, "")


def _yes_no(name: str, param: str, help: Sentence, label: Sentence) -> RoomField:  # noqa: A002 - as in Param
    return RoomField(name, Param(param, "text", help, choices=YES_NO), label)


ROOM_FIELDS = (
    RoomField(
        "location",
        Param("location", "text", Message("operations.room-location")),
        Message("common.location"),
    ),
    _yes_no("two_person", "two_person", Message("operations.two-must-enter"), Message("operations.two-person-entry")),
    _yes_no(
        "needs_purpose", "purpose", Message("operations.purpose-must-be-stated"), Message("operations.purpose-required")
    ),
    _yes_no(
        "needs_declaration",
        "declaration",
        Message("operations.declaration-required"),
        Message("operations.declaration-of-devices"),
    ),
    _yes_no("needs_pin", "pin", Message("operations.pin-with-badge"), Message("operations.pin-required")),
    _yes_no(
        "first_in",
        "first_in",
        Message("operations.custodian-enters-first"),
        Message("operations.custodian-first-required"),
    ),
    RoomField(
        "anti_passback",
        Param(
            "anti_passback",
            "text",
            Message("operations.anti-passback-reaction"),
            choices=tuple(map(str, Passback)),
        ),
        Message("operations.anti-passback"),
        labels=PASSBACKS,
        unset=(Passback.NONE.value,),
    ),
    RoomField(
        "occupancy_limit",
        Param("limit", "number", Message("operations.occupancy-limit"), metavar="N"),
        Message("operations.most-people-inside"),
    ),
    RoomField(
        "held_open_seconds",
        Param("held_open", "number", Message("operations.held-open-seconds"), metavar="SECONDS"),
        Message("operations.held-open-limit"),
    ),
    RoomField(
        "together_seconds",
        Param(
            "together",
            "number",
            Message("operations.together-seconds"),
            metavar="SECONDS",
        ),
        Message("operations.two-badge-interval"),
    ),
    _yes_no(
        "accompany",
        "accompany",
        Message("operations.accompany-counts"),
        Message("operations.accompany"),
    ),
    _yes_no(
        "lone_alarm",
        "lone_alarm",
        Message("operations.alarm-when-alone"),
        Message("operations.alone-alarm"),
    ),
    RoomField(
        "reset_at",
        Param(
            "reset_at",
            "hour",
            Message("operations.reset-at"),
            metavar="HH:MM|never",
        ),
        Message("operations.occupancy-reset-time"),
    ),
)


_NEW = {entry.name: entry.default for kind in (RoomRules, RoomSettings) for entry in fields(kind)}


def changed(before: _Fields, args: Arguments) -> _Fields:
    """Return *before* with the fields that *args* names replaced."""
    names = {room_field.name for room_field in fields(before)}
    changes = {
        room_field.name: _new_setting(getattr(before, room_field.name), room_field.param, args)
        for room_field in ROOM_FIELDS
        if room_field.name in names and room_field.param.name in args
    }
    return replace(before, **changes)


def asked_for(room: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield the yes-or-no settings in which a room (JSON of ``room.show``) differs from a new one."""
    for room_field in ROOM_FIELDS:
        setting = room[room_field.name]
        if isinstance(setting, bool) and setting != _NEW[room_field.name]:
            yield room_field.label if setting else Message("operations.label-no", label=room_field.label)


def values(
    room: Mapping[str, Any], *, all_of_them: bool = True
) -> Iterator[tuple[Sentence, Sentence | str | int | None]]:
    """Yield label and setting of every field that is not yes or no; ``None`` where it is not set.

    Without *all_of_them* the settings of a new room are left out.
    """
    for room_field in ROOM_FIELDS:
        setting = room[room_field.name]
        if not isinstance(setting, bool) and (all_of_them or setting != _NEW[room_field.name]):
            labelled = word(room_field.labels, setting) if room_field.labels else setting
            yield room_field.label, None if setting in room_field.unset else labelled


def _new_setting(before: object, param: Param, args: Arguments) -> Any:
    """Return the argument for *param* in the type of the setting *before*."""
    if isinstance(before, bool):
        return args.text(param.name) == "yes"
    kind: type[Any] = type(before)
    return kind(args.values[param.name])
