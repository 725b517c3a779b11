"""The page of an offboarding case: its progress, its revocation, and its open steps.

Rules of this file: pure; everything shown was decided by the agent. The next step stands right below the heading,
because the reader usually looks for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.presentation import backlog
from agent.presentation.papers import approval_note
from rules.text import Message, Sentence, Text, foreign, from_json, spaced
from tui.render.cells import GLYPHS, Piece, Toned
from tui.render.plan import STATES

Case = Mapping[str, Any]
_DONE, _OPEN = Toned(f"{GLYPHS['good']} ", "good"), Toned(f"{GLYPHS['plain']} ", "dim")


def page(case: Case, run: Mapping[str, Any] | None, now: datetime) -> Iterator[Piece]:
    """Yield the answer of ``case.show``, with the progress of the revocation from ``case.progress``."""
    yield from (Toned(case["person"], "strong"), "  ", case["case"], "  ", from_json(case["kind_text"]))
    yield from ("  ", Toned(from_json(case["leaves_text"]), "dim"), "\n")
    yield from (Toned(from_json(case["step_text"]), "strong"), "  ")
    yield from (Message("tui.last-day-of-work", last_day=case["last_day"]), "\n")
    if case["effective_at"] and not case["ended_at"]:
        leave = Message("tui.leave-date-access-ends", time=moment(case["effective_at"]))
        yield from (Toned(leave, "warning"), "\n")
    if case["cooling_off_until"]:
        yield from _countdown(case["cooling_off_until"], now)
    if case["keeper"]:
        keeper = spaced([from_json(case["keeper"]["text"]), foreign(case["keeper"]["party"])])
        yield from (Message("tui.cooling-off-supervised-by", keeper=keeper), "\n")
    for flag in case["flags"]:
        yield from (Toned("! ", "warning"), Toned(from_json(flag), "warning"), "\n")
    if case["next"]:
        first, *remaining = case["next"]
        more = Message("tui.and-more-steps", count=len(remaining)) if remaining else None
        yield from (Toned(Message("tui.next-step"), "dim"), Toned(from_json(first["what"]), "strong"), more, "\n")
    yield from _revoked(case, run)
    yield from _part(
        Message("common.approvals"),
        [
            (approval["title"], approval["by"], approval["at"], approval_note(approval))
            for approval in case["approvals"]
        ],
    )
    items = [
        (line["title"], line["done_by"], line["done_at"], line["missing"] or _to(line["department"]))
        for line in case["items"]
    ]
    yield from _part(Message("common.hand-over"), items)
    papers = [(paper["title"], paper["seen_by"], paper["signed_at"], "") for paper in case["signatures"]]
    yield from _part(Message("common.signatures"), papers)
    yield from _measures(case)


def _measures(case: Case) -> Iterator[Piece]:
    titles = {measure["name"]: from_json(measure["title"]) for measure in case["measures"]}
    if not case["taken"]:
        return
    yield from ("\n", Toned(Message("common.cooling-off-period"), "dim"), "\n")
    for measure in case["taken"]:
        yield from (
            "  ",
            _DONE,
            titles.get(measure["measure"], measure["measure"]),
            "  ",
            measure["by"],
            "  ",
            Toned(measure["day"], "dim"),
        )
        details = "  ".join(measure[name] for name in ("item", "party", "paper", "note") if measure[name])
        yield from ("  ", Toned(details, "dim"), "\n")
        if ending := measure["ended"]:
            back = Message("tui.returned-or-withdrawn", day=ending["day"])
            yield from ("    ", Toned(back, "dim"), "  ", Toned(ending["paper"], "dim"), "\n")


def _revoked(case: Case, run: Mapping[str, Any] | None) -> Iterator[Piece]:
    if not case["ended_at"]:
        return
    yield from ("\n", Toned(Message("tui.access-ended-at", time=moment(case["ended_at"])), "strong"), "\n")
    steps = run["steps"] if run else ()
    for step in [step for step in steps if step["state"] != "skipped"]:
        label, tone, glyph = STATES.get(step["state"], (Text(step["state"], step["state"]), "plain", GLYPHS["plain"]))
        yield from ("  ", Toned(f"{glyph} ", tone), from_json(step["title"]), "  ", Toned(label, tone), "  ")
        yield from (Toned(from_json(step["detail"]), "dim"), "\n")
    if skipped := sum(step["state"] == "skipped" for step in steps):
        yield from ("  ", Toned(Message("tui.steps-skipped", count=skipped), "dim"), "\n")
    if run and (under_way := backlog.sentence(run["revocations"])):
        yield from ("  ", Toned(under_way, "dim"), "\n")
    if run and run["receipt"]:
        yield from ("  ", _DONE, Message("tui.receipt-signed"), "\n")


def _part(title: Sentence, rows: Sequence[tuple[Any, str, str | None, Sentence | str]]) -> Iterator[Piece]:
    if not rows:
        return
    completed = sum(at is not None for _, _, at, _ in rows)
    yield from ("\n", Toned(title, "dim"), "  ", Toned(f"{completed}/{len(rows)}", "dim"), "\n")
    for label, by, at, note in rows:
        yield from ("  ", _OPEN if at is None else _DONE, from_json(label))
        if at is not None:
            yield from ("  ", by, "  ", Toned(moment(at), "dim"))
        yield from ("  ", Toned(note, "dim"), "\n")


def _countdown(stamp: str, now: datetime) -> Iterator[Piece]:
    days = (datetime.fromisoformat(stamp) - now).days
    day = moment(stamp).partition(" ")[0]
    if days >= 0:
        yield Toned(Message("tui.cooling-off-until", day=day, count=days), "warning")
    else:
        yield Message("tui.cooling-off-ended", day=day)
    yield "\n"


def _to(department: Any) -> Sentence:
    return Message("common.leads-to", text=from_json(department))


def moment(stamp: str) -> str:
    """Return an instant in the time zone of the reader."""
    return f"{datetime.fromisoformat(stamp).astimezone():%F %H:%M:%S}"
