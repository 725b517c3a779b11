"""Rooms: doors as they are now, alarms, who is inside, and everything that is done there.

Rules of this file:
- a room's line says what is wrong there before anything else, and what nobody can see it calls unknown;
- what keeps people out is a plan first; what opens, or says that somebody is not inside, takes a reason;
- a command to a door is only sent when the agent has taken it. What came of it is waited for beside the keys, and said.
"""

import asyncio
from typing import Any

from agent.presentation import waits
from agent.presentation.terms import DOMAINS, LEVELS, word
from rules.text import Text
from rules.visible import visible
from tui.render.cells import Piece
from tui.render.plan import PlanLine, PlanPage, result
from tui.render.room import RoomSnapshot, about_alarm, about_visit, page, place_name
from tui.render.room_stays import stays
from tui.render.room_summary import state
from tui.screens.document import DocumentScreen
from tui.screens.room_doors import NO_DOOR, OF_A_DOOR, DoorActs
from tui.widgets.virtual_list import Column, Row, field

_SPAN = Text(
    "such as 2026-10-01..2026-10-02, or 2026-10-01T08:00..2026-10-01T18:00",
    "如 2026-10-01..2026-10-02，或 2026-10-01T08:00..2026-10-01T18:00",
)
_SITE = "SITE"  # what is typed for the whole site, whichever language is spoken


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
        field("room", "场所", "name", 16),
        Column(Text("level", "密级"), _level, 12),
        Column(Text("state", "状态"), state),
        Column(Text("doors", "门"), _doors, 5, right=True),
        Column(Text("inside", "室内"), _inside, 6, right=True),
        Column(Text("domain", "种类"), lambda row: word(DOMAINS, row["domain"]), 12, least=100),
        field("custodian", "责任人", "custodian", 12, least=110),
    )
    KEY = "name"
    OP = "room.list"
    WHO = Text("no room is highlighted", "没有选中的场所")
    EMPTY = Text("no rooms yet; `a` registers one", "尚无场所；按 `a` 登记")
    FREE = frozenset({"ack", "lock-site", "lift", "left", "end-visit", "cards", "listen"})

    def __init__(self) -> None:
        super().__init__()
        self._alarms: list[Row] = []
        self._lockdowns: list[Row] = []

    async def rows(self) -> list[Row]:
        """Return the rooms, each with its doors and its alarms."""
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
        """Return the room as it is now."""
        name = row["name"]
        ask = self.agent
        room, visits, declarations = await asyncio.gather(
            ask.call("room.show", room=name),
            ask.items("visitor.list", room=name),
            ask.items("declaration.list", room=name),
        )
        lockdowns = [one for one in self._lockdowns if one["room"] in ("", name)]
        return tuple(page(RoomSnapshot(room, row["doors"], row["alarms"], lockdowns, visits, declarations)))

    def arrive(self, **how: Any) -> None:
        """Come for a ``room``."""
        if room := how.get("room"):
            self.come_for(room)

    def why_not(self, action: str) -> Text | None:
        """Some acts need an alarm, a lockdown, or a door."""
        verb = action.partition(".")[2]
        if verb == "ack" and not self._alarms:
            return Text("no alarm waits", "没有待确认的报警")
        if verb == "lift" and not self._lockdowns:
            return Text("nothing is locked down", "没有封控")
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
        here = row["name"] if row else ""
        alarms = sorted(self._alarms, key=lambda alarm: (alarm["room"] != here, alarm["id"]))
        alarm = await self.one_of(Text("which alarm", "哪个报警"), alarms, about_alarm)
        if alarm and await self.ask("alarm.ack", {"alarm": alarm["id"]}, note=about_alarm(alarm)):
            await self.load()

    def do_lock(self) -> None:
        """Lock the room down: plan, name, reason."""
        self.start(self._lock, self.chosen, group="form")

    def do_lock_site(self) -> None:
        """Lock the site down."""
        self.start(self._lock, "", group="form")

    async def _lock(self, room: str) -> None:
        where = place_name(room)
        inside = [one["person"] for one in await self.agent.items("occupancy.list", **({"room": room} if room else {}))]
        names = ", ".join(map(visible, inside[:5])) + (f" +{len(inside) - 5}" if len(inside) > 5 else "")
        lines = [
            PlanLine(Text("nobody enters: every badge is refused from now on", "禁止进入：所有门禁卡立即被拒绝")),
            PlanLine(Text("who waits at a door for a second person is dropped", "正在等待第二人的进入申请作废")),
            PlanLine(
                Text(
                    f"{len(inside)} inside may leave, nobody is locked in",
                    f"室内 {len(inside)} 人可以离开，不会被关在室内",
                ),
                note=names,
            ),
            PlanLine(Text("it stays until it is lifted for a reason", "直至说明理由后解除")),
        ]
        title = Text(f"lock down {where.en}", f"封控{where.zh}")
        if not await self.program.agreed(PlanPage(title, lines, name=room or _SITE)):
            return
        answer = await self.ask("lockdown.on", {"room": room} if room else {}, only=("reason",))
        if answer:
            took = waits.sentence(answer)
            done = Text(f"nobody enters {where.en}: {took.en}", f"{where.zh}已禁止进入：{took.zh}")
            await self.program.agreed(result(title, [PlanLine(done, "confirmed")]))
            await self.load()

    def do_lift(self) -> None:
        """Lift a lockdown."""
        self.start(self._lift, group="form")

    async def _lift(self) -> None:
        title = Text("which lockdown", "哪个封控")
        found = await self.one_of(title, self._lockdowns, _lockdown)
        if found:
            given = {"room": found["room"]} if found["room"] else {}
            if await self.ask("lockdown.off", given, note=_lockdown(found), only=("reason",)):
                await self.load()

    # People who come and go -------------------------------------------------------------------------------------------

    def do_visitor(self) -> None:
        """Register a visit."""
        self.form("visitor.add", room=self.chosen)

    def do_left(self) -> None:
        """A visitor has left."""
        self.start(self._left, group="form")

    async def _left(self) -> None:
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
            PlanLine(Text("the visitor enters no more", "来访者不得再进入")),
            PlanLine(Text("whoever is inside stays counted inside until `x`", "仍在室内的，须按 `x` 登记离开")),
        ]
        said = visible(visit["person"])
        title = Text(f"end the visit of `{said}`", f"终止 `{said}` 的来访")
        if not await self.program.agreed(PlanPage(title, lines, name=visit["person"])):
            return
        answer = await self.agent.call("visitor.end", visit=visit["id"])
        ended = [PlanLine(Text("no entry from now on", "不得再进入"), "confirmed")]
        if answer["inside"]:
            ended.append(
                PlanLine(Text("STILL INSIDE", "仍在室内"), "pending", ", ".join(map(visible, answer["inside"])))
            )
        await self.program.agreed(result(title, ended))
        await self.load()

    async def _visit(self) -> Row | None:
        row = self.table.current()
        visits = await self.agent.items("visitor.list")
        here = row["name"] if row else ""
        visits.sort(key=lambda visit: (visit["room"] != here, visit["id"]))
        none = Text("there is no visit", "没有来访")
        return await self.one_of(Text("which visit", "哪次来访"), visits, about_visit, none=none, always=True)

    def do_reset(self) -> None:
        """Say that somebody is not inside."""
        self.start(self._reset, self.chosen, group="form")

    async def _reset(self, room: str) -> None:
        inside = await self.agent.items("occupancy.list", room=room)
        choices = [(one["person"], Text(one["person"], one["person"])) for one in inside]
        note = Text(f"{len(inside)} inside; no person: everybody", f"室内 {len(inside)} 人；不选人员即全部更正")
        if await self.ask("occupancy.reset", {"room": room}, note=note, choices={"person": choices} if choices else {}):
            await self.load()

    def do_declare(self) -> None:
        """Keep a declaration."""
        self.form("declaration.add", room=self.chosen)

    def do_end_declaration(self) -> None:
        """End a declaration."""
        self.start(self._end_declaration, self.chosen, group="form")

    async def _end_declaration(self, room: str) -> None:
        found = await self.agent.items("declaration.list", room=room)
        none = Text("there is no declaration for the room", "该场所没有进入申报")
        one = await self.one_of(Text("which declaration", "哪项申报"), found, _declaration, none=none, always=True)
        if one:
            await self.agent.call("declaration.end", declaration=one["id"])
            await self.load()

    # The room ---------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Register a room."""
        self.start(self.changed, "room.add", {}, group="form")

    def do_change(self) -> None:
        """Change it."""
        self.start(self.changed, "room.set", {"room": self.chosen}, group="form")

    def do_grant(self) -> None:
        """Let a person in."""
        self.form("grant.add", area=self.chosen)

    def do_host(self) -> None:
        """This machine stands there."""
        self.form("room.host", room=self.chosen)

    def do_listen(self) -> None:
        """Say where boards send their events."""
        self.form("door.listen")

    def do_remove(self) -> None:
        """Remove it."""
        self.start(self._remove, self.chosen, group="form")

    async def _remove(self, room: str) -> None:
        lines = [
            PlanLine(Text("every grant for it ends", "相关授权全部终止")),
            PlanLine(Text("who is inside is known no longer", "不再掌握室内人员")),
        ]
        said = visible(room)
        if await self.program.agreed(PlanPage(Text(f"remove `{said}`", f"移除 `{said}`"), lines, name=room)):
            await self.agent.call("room.remove", room=room)
            await self.load()

    def do_during(self) -> None:
        """Show who was inside, and what they opened meanwhile."""
        self.start(self._during, self.chosen, group="form")

    async def _during(self, room: str) -> None:
        answer = await self.ask("log.room", {"room": room}, note=_SPAN)
        if answer is not None:
            said = visible(room)
            title = Text(f"who was inside `{said}`", f"`{said}` 室内人员")
            await self.app.push_screen_wait(DocumentScreen(title, stays(answer["items"]), f"inside-{room}.txt"))

    def do_log(self) -> None:
        """Go to the log."""
        self.program.go("log", filter=f"area:{self.chosen}")


def _lockdown(one: Row) -> Text:
    where, reason = place_name(one["room"]), visible(one["reason"])
    return Text(f"{where.en}: {reason}", f"{where.zh}：{reason}")


def _declaration(one: Row) -> Text:
    said = f"{visible(one['person'])} {visible(one['purpose'] or '')}"
    return Text(said, said)
