"""``shoumi proposal``: proposals, the acts that give access and wait for a second officer."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.operations import TABLE
from agent.api.proposed import about, is_asked, whose
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, listing, moment, printable
from agent.presentation import changes, gains
from agent.presentation.fields import field_content, field_label, officer, quoted
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Message, Sentence, from_json, labelled, series

_MOST_LINES = 200
NOUN = Message("cli.noun-proposal")


def _show(context: CliContext, args: Args) -> int:
    proposal = context.call("proposal.show", args)
    if context.terminal.json:
        context.terminal.emit(proposal)
        return 0
    for line in lines(proposal):
        context.terminal.line(context.terminal.say(line))
    return 0


def lines(proposal: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield what an officer is shown of a proposal: its officer, the rights and rows it gives, and the next step."""
    number, act_name = printable(proposal["id"]), printable(proposal["act"])
    yield from _heading(proposal)
    for name, argument in proposal["given"].items():
        yield Message("common.indented", text=labelled(field_label(name), field_content(name, argument)))
    if proposal["outcome"]:
        outcome, ended = word(PROPOSAL_OUTCOMES, proposal["outcome"]), local(proposal["ended_at"])
        ending = Message("cli.proposal-ended", outcome=outcome, ended=ended, officer=officer(str(proposal["ended_by"])))
        yield labelled(ending, proposal["end_reason"]) if proposal["end_reason"] else ending
        return
    yield Message("common.lapses", lapses=local(proposal["lapses"]))
    if proposal["because"]:
        yield Message("cli.proposal-blocked", reason=from_json(proposal["because"]))
    for line in gains.sentences(proposal["now"] or proposal["would"]):
        yield Message("presentation.gain", gain=line)
    for line in changes.sentences(proposal["changes"], proposal["changes_more"]):
        yield Message("common.indented", text=line)
    yield from _files(proposal)
    option = f" --seen {proposal['seen']}" if proposal["seen"] else ""
    command_line = f"shoumi proposal confirm {number}{option}"
    if is_asked(proposal):
        yield Message("cli.proposal-take-up-hint", act=act_name, command=command_line)
    else:
        yield Message("cli.proposal-confirm-hint", command=command_line)


def _files(proposal: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield the lines of the file of an act; of a rule pack the lines that differ from the pack in force."""
    for text_of_file in proposal["texts"].values():
        file_lines, in_force = text_of_file.splitlines(), proposal["pack_in_force"]
        if in_force is not None:
            file_lines = list(difflib.unified_diff(in_force.splitlines(), file_lines, "-", "+", lineterm="", n=0))[2:]
        for line in file_lines[:_MOST_LINES]:
            yield Message("cli.pack-line", line=line)
        if (more := len(file_lines) - _MOST_LINES) > 0:
            yield Message("cli.pack-lines-more", count=more)


def _heading(proposal: Mapping[str, Any]) -> Iterator[Sentence]:
    number, at = printable(proposal["id"]), local(proposal["at"])
    if person := proposal["requested_by"]:
        if supporter := proposal["supported_by"]:
            yield Message("cli.request-heading-supported", number=number, person=person, supporter=supporter)
        else:
            yield Message("cli.request-heading", number=number, person=person)
    if not is_asked(proposal):
        titled, proposer = _titled(str(proposal["act"])), officer(str(proposal["proposed_by"]))
        yield Message("cli.proposal-heading", number=number, act=titled, officer=proposer, at=at)


def _titled(act_name: str) -> Sentence:
    """Return the name of an act with what it does."""
    if operation := TABLE.get(act_name):
        return Message("cli.act-with-title", act=act_name, title=operation.help)
    return quoted(act_name)


def confirmed(answer: dict[str, Any]) -> Sentence:
    """Return the sentence for the second officer after the act."""
    number, act_name = printable(answer["proposal"]), printable(answer["act"])
    sentence = Message("cli.proposal-confirmed", number=number, act=act_name)
    if code := answer.get("code"):  # of the break-glass: shown to the officer who confirms it, and to nobody else
        return series([sentence, Message("cli.break-glass-code", code=code)])
    return sentence


COMMANDS = (
    listing(
        "proposal.list",
        (
            column(Message("common.proposal"), "id"),
            column(Message("common.act"), "act"),
            OutputColumn(Message("common.about"), about),
            OutputColumn(Message("common.by"), whose),
            moment(Message("common.at"), "at"),
            moment(Message("cli.lapses-at"), "lapses"),
            coded(Message("cli.outcome"), "outcome", PROPOSAL_OUTCOMES),
            column(Message("cli.closed-by"), "ended_by"),
        ),
        Message("cli.no-proposals"),
    ),
    command("proposal.show", _show),
    act("proposal.confirm", confirmed),
    act(
        "proposal.refuse",
        lambda r: Message(
            "cli.proposal-closed", proposal=printable(r["proposal"]), outcome=word(PROPOSAL_OUTCOMES, r["outcome"])
        ),
    ),
)
