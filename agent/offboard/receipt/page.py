"""The receipt as a page for people, in either language: plain text, from the same JSON that is signed.

Rules of this file: pure; it shows the content and decides nothing. Everything from the JSON goes through ``visible``,
because a receipt may come from anywhere. Open items are on the first lines, never among the completed ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.language.catalogue import localized
from agent.offboard.receipt.schema import NOT_PART, NOT_PRESENT
from agent.offboard.receipt.timeline import MARKS, Source
from agent.offboard.receipt.verify import ReceiptReport
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import StepState
from agent.presentation import table as text_table
from agent.presentation.terms import CAUSES, ROLES, word
from rules.text import Language, Message, Sentence, labelled
from rules.visible import visible

_RULE = "-" * 78
_FOUND = 20  # processes that a page names
_STATES = {
    **{str(state): state.text for state in StepState},
    NOT_PRESENT: Message("common.not-present"),
    NOT_PART: Message("receipt.not-part"),
}
_APPROVERS = {
    **ROLES,
    "confirmation": Message("receipt.role-confirmation"),
    "advance": Message("receipt.role-advanced"),
}
_ANSWERS = {
    "denied": Message("common.denied"),
    "let-in": Message("receipt.attempt-let-in"),
    "absent": Message("receipt.attempt-absent"),
    "failed": Message("receipt.attempt-failed"),
    "untried": Message("receipt.attempt-not-made"),
}
_TRIED = {"list": Message("receipt.attempt-list"), "file": Message("receipt.attempt-open")}
_MARK_STATES = {
    "none": Message("receipt.mark-not-applicable"),
    "pending": Message("common.pending"),
    "unordered": Message("receipt.mark-unordered"),
}
_OPEN = {
    "proof": Message("receipt.proof-open"),
    "late-read": Message("receipt.late-read"),
}
_CLOCKS = {"personnel": Message("receipt.clock-personnel-system")}
_COMPARED = {"file-system": Message("receipt.clock-file-system")}


def page(body: Mapping[str, Any], language: Language) -> str:
    """Return the page of a receipt whose JSON is *body*, which has the shape of version 1 or 2."""
    sections = [_head, _lost, _approvals, _timeline, _doors, _steps, _proof, _unseen, _foot]
    parts = ["\n".join(section(body, language)) for section in sections]
    return f"\n{_RULE}\n".join(part for part in parts if part) + "\n"


def report_page(report: ReceiptReport, language: Language) -> str:
    """Return the result of a check: first whether it is genuine, then the page if it can be trusted."""
    if not report.genuine:
        head = [localized(Message("receipt.not-genuine"), language)]
        return "\n".join([*head, *(f"- {localized(problem, language)}" for problem in report.problems)]) + "\n"
    genuine = localized(Message("receipt.genuine"), language)
    return f"{genuine}\n\n{page(report.payload or {}, language)}"


def _head(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.title"), language)
    if body["complete"]:
        yield localized(Message("receipt.complete"), language)
    else:
        count = len(body["open"])
        yield localized(Message("receipt.not-complete", count=count), language)
        yield from (f"  * {_open(str(open_item), body, language)}" for open_item in body["open"])
    yield ""
    cause = CAUSES.get(body["cause"])
    rows = [
        (Message("common.person"), body["person"]),
        (Message("receipt.case"), body["case"]),
        (Message("receipt.personnel-case"), body["reference"]),
        (Message("common.cause"), localized(cause, language) if cause else body["cause"]),
        (Message("common.host"), body["host"]),
        (Message("receipt.rule-pack"), body["pack"]),
        (Message("receipt.issued"), body["issued"]),
        (Message("receipt.replaces"), body["previous"]),
    ]
    yield from _columns(None, [(localized(name, language), cell) for name, cell in rows])


def _lost(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    """Yield the lost areas, unless all access was lost, and the act that took it."""
    if body.get("lost"):
        yield localized(Message("receipt.areas-lost", areas=[str(loss["area"]) for loss in body["lost"]]), language)
    if body.get("act"):
        act = Message("receipt.act", act=str(body["act"]))
        if body["seq"] is not None:
            act = Message("receipt.act-with-entry", act=str(body["act"]), seq=body["seq"])
        yield localized(act, language)


def _approvals(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    approvals = [
        approval if "signed" in approval else {"signed": approval, "written": None} for approval in body["approvers"]
    ]
    if not approvals:
        return
    yield localized(Message("receipt.approved-by"), language)
    heading = [
        Message("receipt.role"),
        Message("receipt.signed-by"),
        Message("receipt.signed-at"),
        Message("receipt.opinion"),
        Message("receipt.signature"),
        Message("receipt.recorded-by"),
        Message("receipt.recorded-at"),
    ]
    rows = []
    for approval in approvals:
        signed, written = approval["signed"], approval["written"] or {}
        clock = _CLOCKS.get(str(signed.get("clock")))
        at = f"{signed.get('at') or ''} ({localized(clock, language)})" if clock else signed.get("at")
        rows.append(
            (
                _role(signed, language),
                signed.get("by"),
                at,
                signed.get("opinion"),
                signed.get("key"),
                written.get("by"),
                written.get("at"),
            )
        )
    yield from _columns([localized(text, language) for text in heading], rows)


def _open(open_item: str, body: Mapping[str, Any], language: Language) -> str:
    """Return one open item as text: ``step:cron``, ``door:B2``, ``mark:denied``, ``proof``, ``late-read``."""
    kind, _, name = open_item.partition(":")
    if kind == "step":
        titles = [str(step["title"][language]) for step in body["steps"] if step["id"] == name]
        return localized(labelled(Message("common.step"), titles[0] if titles else name), language)
    if kind == "door":
        return localized(labelled(Message("common.door"), name), language)
    if kind == "mark":
        return localized(labelled(Message("receipt.mark-missing"), MARKS.get(name, name)), language)
    return localized(word(_OPEN, open_item), language)


def _role(approval: Mapping[str, Any], language: Language) -> str:
    """Return the approver's role: the title of the pack, else the word for a role, else HR's own text."""
    title = approval.get("title")
    if isinstance(title, Mapping) and isinstance(title.get(language), str):
        return str(title[language])
    return localized(word(_APPROVERS, approval.get("role", "")), language)


def _timeline(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.timeline"), language)
    heading = [
        Message("common.event"),
        Message("receipt.time"),
        Message("common.after-receipt"),
        Message("common.note"),
    ]
    rows = []
    for row in sorted(body["timeline"], key=lambda row: (row["at"] is None, row["at"] or "")):
        name = MARKS.get(row["mark"])
        rows.append(
            (
                localized(name, language) if name else row["mark"],
                row["at"],
                span(row["after_us"], language),
                "; ".join(localized(text, language) for text in _notes(row)),
            )
        )
    yield from _columns([localized(text, language) for text in heading], rows)


def _notes(row: Mapping[str, Any]) -> Iterable[Sentence]:
    """Yield where the instant was taken, by which clock, and between which others it lies."""
    if row["at"] and row.get("source") in [str(source) for source in Source if source]:
        yield Source(row["source"]).text
    if clock := _CLOCKS.get(row["clock"]):
        yield clock
    if compared := _COMPARED.get(str(row.get("compared"))):
        yield compared
    low, high = row.get("not_before"), row.get("not_after")
    if low and high:
        yield Message("receipt.between", low=low, high=high)
    elif low:
        yield Message("receipt.not-before", time=low)
    elif high:
        yield Message("receipt.not-after", time=high)
    if row.get("seq") is not None:
        yield Message("receipt.entry", seq=row["seq"])
    if state := _MARK_STATES.get(row["state"]):
        yield state


def _doors(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.doors"), language)
    if not body["doors"]:
        step = next((step for step in body["steps"] if step["id"] == "doors"), None)
        if step is None:  # version 1 does not name a step that was no part of it
            yield localized(Message("receipt.no-doors-listed"), language)
        else:
            label = _state_text(step["state"], language)
            yield localized(labelled(label, str(step["detail"][language])), language)
        return
    heading = [
        Message("common.door"),
        Message("common.state"),
        Message("common.after-receipt"),
        Message("receipt.detail"),
    ]
    yield from _columns(
        [localized(text, language) for text in heading],
        [
            (row["door"], _state_text(row["state"], language), span(row["after_us"], language), row["detail"][language])
            for row in body["doors"]
        ],
    )


def _steps(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.steps"), language)
    heading = [Message("common.step"), Message("common.state"), Message("receipt.detail")]
    yield from _columns(
        [localized(text, language) for text in heading],
        [
            (step["title"][language], _state_text(step["state"], language), step["detail"][language])
            for step in body["steps"]
        ],
    )


def _proof(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.proof"), language)
    proof = body["proof"]
    if proof is None:
        yield localized(Message("receipt.proof-not-made"), language)
        return
    heading = [
        Message("receipt.scan"),
        Message("receipt.time"),
        Message("receipt.processes-found"),
        Message("receipt.scan-complete"),
    ]
    yes, no = localized(Message("common.yes"), language), localized(Message("common.no"), language)
    yield from _columns(
        [localized(text, language) for text in heading],
        [
            (number, scan["at"], len(scan["found"]), yes if scan["complete"] else no)
            for number, scan in enumerate(proof["scans"], 1)
        ],
    )
    unseen = sorted({str(place) for scan in proof["scans"] for place in scan.get("unseen", ())})
    if unseen:
        yield localized(Message("receipt.not-inspected", places=unseen), language)
    processes = {process["pid"]: process for scan in proof["scans"] for process in scan["found"]}
    for _, process in sorted(processes.items())[:_FOUND]:
        yield localized(_process(process), language)
    yield from _own_entries(body, language)
    unreached = [*proof["unreached"], *(Message("receipt.uid", uid=uid) for uid in proof["untouched"])]
    if unreached:
        yield localized(Message("receipt.not-verifiable", subjects=unreached), language)
    if proof["attempts"]:
        yield ""
        heading = [
            Message("receipt.area"),
            Message("receipt.identity"),
            Message("receipt.attempt"),
            Message("receipt.result"),
        ]
        yield from _columns(
            [localized(text, language) for text in heading], [_try(attempt, language) for attempt in proof["attempts"]]
        )


def _process(process: Mapping[str, Any]) -> Sentence:
    """Return one process that a scan found, with its starter if the receipt names it."""
    parameters = {"pid": process["pid"], "name": str(process["name"]), "uid": process["uid"]}
    by = process.get("started_by")
    if by is None:
        return Message("receipt.process", **parameters)
    return Message("receipt.process-started-by", **parameters, starter=Starter(by["kind"], by["name"], by["pid"]).text)


def _own_entries(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    """Yield the number of log entries of the agent's own attempts, and their range."""
    entries = body.get("own_entries")
    if entries and entries["count"]:
        yield localized(Message("receipt.own-entries", **entries), language)


