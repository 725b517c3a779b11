"""Rooms: live doors, alarms, people inside, and every act on a room.

Rules of this file:
- the line of a room names its problems first, and calls unknown what cannot be known;
- an act that keeps people out shows its plan first; an act that opens, or corrects who is inside, takes a reason;
- a command to a door counts as sent when the agent has accepted it. A job waits for its outcome and reports it.
"""

import asyncio
from typing import Any

from agent.presentation import waits
from agent.presentation.terms import DOMAINS, LEVELS, word
from rules.text import Message, Sentence, foreign, labelled
from rules.visible import visible
from tui.render.cells import Piece
from tui.render.plan import PlanLine, PlanPage, outcome_page
from tui.render.room import RoomSnapshot, about_alarm, about_visit, page, place_name
from tui.render.room_stays import stays
from tui.render.room_summary import state
from tui.screens.document import DocumentScreen
from tui.screens.room_doors import NO_DOOR, OF_A_DOOR, DoorActs
from tui.widgets.virtual_list import Column, Row, field

_SPAN = Message("tui.period-forms")
_SITE = "SITE"  # typed for the whole site, in both languages


def _level(row: Row) -> Piece:
    return word(LEVELS, row["level"])


def _doors(row: Row) -> Piece:
    return f"{len(row['doors'])}" if row["doors"] else None


def _inside(row: Row) -> Piece:
    return str(row["inside"]) if row["inside"] else None


