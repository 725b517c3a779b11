"""``shoumi hold``: holds, which suspend a person's access at once.

The command returns when every new open is refused; files already open are closed right after.
"""

from typing import Any

from agent.cli.context import act, column, command, listing, moment, printable
from agent.cli.pages.receipt import KEEPING, planned, show_receipt
from agent.presentation import backlog, waits
from rules.text import Message, Sentence, series

NOUN = Message("cli.noun-hold")


def _cut(answer: dict[str, Any]) -> Sentence:
    person, timing = printable(answer["person"]), waits.sentence(answer)
    under_way = backlog.sentence(answer["revocations"])
    suspended = Message("cli.hold-placed", person=person, timing=timing)
    return series([suspended, under_way]) if under_way else suspended


def _lifted(answer: dict[str, object]) -> Sentence:
    person = printable(answer["person"])
    if answer["waiting"]:
        return Message("cli.hold-lift-pending", person=person)
    return Message("cli.hold-lifted", person=person)


COMMANDS = (
    act("hold.add", _cut),
    act("hold.lift", _lifted),
    command("hold.plan", lambda context, args: planned(context, args, "hold.plan")),
    command(
        "hold.receipt",
        lambda context, args: show_receipt(context, args, "hold.receipt"),
        extra=KEEPING,
        note=Message("cli.explains-proof-receipt"),
    ),
    listing(
        "hold.list",
        (
            column(Message("common.hold"), "id"),
            column(Message("common.person"), "person"),
            moment(Message("common.since"), "since"),
            column(Message("cli.reason"), "reason"),
            column(Message("cli.handled-by"), "placed_by"),
            moment(Message("cli.lifted-at"), "lifted_at"),
        ),
        Message("cli.no-holds"),
    ),
)
