"""Checks of rooms and doors that ``doctor`` makes: what officers decided, against what doors can do.

Rules of this file: as :mod:`agent.doctor.registry_checks`: looking only. Whether readers answer is said by whoever
serves them.
"""

from collections.abc import Iterable, Iterator, Sequence

from agent.api.findings import Finding
from agent.registry.facts import FactsReader
from agent.registry.rows.doors import DoorRow
from agent.registry.rows.rooms import RoomRow
from rules.checks.room import passback
from rules.model import Passback
from rules.pack.reader import Pack
from rules.text import Text
from rules.visible import visible


def rooms(facts: FactsReader, pack: Pack) -> Iterator[Finding]:
    """Say what of rooms and doors does not hold together; nothing when the site has no rooms."""
    with facts.snapshot():
        known, doors = facts.rooms(), facts.doors()
        alarms, pending = facts.open_alarms(), [card for card in facts.board_cards() if card.state == "pending"]
        lockdowns = facts.lockdowns()
    for row in known:
        yield from of_room(row, doors, pack)
    if pending:
        boards = ", ".join(dict.fromkeys(visible(card.board) for card in pending))
        yield Finding(
            "serious",
            "board-cards",
            Text(
                f"{len(pending)} card changes are not confirmed by their boards: {boards}",
                f"有 {len(pending)} 项卡片更改未获控制板确认：{boards}",
            ),
            Text("shoumi door cards; go to a board that stays away", "shoumi door cards；长期不应答的控制板须现场处理"),
        )
    if alarms:
        text = Text(f"{len(alarms)} alarms wait for somebody", f"有 {len(alarms)} 个报警待处理")
        yield Finding("warning", "alarms", text, Text("shoumi alarm list", "shoumi alarm list"))
    for lockdown in lockdowns:
        place = visible(lockdown.room)
        said = Text(f"`{place}` is", f"`{place}` ") if place else Text("the site is", "全单位")
        yield Finding("warning", "lockdown", Text(f"{said.en} locked down", f"{said.zh}处于封控"))
    if known:
        text = Text(f"{len(known)} rooms, {len(doors)} doors", f"场所 {len(known)} 个，门 {len(doors)} 扇")
        yield Finding("good", "rooms", text)


def of_room(row: RoomRow, doors: Iterable[DoorRow], pack: Pack) -> Iterator[Finding]:
    """Say what of one room and its *doors* does not hold together."""
    mine = [door for door in doors if door.room == row.resource.id]
    yield from _seen(row, mine, pack)
    yield from _wires(row, mine, pack)
    for door in mine:
        yield from _keys(door)


def _seen(row: RoomRow, doors: Sequence[DoorRow], pack: Pack) -> Iterator[Finding]:
    name, asked = visible(row.resource.id), row.resource.room
    strict = passback(row.resource, pack) is not Passback.NONE
    counts = asked and (asked.occupancy_limit or asked.two_person or strict)
    blind = [door.name for door in doors if not any(reader.side == "out" for reader in door.readers)]
    if counts and blind:
        which = ", ".join(map(visible, blind))
        yield Finding(
            "warning",
            "no-exit-reader",
            Text(
                f"`{name}` counts who is inside, and {which} has no reader on the way out: who leaves still counts",
                f"`{name}` 须统计室内人员，但 {which} 没有出门读卡器：由此离开者仍计为在内",
            ),
            Text(
                f"shoumi door set DOOR --exit-reader …, or each night: shoumi room set {name} --reset-at 04:00",
                f"shoumi door set DOOR --exit-reader …；或每夜清空名单：shoumi room set {name} --reset-at 04:00",
            ),
        )
    silent = [door.name for door in doors if not door.contact]
    if silent:
        which = ", ".join(map(visible, silent))
        yield Finding(
            "warning",
            "no-contact",
            Text(
                f"nobody notices when {which} of `{name}` is forced or held open: it has no contact",
                f"`{name}` 的 {which} 没有门磁：无法发现强行打开或长时间敞开",
            ),
            Text(
                "wire a contact, then: shoumi door set DOOR --contact yes",
                "接门磁并登记：shoumi door set DOOR --contact yes",
            ),
        )


def _wires(row: RoomRow, doors: Sequence[DoorRow], pack: Pack) -> Iterator[Finding]:
    bare = [visible(door.name) for door in doors if door.protocol == "uhppote"]
    if not bare:
        return
    name, which, rule = visible(row.resource.id), ", ".join(bare), pack.wire
    if rule and row.resource.level >= rule.from_level:
        yield Finding(
            "serious",
            "wire",
            Text(
                f"`{name}` is {row.resource.level.text.en}, and the wire of {which} proves nothing: it stays shut",
                f"`{name}` 为{row.resource.level.text.zh}，而 {which} 的线路没有认证：不予开放",
            ),
            Text("use OSDP readers there", "请改用 OSDP 读卡器"),
        )
    else:
        yield Finding(
            "warning",
            "wire",
            Text(
                f"the wire of {which} proves nothing: whoever reaches it can open the door",
                f"{which} 的线路没有任何认证：能接入者即可开门",
            ),
            Text("keep it on a network of its own", "请置于独立网络"),
        )


def _keys(door: DoorRow) -> Iterator[Finding]:
    lacking = [reader.address for reader in door.readers if door.protocol == "osdp" and not reader.key]
    if lacking:
        name, where = visible(door.name), ", ".join(map(visible, lacking))
        yield Finding(
            "serious",
            "no-key",
            Text(f"`{name}`: no key yet for {where}: nothing read counts", f"`{name}`：{where} 尚无密钥，读卡无效"),
            Text(f"shoumi door commission {name}", f"shoumi door commission {name}"),
        )
