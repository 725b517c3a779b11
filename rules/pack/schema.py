"""Schema of rule packs: every table and key, and its reader.

Rules of this file: the tables below are the whole grammar; a key that is not in them is an error with the nearest known
name as its hint. The defaults live in one place only, the classes of :mod:`rules.pack.model`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.pack import model, values

Reader = Callable[[object], Any]
PARTS = ("guard", "doors", "departure", "registry", "log", "inspect")
SOURCE: Mapping[str, Reader] = {"clauses": values.clauses, "duties": values.duties, "site": values.plain_strings}


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One kind of table: its class, its keys besides those of every table, and the required ones."""

    make: Callable[..., Any]
    keys: Mapping[str, Reader]
    must: tuple[str, ...] = ()


HEAD: Mapping[str, Reader] = {
    "name": values.plain_string,
    "version": values.plain_string,
    "title": values.text,
    "utc_offset": values.offset,
    "domains": values.texts,
}
HEAD_MUST = ("name", "version", "title", "domains")

TABLES: Mapping[str, TableSchema] = {
    "hold": TableSchema(model.RuleSource, {}),
    "departure": TableSchema(model.RuleSource, {}),
    "cooling_off": TableSchema(model.RuleSource, {}),
    "level": TableSchema(model.LevelRule, {"needs_approver": values.flag, "map": values.labels}),
    "barred": TableSchema(model.BarredRule, {"labels": values.barred}, must=("labels",)),
    "scope": TableSchema(model.RuleSource, {}),
    "grant": TableSchema(model.GrantRule, {"from_level": values.level, "after_post_change": values.flag}),
    "temp_auth": TableSchema(
        model.TempAuth,
        {"enabled": values.flag, "max_days": values.days, "max_level": values.level},
        must=("enabled", "max_days", "max_level"),
    ),
    "employment": TableSchema(
        model.EmploymentRule,
        {"deny": values.employments, "domains": values.plain_strings, "temp_auth": values.flag},
        must=("deny",),
    ),
    "marking": TableSchema(model.MarkingRule, {"period": values.flag, "scope": values.flag}),
    "badge": TableSchema(model.RuleSource, {}),
    "purpose": TableSchema(model.RuleSource, {}),
    "declaration": TableSchema(model.RuleSource, {}),
    "two_person": TableSchema(
        model.TwoPersonRule, {"from_level": values.level, "seconds": values.seconds}, must=("from_level",)
    ),
    "lockdown": TableSchema(model.RuleSource, {}),
    "one_place": TableSchema(model.OnePlaceRule, {"passback": values.passback}),
    "visit": TableSchema(
        model.VisitRule, {"max_days": values.days, "max_level": values.level}, must=("max_days", "max_level")
    ),
    "in_room": TableSchema(model.InRoomRule, {"from_level": values.level}, must=("from_level",)),
    "wire": TableSchema(model.WireRule, {"from_level": values.level}, must=("from_level",)),
    "protection": TableSchema(model.ProtectionRule, {"minimum_tier": values.minimum_tier}, must=("minimum_tier",)),
    "losses": TableSchema(model.LossRule, {"sessions": values.flag}, must=("sessions",)),
    "two_hands": TableSchema(
        model.TwoHandsRule,
        {
            "any_two": values.plain_strings,
            "one_hand": values.plain_strings,
            "registered": values.flag,
            "days": values.days,
        },
    ),
    "trial": TableSchema(model.TrialRule, {"enforce": values.flag}, must=("enforce",)),
    "departure_case": TableSchema(
        model.DepartureCase,
        {
            "chain": values.plain_strings,
            "notice_days": values.days,
            "immediate": values.kinds,
            "hr_approvers": values.people,
            "education": values.flag,
            "exam": values.flag,
            "cooling_off": values.plain_strings,
            "stop_units": values.flag,
        },
    ),
}
TABLES_MUST = ("hold", "departure", "level", "scope", "grant")

FAMILIES: Mapping[str, TableSchema] = {
    "records": TableSchema(
        model.RecordKind,
        {
            "title": values.text,
            "from_level": values.level,
            "domains": values.plain_strings,
            "topics": values.plain_strings,
            "valid_days": values.days,
            "after_post_change": values.flag,
            "after": values.plain_strings,
            "temporary": values.flag,
        },
        must=("title",),
    ),
    "hours": TableSchema(
        model.Schedule,
        {"weekdays": values.weekdays, "windows": values.windows, "holidays": values.one_of(("open", "closed"))},
        must=("weekdays", "windows"),
    ),
    "approvers": TableSchema(model.ApproverRule, {"title": values.text, "kinds": values.kinds}, must=("title",)),
    "handover": TableSchema(
        model.HandoverLine, {"title": values.text, "department": values.text}, must=("title", "department")
    ),
    "signatures": TableSchema(
        model.ExitSignature,
        {"title": values.text, "employment": values.employments, "departments": values.plain_strings},
        must=("title",),
    ),
    "measures": TableSchema(
        model.MeasureRule,
        {"title": values.text, "kind": values.measure, "kinds": values.kinds, "every_days": values.days},
        must=("title", "kind"),
    ),
    "planned": TableSchema(
        model.Planned, {"title": values.text, "served_by": values.one_of(PARTS)}, must=("title", "served_by")
    ),
}
