"""Handlers: areas. Bringing a directory under protection, loosening it, letting it go."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal, cast

from agent.api.operations.schema import Arguments
from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, read, stream
from agent.control.handlers.people import known_domain
from agent.errors import RefusedError
from agent.log.search import denied_while_observing
from agent.registry.columns import KEEP, moment
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.areas import AreaRow
from agent.volumes.status import Protected, ProtectedArea, too_low, volume_of
from rules.model import Mode, Scope
from rules.text import Text
from rules.visible import visible


@act("area.add")
def _add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, protection = ask.args, ask.desk.protection
    known_domain(ask, args.text("domain"))
    path, name = os.path.realpath(args.text("path")), args.text("name")
    rows = ask.desk.facts.areas()
    sharing = cast('Literal["dedicated", "shared"] | None', args.maybe("sharing"))
    plan = protection.plan(path, rows, sharing=sharing, accept_links=args.flag("accept_links"))
    tier = protection.tier(plan)
    observe = args.flag("observe")
    if protection.below(tier) and not observe:
        low = too_low(ProtectedArea(name, path, {}), tier, protection.minimum)
        raise RefusedError(low.text, low.hint)
    volume = volume_of(plan, tier, accept_links=args.flag("accept_links"))
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
        hours=hours(ask),
        reads="each" if args.flag("each_read") else "quiet",
        volume=volume,
    )

    def protect() -> dict[str, Json]:
        area = ProtectedArea(name, path, volume)
        try:
            found = protection.protect(area, plan, tier)
        except OSError as error:
            said = visible(str(error))
            raise RefusedError(
                Text(
                    f"`{name}` is registered, but could not be protected: {said}",
                    f"`{name}` 已登记，但无法保护：{said}",
                ),
                Text(
                    f"mend that and restart the agent, or: shoumi area remove {name}",
                    f"处理后重启代理，或：shoumi area remove {name}",
                ),
            ) from error
        protection.list_covers(ask.desk.facts.areas())
        ask.desk.decider.epoch(ask.desk.facts.epoch())  # again: what was opened before the labels is asked about now
        return found.wire()

    return HandlerResult({"area": name, "path": path, "mode": "observe" if observe else "enforce"}, after=protect)


@stream("area.list")
def _list(ask: HandlerRequest) -> Iterator[Json]:
    rows = ask.desk.lists.areas.find()
    return iter([row | _state(ask, str(row["name"])) for row in rows])


@read("area.show")
def _show(ask: HandlerRequest) -> Json:
    name = ask.args.text("area")
    [row] = ask.desk.lists.areas.find(_row(ask, name).resource.id)
    found = ask.desk.protection.now.get(name)
    findings = [finding.wire() for finding in found.findings] if found else []
    return {**row, **_state(ask, name), "findings": findings}


@act("area.set")
def _set(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = ask.args
    if "domain" in args:
        known_domain(ask, args.text("domain"))
    change.areas.set(
        _row(ask, args.text("area")).resource.id,
        level=args.level("level"),
        domain=args.maybe("domain"),
        scope=scope(args),
        custodian=args.maybe("custodian"),
        secret_until=args.instant("secret_until") if "secret_until" in args else KEEP,
        hours=hours(ask) if "hours" in args else None,
    )
    return HandlerResult({"area": args.text("area")})


@read("area.would")
def _would(ask: HandlerRequest) -> Json:
    row = _row(ask, ask.args.text("area"))
    [listed] = ask.desk.lists.areas.find(row.resource.id)
    ask.desk.indexing.fresh()
    since = moment(str(listed["added_at"]))
    denied = denied_while_observing(ask.desk.home.index, row.resource.id, since)
    return {
        "area": row.resource.id,
        "mode": row.resource.mode.value,
        "denied": [
            {"person": d.person, "login_person": d.login_person, "count": d.times, "rules": list(d.rules)}
            | {"first": d.first.entry, "last": d.last.entry}
            for d in denied
        ],
    }


@act("area.enforce")
def _enforce(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row = _row(ask, ask.args.text("area"))
    protected = ask.desk.protection.now.get(row.resource.id)
    if protected and ask.desk.protection.below(protected.tier):
        low = too_low(ProtectedArea(row.resource.id, row.path, {}), protected.tier, ask.desk.protection.minimum)
        raise RefusedError(low.text, low.hint)
    minutes = ask.args.number("revert_after")
    confirm_by = ask.at + timedelta(minutes=minutes) if minutes else None
    change.areas.set_mode(row.resource.id, Mode.ENFORCE, confirm_by=confirm_by)
    back = {"reverts_at": confirm_by.isoformat()} if confirm_by else {}
    return HandlerResult({"area": row.resource.id, "mode": "enforce", **back}, after=_list_covers(ask))


@act("area.confirm")
def _confirm(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    change.areas.confirm_enforce(ask.args.text("area"))
    return HandlerResult({"area": ask.args.text("area"), "mode": "enforce"})


@act("area.observe")
def _observe(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = _row(ask, ask.args.text("area")).resource.id
    change.areas.set_mode(name, Mode.OBSERVE)
    return HandlerResult({"area": name, "mode": "observe"}, after=_list_covers(ask))


@act("area.remove")
def _remove(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row = _row(ask, ask.args.text("area"))
    ended = change.areas.remove(row.resource.id)

    def release() -> dict[str, Json]:
        area = ProtectedArea(row.resource.id, row.path, dict(row.volume))
        others = ask.desk.facts.areas()
        findings = ask.desk.protection.release(area, others)
        ask.desk.protection.list_covers(others)
        return {"findings": [finding.wire() for finding in findings]}

    return HandlerResult({"area": row.resource.id, "path": row.path, "grants_ended": ended}, after=release)


def scope(args: Arguments) -> Scope | None:
    """Return the scope given, ``None`` when none was."""
    if not any(name in args for name in ("person", "department", "project")):
        return None
    return Scope(*(frozenset(args.texts(name)) for name in ("person", "department", "project")))


def _list_covers(ask: HandlerRequest) -> Callable[[], dict[str, Json]]:
    def listed() -> dict[str, Json]:
        ask.desk.protection.list_covers(ask.desk.facts.areas())
        return {}

    return listed


def _row(ask: HandlerRequest, name: str) -> AreaRow:
    for row in ask.desk.facts.areas():
        if row.resource.id == name:
            return row
    said = visible(name)
    raise RefusedError(
        Text(f"there is no area `{said}`", f"没有目录 `{said}`"),
        Text("see `shoumi area list`", "参见 `shoumi area list`"),
    )


def _state(ask: HandlerRequest, name: str) -> dict[str, Json]:
    found = ask.desk.protection.now.get(name, Protected(name, "", "none"))
    return {"tier": found.tier, "files": found.files}


def hours(ask: HandlerRequest) -> str:
    """Return the schedule given, refused when the pack has none of that name."""
    named = ask.args.text("hours")
    known = ask.desk.pack().hours
    if named and named not in known:
        said, right = visible(named), ", ".join(known) or "-"
        raise RefusedError(
            Text(f"the pack has no schedule `{said}`", f"规则包中没有时间表 `{said}`"),
            Text(f"one of: {right}", f"可选：{right}"),
        )
    return named