def _try(attempt: Mapping[str, Any], language: Language) -> Sequence[object]:
    uid, login = attempt["uid"], attempt["login"]
    identity = localized(
        Message("receipt.uid", uid=uid) if uid == login else Message("receipt.root-of-login", login=login), language
    )
    answer, target = _ANSWERS.get(attempt["answer"]), _TRIED.get(attempt["what"])
    outcome = localized(answer, language) if answer else str(attempt["answer"])
    tried = localized(target, language) if target else attempt["what"]
    return attempt["area"], identity, tried, f"{outcome} {attempt['error']}".strip()


def _unseen(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.cannot-see"), language)
    yield from (f"- {visible(str(text[language]))}" for text in body["cannot_see"])
    for step in body["steps"]:
        if step["state"] == StepState.CANNOT_SEE:
            yield "- " + localized(labelled(step["title"][language], step["detail"][language]), language)


def _foot(body: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield localized(Message("receipt.signed-with"), language)
    yield visible(str(body["key"]))
    yield localized(Message("receipt.how-to-verify"), language)


def span(microseconds: int | None, language: Language) -> str:
    """Return a span for people: milliseconds below a minute, with the sign; empty when unknown."""
    if microseconds is None:
        return ""
    sign, size = ("-" if microseconds < 0 else ""), abs(microseconds)
    if size < 60_000_000:
        return f"{sign}{size / 1000:.1f} {localized(Message('receipt.ms'), language)}"
    minutes = size // 60_000_000
    if minutes < 60 * 48:
        return f"{sign}{minutes} {localized(Message('receipt.min'), language)}"
    return f"{sign}{minutes // (60 * 24)} {localized(Message('receipt.days'), language)}"


def _state_text(state: str, language: Language) -> str:
    return localized(_STATES[state], language) if state in _STATES else visible(str(state))


def _columns(heading: Sequence[str] | None, rows: Sequence[Sequence[object]]) -> list[str]:
    """Return lined-up columns, indented; without a heading the first row is like the others."""
    if heading is None:
        return ["  " + line for line in text_table.lines([""] * len(rows[0]), rows)[1:]]
    return ["  " + line for line in text_table.lines(heading, rows)]
