"""``shoumi occupancy``: people inside rooms according to their badges, and its correction."""

from agent.cli.context import act, column, listing, moment
from rules.text import Message, Sentence

NOUN = Message("common.people-inside")


def _reset(answer: dict[str, object]) -> Sentence:
    persons = answer["persons"]
    assert isinstance(persons, list)
    return Message("cli.occupancy-reset", room=answer["room"], people=persons or "-")


COMMANDS = (
    listing(
        "occupancy.list",
        (
            column(Message("common.room"), "room"),
            column(Message("common.person"), "person"),
            column(Message("common.name"), "name"),
            moment(Message("cli.entered-at"), "since"),
            column(Message("common.door"), "door"),
        ),
        Message("cli.nobody-inside"),
    ),
    act("occupancy.reset", _reset),
)
