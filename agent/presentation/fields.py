"""Field names and coded values of acts, log readings and registry rows, as labels and terms.

Rules of this file: pure. Columns, tables and parameters keep their names in JSON and in the registry; a name without a
label here, and a value without a term, is shown as it is.
"""

import json
import re
from typing import Any, Final

from agent.presentation.terms import (
    BADGES,
    CHOICES,
    DEPARTURES,
    DOMAINS,
    EMPLOYMENTS,
    ENTRIES,
    HOLDERS,
    LEVELS,
    MODES,
    PASSBACKS,
    SHARING,
    SIDES,
    STAGES,
    VERDICTS,
    YES_NO,
    Words,
    word,
)
from rules.model import Level
from rules.text import Message, Sentence, foreign

_UID: Final = re.compile(r"uid:(\d+)")
EMPTY: Final = foreign("–")

TABLES: Words = {
    "people": Message("common.person"),
    "projects": Message("presentation.table-projects"),
    "clearances": Message("presentation.table-clearances"),
    "accounts": Message("common.account"),
    "badges": Message("common.badge"),
    "resources": Message("presentation.area-or-room"),
    "scope": Message("presentation.table-scope"),
    "areas": Message("common.area"),
    "rooms": Message("common.room"),
    "services": Message("common.service"),
    "service_areas": Message("presentation.table-service-areas"),
    "grants": Message("common.grant"),
    "holds": Message("common.hold"),
    "records": Message("registry.record"),
    "departures": Message("presentation.table-departures"),
    "settings": Message("presentation.table-settings"),
    "holidays": Message("presentation.table-holidays"),
    "doors": Message("common.door"),
    "visits": Message("registry.visit"),
    "lockdowns": Message("presentation.table-lockdowns"),
}
FIELDS: Words = {
    "accompany": Message("presentation.field-accompany"),
    "account": Message("common.account"),
    "act": Message("common.act"),
    "active": Message("presentation.field-active"),
    "added_at": Message("presentation.field-added-at"),
    "address": Message("presentation.field-address"),
    "alarm": Message("common.alarm"),
    "anti_passback": Message("presentation.field-anti-passback"),
    "approved_at": Message("presentation.field-approved-at"),
    "approved_by": Message("presentation.field-approver"),
    "approver": Message("presentation.field-approver"),
    "area": Message("common.area"),
    "badge": Message("common.badge"),
    "bits": Message("presentation.field-bits"),
    "changed": Message("presentation.field-changed"),
    "contact": Message("presentation.field-contact"),
    "cooling_off_until": Message("presentation.field-cooling-off-until"),
    "csv": Message("presentation.field-file"),
    "custodian": Message("presentation.field-custodian"),
    "dated": Message("presentation.field-date"),
    "day": Message("presentation.field-date"),
    "declaration": Message("presentation.field-declaration"),
    "department": Message("common.department"),
    "device": Message("common.device"),
    "devices": Message("presentation.field-devices"),
    "domain": Message("common.domain"),
    "door": Message("common.door"),
    "duress": Message("presentation.field-duress-pin"),
    "during": Message("presentation.field-period"),
    "effective": Message("presentation.field-effective-at"),
    "effective_at": Message("presentation.field-effective-at"),
    "employment": Message("presentation.field-employment"),
    "end_reason": Message("presentation.field-end-reason"),
    "ended_at": Message("presentation.field-ended-at"),
    "ended_by": Message("presentation.field-ended-by"),
    "enforce": Message("presentation.field-enforce"),
    "enforce_confirm_by": Message("presentation.field-enforce-confirm-by"),
    "escort": Message("presentation.field-escort"),
    "executable": Message("presentation.field-executable"),
    "exit_reader": Message("presentation.field-exit-reader"),
    "facility": Message("presentation.field-facility"),
    "failed": Message("presentation.field-failed"),
    "file": Message("common.file"),
    "first_in": Message("presentation.field-first-in"),
    "given_at": Message("presentation.field-given-at"),
    "grant": Message("common.grant"),
    "heads": Message("presentation.field-heads"),
    "held": Message("presentation.field-held"),
    "held_open": Message("presentation.field-held-open"),
    "held_open_seconds": Message("presentation.field-held-open"),
    "host": Message("presentation.field-host"),
    "hours": Message("presentation.field-hours"),
    "id": Message("presentation.field-id"),
    "inode": Message("presentation.field-inode"),
    "keep": Message("presentation.field-keep"),
    "key": Message("presentation.field-id"),
    "kind": Message("presentation.field-kind"),
    "label": Message("presentation.field-label"),
    "left_at": Message("presentation.field-left-at"),
    "lets_in": Message("presentation.field-lets-in"),
    "level": Message("common.level"),
    "lift_asked_at": Message("presentation.field-lift-asked-at"),
    "lift_asked_by": Message("presentation.field-lift-asked-by"),
    "lift_reason": Message("presentation.field-lift-reason"),
    "lifted_at": Message("presentation.field-lifted-at"),
    "lifted_by": Message("presentation.field-lifted-by"),
    "limit": Message("presentation.field-occupancy-limit"),
    "location": Message("common.location"),
    "lone_alarm": Message("presentation.field-lone-alarm"),
    "member": Message("presentation.field-member"),
    "mode": Message("common.mode"),
    "name": Message("presentation.field-name"),
    "needs_declaration": Message("presentation.field-declaration"),
    "needs_pin": Message("presentation.field-pin"),
    "needs_purpose": Message("common.purpose"),
    "note": Message("common.note"),
    "number": Message("presentation.field-number"),
    "observe": Message("presentation.field-observe"),
    "occupancy_limit": Message("presentation.field-occupancy-limit"),
    "on": Message("presentation.field-date"),
    "on_host": Message("presentation.field-on-host"),
    "opened_at": Message("presentation.field-opened-at"),
    "output": Message("presentation.field-output"),
    "own": Message("presentation.field-own"),
    "pack": Message("common.rule-pack"),
    "paper": Message("presentation.field-paper"),
    "paper_by": Message("presentation.field-paper-by"),
    "paper_date": Message("presentation.field-paper-date"),
    "paper_on": Message("presentation.field-paper-date"),
    "passed": Message("presentation.field-passed"),
    "path": Message("common.path"),
    "person": Message("common.person"),
    "pin": Message("presentation.field-pin"),
    "placed_by": Message("presentation.field-placed-by"),
    "post": Message("common.post"),
    "post_changed": Message("presentation.field-post-changed"),
    "post_changed_at": Message("presentation.field-post-changed-at"),
    "project": Message("presentation.field-project"),
    "proposal": Message("common.proposal"),
    "protocol": Message("presentation.field-protocol"),
    "purpose": Message("common.purpose"),
    "reader": Message("presentation.field-reader"),
    "reads": Message("presentation.field-reads"),
    "reason": Message("presentation.field-reason"),
    "record": Message("registry.record"),
    "registered_by": Message("presentation.field-registered-by"),
    "removed_at": Message("presentation.field-removed-at"),
    "reset_at": Message("presentation.field-reset-at"),
    "resource": Message("presentation.area-or-room"),
    "revert_after": Message("presentation.field-revert-after"),
    "room": Message("common.room"),
    "rule": Message("common.rule"),
    "search": Message("presentation.field-search"),
    "seconds": Message("presentation.field-seconds"),
    "secret_until": Message("presentation.field-secret-until"),
    "service": Message("common.service"),
    "set_aside_at": Message("presentation.field-set-aside-at"),
    "set_at": Message("presentation.field-set-at"),
    "sha256": Message("presentation.field-sha256"),
    "sharing": Message("presentation.field-sharing"),
    "side": Message("presentation.field-side"),
    "since": Message("common.since"),
    "size": Message("presentation.field-size"),
    "stage": Message("presentation.field-stage"),
    "state": Message("common.state"),
    "strike": Message("presentation.field-strike"),
    "strike_seconds": Message("presentation.field-seconds"),
    "temporary": Message("terms.employment-temporary"),
    "together": Message("presentation.field-together"),
    "together_seconds": Message("presentation.field-together"),
    "topic": Message("registry.topic"),
    "two_officers": Message("presentation.field-two-officers"),
    "two_person": Message("presentation.field-two-person"),
    "uid": Message("presentation.field-uid"),
    "until": Message("presentation.field-until"),
    "valid_until": Message("presentation.field-valid-until"),
    "value": Message("presentation.field-value"),
    "verdict": Message("common.verdict"),
    "visit": Message("registry.visit"),
    "void_reason": Message("presentation.field-void-reason"),
    "voided_at": Message("presentation.field-voided-at"),
    "volume": Message("presentation.field-volume"),
}
_COLUMNS: dict[tuple[str, str], Sentence] = {  # where a table means another thing by a name than the others
    ("log", "hidden"): Message("presentation.field-hidden-attempts"),
    ("log", "limit"): Message("presentation.field-entry-limit"),
    ("people", "name"): Message("common.name"),
}
_FLAGS: Final = frozenset((
    "accompany", "active", "contact", "failed", "first_in", "lets_in", "lone_alarm", "needs_declaration", "needs_pin",
    "needs_purpose", "on_host", "passed", "post_changed", "temporary", "two_officers", "two_person",
))  # fmt: skip
_TERMS: dict[str, Words] = {
    "anti_passback": PASSBACKS,
    "domain": DOMAINS,
    "employment": EMPLOYMENTS,
    "held": HOLDERS,
    "kind": {
        **ENTRIES,
        **DEPARTURES,
        "area": Message("common.area"),
        "room": Message("common.room"),
        "person": Message("common.person"),
        "department": Message("common.department"),
        "project": Message("presentation.field-project"),
    },
    "level": {**LEVELS, **{str(level.value): level.text for level in Level}},
    "mode": MODES,
    "sharing": SHARING,
    "side": SIDES,
    "stage": STAGES,
    "state": BADGES,
    "verdict": VERDICTS,
}


