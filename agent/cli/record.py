"""``shoumi record``: dated records of people that access depends on."""

from agent.cli.context import OutputColumn, act, column, listing, moment, printable
from rules.text import Message

NOUN = Message("cli.noun-record")

COMMANDS = (
    act(
        "record.add",
        lambda r: Message(
            "cli.record-added", record=r["record"], kind=printable(r["kind"]), person=printable(r["person"])
        ),
    ),
    listing(
        "record.list",
        (
            column(Message("registry.record"), "id"),
            column(Message("common.person"), "person"),
            column(Message("tui.kind"), "kind"),
            moment(Message("cli.date"), "on"),
            OutputColumn(Message("cli.passed"), lambda row: row["passed"]),
            moment(Message("cli.valid-until"), "valid_until"),
            column(Message("registry.topic"), "topic"),
        ),
        Message("cli.no-records"),
    ),
    act("record.void", lambda r: Message("cli.record-void", record=printable(r["record"]))),
)
