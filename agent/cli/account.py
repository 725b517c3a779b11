"""``shoumi account``: Linux accounts of people."""

from agent.cli.context import act, column, listing, printable
from rules.text import Message

NOUN = Message("cli.noun-account")

COMMANDS = (
    act(
        "account.add",
        lambda r: Message("cli.account-bound", uid=r["uid"], person=printable(r["person"])),
    ),
    act(
        "account.remove",
        lambda r: Message("cli.account-unbound", uid=r["uid"]),
    ),
    listing(
        "account.list",
        (
            column(Message("presentation.field-uid"), "uid"),
            column(Message("common.person"), "person"),
            column(Message("cli.account-name"), "name"),
        ),
        Message("cli.no-accounts"),
    ),
)
