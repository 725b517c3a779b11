"""The way out: always allowed, always recorded, and never a question to anybody.

Rules of this file: no verdict, no registry and no full log keeps anybody in. Only what cannot be a badge shown here and
now (a read that waited in the reader, a read in clear) is recorded and no more, because a strike opens both ways; the
badge can be shown again, and the button is there. A copied badge opens, and does not free the real one.
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
from rules.text import Text
from rules.visible import visible


def badge_shown(turn: PanelStep, door: DoorConfig, read: Read, holder: BadgeHolder | None, doubt: str) -> None:
    """A badge was shown on the way out."""
    person = holder.person if holder else ""
    badge = holder.badge if holder else str(read.card)
    if read.stale or not read.secure:
        turn.do(_record(door, person, badge, secure=read.secure))
        return
    if not person and _is_open_for_anybody(turn, door):
        return  # a card nobody knows, again and again: one entry for as long as the strike lasts
    known = bool(person) and doubt != "copied"
    record = replace(_record(door, person, badge), release=releases.next_id(turn))
    people = (Passer(person, badge),) if known else ()
    releases.release(turn, door, "out", people, (record,))
    if known and person not in {one.person for one in turn.state.occupants}:
        shown = visible(person)
        text = Text(f"`{shown}` leaves and was not known to be inside", f"`{shown}` 离开，但无进入记录")
        turn.note("not-inside", text, door=door.door, person=person)


def button_pressed(turn: PanelStep, door: DoorConfig) -> None:
    """The button inside was pressed: somebody goes out, and nobody says who."""
    if _is_open_for_anybody(turn, door):
        return
    record = replace(_record(door, "", ""), release=releases.next_id(turn), how="button")
    releases.release(turn, door, "out", (), (record,))


def _record(door: DoorConfig, person: str, badge: str, *, secure: bool = True) -> RecordEntry:
    return RecordEntry(door.door, "out", Action.EXIT, person, badge, LEAVING, secure=secure)


def _is_open_for_anybody(turn: PanelStep, door: DoorConfig) -> bool:
    return any(not one.people for one in releases.waits_at(turn, door, "out"))
