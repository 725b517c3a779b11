"""``shoumi case``: offboarding cases, from notice to the end of the cooling-off period."""

from collections.abc import Callable
from typing import Any

from agent.cli.context import Args, CliContext, OutputColumn, act, column, command, listing, moment, printable, table
from agent.cli.pages import case as case_page
from agent.cli.pages import receipt
from agent.cli.parser import Command
from agent.cli.terminal import Console
from agent.presentation import waits
from agent.presentation.fields import officer as named_officer
from rules.text import NOTHING, Message, Sentence, from_json, series

NOUN = Message("cli.noun-case")

Json = Any

_QUARANTINED = (
    column(Message("common.object-name"), "name"),
    moment(Message("cli.received"), "at"),
    OutputColumn(Message("common.person"), lambda row: row["person"] or row["named"]),
    column(Message("receipt.personnel-case"), "reference"),
    OutputColumn(Message("common.reason"), lambda row: from_json(row["text"])),
)

_EVENTS = ("open", "approve", "advance", "confirm", "return", "add-line", "hand-over", "educate", "exam", "sign",
          "cool-off", "measure", "end-measure", "papers", "close", "rescind", "withdraw", "resume")  # fmt: skip


def _after(answer: Json) -> Sentence:
    """Return the standing of the case after an act, and the next step."""
    step, person = from_json(answer["step_text"]), printable(answer["person"])
    standing = Message("cli.case-standing", case=answer["case"], person=person, step=step)
    if "grants_ended" in answer:
        standing = Message("common.then", text=standing, more=waits.sentence(answer))
    if requester := answer.get("asked_by"):
        return Message("cli.case-rescission-pending", standing=standing, officer=named_officer(str(requester)))
    if officer := answer.get("back_by"):
        return Message("cli.case-return-pending", standing=standing, officer=named_officer(str(officer)))
    following = [from_json(step["what"]) for step in answer["next"]]
    if not following:
        return standing
    more, coming = len(following) - 1, following[0]
    if more:
        coming = Message("cli.and-more", text=coming, more=more)
    return series([standing, Message("cli.next", text=coming)])


def _restored(answer: Json) -> Sentence:
    grant, new_grant = printable(answer["grant"]), printable(answer["given"])
    if new_grant:
        return Message("cli.grant-restored", grant=grant, new_grant=new_grant)
    return Message("cli.grant-restore-pending", grant=grant)


def _released(answer: Json) -> Sentence:
    count = len(answer["released"])
    return Message("cli.notices-released", count=count)


def _quarantine(context: CliContext, args: Args) -> int:
    notices = list(context.stream("case.quarantine", args))
    code = table(context, notices, _QUARANTINED, Message("cli.quarantine-empty"))
    if notices and not context.terminal.json:
        context.terminal.talk(Message("cli.quarantine-hint"))
    return code


def _standing(row: Json) -> list[Sentence]:
    steps = [(from_json(step["text"]), step["people"]) for step in row["steps"]]
    return [Message("cli.step-count", count=count, title=title) for title, count in steps]


def _page(op: str, printed: Callable[[Console, Json], None], note: Sentence = NOTHING) -> Command:
    def run(context: CliContext, args: Args) -> int:
        case = context.call(op, args)
        if context.terminal.json:
            context.terminal.emit(case)
        else:
            printed(context.terminal, case)
        return 0

    return command(op, run, note=note)


COMMANDS: tuple[Command, ...] = (
    *(act(f"case.{event}", _after) for event in _EVENTS),
    act("case.restore", _restored),
    *receipt.COMMANDS,
    _page("case.show", case_page.page),
    _page("case.status", case_page.status),
    _page("case.progress", case_page.progress, note=Message("cli.explains-proof-receipt")),
    act("case.release", _released),
    command("case.quarantine", _quarantine),
    listing(
        "case.list",
        (
            column(Message("common.case"), "case"),
            column(Message("common.person"), "person"),
            OutputColumn(Message("cli.case-kind"), lambda row: from_json(row["kind_text"])),
            OutputColumn(Message("cli.leaves"), lambda row: from_json(row["leaves_text"])),
            column(Message("cli.batch"), "batch"),
            OutputColumn(Message("cli.status"), lambda row: from_json(row["step_text"])),
            column(Message("cli.last-day"), "last_day"),
            moment(Message("cli.leave-date"), "effective_at"),
            moment(Message("cli.access-ended-at"), "ended_at"),
            moment(Message("cli.cooling-off-until"), "cooling_off_until"),
            OutputColumn(Message("cli.duties-owed"), lambda row: [from_json(duty["text"]) for duty in row["owed"]]),
            OutputColumn(Message("cli.flags"), lambda row: len(row["flags"]) or None),
        ),
        Message("cli.no-cases"),
    ),
    listing(
        "case.batches",
        (
            column(Message("cli.batch"), "batch"),
            column(Message("cli.people-count"), "people"),
            column(Message("cli.access-ended-count"), "over"),
            OutputColumn(Message("cli.status"), _standing),
            column(Message("cli.earliest-last-day"), "first_day"),
            column(Message("cli.latest-last-day"), "last_day"),
            column(Message("cli.flags"), "flagged"),
        ),
        Message("cli.no-batches"),
    ),
)
