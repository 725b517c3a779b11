"""Acts on the doors of a room, for the screen of rooms.

Rules of this file: a command to a door counts as sent when the agent has accepted it. A job waits for its outcome and
reports it; until then the command is called sent.
"""

from agent.errors import RefusedError
from agent.presentation.terms import CARDS, word
from rules.text import Message, Sentence, foreign, from_json
from tui.jobs import Job
from tui.render.plan import PlanLine, PlanPage, outcome_page
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Row

NO_DOOR = Message("tui.room-has-no-door")
OF_A_DOOR = frozenset({"release", "change-door", "remove-door", "commission", "rotate"})


class DoorActs(ListScreen):
    """The acts on doors of the highlighted room, whose row has its ``doors``."""

    # Doors ------------------------------------------------------------------------------------------------------------

    def do_release(self) -> None:
        """Release a door once."""
        self.start(self._command, "door.open", Message("common.released"), group="form")

    def do_commission(self) -> None:
        """Write a key to a reader."""
        self.start(self._command, "door.commission", Message("tui.reader-key-written"), group="form")

    def do_rotate(self) -> None:
        """Replace the key of a reader."""
        self.start(self._command, "door.rotate-key", Message("tui.reader-key-replaced"), group="form")

    async def _command(self, op: str, success: Sentence) -> None:
        door = await self._door()
        answer = door and await self.ask(op, {"door": door["name"]})
        if not answer:
            return
        name = str(answer["door"])

        async def wait(_work: Job) -> Sentence:
            outcome = await self.agent.call("door.outcome", ticket=answer["ticket"])
            if not outcome["ok"]:
                reason = from_json(outcome["why"]) if outcome["why"] else Message("common.no-answer-yet")
                raise RefusedError(Message("common.named", name=name, text=reason))
            return Message("common.done-to", name=name, text=success)

        self.program.begin(Message("tui.command-sent", name=name), wait)

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
            PlanLine(Message("tui.no-badge-opens-door")),
            PlanLine(Message("tui.reader-keys-deleted")),
        ]
        plan = PlanPage(Message("tui.remove-door", door=door["name"]), lines, name=door["name"])
        if await self.program.agreed(plan):
            await self.agent.call("door.remove", door=door["name"])
            await self.load()

    def do_cards(self) -> None:
        """Show the cards in the boards."""
        self.start(self._cards, group="form")

    async def _cards(self) -> None:
        rows = await self.agent.items("door.cards")
        lines = [PlanLine(_card(row), row["state"], from_json(row["why"])) for row in rows]
        title = Message("tui.cards-in-boards", count=len(rows))
        await self.program.agreed(outcome_page(title, lines))

    async def _door(self) -> Row | None:
        row = self.table.current()
        doors = row["doors"] if row else []
        title = Message("tui.choose-door")
        return await self.one_of(title, doors, lambda door: foreign(door["name"]), none=NO_DOOR)


def _card(row: Row) -> Sentence:
    return Message("tui.board-card", board=str(row["board"]), card=str(row["card"]), target=word(CARDS, row["wanted"]))