class RoomsScreen(DoorActs):
    """The rooms of the site."""

    PLACE = "rooms"
    EVERY = 2.0
    COLUMNS = (
        field(Message("common.room"), "name", 16),
        Column(Message("common.level"), _level, 12),
        Column(Message("common.state"), state),
        Column(Message("common.doors"), _doors, 5, right=True),
        Column(Message("tui.column-inside"), _inside, 6, right=True),
        Column(Message("tui.domain"), lambda row: word(DOMAINS, row["domain"]), 12, least=100),
        field(Message("cli.custodian"), "custodian", 12, least=110),
    )
    KEY = "name"
    OP = "room.list"
    NO_ROW = Message("tui.no-room-highlighted")
    EMPTY = Message("tui.no-rooms-yet")
    FREE = frozenset({"ack", "lock-site", "lift", "left", "end-visit", "cards", "listen"})

    def __init__(self) -> None:
        super().__init__()
        self._alarms: list[Row] = []
        self._lockdowns: list[Row] = []

    async def rows(self) -> list[Row]:
        """Return the rooms with their doors and alarms."""
        rooms, doors, self._alarms, self._lockdowns = await asyncio.gather(
            *(self.agent.items(op) for op in ("room.list", "door.list", "alarm.list", "lockdown.list"))
        )
        return [
            room
            | {
                "doors": [door for door in doors if door["room"] == room["name"]],
                "alarms": [alarm for alarm in self._alarms if alarm["room"] == room["name"]],
            }
            for room in rooms
        ]

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the live state of the room."""
        name = row["name"]
        ask = self.agent
        room, visits, declarations = await asyncio.gather(
            ask.call("room.show", room=name),
            ask.items("visitor.list", room=name),
            ask.items("declaration.list", room=name),
        )
        lockdowns = [lockdown for lockdown in self._lockdowns if lockdown["room"] in ("", name)]
        return tuple(page(RoomSnapshot(room, row["doors"], row["alarms"], lockdowns, visits, declarations)))

    def on_navigate(self, **options: Any) -> None:
        """Show the ``room`` of *options*."""
        if room := options.get("room"):
            self.come_for(room)

    def why_not(self, action: str) -> Sentence | None:
        """Return why *action* cannot be used: some acts need an alarm, a lockdown, or a door."""
        verb = action.partition(".")[2]
        if verb == "ack" and not self._alarms:
            return Message("tui.no-open-alarm")
        if verb == "lift" and not self._lockdowns:
            return Message("common.nothing-locked-down")
        row = self.table.current()
        if row is not None and not row["doors"] and verb in OF_A_DOOR:
            return NO_DOOR
        return super().why_not(action)

    # Alarms and lockdowns ---------------------------------------------------------------------------------------------

    def do_ack(self) -> None:
        """Acknowledge an alarm."""
        self.start(self._ack, group="form")

    async def _ack(self) -> None:
        row = self.table.current()
        room = row["name"] if row else ""
        alarms = sorted(self._alarms, key=lambda alarm: (alarm["room"] != room, alarm["id"]))
        alarm = await self.one_of(Message("tui.choose-alarm"), alarms, about_alarm)
        if alarm and await self.ask("alarm.ack", {"alarm": alarm["id"]}, note=about_alarm(alarm)):
            await self.load()

    def do_lock(self) -> None:
        """Lock the room down: plan, name, reason."""
        self.start(self._lock, self.chosen, group="form")

    def do_lock_site(self) -> None:
        """Lock the site down."""
        self.start(self._lock, "", group="form")

    async def _lock(self, room: str) -> None:
        place = place_name(room)
        inside = [
            occupant["person"]
            for occupant in await self.agent.items("occupancy.list", **({"room": room} if room else {}))
        ]
        names = ", ".join(map(visible, inside[:5])) + (f" +{len(inside) - 5}" if len(inside) > 5 else "")
        lines = [
            PlanLine(Message("tui.lockdown-refuses-badges")),
            PlanLine(Message("tui.pending-entries-cancelled")),
            PlanLine(Message("tui.people-inside-may-leave", count=len(inside)), note=names),
            PlanLine(Message("tui.lockdown-stays")),
        ]
        title = Message("tui.lock-down-place", place=place)
        if not await self.program.agreed(PlanPage(title, lines, name=room or _SITE)):
            return
        answer = await self.ask("lockdown.on", {"room": room} if room else {}, only=("reason",))
        if answer:
            confirmed = Message("tui.lockdown-effective", place=place, took=waits.sentence(answer))
            await self.program.agreed(outcome_page(title, [PlanLine(confirmed, "confirmed")]))
            await self.load()

    def do_lift(self) -> None:
        """Lift a lockdown."""
        self.start(self._lift, group="form")

    async def _lift(self) -> None:
        title = Message("tui.choose-lockdown")
        lockdown = await self.one_of(title, self._lockdowns, _lockdown)
        if lockdown:
            preset = {"room": lockdown["room"]} if lockdown["room"] else {}
            if await self.ask("lockdown.off", preset, note=_lockdown(lockdown), only=("reason",)):
                await self.load()

    # Visits and declarations ------------------------------------------------------------------------------------------

    def do_visitor(self) -> None:
        """Register a visit."""
        self.form("visitor.add", room=self.chosen)

    def do_left(self) -> None:
        """Record that a visitor has left."""
        self.start(self._visitor_left, group="form")

    async def _visitor_left(self) -> None:
        visit = await self._visit()
        if visit and await self.ask("visitor.exit", {"visit": visit["id"]}, note=about_visit(visit)):
            await self.load()

    def do_end_visit(self) -> None:
        """End a visit."""
        self.start(self._end_visit, group="form")

    async def _end_visit(self) -> None:
        visit = await self._visit()
        if visit is None:
            return
        lines = [
            PlanLine(about_visit(visit)),
            PlanLine(Message("tui.visitor-denied")),
            PlanLine(Message("tui.visitor-counted-until-exit")),
        ]
        title = Message("tui.end-visit", person=visit["person"])
        if not await self.program.agreed(PlanPage(title, lines, name=visit["person"])):
            return
        answer = await self.agent.call("visitor.end", visit=visit["id"])
        ended = [PlanLine(Message("tui.visit-denied-from-now-on"), "confirmed")]
        if answer["inside"]:
            ended.append(PlanLine(Message("tui.still-inside"), "pending", ", ".join(map(visible, answer["inside"]))))
        await self.program.agreed(outcome_page(title, ended))
        await self.load()

    async def _visit(self) -> Row | None:
        row = self.table.current()
        visits = await self.agent.items("visitor.list")
        room = row["name"] if row else ""
        visits.sort(key=lambda visit: (visit["room"] != room, visit["id"]))
        none = Message("tui.no-visit")
        return await self.one_of(Message("tui.choose-visit"), visits, about_visit, none=none, always=True)

    def do_reset(self) -> None:
        """Correct who is inside."""
        self.start(self._reset, self.chosen, group="form")

    async def _reset(self, room: str) -> None:
        inside = await self.agent.items("occupancy.list", room=room)
        choices = [(occupant["person"], foreign(occupant["person"])) for occupant in inside]
        note = Message("tui.people-inside-reset", count=len(inside))
        if await self.ask("occupancy.reset", {"room": room}, note=note, choices={"person": choices} if choices else {}):
            await self.load()

    def do_declare(self) -> None:
        """Record a declaration."""
        self.form("declaration.add", room=self.chosen)

    def do_end_declaration(self) -> None:
        """End a declaration."""
        self.start(self._end_declaration, self.chosen, group="form")

    async def _end_declaration(self, room: str) -> None:
        declarations = await self.agent.items("declaration.list", room=room)
        none = Message("tui.no-declaration")
        row = await self.one_of(Message("tui.choose-declaration"), declarations, _declaration, none=none, always=True)
        if row:
            await self.agent.call("declaration.end", declaration=row["id"])
            await self.load()

    # The room ---------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Register a room."""
        self.start(self.changed, "room.add", {}, group="form")

    def do_change(self) -> None:
        """Change the room."""
        self.start(self.changed, "room.set", {"room": self.chosen}, group="form")

    def do_grant(self) -> None:
        """Grant a person entry."""
        self.form("grant.add", area=self.chosen)

    def do_host(self) -> None:
        """Record that this machine is in the room."""
        self.form("room.host", room=self.chosen)

    def do_listen(self) -> None:
        """Set the address for events of boards."""
        self.form("door.listen")

    def do_remove(self) -> None:
        """Remove the room."""
        self.start(self._remove, self.chosen, group="form")

    async def _remove(self, room: str) -> None:
        lines = [
            PlanLine(Message("tui.all-grants-end")),
            PlanLine(Message("tui.presence-forgotten")),
        ]
        if await self.program.agreed(PlanPage(Message("tui.remove-room", room=room), lines, name=room)):
            await self.agent.call("room.remove", room=room)
            await self.load()

    def do_during(self) -> None:
        """Show the people inside during a period, and the files they opened."""
        self.start(self._during, self.chosen, group="form")

    async def _during(self, room: str) -> None:
        answer = await self.ask("log.room", {"room": room}, note=_SPAN)
        if answer is not None:
            title = Message("tui.stays-in-room", room=room)
            await self.app.push_screen_wait(DocumentScreen(title, stays(answer["items"]), f"inside-{room}.txt"))

    def do_log(self) -> None:
        """Go to the log of the room."""
        self.program.go("log", filter=f"area:{self.chosen}")


def _lockdown(lockdown: Row) -> Sentence:
    return labelled(place_name(lockdown["room"]), str(lockdown["reason"]))


def _declaration(declaration: Row) -> Sentence:
    return foreign(f"{declaration['person']} {declaration['purpose'] or ''}")
