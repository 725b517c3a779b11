"""``shoumi request``, ``mine`` and ``support``: requests of people without a role."""

from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, command, printable
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Message, Sentence, labelled


def _requested(answer: dict[str, Any]) -> Sentence:
    number, people = printable(answer["proposal"]), _names(answer["ask"])
    step = Message("cli.request-needs-support", people=people) if people else Message("cli.request-needs-officers")
    return Message("cli.request-pending", number=number, next=step)


def _own_requests(context: CliContext, args: Args) -> int:
    answer, terminal = context.call("request.mine", args), context.terminal
    if terminal.json:
        terminal.emit(answer)
        return 0
    terminal.table(
        [Message("cli.denied-at"), Message("cli.denied-place"), Message("cli.denied-object"), Message("cli.ask-whom")],
        [
            (local(row["time"]), row.get("area") or row.get("room"), row.get("path"), _names(row["ask"]))
            for row in answer["denials"]
        ],
    )
    for row in answer["requests"]:
        terminal.line(terminal.say(_state(row)))
    for row in answer["to_support"]:
        number, person, area = printable(row["id"]), printable(row["person"]), printable(row["area"])
        reason = printable(row["reason"])
        terminal.line(
            terminal.say(Message("cli.request-to-support", number=number, person=person, area=area, reason=reason))
        )
    return 0


def _state(row: dict[str, Any]) -> Sentence:
    number, area = printable(row["id"]), printable(row["area"])
    if row["outcome"]:
        state = word(PROPOSAL_OUTCOMES, row["outcome"])
    elif row["taken_up"]:
        state = Message("cli.request-taken-up")
    elif row["supported_by"]:
        state = Message("cli.request-waits-officer", supporter=printable(row["supported_by"]))
    else:
        state = Message("cli.request-waits")
    return labelled(number, Message("common.named", name=area, text=state))


def _names(people: list[dict[str, Any]]) -> list[Sentence]:
    return [Message("common.with-note", text=person["name"], more=person["person"]) for person in people]


COMMANDS = (
    act("request.add", _requested, names=("request",)),
    command("request.mine", _own_requests, names=("mine",)),
    act(
        "request.support",
        lambda r: Message("cli.request-supported", proposal=printable(r["proposal"]), person=printable(r["person"])),
        names=("support",),
    ),
)
