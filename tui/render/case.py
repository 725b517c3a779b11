"""A departure case as it is read: how far it is, what was cut, what is owed.

Rules of this file: pure; the agent decided everything that is shown. What comes next stands right below the heading,
because it is what somebody came for.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.presentation import backlog
from agent.presentation.papers import approval_note
from rules.text import Text
from tui.i18n import text_of
from tui.render.cells import GLYPHS, Piece, Toned
from tui.render.plan import STATES

Case = Mapping[str, Any]
_DONE, _OPEN = Toned(f"{GLYPHS['good']} ", "good"), Toned(f"{GLYPHS['plain']} ", "dim")


def page(case: Case, run: Mapping[str, Any] | None, now: datetime) -> Iterator[Piece]:
    """Yield ``case.show``'s answer, and how far the revocation is as ``case.progress`` tells it."""
    yield from (Toned(case["person"], "strong"), "  ", case["case"], "  ", text_of(case["kind_text"]))
    yield from ("  ", Toned(text_of(case["leaves_text"]), "dim"), "\n")
    yield from (Toned(text_of(case["step_text"]), "strong"), "  ")
    yield from (Text(f"last day {case['last_day']}", f"离职日 {case['last_day']}"), "\n")
    if case["effective_at"] and not case["ended_at"]:
        leave = moment(case["effective_at"])
        yield from (Toned(Text(f"leave date: access ends {leave}", f"离岗时间：权限于 {leave} 取消"), "warning"), "\n")
    if case["cooling_off_until"]:
        yield from _countdown(case["cooling_off_until"], now)
    if case["keeper"]:
        yield from (
            Text("period kept by ", "脱密期管理方："),
            text_of(case["keeper"]["text"]),
            " ",
            case["keeper"]["party"],
            "\n",
        )
    for flag in case["flags"]:
        yield from (Toned("! ", "warning"), Toned(text_of(flag), "warning"), "\n")
    if case["next"]:
        first, *others = case["next"]
        more = Text(f", and {len(others)} more", f"，另有 {len(others)} 项") if others else None
        yield from (
            Toned(Text("next (n): ", "下一步（n）："), "dim"),
            Toned(text_of(first["what"]), "strong"),
            more,
            "\n",
        )
    yield from _revoked(case, run)
    yield from _part(
        Text("approvals", "审批"),
        [(one["title"], one["by"], one["at"], approval_note(one)) for one in case["approvals"]],
    )
    items = [
        (one["title"], one["done_by"], one["done_at"], one["missing"] or _to(one["department"]))
        for one in case["items"]
    ]
    yield from _part(Text("hand-over", "移交清退"), items)
    papers = [(one["title"], one["seen_by"], one["signed_at"], "") for one in case["signatures"]]
    yield from _part(Text("signatures", "签署文件"), papers)
    yield from _measures(case)


def _measures(case: Case) -> Iterator[Piece]:
    titles = {one["name"]: text_of(one["title"]) for one in case["measures"]}
    if not case["taken"]:
        return
    yield from ("\n", Toned(Text("cooling-off period", "脱密期管理"), "dim"), "\n")
    for one in case["taken"]:
        yield from (
            "  ",
            _DONE,
            titles.get(one["measure"], one["measure"]),
            "  ",
            one["by"],
            "  ",
            Toned(one["day"], "dim"),
        )
        said = "  ".join(one[name] for name in ("item", "party", "paper", "note") if one[name])
        yield from ("  ", Toned(said, "dim"), "\n")
        if done := one["ended"]:
            back = Text(f"given back or withdrawn {done['day']}", f"{done['day']} 已归还或撤销")
            yield from ("    ", Toned(back, "dim"), "  ", Toned(done["paper"], "dim"), "\n")


def _revoked(case: Case, run: Mapping[str, Any] | None) -> Iterator[Piece]:
    if not case["ended_at"]:
        return
    yield from ("\n", Toned(Text("access ended ", "权限取消于 "), "strong"), moment(case["ended_at"]), "\n")
    steps = run["steps"] if run else ()
    for step in [step for step in steps if step["state"] != "skipped"]:
        word, tone, glyph = STATES.get(step["state"], (Text(step["state"], step["state"]), "plain", GLYPHS["plain"]))
        yield from ("  ", Toned(f"{glyph} ", tone), text_of(step["title"]), "  ", Toned(word, tone), "  ")
        yield from (Toned(text_of(step["detail"]), "dim"), "\n")
    if skipped := sum(step["state"] == "skipped" for step in steps):
        yield from (
            "  ",
            Toned(Text(f"{skipped} more have nothing to end here", f"另有 {skipped} 项在本机无可终止"), "dim"),
            "\n",
        )
    if run and (under_way := backlog.sentence(run["revocations"])):
        yield from ("  ", Toned(under_way, "dim"), "\n")
    if run and run["receipt"]:
        yield from ("  ", _DONE, Text("the receipt is signed (R)", "回执已签发（R）"), "\n")


def _part(title: Text, rows: Sequence[tuple[Any, str, str | None, Text | str]]) -> Iterator[Piece]:
    if not rows:
        return
    done = sum(at is not None for _, _, at, _ in rows)
    yield from ("\n", Toned(title, "dim"), "  ", Toned(f"{done}/{len(rows)}", "dim"), "\n")
    for what, by, at, note in rows:
        yield from ("  ", _OPEN if at is None else _DONE, text_of(what))
        if at is not None:
            yield from ("  ", by, "  ", Toned(moment(at), "dim"))
        yield from ("  ", Toned(note, "dim"), "\n")


def _countdown(stamp: str, now: datetime) -> Iterator[Piece]:
    left = (datetime.fromisoformat(stamp) - now).days
    day = moment(stamp).partition(" ")[0]
    if left >= 0:
        yield Toned(Text(f"cooling-off until {day}: {left} days left", f"脱密期至 {day}，剩 {left} 日"), "warning")
    else:
        yield Text(f"cooling-off ended {day}", f"脱密期已于 {day} 结束")
    yield "\n"


def _to(department: Any) -> Text:
    said = text_of(department)
    return Text(f"→ {said.en}", f"→ {said.zh}")


def moment(stamp: str) -> str:
    """Return an instant as the reader's clock shows it."""
    return f"{datetime.fromisoformat(stamp).astimezone():%F %H:%M:%S}"
