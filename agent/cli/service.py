"""``shoumi service``: service accounts, programs that may use areas (a backup) or let people in."""

from agent.api.client import Json
from agent.cli.context import act, coded, column, flag, listing, printable
from agent.presentation.terms import PROGRAMS
from rules.text import Message, Sentence

NOUN = Message("cli.noun-service")


def _added(answer: dict[str, Json]) -> Sentence:
    name, path = printable(answer["service"]), printable(answer["program"]["path"])
    if answer["lets_in"]:
        return Message("cli.service-added-gateway", name=name, path=path)
    if answer["interpreter"]:
        return Message("cli.service-added-interpreter", name=name, path=path)
    return Message("cli.service-added", name=name)


COMMANDS = (
    act("service.add", _added),
    act(
        "service.renew",
        lambda r: Message("cli.service-renewed", service=printable(r["service"])),
    ),
    act(
        "service.remove",
        lambda r: Message("cli.service-removed", service=printable(r["service"])),
    ),
    listing(
        "service.list",
        (
            column(Message("common.service"), "id"),
            column(Message("presentation.field-uid"), "uid"),
            column(Message("cli.executable"), "executable"),
            coded(Message("cli.program-state"), "program", PROGRAMS),
            flag(Message("cli.lets-in"), "lets_in"),
            column(Message("common.areas"), "areas"),
        ),
        Message("common.no-services"),
    ),
)
