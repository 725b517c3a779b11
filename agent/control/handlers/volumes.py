"""Handlers: volumes. An act stores the wanted state; :mod:`agent.control.volume_keeper` brings it about."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.earlier_holders import our_processes
from agent.control.volume_states import mounted_at, node_of, number, on_volume, seen_state, source_of, state_of, use_of
from agent.disks import contents, luks, opening
from agent.errors import RefusedError, ShoumiError
from agent.kernel import cover, loop_device, mountinfo, mounting
from agent.kernel.mountinfo import Mount, within
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.areas import AreaRow
from agent.registry.rows.volumes import VolumeRow
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("volume.attach")
def _attach(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = request.args
    device, point, key = os.path.realpath(args.text("device")), args.text("at"), args.text("luks_key")
    _refuse_rehearsal(request)
    _refuse_point(request, point)
    row = request.site.lists.volumes.at(point)
    in_use = request.services.volumes.is_staged(point) or mounted_at(point) is not None
    if row and row.wanted != "hidden" and in_use and (row.device != device or row.wanted == "published"):
        shown_point, shown_device = visible(point), visible(row.device)
        raise RefusedError(
            Message("control.mount-point-in-use", point=shown_point, device=shown_device),
            Message("control.hide-volume-first", point=shown_point),
        )
    if key:
        luks.check_key(key)
    change.volumes.put(
        point,
        device=device,
        wanted="attached",
        uuid=args.text("uuid"),
        options=args.text("options"),
        key_file=key,
        by=request.officer(),
    )
    return _wanted(request, point, device)


@handlers.act("volume.publish")
def _publish(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row = _row(request, request.args.text("volume"))
    _refuse_rehearsal(request)
    _refuse_point(request, row.point)
    change.volumes.want(row.point, "published", by=request.officer())
    return _wanted(request, row.point, row.device)


@handlers.act("volume.hide")
def _hide(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    point, keeper, by = request.args.text("point"), request.services.volumes, request.officer()
    volume, forget = request.site.lists.volumes.at(point), request.args.flag("forget")
    if volume is None:
        volume = VolumeRow(point, _own_source(request, point), "", "", "", "hidden", by, request.at)
    if forget:
        change.volumes.forget(point)
    else:
        fields = volume._asdict() | {"wanted": "hidden", "by": by}
        change.volumes.put(**{name: column for name, column in fields.items() if name != "at"})
    row = volume._replace(wanted="hidden", by=by, at=request.at)

    def close() -> dict[str, Json]:
        spared = frozenset(_ancestors(request.peer.pid))
        keeper.hide(row, end=request.args.flag("end"), spared=spared, forget=forget)
        return {}

    areas = [area.resource.id for area in on_volume(point, request.site.facts.areas())]
    return HandlerResult(
        {"point": point, "device": volume.device, "areas": areas, "at": request.at.isoformat()}, on_ack=close
    )


@handlers.read("volume.show")
def _show(request: HandlerRequest) -> Json:
    named = os.path.realpath(request.args.text("volume"))
    row = next((row for row in request.site.lists.volumes.all() if named in (row.point, row.device)), None)
    mount = mounted_at(row.point if row else named)
    if row is None and mount is None and not Path(named).exists():
        raise RefusedError(Message("control.path-not-found", path=named))
    point = row.point if row else named if mount else ""
    device = row.device if row else source_of(mount) if mount else named
    numbers = opening.numbers(device, row.uuid if row else "") | ({number(mount.device)} if mount else set())
    try:
        on_it = contents.probe(device)._asdict()
    except ShoumiError:
        on_it = {"kind": "", "uuid": ""}
    areas = [area.resource.id for area in on_volume(point, request.site.facts.areas())] if point else []
    use = use_of(numbers, our_processes())
    return {"device": device, "point": point, **on_it, "areas": areas, **use.to_json()}


@handlers.stream("volume.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    protection, keeper = request.services.protection, request.services.volumes
    rows, volumes = request.site.facts.areas(), request.site.lists.volumes.all()
    for row in volumes:
        areas = on_volume(row.point, rows)
        trouble, mount = keeper.trouble(row), mounted_at(row.point)
        yield {
            "device": row.device,
            "fstype": mount.fstype if mount else "",
            "point": row.point,
            "state": state_of(row, areas, protection.now, staged=keeper.is_staged(row.point)),
            "areas": [area.resource.id for area in areas],
            "by": row.by,
            "since": row.at.isoformat(),
            "trouble": trouble.error.to_json() if trouble and trouble.error else None,
            "seen": _canary_view(request, areas) if mount else None,
        }
    points = {row.point for row in volumes}
    for device, mount in {
        plan.device: _mount_of(plan.path) for plan in [*protection.plans.values()] if plan.dedicated
    }.items():
        if mount is not None and mount.device == device and mount.point not in points:
            areas = on_volume(mount.point, rows)
            yield {
                "device": source_of(mount),
                "fstype": mount.fstype,
                "point": mount.point,
                "state": seen_state(mount.point, areas, protection.now),
                "areas": [area.resource.id for area in areas],
                "by": "",
                "since": None,
                "trouble": None,
                "seen": _canary_view(request, areas),
            }


@handlers.stream("volume.outcome")
def _outcome(request: HandlerRequest) -> Iterator[Json]:
    point, at = request.args.text("point"), request.args.instant("at")
    assert at is not None
    while (outcome := request.services.volumes.outcome(point, at)) is None:
        yield None
    row = request.site.lists.volumes.at(point)
    areas = on_volume(point, request.site.facts.areas())
    staged = request.services.volumes.is_staged(point)
    state = state_of(row, areas, request.services.protection.now, staged=staged) if row else "hidden"
    yield {
        "point": point,
        "state": state,
        "error": outcome.error.to_json() if outcome.error else None,
        "hint": outcome.hint.to_json() if outcome.hint else None,
        "areas": [area.resource.id for area in areas],
        **(outcome.use.to_json() if outcome.use else {"free": None, "holders": []}),
    }


def _canary_view(request: HandlerRequest, areas: Iterable[AreaRow]) -> Json:
    """Return the canary state of a volume: that of its least confirmed area."""
    observing = request.site.facts.observing()
    views = [
        request.services.canaries.view(area.resource.id, enforced=area.resource.id not in observing) for area in areas
    ]
    return min(views, key=lambda view: (view["state"] == "seen", str(view.get("at"))), default=None)


def _wanted(request: HandlerRequest, point: str, device: str) -> HandlerResult:
    def wake() -> dict[str, Json]:
        request.services.volumes.wake()
        return {}

    return HandlerResult({"point": point, "device": device, "at": request.at.isoformat()}, on_ack=wake)


def _row(request: HandlerRequest, named: str) -> VolumeRow:
    real = os.path.realpath(named)
    for row in request.site.lists.volumes.all():
        if named == row.point or real == row.device:
            return row
    shown_name = visible(named)
    raise RefusedError(
        Message("control.volume-not-found", name=shown_name),
        Message("control.see-volume-list"),
    )


def _refuse_rehearsal(request: HandlerRequest) -> None:
    if request.services.protection.groups is None:
        raise RefusedError(
            Message("control.rehearsal-cannot-mark"),
            Message("common.run-agent-as-root"),
        )


def _refuse_point(request: HandlerRequest, point: str) -> None:
    shown_point = visible(point)
    if os.path.realpath(point) != point or not Path(point).is_dir() or point == "/":
        raise RefusedError(
            Message("common.not-directory", path=shown_point),
            Message("control.create-mount-point", point=shown_point),
        )
    for area in request.site.facts.areas():
        if area.path != point and within(point, area.path):
            raise RefusedError(
                Message("control.mount-point-inside-area", point=shown_point, area=area.resource.id),
                Message("control.choose-another-mount-point"),
            )


def _own_source(request: HandlerRequest, point: str) -> str:
    """Return the device of the dedicated volume with areas at *point*. Raises :class:`RefusedError`.

    A volume that was unmounted by hand counts: the agent still holds its filesystem and can release it.
    """
    mount, plans = mounted_at(point), [*request.services.protection.plans.values()]
    if mount is not None and any(plan.dedicated and plan.device == mount.device for plan in plans):
        return source_of(mount)
    for place in cover.read_list(request.site.home.covers):
        if mount is None and place.alone and place.point == point and place.hold:
            with contextlib.suppress(OSError):
                return loop_device.backing_file(number(place.device)) or node_of(number(place.device))
    shown_point = visible(point)
    raise RefusedError(
        Message("control.no-dedicated-volume", point=shown_point),
        Message("common.see-shoumi-volume-list"),
    )


def _mount_of(path: str) -> Mount | None:
    return mountinfo.resolve(path, mounting.uncovered(mountinfo.table()))


def _ancestors(pid: int) -> Iterator[int]:
    """Yield a process and its ancestors, so that the caller is not ended for holding the volume."""
    while pid > 1:
        yield pid
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
