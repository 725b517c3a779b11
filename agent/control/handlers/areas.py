"""Handlers: areas. Protecting a directory, changing its protection, removing it."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal, cast

from agent.api.operations.schema import Arguments
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.people import known_domain
from agent.control.two_hands import is_trial
from agent.errors import RefusedError, UsageError
from agent.log.search import denied_while_observing
from agent.registry.columns import KEEP, moment
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.areas import AreaRow
from agent.volumes.status import Protected, ProtectedArea, too_low, volume_of
from rules.model import Mode, Scope
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("area.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, protection = request.args, request.services.protection
    known_domain(request, args.text("domain"))
    path, name = os.path.realpath(args.text("path")), args.text("name")
    rows = request.site.facts.areas()
    sharing = cast('Literal["dedicated", "shared"] | None', args.maybe("sharing"))
    plan = protection.plan(path, rows, sharing=sharing, accept_links=args.flag("accept_links"))
    tier = protection.volume_tiers.tier(plan)
    observe = _observes(request)
    if protection.volume_tiers.below(tier) and not observe:
        low = too_low(name, tier, protection.volume_tiers.minimum)
        raise RefusedError(low.text, low.hint)
    volume = volume_of(plan, tier, accept_links=args.flag("accept_links"), held=args.maybe("held"))
    if protection.sealed_beside(plan, rows):
        volume["sealed"] = True  # every inode there has a label; the label of the new area replaces the public one
    level = args.level("level")
    assert level is not None
    change.areas.add(
        name,
        path=path,
        level=level,
        domain=args.text("domain"),
        mode=Mode.OBSERVE if observe else Mode.ENFORCE,
        scope=scope(args) or Scope(),
        custodian=args.text("custodian"),
        secret_until=args.instant("secret_until"),
        hours=hours(request),
        reads="each" if args.flag("each_read") else "quiet",
        volume=volume,
    )

    def protect() -> dict[str, Json]:
        area = ProtectedArea(name, path, volume)
        try:
            protected = protection.protect(area, plan, tier)
        except OSError as error:
            cause = visible(str(error))
            raise RefusedError(
                Message("control.area-not-protected", area=name, reason=cause),
                Message("control.repair-or-remove-area", area=name),
            ) from error
        protection.list_covers(request.site.facts.areas())
        # Take over the epoch again: files opened before they were labelled are checked now.
        request.services.decider.epoch(request.site.facts.epoch())
        request.services.canaries.now(name)
        protected = protection.now.get(name, protected)
        findings = [finding.to_json() for finding in protection.findings(name)]
        return protected.to_json() | {"findings": findings, "seen": _canary_view(request, name)}

    return HandlerResult({"area": name, "path": path, "mode": "observe" if observe else "enforce"}, on_ack=protect)


def _observes(request: HandlerRequest) -> bool:
    """Return whether a new area only observes. Raises :class:`UsageError` when both modes are given."""
    observe, enforce = request.args.flag("observe"), request.args.flag("enforce")
    if observe and enforce:
        raise UsageError(Message("control.observe-or-enforce"))
    return observe or not (enforce or request.site.pack().trial.enforce or not is_trial(request))


@handlers.stream("area.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    rows = request.site.lists.areas.find()
    return iter([row | _state(request, str(row["name"])) for row in rows])


@handlers.read("area.show")
def _show(request: HandlerRequest) -> Json:
    name = request.args.text("area")
    area = area_row(request, name)
    [row] = request.site.lists.areas.find(area.resource.id)
    findings = [finding.to_json() for finding in request.services.protection.findings(name)]
    sealed = area.volume.get("sealed") is True
    return {**row, **_state(request, name), "sealed": sealed, "findings": findings}


@handlers.act("area.set")
def _set(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = request.args
    if "domain" in args:
        known_domain(request, args.text("domain"))
    row = area_row(request, args.text("area"))
    change.areas.set(
        row.resource.id,
        volume={**row.volume, "held": args.text("held")} if "held" in args else None,
        level=args.level("level"),
        domain=args.maybe("domain"),
        scope=scope(args),
        custodian=args.maybe("custodian"),
        secret_until=args.instant("secret_until") if "secret_until" in args else KEEP,
        hours=hours(request) if "hours" in args else None,
    )
    return HandlerResult({"area": args.text("area")})


@handlers.read("area.would")
def _would(request: HandlerRequest) -> Json:
    row = area_row(request, request.args.text("area"))
    [listed] = request.site.lists.areas.find(row.resource.id)
    request.services.indexer.fresh()
    since = moment(str(listed["added_at"]))
    denied = denied_while_observing(request.site.home.index, row.resource.id, since)
    return {
        "area": row.resource.id,
        "mode": row.resource.mode.value,
        "denied": [
            {"person": d.person, "login_person": d.login_person, "count": d.times, "rules": list(d.rules)}
            | {"first": d.first.entry, "last": d.last.entry}
            for d in denied
        ],
    }


@handlers.act("area.enforce")
def _enforce(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row = area_row(request, request.args.text("area"))
    protected = request.services.protection.now.get(row.resource.id)
    if protected and request.services.protection.volume_tiers.below(protected.tier):
        low = too_low(row.resource.id, protected.tier, request.services.protection.volume_tiers.minimum)
        raise RefusedError(low.text, low.hint)
    minutes = request.args.number("revert_after")
    confirm_by = request.at + timedelta(minutes=minutes) if minutes else None
    change.areas.set_mode(row.resource.id, Mode.ENFORCE, confirm_by=confirm_by)
    back = {"reverts_at": confirm_by.isoformat()} if confirm_by else {}
    return HandlerResult(
        {"area": row.resource.id, "mode": "enforce", **back},
        gives=bool(confirm_by) and row.resource.mode is Mode.ENFORCE,  # adds a way back to observe mode
        on_ack=_list_covers(request, row.resource.id),
    )


@handlers.act("area.confirm")
def _confirm(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    change.areas.confirm_enforce(request.args.text("area"))
    return HandlerResult({"area": request.args.text("area"), "mode": "enforce"})


@handlers.act("area.observe")
def _observe(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = area_row(request, request.args.text("area")).resource.id
    change.areas.set_mode(name, Mode.OBSERVE)
    return HandlerResult({"area": name, "mode": "observe"}, on_ack=_list_covers(request, name))


@handlers.act("area.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row = area_row(request, request.args.text("area"))
    ended = change.areas.remove(row.resource.id)

    def release() -> dict[str, Json]:
        area = ProtectedArea(row.resource.id, row.path, dict(row.volume))
        remaining = request.site.facts.areas()
        findings = request.services.protection.release(area, remaining)
        request.services.protection.list_covers(remaining)
        return {"findings": [finding.to_json() for finding in findings]}

    return HandlerResult({"area": row.resource.id, "path": row.path, "grants_ended": ended}, on_ack=release)


def scope(args: Arguments) -> Scope | None:
    """Return the need-to-know scope in *args*, ``None`` without one."""
    if not any(name in args for name in ("person", "department", "project")):
        return None
    return Scope(*(frozenset(args.texts(name)) for name in ("person", "department", "project")))


def _list_covers(request: HandlerRequest, name: str) -> Callable[[], dict[str, Json]]:
    def listed() -> dict[str, Json]:
        request.services.protection.list_covers(request.site.facts.areas())
        request.services.canaries.soon(name)
        return {}

    return listed


def area_row(request: HandlerRequest, name: str) -> AreaRow:
    """Return the area of this *name*. Raises :class:`RefusedError` when there is none."""
    for row in request.site.facts.areas():
        if row.resource.id == name:
            return row
    shown_name = visible(name)
    raise RefusedError(
        Message("control.area-not-found", area=shown_name),
        Message("control.see-area-list"),
    )


def _state(request: HandlerRequest, name: str) -> dict[str, Json]:
    protected = request.services.protection.now.get(name, Protected(name, "", "none"))
    state = {
        "tier": protected.tier,
        "files": protected.counts.files,
        "closed": protected.closed,
        "hidden": protected.hidden,
    }
    return state | {"seen": _canary_view(request, name)}


def _canary_view(request: HandlerRequest, name: str) -> Json:
    enforced = name not in request.site.facts.observing()
    return request.services.canaries.view(name, enforced=enforced)


def hours(request: HandlerRequest) -> str:
    """Return the schedule in the arguments; raise :class:`RefusedError` when the pack has none of that name."""
    named = request.args.text("hours")
    schedules = request.site.pack().hours
    if named and named not in schedules:
        shown_name, allowed = visible(named), ", ".join(schedules) or "-"
        raise RefusedError(
            Message("control.schedule-not-in-pack", schedule=shown_name),
            Message("control.one-of", options=allowed),
        )
    return named
