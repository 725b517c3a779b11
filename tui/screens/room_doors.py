"""What is done at the doors of a room, and how the screen of rooms asks.

Rules of this file: a command to a door is only sent when the agent has taken it. What came of it is waited for beside
the keys, and said; until then it is called sent.
"""

from agent.errors import RefusedError
from agent.presentation.terms import CARDS, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.jobs import Job
from tui.render.plan import PlanLine, PlanPage, result
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Row

NO_DOOR = Text("the room has no door", "该场所没有门")
OF_A_DOOR = frozenset({"release", "change-door", "remove-door", "commission", "rotate"})


class DoorActs(ListScreen):
    """The acts on doors of the highlighted room, whose row has its ``doors``."""

    # Doors ------------------------------------------------------------------------------------------------------------

    def do_release(self) -> None:
        """Release a door once."""
        self.start(self._command, "door.open", Text("released", "已放行"), group="form")

    def do_commission(self) -> None:
        """Give a reader its key."""
        self.start(self._command, "door.commission", Text("the reader has its key", "读卡器已写入密钥"), group="form")

    def do_rotate(self) -> None:
        """Give a reader another key."""
        self.start(
            self._command, "door.rotate-key", Text("the reader has another key", "读卡器已更换密钥"), group="form"
        )

    async def _command(self, op: str, done: Text) -> None:
        door = await self._door()
        answer = door and await self.ask(op, {"door": door["name"]})
        if not answer:
            return
        name = visible(answer["door"])

        async def wait(_work: Job) -> Text:
            outcome = await self.agent.call("door.outcome", ticket=answer["ticket"])
            if not outcome["ok"]:
                why = text_of(outcome["why"]) if outcome["why"] else Text("no answer yet", "尚无应答")
                raise RefusedError(Text(f"`{name}`: {why.en}", f"`{name}`：{why.zh}"))
            return Text(f"✓ `{name}`: {done.en}", f"✓ `{name}`：{done.zh}")

        self.program.begin(Text(f"sent to `{name}`, not confirmed yet", f"已发送至 `{name}`，尚未确认"), wait)

    def do_add_door(self) -> None:
        """Register a door."""
        self.start(self.changed, "door.add", {"room": self.chosen}, group="form")

    def do_change_door(self) -> None:
        """Change a door."""
        self.start(self._change_door, group="form")

    async def _change_door(self) -> None:
        if door := await self._door():
            await self.changed("door.set", {"door": door["name"]})

    def do_remove_door(self) -> None:
        """Remove a door."""
        self.start(self._remove_door, group="form")

    async def _remove_door(self) -> None:
        door = await self._door()
        if door is None:
            return
        lines = [
            PlanLine(Text("no badge opens it any more", "任何门禁卡均不能再打开该门")),
            PlanLine(Text("the key of its readers is forgotten", "读卡器密钥随之删除")),
        ]
        said = visible(door["name"])
        plan = PlanPage(Text(f"remove the door `{said}`", f"移除门 `{said}`"), lines, name=door["name"])
        if await self.program.agreed(plan):
            await self.agent.call("door.remove", door=door["name"])
            await self.load()

    def do_cards(self) -> None:
        """Show what boards hold."""
        self.start(self._cards, group="form")

    async def _cards(self) -> None:
        rows = await self.agent.items("door.cards")
        lines = [PlanLine(_card(row), row["state"], text_of(row["why"])) for row in rows]
        title = Text(f"{len(rows)} cards in boards", f"控制板卡片 {len(rows)} 张")
        await self.program.agreed(result(title, lines))

    async def _door(self) -> Row | None:
        row = self.table.current()
        doors = row["doors"] if row else []
        title = Text("which door", "哪扇门")
        return await self.one_of(title, doors, lambda door: Text(door["name"], door["name"]), none=NO_DOOR)


def _card(row: Row) -> Text:
    board, card = visible(str(row["board"])), visible(str(row["card"]))
    wanted = word(CARDS, row["wanted"])
    return Text(f"board {board}: {card} {wanted.en}", f"控制板 {board}：{card} {wanted.zh}")
