"""The dossier of one person: identity, holds, levels, grants, records, and expiry dates.

Rules of this file: pure. Holds and departures stand first; what has ended stands last and dim.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent.api.timestamps import local
from agent.presentation.terms import BADGES, CAUSES, DOMAINS, EMPLOYMENTS, LEVELS, STAGES, word
from rules.text import Message, Sentence, Text, from_json, spaced
from rules.visible import visible
from tui.render.cells import Piece, Toned

Row = Mapping[str, Any]
_SOON = timedelta(days=14)  # as the warnings of the agent


def dossier(person: Row, kinds: Mapping[str, Any], now: datetime) -> Iterator[Piece]:
    """Yield the answer of ``person.show``, with the rows of ``badge.list`` and ``pin.list`` as ``badges`` and ``pins``.

    *kinds* are the kinds of records of the pack.
    """
    yield from (
        Toned(person["id"], "strong"),
        "  ",
        person["name"],
        "  ",
        person["department"],
        "  ",
        person["post"],
        "  ",
    )
    yield from (word(EMPLOYMENTS, person["employment"]), "\n")
    if not person["active"]:
        yield from (Toned(Message("tui.inactive-mark"), "bad"), "\n")
    yield from _stops(person, now)
    yield from _heading(Message("tui.cleared-levels"))
    for clearance in person["clearances"]:
        level = word(LEVELS, clearance["level"])
        yield from (
            "  ",
            word(DOMAINS, clearance["domain"]),
            "  ",
            Toned(level, "strong"),
            "  ",
            clearance["label"],
            "  ",
        )
        yield from (Toned(Message("tui.level-approved-by", approved_by=clearance["approved_by"]), "dim"), "\n")
    yield from _listed(Message("common.accounts"), (about_account(account) for account in person["accounts"]))
    yield from _listed(Message("common.badges"), map(_badge, person["badges"]))
    yield from _listed(Message("tui.person-pin"), map(_pin, person["pins"]))
    yield from _listed(Message("common.projects"), person["projects"])
    yield from _grants(person["grants"], now)
    yield from _records(person["records"], kinds, now)


def _stops(person: Row, now: datetime) -> Iterator[Piece]:
    for hold in person["holds"]:
        if hold["lifted_at"] is None:
            yield from (Toned(Message("tui.hold-mark"), "bad"), " ", hold["id"], "  ", hold["reason"], "\n")
    for case in person["departures"]:
        if case["stage"] != "closed":
            yield from (Toned(Message("tui.leaving-mark"), "warning"), " ", _stage(case, now), "\n")


def _stage(case: Row, now: datetime) -> Piece:
    leave = case["effective_at"]
    if case["stage"] == "approved" and leave and datetime.fromisoformat(leave) > now:
        return Message("tui.access-ends-at", time=f"{datetime.fromisoformat(leave).astimezone():%F %H:%M}")
    return word(STAGES, case["stage"])


def _grants(grants: Iterable[Row], now: datetime) -> Iterator[Piece]:
    yield from _heading(Message("common.grants"))
    for grant in sorted(grants, key=lambda row: _over(row, now)):
        over = _over(grant, now)
        resource: Piece = Toned(grant["resource"], "dim" if over else "strong")
        yield from ("  ", Toned(grant["id"], "dim"), "  ", resource, "  ", grant["reason"], "  ")
        yield from (*_until(grant["until"], now, over=over), "\n")


def _records(records: Iterable[Row], kinds: Mapping[str, Any], now: datetime) -> Iterator[Piece]:
    yield from _heading(Message("common.records"))
    for record in records:
        void = record["voided_at"] is not None
        title = from_json(kinds[record["kind"]]) if record["kind"] in kinds else record["kind"]
        yield from ("  ", Toned(record["id"], "dim"), "  ", Toned(title, "dim") if void else title, "  ")
        yield from (record["topic"], "  ", Toned(day(record["on"]), "dim"), "  ")
        if not record["passed"]:
            yield from (Toned(Message("tui.record-not-passed"), "bad"), "  ")
        yield from (*_until(record["valid_until"], now, over=void), "\n")


def _until(stamp: str | None, now: datetime, *, over: bool) -> Iterator[Piece]:
    if over:
        yield Toned(Message("tui.grant-ended"), "dim")
    elif stamp:
        remaining = datetime.fromisoformat(stamp) - now
        label = Message("tui.valid-until", time=day(stamp))
        if remaining <= timedelta():
            yield Toned(Message("tui.expired-on", day=day(stamp)), "bad")
        elif remaining < _SOON:
            yield Toned(Message("tui.expires-soon", label=label, count=remaining.days), "warning")
        else:
            yield label


def _over(grant: Row, now: datetime) -> bool:
    return grant["ended_at"] is not None or bool(grant["until"] and datetime.fromisoformat(grant["until"]) <= now)


def _pin(pin: Row) -> Sentence:
    return Message("tui.pin-since-with-duress" if pin["duress"] else "tui.pin-since", day=day(pin["set_at"]))


def _badge(badge: Row) -> Sentence:
    """Return the number of a badge, with its state unless that is active."""
    number = visible(str(badge["number"]))
    if (state := badge["state"]) == "active":
        return Text(number, number)
    return Message("common.with-note", text=number, more=word(BADGES, state))


def _listed(title: Sentence, values: Iterable[Sentence | str]) -> Iterator[Piece]:
    listed = list(values)
    for number, entry in enumerate(listed):
        yield from ((" · ", entry) if number else ("\n", Toned(title, "dim"), "  ", entry))
    if listed:
        yield "\n"


def _heading(title: Sentence) -> Iterator[Piece]:
    yield from ("\n", Toned(title, "dim"), "\n")


def about_account(account: Row) -> Sentence:
    """Return one account in a line."""
    return Message("tui.account", uid=account["uid"], name=account["name"])


def about_grant(grant: Row) -> Sentence:
    """Return one grant in a line."""
    text = f"{visible(grant['id'])} {visible(grant['resource'])} {visible(grant['reason'])}"
    return Text(text, text)


def about_receipt(receipt: Row) -> Sentence:
    """Return one receipt in a line: its case, time, cause, act, and areas."""
    cause = word(CAUSES, receipt["cause"]) if receipt["cause"] else Message("common.unreadable")
    at = local(receipt["issued"]) if receipt["issued"] else ""
    parts = (receipt["case"], at, cause, receipt["act"], receipt["areas"])
    return spaced(
        part if isinstance(part, Message | Text) else Message("common.given", text=part) for part in parts if part
    )


def day(stamp: str) -> str:
    """Return the day of an instant in the time zone of the reader."""
    return datetime.fromisoformat(stamp).astimezone().date().isoformat()
