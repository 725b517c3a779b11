"""``shoumi grant``: grants of areas and rooms to people, with approver, reason and period."""

from agent.cli.context import act, column, flag, listing, moment, printable
from rules.text import Message

NOUN = Message("cli.noun-grant")


COMMANDS = (
    act(
        "grant.add",
        lambda r: Message(
            "cli.grant-added", grant=r["grant"], person=printable(r["person"]), area=printable(r["area"])
        ),
    ),
    act("grant.end", lambda r: Message("cli.grants-ended", grants=r["grants"])),
    listing(
        "grant.list",
        (
            column(Message("common.grant"), "id"),
            column(Message("common.person"), "person"),
            column(Message("common.area"), "resource"),
            moment(Message("common.since"), "since"),
            moment(Message("cli.ends-at"), "until"),
            flag(Message("terms.employment-temporary"), "temporary"),
            column(Message("registry.approver"), "approver"),
            column(Message("cli.reason"), "reason"),
        ),
        Message("cli.no-grants"),
    ),
)
