"""The page of a room: alarms, live state of doors, people inside, visits, declarations, and requirements.

Rules of this file: pure. What needs attention stands first. A state that cannot be known (a door without a contact, a
reader that does not answer, doors that are not served) is called unknown, never good.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agent.api.operations.room_fields import asked_for, values
from agent.presentation.terms import DOMAINS, LEVELS, SIDES, word
from rules.text import Message, Sentence, Text, dotted, foreign, from_json, labelled
from rules.visible import visible
from tui.render.case import moment
from tui.render.cells import Piece, Toned

Row = Mapping[str, Any]

FORCED, HELD = Message("tui.forced-open"), Message("tui.held-open")
_DOOR_ALARMS = {"forced": FORCED, "held": HELD}
_NONE = Message("tui.no-one-inside")


class RoomSnapshot(NamedTuple):
    """The answers of the agent about one room: ``room.show``, its doors (``door.list``), and lists."""

    room: Row
    doors: Sequence[Row]
    alarms: Sequence[Row]
    lockdowns: Sequence[Row]
    visits: Sequence[Row]
    declarations: Sequence[Row]


def page(snapshot: RoomSnapshot) -> Iterator[Piece]:
    """Yield the page of a room."""
    room = snapshot.room
    yield from (
        Toned(room["name"], "strong"),
        "  ",
        word(LEVELS, room["level"]),
        "  ",
        word(DOMAINS, room["domain"]),
        "\n",
    )
    if room["here"]:
        yield from (Message("tui.machine-in-room"), "\n")
    yield from _wrong(snapshot)
    yield from _heading(Message("common.doors"))
    if not snapshot.doors:
        yield from ("  ", Message("tui.no-doors-yet"), "\n")
    for door in snapshot.doors:
        yield from _door(door, snapshot.alarms)
    yield from _inside(room)
    yield from _visits(snapshot.visits)
    yield from _declared(snapshot.declarations)
    yield from _asks(room)


def place_name(room: str) -> Sentence:
    """Return the name of a room; the site for none."""
    return foreign(f"`{visible(room)}`") if room else Message("common.site")


def about_visit(visit: Row) -> Sentence:
    """Return one visit in a line."""
    return Message(
        "tui.visit-line",
        person=visit["person"],
        name=visit["visitor"],
        host=visit["host"],
        time=moment(visit["until"]),
    )


def about_alarm(alarm: Row) -> Sentence:
    """Return one alarm in a line."""
    when, text = moment(alarm["at"]).partition(" ")[2], from_json(alarm["text"])
    return labelled(f"{alarm['id']} {when} {alarm['door'] or alarm['room'] or '-'}", text)


def leaf(door: Row, alarms: Iterable[Row]) -> Toned:
    """Return whether the door is open, as far as its contact reports it."""
    for kind, label in _DOOR_ALARMS.items():
        if any(alarm["door"] == door["name"] and alarm["kind"] == kind for alarm in alarms) and door["open"]:
            return Toned(label, "bad")
    if not door["contact"]:
        return Toned(Message("tui.no-contact-state-unknown"), "warning")
    if door["open"] is None:
        return Toned(Message("tui.door-state-unknown"), "warning")
    return Toned(Message("common.open"), "warning") if door["open"] else Toned(Message("common.closed"), "good")


def _wrong(snapshot: RoomSnapshot) -> Iterator[Piece]:
    for lockdown in snapshot.lockdowns:
        place = place_name(lockdown["room"])
        text = Message("tui.lockdown-active", place=place)
        yield from (Toned(text, "bad"), "  ", lockdown["reason"], "  ", Toned(lockdown["placed_by"], "dim"))
        yield from ("  ", Toned(moment(lockdown["since"]), "dim"), "\n")
    for alarm in snapshot.alarms:
        yield from (Toned(Message("tui.alarm-mark"), "bad"), " ", about_alarm(alarm))
        yield from ("  ", alarm["person"] or None, "\n")
    if snapshot.alarms:
        yield from ("  ", Toned(Message("tui.press-c-to-acknowledge"), "dim"), "\n")


def _door(door: Row, alarms: Sequence[Row]) -> Iterator[Piece]:
    yield from ("  ", Toned(door["name"], "strong"), "  ", leaf(door, alarms))
    if door["open"] and door.get("open_since"):
        yield from ("  ", Toned(Message("tui.since-time", time=moment(door["open_since"])), "dim"))
    yield from ("  ", Toned(door["protocol"], "dim"), "\n")
    live = {(reader["address"], reader["side"]): reader for reader in door["live"]}
    for reader in door["readers"]:
        yield from ("    ", word(SIDES, reader["side"]), "  ")
        yield from _reader(live.get((reader["address"], reader["side"])), door["protocol"])
        yield from ("  ", Toned(reader["address"], "dim"), "\n")


def _reader(live: Row | None, protocol: str) -> Iterator[Piece]:
    if live is None:
        yield Toned(Message("tui.reader-not-served"), "warning")
    elif not live["online"]:
        reason = from_json(live["why"]) if live["why"] else Message("common.no-answer")
        yield Toned(Message("tui.reader-offline", reason=reason), "bad")
    elif live["secure"]:
        yield Toned(Message("tui.reader-online-encrypted"), "good")
    elif protocol == "uhppote":
        yield Toned(Message("tui.reader-online-not-authenticated"), "warning")
    else:
        yield Toned(Message("tui.reader-online-not-encrypted"), "warning")


def _inside(room: Row) -> Iterator[Piece]:
    yield from _heading(Message("common.inside"))
    for occupant in room["inside"]:
        yield from ("  ", Toned(occupant["person"], "strong"), "  ", occupant["name"], "  ")
        yield Toned(Message("tui.since-time", time=moment(occupant["since"])), "dim")
        yield from ("  ", Toned(occupant["door"], "dim"), "\n")
    if not room["inside"]:
        yield from ("  ", _NONE, "\n")
    if count := room.get("unseen"):
        text = Message("tui.left-by-button", count=count)
        yield from ("  ", Toned(text, "warning"), "\n")


def _visits(visits: Sequence[Row]) -> Iterator[Piece]:
    if visits:
        yield from _heading(Message("tui.room-visits"))
    for visit in visits:
        yield from ("  ", Toned(visit["id"], "dim"), "  ", about_visit(visit), "  ", visit["purpose"])
        if visit["badge"]:
            yield from ("  ", Message("tui.badge-number", badge=visit["badge"]))
        if visit["ended_at"]:
            yield from ("  ", Toned(Message("tui.visit-ended-still-inside"), "bad"))
        yield "\n"


def _declared(declarations: Sequence[Row]) -> Iterator[Piece]:
    if declarations:
        yield from _heading(Message("tui.room-declarations"))
    for declaration in declarations:
        devices = declaration["devices"] or Message("tui.no-devices") if declaration["declares"] else None
        yield from (
            "  ",
            Toned(declaration["id"], "dim"),
            "  ",
            declaration["person"],
            "  ",
            declaration["purpose"],
            "  ",
            devices,
            "\n",
        )


def _asks(room: Row) -> Iterator[Piece]:
    requirements = list(asked_for(room))
    for label, setting in values(room, all_of_them=False):
        text = setting if isinstance(setting, Message | Text) else foreign(visible(str(setting)))
        requirements.append(labelled(label, text))
    if room["keeps"]:
        requirements.append(Message("tui.room-keeps", areas=room["keeps"]))
    if requirements:
        yield from _heading(Message("common.entry-requirements"))
        yield from ("  ", dotted(requirements), "\n")


def _heading(title: Sentence) -> Iterator[Piece]:
    yield from ("\n", Toned(title, "dim"), "\n")