def field_label(name: str, table: str = "") -> Sentence:
    """Return the label of a parameter or column, its name where there is no label."""
    return _COLUMNS.get((table, name)) or word(FIELDS, name)


def table_label(table: str) -> Sentence:
    """Return what a row of *table* is called."""
    return word(TABLES, table)


def coded(name: str, content: object) -> Sentence | None:
    """Return the term for *content* of the field *name*, ``None`` where the field carries no code."""
    if isinstance(content, bool) or (name in _FLAGS and content in (0, 1)):
        return YES_NO["yes" if content else "no"]
    if name in _FLAGS or name in ("declaration", "pin", "purpose"):
        return CHOICES.get(str(content))
    if name == "level" and "=" in str(content):
        domain, _, level = str(content).rpartition("=")
        return Message("common.equals", name=word(DOMAINS, domain), value=word(LEVELS, level))
    return _TERMS.get(name, {}).get(str(content))


def field_content(name: str, content: Any) -> Sentence:
    """Return *content* of the field *name* as it is read: a term, several of them, or the foreign value."""
    if content is None or content == "":
        return EMPTY
    if isinstance(content, list):
        return Message("common.list", parts=[field_content(name, part) for part in content])
    if isinstance(content, dict):
        return foreign(json.dumps(content, ensure_ascii=False))
    return coded(name, content) or foreign(str(content))


def officer(name: str) -> Sentence:
    """Return the name of an officer: that of a person, or the uid of an account without a person (``uid:0``)."""
    if uid := _UID.fullmatch(name):
        return Message("presentation.officer-uid", uid=uid[1])
    return foreign(name)


def quoted(text: object) -> Message:
    """Return a foreign value in backticks."""
    return Message("presentation.quoted", text=str(text))
