"""What can be set of a room, one declaration a field: its argument, its help, and how it is shown.

Rules of this file: operations, handlers, command line and terminal are made from this table, so that a new field of
:class:`rules.model.RoomRules` or :class:`rules.model.RoomSettings` is declared here and stored by a migration, and
nothing else needs to know its name but what acts on it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from agent.api.operations.schema import Arguments, Param
from agent.presentation.terms import PASSBACKS, Words, word
from rules.model import Passback, RoomRules, RoomSettings
from rules.text import Text

_Fields = TypeVar("_Fields", RoomRules, RoomSettings)
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class RoomField:
    """One field. ``name`` is that of the dataclass and of the JSON; ``label`` is its heading where it is shown.

    A field that is true or false is shown where it is not as a new room has it: true by its label, false by a no to it.
    A value that is ``unset`` is shown as none.
    """

    name: str
    param: Param
    label: Text
    words: Words = field(default_factory=dict)  # for codes
    unset: tuple[object, ...] = (0, "")


def _yes_no(name: str, param: str, help: Text, label: Text) -> RoomField:  # noqa: A002 - as in Param
    return RoomField(name, Param(param, "text", help, choices=YES_NO), label)


ROOM_FIELDS = (
    RoomField(
        "location",
        Param("location", "text", Text("where it is: building, floor, number", "位置：楼栋、楼层、房号")),
        Text("location", "位置"),
    ),
    _yes_no(
        "two_person", "two_person", Text("two enter together", "须双人进入"), Text("two enter together", "双人进入")
    ),
    _yes_no("needs_purpose", "purpose", Text("a purpose is stated", "须说明事由"), Text("a purpose", "事由")),
    _yes_no(
        "needs_declaration",
        "declaration",
        Text("devices are declared", "须申报携带物品"),
        Text("a declaration of devices", "携带物品申报"),
    ),
    _yes_no("needs_pin", "pin", Text("a PIN beside the badge", "须刷卡并输入密码"), Text("a PIN", "密码")),
    _yes_no(
        "first_in",
        "first_in",
        Text("the custodian goes first", "无人时责任人先进"),
        Text("the custodian first", "责任人先进"),
    ),
    RoomField(
        "anti_passback",
        Param(
            "anti_passback",
            "text",
            Text("who is inside comes in again: alarm, or refusal", "反潜回：报警或拒绝"),
            choices=tuple(map(str, Passback)),
        ),
        Text("anti-passback", "反潜回"),
        words=PASSBACKS,
        unset=(Passback.NONE.value,),
    ),
    RoomField(
        "occupancy_limit",
        Param("limit", "number", Text("how many may be inside; 0: any number", "人数上限；0 为不限"), metavar="N"),
        Text("at most inside", "人数上限"),
    ),
    RoomField(
        "held_open_seconds",
        Param("held_open", "number", Text("seconds a door may stand open", "门可敞开的秒数"), metavar="SECONDS"),
        Text("may stand open", "可敞开秒数"),
    ),
    RoomField(
        "together_seconds",
        Param(
            "together",
            "number",
            Text("seconds within which two badges are shown; 0: as the pack says", "双人刷卡间隔秒数；0 为按规则包"),
            metavar="SECONDS",
        ),
        Text("seconds between two badges", "双人刷卡间隔秒数"),
    ),
    _yes_no(
        "accompany",
        "accompany",
        Text("somebody inside counts as the second person", "室内已有人员可作为第二人"),
        Text("somebody inside as the second person", "室内人员作为第二人"),
    ),
    _yes_no(
        "lone_alarm",
        "lone_alarm",
        Text("one person left alone is an alarm", "仅剩一人时报警"),
        Text("nobody alone", "不得单人停留"),
    ),
    RoomField(
        "reset_at",
        Param(
            "reset_at",
            "hour",
            Text("when whoever is still listed as inside is taken off, each day", "每日何时清空在场名单"),
            metavar="HH:MM|never",
        ),
        Text("list emptied at", "在场名单清空时刻"),
    ),
)


_NEW = {one.name: one.default for kind in (RoomRules, RoomSettings) for one in fields(kind)}


def changed(before: _Fields, args: Arguments) -> _Fields:
    """Return *before* with those of its fields that *args* gives."""
    known = {one.name for one in fields(before)}
    given = {
        one.name: _value(getattr(before, one.name), one.param, args)
        for one in ROOM_FIELDS
        if one.name in known and one.param.name in args
    }
    return replace(before, **given)


def asked_for(room: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what a room (JSON of ``room.show``) asks for, or does without, as a new room does not: yes or no."""
    for one in ROOM_FIELDS:
        value = room[one.name]
        if isinstance(value, bool) and value != _NEW[one.name]:
            yield one.label if value else Text(f"{one.label.en}: no", f"{one.label.zh}：否")


def values(room: Mapping[str, Any], *, all_of_them: bool = True) -> Iterator[tuple[Text, Text | str | int | None]]:
    """Yield label and value of everything that is more than yes or no; ``None`` for what is not set.

    Without *all_of_them* what is as a new room has it is left out.
    """
    for one in ROOM_FIELDS:
        value = room[one.name]
        if not isinstance(value, bool) and (all_of_them or value != _NEW[one.name]):
            yield one.label, None if value in one.unset else word(one.words, value) if one.words else value


def _value(before: object, param: Param, args: Arguments) -> Any:
    """Return what *args* gives for *param*, in the type of the value *before*."""
    if isinstance(before, bool):
        return args.text(param.name) == "yes"
    kind: type[Any] = type(before)
    return kind(args.values[param.name])
