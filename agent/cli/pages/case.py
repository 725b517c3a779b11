"""An offboarding case as a page: its standing, its acts with their officers, and the next steps with their commands.

Rules of this file: rows only; the agent has decided everything that is shown here.
"""

from collections.abc import Iterable
from typing import Any

from agent.api.timestamps import local
from agent.cli.context import printable
from agent.cli.terminal import Console
from agent.presentation import backlog
from agent.presentation.papers import approval_note
from agent.presentation.terms import STEP_STATES, word
from rules.text import Message, Sentence, Text, from_json, labelled

Json = Any
Row = tuple[str, object, str, object]  # title, officer, time, note

# Options of a command line besides the person and the name.
_OPTIONS = {
    "open": " --last-day DATE",
    "cool-off": " --until DATE",
    "advance": " --to TIME",
    "measure": " --paper NUMBER --party NAME",
    "end-measure": " --paper NUMBER",
}


def status(terminal: Console, case: Json) -> None:
    """Print the answer of ``case.status``."""
    _head(terminal, case)
    _next(terminal, case)


def page(terminal: Console, case: Json) -> None:
    """Print the answer of ``case.show``."""
    kept_by = case["keeper"]
    keeper = f"{terminal.say(from_json(kept_by['text']))} {printable(kept_by['party'])}".strip() if kept_by else ""
    _head(
        terminal,
        case,
        (Message("cli.person-class"), printable(case["printed_class"])),
        (Message("cli.period-keeper"), keeper),
    )
    parts: dict[Sentence, Iterable[Row]] = {
        Message("common.approvals"): _approvals(terminal, case),
        Message("common.hand-over"): _items(terminal, case),
        Message("common.signatures"): _signatures(terminal, case),
        Message("common.cooling-off-period"): _measures(terminal, case),
        Message("cli.decisions"): _decisions(terminal, case),
    }
    for heading, rows in parts.items():
        if lines := list(rows):
            terminal.line("")
            terminal.table([heading, Message("cli.handled-by"), Message("common.at"), Message("common.note")], lines)
    terminal.line("")
    _next(terminal, case)


def progress(terminal: Console, case: Json) -> None:
    """Print the answer of ``case.progress``."""
    heading = [Message("common.step"), Message("common.state"), Message("common.at"), Message("common.outcome")]
    rows = [
        (
            terminal.say(from_json(step["title"])),
            terminal.say(word(STEP_STATES, step["state"])),
            _at(step["ended_at"]),
            terminal.say(from_json(step["detail"])),
        )
        for step in case["steps"]
    ]
    if rows:
        terminal.table(heading, rows)
    else:
        terminal.talk(Message("cli.no-revocation-yet"))
    if under_way := backlog.sentence(case["revocations"]):
        terminal.line(terminal.say(under_way))
    if case["receipt"]:
        person = printable(case["person"])
        signed = Message("cli.receipt-signed")
        terminal.line(f"→ {terminal.say(labelled(signed, f'shoumi case receipt {person}'))}")


def _head(terminal: Console, case: Json, *more: tuple[Sentence, str]) -> None:
    rows = [
        (Message("common.case"), case["case"]),
        (Message("common.person"), case["person"]),
        (Message("cli.case-kind"), terminal.say(_kind(case))),
        (Message("cli.status"), terminal.say(from_json(case["step_text"]))),
        (Message("cli.last-day"), case["last_day"]),
        *([(Message("cli.leave-date"), _at(case["effective_at"]))] if case["effective_at"] else ()),
        (Message("cli.access-ended-at"), _at(case["ended_at"])),
        (Message("cli.cooling-off-until"), _at(case["cooling_off_until"])),
        *((label, text) for label, text in ((Message("cli.batch"), printable(case["batch"])), *more) if text),
    ]
    terminal.table([Message("cli.field"), Message("cli.value")], [(terminal.say(label), text) for label, text in rows])
    for flag in case["flags"]:
        terminal.line(f"! {terminal.say(from_json(flag))}")


def _next(terminal: Console, case: Json) -> None:
    # A departure may run beside a transfer; the person's number then means the departure.
    subject = case["case"] if case["kind"] == "transfer" else printable(case["person"])
    for step in case["next"]:
        event, name = step["event"], printable(step["name"])
        person = printable(case["person"]) if event == "open" else subject
        argument = f" --as {name}" if event == "approve" else f" {name}" if name else ""
        line = f"shoumi case {event} {person}{argument}{_OPTIONS.get(event, '')}"
        terminal.line(f"→ {terminal.say(labelled(from_json(step['what']), line))}")


def _approvals(terminal: Console, case: Json) -> Iterable[Row]:
    for place in case["approvals"]:
        yield terminal.say(from_json(place["title"])), place["by"], _at(place["at"]), terminal.say(approval_note(place))


def _items(terminal: Console, case: Json) -> Iterable[Row]:
    for duty in case["items"]:
        title = (
            terminal.say(labelled(duty["key"], from_json(duty["title"])))
            + f" → {terminal.say(from_json(duty['department']))}"
        )
        yield title, duty["done_by"], _at(duty["done_at"]), duty["missing"]


def _signatures(terminal: Console, case: Json) -> Iterable[Row]:
    for paper in case["signatures"]:
        yield (
            terminal.say(labelled(paper["name"], from_json(paper["title"]))),
            paper["seen_by"],
            _at(paper["signed_at"]),
            "",
        )


def _kind(case: Json) -> Sentence:
    kind, leaves = from_json(case["kind_text"]), from_json(case["leaves_text"])
    return Message("common.with-note", text=kind, more=leaves)


def _measures(terminal: Console, case: Json) -> Iterable[Row]:
    titles = {measure["name"]: from_json(measure["title"]) for measure in case["measures"]}
    for measure in case["taken"]:
        parts = [
            terminal.say(titles.get(measure["measure"], Text(measure["measure"], measure["measure"]))),
            printable(measure["item"]),
        ]
        note = " ".join(printable(measure[name]) for name in ("party", "paper", "note") if measure[name])
        yield " ".join(filter(None, parts)), measure["by"], measure["day"], note
        if end := measure["ended"]:
            undone = Message("cli.measure-ended")
            yield f"  {terminal.say(undone)}", end["by"], end["day"], printable(end["paper"])


def _decisions(terminal: Console, case: Json) -> Iterable[Row]:
    exam = {True: Message("cli.exit-exam-passed"), False: Message("cli.exit-exam-failed")}
    decisions = [
        *((Message("cli.decision-sent-back"), decision) for decision in case["returns"]),
        (Message("cli.decision-confirmed"), case["confirmation"]),
        (Message("common.exit-education"), case["education"]),
        *((exam[decision["passed"]], decision) for decision in case["exams"]),
        (Message("cli.decision-cooling-off"), case["period"]),
        (Message("cli.decision-papers"), case["papers"]),
        (Message("cli.decision-returned"), case["resumption"]),
        (Message("cli.decision-closed"), case["closed"]),
        *((Message("cli.decision-rescinded"), decision) for decision in case["rescissions"]),
    ]
    for label, decision in decisions:
        if decision:
            yield terminal.say(label), decision["by"], _at(decision["at"]), decision.get("reason", "")


def _at(stamp: str | None) -> str:
    return local(stamp) if stamp else ""
