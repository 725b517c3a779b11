"""Handlers: the break-glass. Loud, sealed in the log, over by itself.

Rules of this file: only root opens it, with the code of the envelope. It is an alarm until an officer has acknowledged
it, stands on the first screen and in ``status`` and ``doctor`` while it lasts, and each act done by it says so.
"""

from datetime import timedelta

from agent.api.roles import Role
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import by_itself
from agent.errors import ForbiddenError, RefusedError
from agent.registry.repositories.break_glass import make_code
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text

handlers = HandlerTable()

_LASTS = timedelta(hours=1)


@handlers.act("breakglass.seal")
def _seal(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not request.site.role_groups().configured:
        raise RefusedError(
            Text("in a trial no two officers could seal it", "试用期内没有两名管理员可共同封存"),
            Text("name the role groups first: shoumi role set", "请先设置角色组：shoumi role set"),
        )
    code = make_code()
    change.break_glass.seal(code, by=request.officer())
    return HandlerResult({"code": code})  # the answer to who confirms it, and to nobody else


@handlers.act("breakglass.open")
def _open(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if request.peer.uid != 0:
        raise ForbiddenError(Text("only root breaks the glass", "仅 root 可应急开启"))
    if not request.site.role_groups().configured:
        raise RefusedError(Text("in a trial root does everything as it is", "试用期内 root 本可办理一切"))
    until = request.at + _LASTS
    change.break_glass.open(request.args.text("code"), by=request.officer(), until=until)
    text = Text("the glass was broken: root restores offices", "已应急开启：root 可恢复三员")
    alarm = change.alarms.add("break-glass", text)
    return HandlerResult({"until": until.isoformat(), "alarm": alarm}, {"until": until.isoformat(), "alarm": True})


@handlers.act("breakglass.close")
def _close(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not (by_itself(request) or request.peer.uid == 0 or request.standing.role in (Role.SYSTEM, Role.SECURITY)):
        raise ForbiddenError(Text("only root and the officers end it", "仅 root 和管理员可结束"))
    change.break_glass.close()
    return HandlerResult({"closed": True})


@handlers.read("breakglass.show")
def _show(request: HandlerRequest) -> Json:
    found = request.site.facts.break_glass()
    return {
        "sealed_at": found.sealed_at.isoformat() if found.sealed_at else None,
        "sealed_by": found.sealed_by,
        "broken_until": found.broken_until.isoformat() if found.broken_until else None,
        "broken_by": found.broken_by,
    }
