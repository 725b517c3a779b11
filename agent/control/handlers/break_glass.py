"""Handlers: break-glass access. Alarmed, recorded in the log, ended automatically.

Rules of this file: only root opens it, with the code from the envelope. It is an alarm until an officer acknowledges
it, is shown on the first screen and in ``status`` and ``doctor`` while it lasts, and is recorded with each act done
under it.
"""

from datetime import timedelta

from agent.api.roles import Role
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import by_itself
from agent.errors import ForbiddenError, RefusedError
from agent.registry.repositories.break_glass import make_code
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message

handlers = HandlerTable()

_LASTS = timedelta(hours=1)


@handlers.act("breakglass.seal")
def _seal(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not request.site.role_groups().configured:
        raise RefusedError(
            Message("control.trial-cannot-seal"),
            Message("control.set-role-groups"),
        )
    code = make_code()
    change.break_glass.seal(code, by=request.officer())
    return HandlerResult({"code": code})  # returned only to the officer who confirms


@handlers.act("breakglass.open")
def _open(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if request.peer.uid != 0:
        raise ForbiddenError(Message("control.break-glass-needs-root"))
    if not request.site.role_groups().configured:
        raise RefusedError(Message("control.trial-needs-no-break-glass"))
    until = request.at + _LASTS
    change.break_glass.open(request.args.text("code"), by=request.officer(), until=until)
    text = Message("control.break-glass-opened")
    alarm = change.alarms.add("break-glass", text)
    return HandlerResult({"until": until.isoformat(), "alarm": alarm}, {"until": until.isoformat(), "alarm": True})


@handlers.act("breakglass.close")
def _close(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not (by_itself(request) or request.peer.uid == 0 or request.standing.role in (Role.SYSTEM, Role.SECURITY)):
        raise ForbiddenError(Message("control.break-glass-close-not-allowed"))
    change.break_glass.close()
    return HandlerResult({"closed": True})


@handlers.read("breakglass.show")
def _show(request: HandlerRequest) -> Json:
    state = request.site.facts.break_glass()
    return {
        "sealed_at": state.sealed_at.isoformat() if state.sealed_at else None,
        "sealed_by": state.sealed_by,
        "broken_until": state.broken_until.isoformat() if state.broken_until else None,
        "broken_by": state.broken_by,
    }
