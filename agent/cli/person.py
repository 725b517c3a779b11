"""``shoumi person``: people, and the file of one person."""

from typing import Any

from agent.cli.context import (
    PLAN,
    Args,
    CliContext,
    act,
    coded,
    column,
    command,
    file_text,
    flag,
    level,
    listing,
    losses,
    planned,
    printable,
)
from agent.cli.parser import Command
from agent.presentation.terms import DOMAINS, EMPLOYMENTS, word
from rules.text import Message, Sentence, spaced

NOUN = Message("cli.noun-person")

_EMPTY = Message("cli.no-people")


def _import(context: CliContext, args: Args) -> int:
    arguments = {"csv": file_text(args["csv"])} | ({"update": True} if args.get("update") else {})
    if args.get("plan"):
        return planned(context, "person.import", arguments)
    answer = context.call("person.import", arguments)
    count, existing = answer["people"], answer["changed"]
    sentence = Message("cli.people-imported", count=count)
    if existing:
        sentence = Message("cli.people-imported-known", imported=sentence, existing=existing)
    context.terminal.emit(answer, sentence, *losses(answer))
    return 0


def _show(context: CliContext, args: Args) -> int:
    person = context.call("person.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(person)
        return 0
    active = Message("cli.person-active") if person["active"] else Message("cli.person-inactive")
    levels = [spaced((word(DOMAINS, c["domain"]), level(c["level"]))) for c in person["clearances"]]
    running = [hold for hold in person["holds"] if hold["lifted_at"] is None]
    rows = [
        (Message("common.person"), person["id"]),
        (Message("common.name"), person["name"]),
        (Message("cli.status"), terminal.say(Message("cli.on-hold") if running else active)),
        (Message("cli.levels"), [terminal.say(clearance) for clearance in levels]),
        (Message("common.department"), person["department"]),
        (Message("common.post"), person["post"]),
        (Message("common.projects"), person["projects"]),
        (Message("common.accounts"), [account["uid"] for account in person["accounts"]]),
        (Message("common.badges"), person["badges"]),
        (
            Message("common.grants"),
            [f"{grant['id']} {grant['resource']}" for grant in person["grants"] if not grant["ended_at"]],
        ),
        (
            Message("common.records"),
            [f"{record['kind']} {record['on'][:10]}" for record in person["records"] if not record["voided_at"]],
        ),
        (Message("cli.inside-rooms"), [row["room"] for row in person["inside"]]),
        (Message("cli.holds"), [f"{hold['id']} {hold['reason']}" for hold in running]),
    ]
    terminal.table([Message("cli.field"), Message("cli.value")], [(terminal.say(label), cell) for label, cell in rows])
    return 0


def _registered(answer: dict[str, Any]) -> Sentence:
    person = printable(answer["person"])
    if answer.get("quarantined"):
        return Message("cli.registered-after-notice", person=person)
    return Message("cli.registered", name=person)


COMMANDS: tuple[Command, ...] = (
    act("person.add", _registered),
    act("person.set", lambda r: Message("cli.changed", name=printable(r["person"]))),
    command("person.show", _show),
    listing(
        "person.list",
        (
            column(Message("cli.id"), "id"),
            column(Message("common.name"), "name"),
            column(Message("common.department"), "department"),
            coded(Message("cli.employment"), "employment", EMPLOYMENTS),
            flag(Message("cli.person-active"), "active"),
        ),
        _EMPTY,
    ),
    command("person.import", _import, extra=(PLAN,)),
)
