"""``shoumi badge``: badges of people."""

from agent.cli.context import act, coded, column, listing, moment, printable
from agent.presentation.terms import BADGES
from rules.text import Message

NOUN = Message("cli.noun-badge")

COMMANDS = (
    act(
        "badge.add",
        lambda r: Message("cli.badge-assigned", number=printable(r["number"]), person=printable(r["person"])),
    ),
    act(
        "badge.remove",
        lambda r: Message("cli.badge-returned", number=printable(r["number"])),
    ),
    act(
        "badge.lost",
        lambda r: Message("cli.badge-reported-lost", number=printable(r["number"])),
    ),
    listing(
        "badge.list",
        (
            column(Message("cli.card-number"), "number"),
            column(Message("common.person"), "person"),
            coded(Message("common.state"), "state", BADGES),
            moment(Message("cli.valid-until"), "until"),
        ),
        Message("cli.no-badges"),
    ),
)
