"""A room as it is read: what is wrong there, its doors as they are now, who is inside, who visits, what it asks.

Rules of this file: pure. What needs somebody stands first. What nobody can know (a door without a contact, a reader
that does not answer, doors nobody serves) is said to be unknown, never to be well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agent.api.operations.room_fields import asked_for, values
from agent.presentation.terms import DOMAINS, LEVELS, SIDES, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.render.case import moment
from tui.render.cells import Piece, Toned

Row = Mapping[str, Any]

FORCED, HELD = Text("FORCED OPEN", "强行打开"), Text("HELD OPEN", "长时间未关")
_DOOR_ALARMS = {"forced": FORCED, "held": HELD}
_NONE = Text("nobody, as far as badges say", "无人（以刷卡为准）")


class RoomSnapshot(NamedTuple):
    """What the agent answered about one room: ``room.show``, its doors (``door.list``), and lists."""

    room: Row
    doors: Sequence[Row]
    alarms: Sequence[Row]
    lockdowns: Sequence[Row]
    visits: Sequence[Row]
    declarations: Sequence[Row]


def page(seen: RoomSnapshot) -> Iterator[Piece]:
    """Yield the page of a room."""
    room = seen.room
    yield from (
        Toned(room["name"], "strong"),
        "  ",
        word(LEVELS, room["level"]),
        "  ",
        word(DOMAINS, room["domain"]),
        "\n",
    )
    if room["here"]:
        yield from (Text("this machine stands here", "本机位于此"), "\n")
    yield from _wrong(seen)
    yield from _heading(Text("doors", "门"))
    if not seen.doors:
        yield from ("  ", Text("none: `n` adds one", "无：按 `n` 新增"), "\n")
    for door in seen.doors:
        yield from _door(door, seen.alarms)
    yield from _inside(room)
    yield from _visits(seen.visits)
    yield from _declared(seen.declarations)
    yield from _asks(room)


def place_name(room: str) -> Text:
    """Return how a room is called, and the site for none."""
    said = visible(room)
    return Text(f"`{said}`", f"`{said}`") if room else Text("the site", "全单位")


def about_visit(visit: Row) -> Text:
    """Return one visit in a line."""
    who, name, host = visible(visit["person"]), visible(visit["visitor"]), visible(visit["host"])
    until = moment(visit["until"])
    return Text(f"{who} {name}, with {host}, until {until}", f"{who} {name}，接待人 {host}，至 {until}")


def about_alarm(alarm: Row) -> Text:
    """Return one alarm in a line."""
    when, text = moment(alarm["at"]).partition(" ")[2], text_of(alarm["text"])
    where, number = visible(alarm["door"] or alarm["room"] or "-"), visible(alarm["id"])
    return Text(f"{number} {when} {where}: {text.en}", f"{number} {when} {where}：{text.zh}")


def leaf(door: Row, alarms: Iterable[Row]) -> Toned:
    """Return whether the door stands open, as far as anybody can see."""
    for kind, said in _DOOR_ALARMS.items():
        if any(alarm["door"] == door["name"] and alarm["kind"] == kind for alarm in alarms) and door["open"]:
            return Toned(said, "bad")
    if not door["contact"]:
        return Toned(Text("no contact: open or closed is UNKNOWN", "无门磁，开关状态未知"), "warning")
    if door["open"] is None:
        return Toned(Text("open or closed is UNKNOWN", "开关状态未知"), "warning")
    return Toned(Text("open", "打开"), "warning") if door["open"] else Toned(Text("closed", "关闭"), "good")


def _wrong(seen: RoomSnapshot) -> Iterator[Piece]:
    for lockdown in seen.lockdowns:
        where = place_name(lockdown["room"])
        text = Text(f"✗ LOCKED DOWN: {where.en}", f"✗ 封控中：{where.zh}")
        yield from (Toned(text, "bad"), "  ", lockdown["reason"], "  ", Toned(lockdown["placed_by"], "dim"))
        yield from ("  ", Toned(moment(lockdown["since"]), "dim"), "\n")
    for alarm in seen.alarms:
        yield from (Toned(Text("! ALARM ", "! 报警 "), "bad"), about_alarm(alarm))
        yield from ("  ", alarm["person"] or None, "\n")
    if seen.alarms:
        yield from (Toned(Text("  c acknowledges them", "  按 c 确认"), "dim"), "\n")


def _door(door: Row, alarms: Sequence[Row]) -> Iterator[Piece]:
    yield from ("  ", Toned(door["name"], "strong"), "  ", leaf(door, alarms))
    if door["open"] and door.get("open_since"):
        yield from ("  ", Toned(Text(f"since {moment(door['open_since'])}", f"自 {moment(door['open_since'])}"), "dim"))
    yield from ("  ", Toned(door["protocol"], "dim"), "\n")
    live = {(one["address"], one["side"]): one for one in door["live"]}
    for reader in door["readers"]:
        yield from ("    ", word(SIDES, reader["side"]), "  ")
        yield from _reader(live.get((reader["address"], reader["side"])), door["protocol"])
        yield from ("  ", Toned(reader["address"], "dim"), "\n")


def _reader(live: Row | None, protocol: str) -> Iterator[Piece]:
    if live is None:
        yield Toned(Text("! UNKNOWN: nobody serves it", "! 未知：门禁服务未运行"), "warning")
    elif not live["online"]:
        why = text_of(live["why"]) if live["why"] else Text("no answer", "无应答")
        yield Toned(Text(f"✗ OFFLINE: {why.en}", f"✗ 离线：{why.zh}"), "bad")
    elif live["secure"]:
        yield Toned(Text("✓ online, encrypted", "✓ 在线，已加密认证"), "good")
    elif protocol == "uhppote":
        yield Toned(Text("! online; its wire proves nothing", "! 在线；通信无认证"), "warning")
    else:
        yield Toned(Text("! online, NOT encrypted: `w` gives it a key", "! 在线，未加密：按 `w` 写入密钥"), "warning")


def _inside(room: Row) -> Iterator[Piece]:
    yield from _heading(Text("inside", "室内人员"))
    for one in room["inside"]:
        yield from ("  ", Toned(one["person"], "strong"), "  ", one["name"], "  ")
        yield Toned(Text(f"since {moment(one['since'])}", f"自 {moment(one['since'])}"), "dim")
        yield from ("  ", Toned(one["door"], "dim"), "\n")
    if not room["inside"]:
        yield from ("  ", _NONE, "\n")
    if count := room.get("unseen"):
        text = Text(
            f"  ! {count} left by the button since: too many may be listed", f"  ! {count} 人按钮离开，名单可能偏多"
        )
        yield from (Toned(text, "warning"), "\n")


def _visits(visits: Sequence[Row]) -> Iterator[Piece]:
    if visits:
        yield from _heading(Text("visits", "来访"))
    for visit in visits:
        yield from ("  ", Toned(visit["id"], "dim"), "  ", about_visit(visit), "  ", visit["purpose"])
        if visit["badge"]:
            yield from ("  ", Text(f"badge {visit['badge']}", f"门禁卡 {visit['badge']}"))
        if visit["ended_at"]:
            yield from ("  ", Toned(Text("! ended, STILL INSIDE", "! 已终止，仍在室内"), "bad"))
        yield "\n"


def _declared(declarations: Sequence[Row]) -> Iterator[Piece]:
    if declarations:
        yield from _heading(Text("declarations", "进入申报"))
    for one in declarations:
        devices = one["devices"] or Text("no devices", "未携带设备") if one["declares"] else None
        yield from ("  ", Toned(one["id"], "dim"), "  ", one["person"], "  ", one["purpose"], "  ", devices, "\n")


def _asks(room: Row) -> Iterator[Piece]:
    asked = list(asked_for(room))
    for label, value in values(room, all_of_them=False):
        said = value if isinstance(value, Text) else Text(*[visible(str(value))] * 2)
        asked.append(Text(f"{label.en}: {said.en}", f"{label.zh}：{said.zh}"))
    if room["keeps"]:
        kept = ", ".join(map(visible, room["keeps"]))
        asked.append(Text(f"keeps {kept}", f"存放 {kept}"))
    if asked:
        yield from _heading(Text("asks for", "进入要求"))
        yield from ("  ", Text(" · ".join(one.en for one in asked), " · ".join(one.zh for one in asked)), "\n")


def _heading(title: Text) -> Iterator[Piece]:
    yield from ("\n", Toned(title, "dim"), "\n")
