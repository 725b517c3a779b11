"""Handlers: services, and the programs that let people in.

Rules of this file: the program is looked at when the act takes effect, which is when the second hand confirms it; what
was seen of it stands in the entry, and nothing that is typed but a hash that has to fit.
"""

import re
from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.errors import UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.services import ServiceProgram
from agent.site import program_file
from agent.site.program_file import ProgramFile
from rules.text import Text

handlers = HandlerTable()

_HASH = re.compile("[0-9a-f]{64}")


@handlers.act("service.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, uid, name = request.args, request.args.number("uid"), request.args.text("service")
    assert uid is not None
    lets_in, areas = args.flag("lets_in"), args.texts("area")
    if lets_in and (uid or areas):
        raise UsageError(
            Text(
                "what lets people in runs as root, and touches no area itself",
                "放入人员的程序以 root 运行，自身不访问目录",
            ),
            Text("give `--uid 0` and no `--area`", "请给出 `--uid 0`，不要给出 `--area`"),
        )
    if not lets_in and not areas:
        raise UsageError(
            Text("no area is named that it may touch", "未指定其可访问的目录"),
            Text("give `--area NAME`", "请给出 `--area 名称`"),
        )
    found = program_file.look(args.text("executable"), _hash(request))
    change.services.add(name, uid=uid, executable=found.path, areas=areas, seen=found.row, lets_in=lets_in)
    return _told(name, found, lets_in=lets_in)


@handlers.act("service.renew")
def _renew(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = request.args.text("service")
    row = change.services.program(name)
    found = program_file.look(_path(row), _hash(request) or row.sha256)
    if found.path != _path(row):
        raise UsageError(
            Text("its path leads to another place by now", "其路径现已指向别处"),
            Text("shoumi service remove, then add it where it lies", "请先 shoumi service remove，再按现位置登记"),
        )
    change.services.renew(name, found.row)
    return _told(name, found, lets_in=row.lets_in)


@handlers.act("service.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    change.services.remove(request.args.text("service"))
    return HandlerResult({"service": request.args.text("service")})


@handlers.stream("service.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    programs = {row.service: row for row in request.site.facts.programs()}
    for row in request.site.lists.services.all():
        known = programs.get(str(row["id"]))
        trouble = request.services.programs.trouble(known) if known else None
        yield row | {"program": trouble.value if trouble else "registered"}


def _told(name: str, found: ProgramFile, *, lets_in: bool) -> HandlerResult:
    seen = {"path": found.path, "inode": found.state.inode, "size": found.state.size, "sha256": found.sha256}
    told = {"service": name, "program": seen, "lets_in": lets_in, "interpreter": found.interpreter}
    # Who confirms it confirms this very file, and no other that lies there by then.
    return HandlerResult(told, outside={**seen, "changed": found.state.changed})


def _path(row: ServiceProgram) -> str:
    return row.path.decode("utf-8", "surrogateescape")


def _hash(request: HandlerRequest) -> str:
    given = request.args.text("sha256").lower()
    if given and not _HASH.fullmatch(given):
        raise UsageError(
            Text("a hash has 64 hexadecimal digits", "散列值应为 64 位十六进制数字"),
            Text("sha256sum FILE", "sha256sum 文件"),
        )
    return given
