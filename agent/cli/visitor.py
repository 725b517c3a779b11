"""``shoumi visitor``: registered visits, from arrival to the return of the badge."""

from agent.api.timestamps import local
from agent.cli.context import act, column, listing, moment, printable
from rules.text import Message, Sentence

NOUN = Message("cli.noun-visitor")


def _added(answer: dict[str, str]) -> Sentence:
    until, person, room = local(answer["until"]), printable(answer["person"]), printable(answer["room"])
    return Message("cli.visit-added", visit=answer["visit"], person=person, room=room, until=until)


def _departed(answer: dict[str, object]) -> Sentence:
    person, badges = printable(answer["person"]), answer["badges"]
    if not badges:
        return Message("cli.visitor-left", person=person)
    assert isinstance(badges, list)
    if answer["badge_lost"]:
        return Message("cli.visitor-left-badges-lost", person=person, badges=badges)
    return Message("cli.visitor-left-badges-returned", person=person, badges=badges)


def _ended(answer: dict[str, object]) -> Sentence:
    person, inside = printable(answer["person"]), answer["inside"]
    if not inside:
        return Message("cli.visit-ended", person=person)
    assert isinstance(inside, list)
    return Message("cli.visit-ended-inside", person=person, rooms=inside)


COMMANDS = (
    act("visitor.add", _added),
    listing(
        "visitor.list",
        (
            column(Message("registry.visit"), "id"),
            column(Message("cli.visitor"), "person"),
            column(Message("common.name"), "visitor"),
            column(Message("common.room"), "room"),
            column(Message("cli.visit-host"), "host"),
            column(Message("cli.escort"), "escort"),
            column(Message("common.purpose"), "purpose"),
            moment(Message("common.since"), "since"),
            moment(Message("cli.ends-at"), "until"),
            column(Message("common.badge"), "badge"),
            moment(Message("cli.ended-at"), "ended_at"),
            moment(Message("cli.left-at"), "left_at"),
        ),
        Message("cli.no-visits"),
    ),
    act("visitor.exit", _departed),
    act("visitor.end", _ended),
)
