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
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.read("status")
def _status(request: HandlerRequest) -> Json:
    site, services = request.site, request.services
    areas = site.lists.areas.find()
    protected, stats = services.protection.now, services.decider.stats()
    seen = {str(row["name"]): _seen(request, row) for row in areas}
    return {
        "host": os.uname().nodename,
        "home": str(site.home.root),
        "tier": services.protection.lowest(),
        "registry": "older" if site.stores.now.older else "together",
        "enforcing": bool(areas)
        and all(row["mode"] == "enforce" for row in areas)
        and all(one["state"] == "seen" for one in seen.values())
        and not _unprotected(request),
        "seen": max((one["at"] for one in seen.values() if one["at"]), default=None),
        "areas": [
            {"name": row["name"], "path": row["path"], "level": row["level"], "mode": row["mode"]}
            | {"tier": protected[str(row["name"])].tier if str(row["name"]) in protected else "none"}
            | {"seen": seen[str(row["name"])]}
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
        "clock": said.to_json() if (said := _clock(stats)) else None,
        "log": _log(request),
        "durability": services.config.durability,
        "hr": _hr(request).to_json() | {"alarms": _hr_alarms(request)},
    }


def _hr(request: HandlerRequest) -> Channel:
    silence = timedelta(seconds=request.services.config.hr_silence_seconds)
    return channel.look(request.site.home.root, silence, request.at)


def _hr_alarms(request: HandlerRequest) -> list[Json]:
    """Return the alarms about the channel that nobody has acknowledged, the newest first."""
    return [
        {"id": row["id"], "kind": row["kind"], "at": row["at"], "text": {"en": row["text_en"], "zh": row["text_zh"]}}
        for row in reversed(request.site.lists.alarms.find())
        if str(row["kind"]).startswith(ALARM)
    ]


def _seen(request: HandlerRequest, row: Json) -> Json:
    return request.services.canaries.view(str(row["name"]), enforced=row["mode"] == "enforce")


def _log(request: HandlerRequest) -> Json:
    known = request.services.verifier.now
    return {
        "verified_to": known.to,
        "verified_at": known.at.isoformat() if known.at else None,
        "verify_trouble": known.trouble.to_json() if known.trouble else None,
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
        said = visible(name)
        if protected.tier != "none":
            text = Text(
                f"area `{said}` is protected, tier {protected.tier}", f"目录 `{said}` 已受保护，等级 {protected.tier}"
            )
            yield Finding("good", "area", text)
        yield from services.protection.findings(name)
    for row in areas:
        if services.protection.groups:
            yield from seen_checks.guard(str(row["name"]), _seen(request, row))
    if not areas:
        nothing = Text("no area is protected yet", "尚无受保护的目录")
        yield Finding(
            "warning",
            "no-areas",
            nothing,
            Text(
                "shoumi area add PATH --name … --level … --domain …",
                "shoumi area add PATH --name … --level … --domain …",
            ),
        )
    yield from volume_checks.volumes(_volumes(request))
    yield from registry_checks.observing(areas)
    yield from _denied_on_disk(request)
    yield from registry_checks.blind(services.quiet_scan.blind)
    yield from host_checks.around(site.facts.areas(), site.facts.accounts(), our_processes())
    yield from room_checks.rooms(site.facts, site.pack())
    if not site.stores.now.older:  # by an older one nobody can tell which pack was put in force
        yield from _pack(request)
    yield from registry_checks.log_room(site.home)
    yield from registry_checks.log_whole(services.verifier.now)
    if why := services.indexer.trouble:
        text = Text(f"the search index is not kept up: {why.en}", f"检索索引未能更新：{why.zh}")
        yield Finding(
            "warning",
            "index",
            text,
            Text(
                "the log itself is whole; make room, or delete the index folder",
                "日志本身完整；请腾出空间或删除索引目录",
            ),
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
            tuple(one.text() for one in use.holders) if use else (),
            next((one.what for one in use.holders if one.how == "mount"), "") if use else "",
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
        Text(f"the decider answers; {entries} entries in the log", f"判定进程正常；日志共 {entries} 条"),
    )
    if said := _clock(stats):
        yield Finding(
            "serious",
            "clock",
            said,
            Text(
                "set the clock (chronyc makestep); if it is right: shoumi clock accept --reason …",
                "请校准时钟（chronyc makestep）；若时钟正确：shoumi clock accept --reason ……",
            ),
        )
    if int(stats.get("unlogged", 0)):
        text = Text(
            f"{stats['unlogged']} accesses were denied because they could not be recorded",
            f"有 {stats['unlogged']} 次访问因无法记录而被拒绝",
        )
        yield Finding("serious", "unlogged", text, Text("make room for the log", "请为日志腾出空间"))


def _clock(stats: Mapping[str, Json]) -> Text | None:
    """Return what time is judged by, where that is not the system clock."""
    since, behind = stats.get("clock_behind_since"), float(stats.get("clock_behind", 0))
    if not since:
        return None
    at, by = printed(datetime.fromisoformat(str(since))), timedelta(seconds=round(behind))
    return Text(
        f"the system clock was set back: since {at} time is judged without it, {by} ahead of it",
        f"系统时钟被拨回：自 {at} 起按持续计时判定，比系统时钟快 {by}",
    )


def _pack(request: HandlerRequest) -> Iterator[Finding]:
    pack = request.site.pack()
    recorded = request.site.lists.settings.all().get(SETTING)
    if recorded != pack.digest:
        text = Text(
            "the pack in force is not the one that was put in force: pack.toml was edited",
            "生效的规则包与记录不符：pack.toml 被改动过",
        )
        yield Finding(
            "serious",
            "pack-edited",
            text,
            Text("shoumi pack use FILE records what is in force", "shoumi pack use FILE 可记录并启用"),
        )
    else:
        yield Finding("good", "pack", Text(f"the pack in force is {pack.id}", f"生效的规则包为 {pack.id}"))


def _unprotected(request: HandlerRequest) -> list[str]:
    protection = request.services.protection
    return [
        name
        for name, found in protection.now.items()
        if found.tier == "none" or protection.volume_tiers.below(found.tier)
    ]
