"""What a pack may contain: every table, every key, how it is read, and what it is when it is left out.

Rules of this file: the tables below are the whole grammar; a key that is not in them is an error with the nearest known
name as its hint. The defaults live in one place only, the classes of :mod:`rules.pack.model`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.pack import model as tables
from rules.pack import values as read

Reader = Callable[[object], Any]
PARTS = ("guard", "doors", "departure", "registry", "log", "inspect")
SOURCE: Mapping[str, Reader] = {"clauses": read.clauses, "duties": read.duties, "site": read.words}


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table: the class it becomes, its keys beside those every table has, and which must be there."""

    make: Callable[..., Any]
    keys: Mapping[str, Reader]
    must: tuple[str, ...] = ()


HEAD: Mapping[str, Reader] = {
    "name": read.word,
    "version": read.word,
    "title": read.text,
    "utc_offset": read.offset,
    "domains": read.texts,
}
HEAD_MUST = ("name", "version", "title", "domains")

TABLES: Mapping[str, Table] = {
    "hold": Table(tables.Source, {}),
    "departure": Table(tables.Source, {}),
    "cooling_off": Table(tables.Source, {}),
    "level": Table(tables.LevelRule, {"needs_approver": read.flag, "map": read.labels}),
    "barred": Table(tables.BarredRule, {"labels": read.barred}, must=("labels",)),
    "scope": Table(tables.Source, {}),
    "grant": Table(tables.GrantRule, {"from_level": read.level, "after_post_change": read.flag}),
    "temp_auth": Table(
        tables.TempAuth,
        {"enabled": read.flag, "max_days": read.days, "max_level": read.level},
        must=("enabled", "max_days", "max_level"),
    ),
    "employment": Table(
        tables.EmploymentRule,
        {"deny": read.employments, "domains": read.words, "temp_auth": read.flag},
        must=("deny",),
    ),
    "marking": Table(tables.MarkingRule, {"period": read.flag, "scope": read.flag}),
    "badge": Table(tables.Source, {}),
    "purpose": Table(tables.Source, {}),
    "declaration": Table(tables.Source, {}),
    "two_person": Table(
        tables.TwoPersonRule, {"from_level": read.level, "seconds": read.seconds}, must=("from_level",)
    ),
    "lockdown": Table(tables.Source, {}),
    "one_place": Table(tables.OnePlaceRule, {"passback": read.passback}),
    "visit": Table(tables.VisitRule, {"max_days": read.days, "max_level": read.level}, must=("max_days", "max_level")),
    "in_room": Table(tables.InRoomRule, {"from_level": read.level}, must=("from_level",)),
    "wire": Table(tables.WireRule, {"from_level": read.level}, must=("from_level",)),
    "departure_case": Table(
        tables.DepartureCase,
        {
            "chain": read.words,
            "notice_days": read.days,
            "immediate": read.kinds,
            "hr_approvers": read.people,
            "education": read.flag,
            "exam": read.flag,
            "cooling_off": read.words,
        },
    ),
}
TABLES_MUST = ("hold", "departure", "level", "scope", "grant")

FAMILIES: Mapping[str, Table] = {
    "records": Table(
        tables.RecordKind,
        {
            "title": read.text,
            "from_level": read.level,
            "domains": read.words,
            "topics": read.words,
            "valid_days": read.days,
            "after_post_change": read.flag,
            "after": read.words,
            "temporary": read.flag,
        },
        must=("title",),
    ),
    "hours": Table(
        tables.Schedule,
        {"weekdays": read.weekdays, "windows": read.windows, "holidays": read.one_of(("open", "closed"))},
        must=("weekdays", "windows"),
    ),
    "approvers": Table(tables.ApproverRule, {"title": read.text, "kinds": read.kinds}, must=("title",)),
    "handover": Table(tables.HandoverLine, {"title": read.text, "department": read.text}, must=("title", "department")),
    "signatures": Table(
        tables.ExitSignature,
        {"title": read.text, "employment": read.employments, "departments": read.words},
        must=("title",),
    ),
    "planned": Table(
        tables.Planned, {"title": read.text, "served_by": read.one_of(PARTS)}, must=("title", "served_by")
    ),
}
