"""Handlers: service accounts and login programs.

Rules of this file: the program is examined when the act takes effect, that is, when the second officer confirms it; the
entry records what was observed. The only property taken from the caller is a hash, which must match.
"""

import re
from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.errors import UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.services import ServiceProgram
from agent.site import program_file
from agent.site.program_file import ProgramFile
from rules.text import Message

handlers = HandlerTable()

_HASH = re.compile("[0-9a-f]{64}")


@handlers.act("service.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, uid, name = request.args, request.args.number("uid"), request.args.text("service")
    assert uid is not None
    lets_in, areas = args.flag("lets_in"), args.texts("area")
    if lets_in and (uid or areas):
        raise UsageError(
            Message("control.login-program-runs-as-root"),
            Message("control.use-uid-0-without-area"),
        )
    if not lets_in and not areas:
        raise UsageError(
            Message("control.service-needs-area"),
            Message("control.add-area"),
        )
    program = program_file.look(args.text("executable"), _hash(request))
    change.services.add(name, uid=uid, executable=program.path, areas=areas, seen=program.row, lets_in=lets_in)
    return _program_result(name, program, lets_in=lets_in)


@handlers.act("service.renew")
def _renew(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = request.args.text("service")
    row = change.services.program(name)
    program = program_file.look(_path(row), _hash(request) or row.sha256)
    if program.path != _path(row):
        raise UsageError(
            Message("control.program-path-moved"),
            Message("control.register-service-again"),
        )
    change.services.renew(name, program.row)
    return _program_result(name, program, lets_in=row.lets_in)


@handlers.act("service.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    change.services.remove(request.args.text("service"))
    return HandlerResult({"service": request.args.text("service")})


@handlers.stream("service.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    programs = {row.service: row for row in request.site.facts.programs()}
    for row in request.site.lists.services.all():
        program = programs.get(str(row["id"]))
        trouble = request.services.programs.trouble(program) if program else None
        yield row | {"program": trouble.value if trouble else "registered"}


def _program_result(name: str, program: ProgramFile, *, lets_in: bool) -> HandlerResult:
    program_fields = {
        "path": program.path,
        "inode": program.state.inode,
        "size": program.state.size,
        "sha256": program.sha256,
    }
    reply = {"service": name, "program": program_fields, "lets_in": lets_in, "interpreter": program.interpreter}
    # The second officer confirms this very file, not another one at the same path.
    return HandlerResult(reply, outside={**program_fields, "changed": program.state.changed})


def _path(row: ServiceProgram) -> str:
    return row.path.decode("utf-8", "surrogateescape")


def _hash(request: HandlerRequest) -> str:
    digest = request.args.text("sha256").lower()
    if digest and not _HASH.fullmatch(digest):
        raise UsageError(
            Message("control.hash-invalid"),
            Message("control.run-sha256sum"),
        )
    return digest
