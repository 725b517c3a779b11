"""Handlers: roles, status and the running agent's part of ``doctor``."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from agent.api.findings import Finding
from agent.api.timestamps import printed
from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.control.earlier_holders import our_processes
from agent.control.handlers.hr import ALARM
from agent.control.offboarding.stale_denials import may_open, stale_now
from agent.control.second_factor import is_there
from agent.control.volume_keeper import hidden_finding
from agent.control.volume_states import on_volume, use_of
from agent.disks import opening
from agent.doctor import (
    deny_checks,
    host_checks,
    hr_checks,
    leave_checks,
    login_checks,
    process_checks,
    registry_checks,
    role_checks,
    room_checks,
    seen_checks,
    store_checks,
    volume_checks,
)
from agent.doctor.volume_checks import VolumeSeen
from agent.errors import ShoumiError
from agent.kernel.program import FirstNamespaces
from agent.offboard import database, deny_entries
from agent.offboard.context import AreaPath
from agent.offboard.intake import channel
from agent.offboard.intake.channel import Channel
from agent.runtime.os_groups import gid_of
from agent.site.pack_file import SETTING
from rules.text import Message, Sentence
from rules.visible import visible

handlers = HandlerTable()


@handlers.read("status")
def _status(request: HandlerRequest) -> Json:
    site, services = request.site, request.services
    areas = site.lists.areas.find()
    protected, stats = services.protection.now, services.decider.stats()
    views = {str(row["name"]): _canary_view(request, row) for row in areas}
    return {
        "host": os.uname().nodename,
        "home": str(site.home.root),
        "tier": services.protection.lowest(),
        "registry": "older" if site.stores.now.older else "together",
        "enforcing": bool(areas)
        and all(row["mode"] == "enforce" for row in areas)
        and all(view["state"] == "seen" for view in views.values())
        and not _unprotected(request),
        "seen": max((view["at"] for view in views.values() if view["at"]), default=None),
        "areas": [
            {"name": row["name"], "path": row["path"], "level": row["level"], "mode": row["mode"]}
            | {"tier": protected[str(row["name"])].tier if str(row["name"]) in protected else "none"}
            | {"seen": views[str(row["name"])]}
            for row in areas
        ],
        "logins": "not-asked" if not site.role_groups().configured else "asked",
        "trial": not site.role_groups().configured,
        "break_glass": request.site.glass_is_broken(),
        "proposals": len(site.lists.proposals.find()),
        "people": len(site.lists.people.find()),
        "holds": len(site.lists.holds.find()),
        "revocations": services.offboarding.backlog().to_json(),
        "doors": len(site.facts.doors()),
        "pack": site.pack().id,
        "epoch": site.facts.epoch(),
        "time": request.at.isoformat(),
        "decider": stats,
        "clock": clock.to_json() if (clock := _clock(stats)) else None,
        "log": _log(request),
        "durability": services.config.durability,
        "hr": _hr(request).to_json() | {"alarms": _hr_alarms(request)},
    }


def _hr(request: HandlerRequest) -> Channel:
    silence = timedelta(seconds=request.services.config.hr_silence_seconds)
    return channel.look(request.site.home.root, silence, request.at)


def _hr_alarms(request: HandlerRequest) -> list[Json]:
    """Return the open alarms about the channel, newest first."""
    return [
        {"id": row["id"], "kind": row["kind"], "at": row["at"], "text": {"en": row["text_en"], "zh": row["text_zh"]}}
        for row in reversed(request.site.lists.alarms.find())
        if str(row["kind"]).startswith(ALARM)
    ]


def _canary_view(request: HandlerRequest, row: Json) -> Json:
    return request.services.canaries.view(str(row["name"]), enforced=row["mode"] == "enforce")


def _log(request: HandlerRequest) -> Json:
    verified = request.services.verifier.now
    return {
        "verified_to": verified.to,
        "verified_at": verified.at.isoformat() if verified.at else None,
        "verify_trouble": verified.trouble.to_json() if verified.trouble else None,
    }


@handlers.read("doctor")
def _doctor(request: HandlerRequest) -> Json:
    return [finding.to_json() for finding in _findings(request)]


def _findings(request: HandlerRequest) -> Iterator[Finding]:
    site, services = request.site, request.services
    yield from store_checks.stores(site.stores.now, site.facts)
    yield from role_checks.roles(site.role_groups(), services.config.roles, gid_of)
    yield from role_checks.break_glass(site.facts.break_glass(), site.role_groups(), request.at)
    service = services.factor.service
    yield from role_checks.second_factor(service, there=service is not None and is_there(service))
    yield from role_checks.proposals(len(site.lists.proposals.find()))
    yield from login_checks.logins(trial=not site.role_groups().configured, first=FirstNamespaces())
    yield from login_checks.services(site.facts.programs(), services.programs.trouble)
    yield from _decider(request)
    yield from process_checks.confined(tuple(process_checks.look(our_processes(), os.getppid())))
    areas = site.lists.areas.find()
    for name, protected in sorted(services.protection.now.items()):
        shown_name = visible(name)
        if protected.tier != "none":
            text = Message("control.area-protected", area=shown_name, tier=protected.tier)
            yield Finding("good", "area", text)
        yield from services.protection.findings(name)
    for row in areas:
        if services.protection.groups:
            yield from seen_checks.guard(str(row["name"]), _canary_view(request, row))
    if not areas:
        nothing = Message("control.no-areas")
        yield Finding(
            "warning",
            "no-areas",
            nothing,
            Message("control.add-first-area"),
        )
    yield from volume_checks.volumes(_volumes(request))
    yield from registry_checks.observing(areas)
    yield from _denied_on_disk(request)
    yield from registry_checks.blind(services.quiet_scan.blind)
    yield from host_checks.around(site.facts.areas(), site.facts.accounts(), our_processes())
    yield from room_checks.rooms(site.facts, site.pack())
    if not site.stores.now.older:  # an older registry does not show which pack was put in force
        yield from _pack(request)
    yield from registry_checks.log_room(site.home)
    yield from registry_checks.log_whole(services.verifier.now)
    if trouble := services.indexer.trouble:
        text = Message("control.index-not-updated", reason=trouble)
        yield Finding(
            "warning",
            "index",
            text,
            Message("control.free-space-for-index"),
        )
    yield from hr_checks.channel(_hr(request), site.lists.alarms.find(), request.at)
    yield from registry_checks.zone(site.pack(), request.at)
    yield from registry_checks.expiring(site.lists, site.pack(), request.at)
    yield from leave_checks.overdue(site.lists, request.at)


def _denied_on_disk(request: HandlerRequest) -> Iterator[Finding]:
    site = request.site
    try:
        rows = deny_entries.standing(database.path(site.home.root))
    except ShoumiError as error:
        yield Finding("serious", "deny-entries", error.text, error.hint)
        return
    observing = site.facts.observing()
    areas = [AreaPath(row.resource.id, row.path) for row in site.facts.areas() if row.resource.id not in observing]
    yield from deny_checks.entries(rows, stale_now(site, rows), areas, site.facts.accounts(), may_open(site))


def _volumes(request: HandlerRequest) -> Iterator[VolumeSeen]:
    areas = request.site.facts.areas()
    for row in request.site.lists.volumes.all():
        trouble, hidden = request.services.volumes.trouble(row), row.wanted == "hidden"
        use = use_of(opening.numbers(row.device, row.uuid)) if hidden else None
        yield VolumeSeen(
            row.point,
            row.device,
            hidden,
            hidden_finding(row) if hidden and not on_volume(row.point, areas) else None,
            trouble.error if trouble else None,
            use.free if use else True,
            tuple(holder.text() for holder in use.holders) if use else (),
            next((holder.what for holder in use.holders if holder.how == "mount"), "") if use else "",
        )


def _decider(request: HandlerRequest) -> Iterator[Finding]:
    try:
        stats = request.services.decider.stats()
    except ShoumiError as error:
        yield Finding("serious", "decider", error.text, error.hint)
        return
    entries = int(stats.get("next_seq", 1)) - 1
    yield Finding(
        "good",
        "decider",
        Message("control.decider-running", count=entries),
    )
    if clock_text := _clock(stats):
        yield Finding(
            "serious",
            "clock",
            clock_text,
            Message("control.correct-clock"),
        )
    if int(stats.get("unlogged", 0)):
        text = Message("control.accesses-denied-unrecorded", count=stats["unlogged"])
        yield Finding("serious", "unlogged", text, Message("control.free-space-for-log"))


def _clock(stats: Mapping[str, Json]) -> Sentence | None:
    """Return the sentence about the clock of verdicts, ``None`` when it is the system clock."""
    since, seconds_behind = stats.get("clock_behind_since"), float(stats.get("clock_behind", 0))
    if not since:
        return None
    at, by = printed(datetime.fromisoformat(str(since))), timedelta(seconds=round(seconds_behind))
    return Message("control.clock-set-back", since=at, lead=by)


def _pack(request: HandlerRequest) -> Iterator[Finding]:
    pack = request.site.pack()
    recorded = request.site.lists.settings.all().get(SETTING)
    if recorded != pack.digest:
        text = Message("control.pack-edited")
        yield Finding(
            "serious",
            "pack-edited",
            text,
            Message("control.record-pack"),
        )
    else:
        yield Finding("good", "pack", Message("control.pack-in-force", pack=pack.id))


def _unprotected(request: HandlerRequest) -> list[str]:
    protection = request.services.protection
    return [
        name
        for name, protected in protection.now.items()
        if protected.tier == "none" or protection.volume_tiers.below(protected.tier)
    ]
