"""Egress: an exit is always allowed, always recorded, and depends on no query.

Rules of this file: no verdict, no registry and no full log keeps a person in. Only a read that may not be of a badge
shown here and now (a read that waited in the reader, an unencrypted read) is just recorded, because a strike opens both
ways; the badge can be shown again, and there is the exit button. A copied badge opens, and does not count the real one
out.
"""

from dataclasses import replace

from agent.doors.messages import Read
from agent.rooms.panel import releases
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import RecordEntry
from agent.rooms.panel.interface import BadgeHolder
from agent.rooms.panel.state import Passer
from agent.rooms.panel.step import PanelStep
from rules.decide import LEAVING
from rules.model import Action
from rules.text import Message


def badge_shown(turn: PanelStep, door: DoorConfig, read: Read, holder: BadgeHolder | None, doubt: str) -> None:
    """Process a badge shown at an exit reader."""
    person = holder.person if holder else ""
    badge = holder.badge if holder else str(read.card)
    if read.stale or not read.secure:
        turn.do(_record(door, person, badge, secure=read.secure))
        return
    if not person and _is_open_for_anybody(turn, door):
        return  # repeated reads of an unknown card: one entry for as long as the strike lasts
    is_known = bool(person) and doubt != "copied"
    record = replace(_record(door, person, badge), release=releases.next_id(turn))
    people = (Passer(person, badge),) if is_known else ()
    releases.release(turn, door, "out", people, (record,))
    if is_known and person not in {occupant.person for occupant in turn.state.occupants}:
        person_name = person
        text = Message("rooms.left-without-entry", person=person_name)
        turn.note("not-inside", text, door=door.door, person=person)


def button_pressed(turn: PanelStep, door: DoorConfig) -> None:
    """Process a press of the exit button: an unidentified person leaves."""
    if _is_open_for_anybody(turn, door):
        return
    record = replace(_record(door, "", ""), release=releases.next_id(turn), how="button")
    releases.release(turn, door, "out", (), (record,))


def _record(door: DoorConfig, person: str, badge: str, *, secure: bool = True) -> RecordEntry:
    return RecordEntry(door.door, "out", Action.EXIT, person, badge, LEAVING, secure=secure)


def _is_open_for_anybody(turn: PanelStep, door: DoorConfig) -> bool:
    return any(not passage.people for passage in releases.waits_at(turn, door, "out"))
