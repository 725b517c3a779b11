"""``shoumi holiday``: days on which the opening hours of the pack do not apply."""

from agent.cli.context import act, column, listing, printable
from rules.text import Message

NOUN = Message("cli.noun-holiday")

COMMANDS = (
    act("holiday.add", lambda r: Message("cli.holiday-added", day=printable(r["day"]))),
    act("holiday.remove", lambda r: Message("cli.holiday-removed", day=printable(r["day"]))),
    listing(
        "holiday.list",
        (column(Message("cli.date"), "day"), column(Message("common.object-name"), "name")),
        Message("common.no-holidays"),
    ),
)
