"""Handlers: labels of inodes. Sealing a volume, and mending what keeps everybody out."""

import os
from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.areas import area_row
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("area.seal")
def _seal(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row, labels = area_row(request, request.args.text("area")), request.services.labels
    name = row.resource.id
    beside = labels.sealable_with(name)
    if name not in beside:
        said = visible(name)
        raise RefusedError(
            Text(
                f"the volume of `{said}` is sealed already, or not every file on it was seen to carry a label yet",
                f"`{said}` 所在卷已封闭，或尚未确认其上每个文件都有标记",
            ),
            Text(f"see `shoumi area show {said}`", f"参见 `shoumi area show {said}`"),
        )
    for other in request.site.facts.areas():
        if other.resource.id in beside:
            change.areas.set(other.resource.id, volume={**other.volume, "sealed": True})
    named = {"areas": sorted(beside)} if len(beside) > 1 else {}
    return HandlerResult({"area": name, "areas": len(beside)}, named, on_commit=lambda: labels.sealed(beside))


@handlers.stream("area.labels")
def _labels(request: HandlerRequest) -> Iterator[Json]:
    path = _known(request)
    return _looked(request, path)


@handlers.act("area.relabel")
def _relabel(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    path = _known(request)
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
                Text(f"no request {number} is known", f"没有编号为 {number} 的请求"),
                Text(
                    "`shoumi log list --kind labels` shows what was done", "`shoumi log list --kind labels` 可查看结果"
                ),
            )
        if job.trouble:
            said = visible(job.trouble)
            raise RefusedError(
                Text(f"not all of it could be labelled: {said}", f"未能全部标记：{said}"),
                Text("see to it, and ask again", "处理后请重试"),
            )
        yield {"path": job.path, **job.counts.to_json(), "ended": job.ended}
        if job.ended:
            return
        yield None


def _looked(request: HandlerRequest, path: str) -> Iterator[Json]:
    try:
        for counts in request.services.labels.look(path):
            yield {"path": path, **counts.to_json(), "ended": counts.ended}
            yield None  # the next one takes a while: this one is sent
    except OSError as error:
        said, why = visible(path), visible(error.strerror or "")
        raise RefusedError(Text(f"cannot look at `{said}`: {why}", f"无法查看 `{said}`：{why}")) from error


def _known(request: HandlerRequest) -> str:
    path = os.path.realpath(request.args.text("path"))
    if request.services.labels.volume_of(path) is not None:
        return path
    said = visible(path)
    raise RefusedError(
        Text(f"`{said}` is on no guarded volume", f"`{said}` 不在受保护的卷上"),
        Text(
            "see `shoumi area list`; a covered area is guarded first",
            "参见 `shoumi area list`；被遮蔽的目录须先恢复保护",
        ),
    )
