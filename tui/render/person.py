"""What is on file about one person, as it is read: who it is, what stops him, what he may do, what runs out.

Rules of this file: pure. What takes access away stands first; what has ended stands last and dim.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent.api.timestamps import local
from agent.presentation.terms import BADGES, CAUSES, DOMAINS, EMPLOYMENTS, LEVELS, STAGES, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.render.cells import Piece, Toned

Row = Mapping[str, Any]
_SOON = timedelta(days=14)  # as the agent warns


def dossier(found: Row, kinds: Mapping[str, Any], now: datetime) -> Iterator[Piece]:
    """Yield the pieces of ``person.show``'s answer, with the rows of ``badge.list`` and ``pin.list`` as ``badges`` and
    ``pins``; *kinds* are the pack's kinds of records.
    """
    yield from (Toned(found["id"], "strong"), "  ", found["name"], "  ", found["department"], "  ", found["post"], "  ")
    yield from (word(EMPLOYMENTS, found["employment"]), "\n")
    if not found["active"]:
        yield from (Toned(Text("✗ NOT ACTIVE", "✗ 已停用"), "bad"), "\n")
    yield from _stops(found, now)
    yield from _heading(Text("cleared for", "密级"))
    for one in found["clearances"]:
        level = word(LEVELS, one["level"])
        yield from ("  ", word(DOMAINS, one["domain"]), "  ", Toned(level, "strong"), "  ", one["label"], "  ")
        yield from (Toned(Text(f"by {one['approved_by']}", f"批准人 {one['approved_by']}"), "dim"), "\n")
    yield from _listed(Text("accounts", "账号"), (f"uid {row['uid']} {row['name']}" for row in found["accounts"]))
    yield from _listed(Text("badges", "门禁卡"), (_badge(one) for one in found["badges"]))
    yield from _listed(Text("PIN", "门禁密码"), (_pin(one) for one in found["pins"]))
    yield from _listed(Text("projects", "项目"), found["projects"])
    yield from _grants(found["grants"], now)
    yield from _records(found["records"], kinds, now)


def _stops(found: Row, now: datetime) -> Iterator[Piece]:
    for hold in found["holds"]:
        if hold["lifted_at"] is None:
            yield from (Toned(Text("✗ HOLD ", "✗ 停权 "), "bad"), hold["id"], "  ", hold["reason"], "\n")
    for case in found["departures"]:
        if case["stage"] != "closed":
            yield from (Toned(Text("! LEAVING ", "! 离岗 "), "warning"), _stage(case, now), "\n")


def _stage(case: Row, now: datetime) -> Piece:
    leave = case["effective_at"]
    if case["stage"] == "approved" and leave and datetime.fromisoformat(leave) > now:
        day = f"{datetime.fromisoformat(leave).astimezone():%F %H:%M}"
        return Text(f"access ends {day}", f"权限于 {day} 取消")
    return word(STAGES, case["stage"])


def _grants(grants: Iterable[Row], now: datetime) -> Iterator[Piece]:
    yield from _heading(Text("grants", "授权"))
    for grant in sorted(grants, key=lambda one: _over(one, now)):
        over = _over(grant, now)
        what: Piece = Toned(grant["resource"], "dim" if over else "strong")
        yield from ("  ", Toned(grant["id"], "dim"), "  ", what, "  ", grant["reason"], "  ")
        yield from (*_until(grant["until"], now, over=over), "\n")


def _records(records: Iterable[Row], kinds: Mapping[str, Any], now: datetime) -> Iterator[Piece]:
    yield from _heading(Text("records", "档案"))
    for record in records:
        void = record["voided_at"] is not None
        title = text_of(kinds[record["kind"]]) if record["kind"] in kinds else record["kind"]
        yield from ("  ", Toned(record["id"], "dim"), "  ", Toned(title, "dim") if void else title, "  ")
        yield from (record["topic"], "  ", Toned(day(record["on"]), "dim"), "  ")
        if not record["passed"]:
            yield from (Toned(Text("✗ not passed", "✗ 未通过"), "bad"), "  ")
        yield from (*_until(record["valid_until"], now, over=void), "\n")


def _until(stamp: str | None, now: datetime, *, over: bool) -> Iterator[Piece]:
    if over:
        yield Toned(Text("ended", "已终止"), "dim")
    elif stamp:
        left = datetime.fromisoformat(stamp) - now
        said = Text(f"until {day(stamp)}", f"至 {day(stamp)}")
        if left <= timedelta():
            yield Toned(Text(f"✗ ended {day(stamp)}", f"✗ 已于 {day(stamp)} 到期"), "bad")
        elif left < _SOON:
            yield Toned(Text(f"! {said.en}, {left.days} days left", f"! {said.zh}，剩 {left.days} 日"), "warning")
        else:
            yield said


def _over(grant: Row, now: datetime) -> bool:
    return grant["ended_at"] is not None or bool(grant["until"] and datetime.fromisoformat(grant["until"]) <= now)


def _pin(one: Row) -> Text:
    since = day(one["set_at"])
    duress = Text(", with one for duress", "，另有胁迫密码") if one["duress"] else Text("", "")
    return Text(f"since {since}{duress.en}", f"自 {since}{duress.zh}")


def _badge(one: Row) -> Text:
    """Return a badge as it is read: its number, and what is wrong with it if anything is."""
    number = visible(str(one["number"]))
    if (state := one["state"]) == "active":
        return Text(number, number)
    said = word(BADGES, state)
    return Text(f"{number} ({said.en})", f"{number}（{said.zh}）")


def _listed(title: Text, values: Iterable[Text | str]) -> Iterator[Piece]:
    listed = list(values)
    for number, value in enumerate(listed):
        yield from ((" · ", value) if number else ("\n", Toned(title, "dim"), "  ", value))
    if listed:
        yield "\n"


def _heading(title: Text) -> Iterator[Piece]:
    yield from ("\n", Toned(title, "dim"), "\n")


def about_grant(one: Row) -> Text:
    """Return one grant in a line."""
    said = f"{visible(one['id'])} {visible(one['resource'])} {visible(one['reason'])}"
    return Text(said, said)


def about_receipt(one: Row) -> Text:
    """Return one receipt in a line: of which run, when, why, and by which act of which areas."""
    cause = word(CAUSES, one["cause"]) if one["cause"] else Text("cannot be read", "无法读取")
    at = local(one["issued"]) if one["issued"] else ""
    more = " ".join(map(visible, (one["act"], ", ".join(one["areas"])))).strip()
    return Text(f"{one['case']} {at} {cause.en} {more}", f"{one['case']} {at} {cause.zh} {more}")


def day(stamp: str) -> str:
    """Return the day of an instant where the reader is."""
    return datetime.fromisoformat(stamp).astimezone().date().isoformat()
