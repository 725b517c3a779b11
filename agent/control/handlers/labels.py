"""Handlers: labels of inodes. Sealing volumes and relabelling files."""

import os
from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.areas import area_row
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("area.seal")
def _seal(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row, labels = area_row(request, request.args.text("area")), request.services.labels
    name = row.resource.id
    sealable = labels.sealable_with(name)
    if name not in sealable:
        shown_name = visible(name)
        raise RefusedError(
            Message("control.volume-not-sealable", area=shown_name),
            Message("control.see-area-show", area=shown_name),
        )
    for area in request.site.facts.areas():
        if area.resource.id in sealable:
            change.areas.set(area.resource.id, volume={**area.volume, "sealed": True})
    named = {"areas": sorted(sealable)} if len(sealable) > 1 else {}
    return HandlerResult({"area": name, "areas": len(sealable)}, named, on_commit=lambda: labels.sealed(sealable))


@handlers.stream("area.labels")
def _labels(request: HandlerRequest) -> Iterator[Json]:
    path = _guarded_path(request)
    return _preview(request, path)


@handlers.act("area.relabel")
def _relabel(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    path = _guarded_path(request)
    return HandlerResult(
        {"path": path},
        log_fields={"path": path},
        on_ack=lambda: {"request": request.services.labels.relabel(path)},
    )


@handlers.stream("area.relabelling")
def _relabelling(request: HandlerRequest) -> Iterator[Json]:
    number = request.args.number("request")
    assert number is not None
    while True:
        job = request.services.labels.relabelling(number)
        if job is None:
            raise RefusedError(
                Message("control.relabel-request-not-found", number=number),
                Message("control.see-label-entries"),
            )
        if job.trouble:
            trouble = visible(job.trouble)
            raise RefusedError(
                Message("control.labelling-incomplete", reason=trouble),
                Message("control.correct-and-retry"),
            )
        yield {"path": job.path, **job.counts.to_json(), "ended": job.ended}
        if job.ended:
            return
        yield None


def _preview(request: HandlerRequest, path: str) -> Iterator[Json]:
    try:
        for counts in request.services.labels.preview(path):
            yield {"path": path, **counts.to_json(), "ended": counts.ended}
            yield None  # flushes this row; the next one takes a while
    except OSError as error:
        shown_path, reason = visible(path), visible(error.strerror or "")
        raise RefusedError(Message("control.path-not-readable", path=shown_path, reason=reason)) from error


def _guarded_path(request: HandlerRequest) -> str:
    path = os.path.realpath(request.args.text("path"))
    if request.services.labels.volume_of(path) is not None:
        return path
    shown_path = visible(path)
    raise RefusedError(
        Message("control.path-not-on-guarded-volume", path=shown_path),
        Message("control.see-area-list-covered"),
    )
