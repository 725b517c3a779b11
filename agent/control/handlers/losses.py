"""Handlers: what an act would take from whom, and what would end with it, found by a change of a copy.

Rules of this file: the act itself is rehearsed, with the caller's own rights, so that the plan and the act cannot say
different things; nothing is recorded of what did not happen. Whoever holds nothing has nothing in the plan that ends.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from agent.api.operations import PLANNED, TABLE
from agent.control.dispatch import Act, HandlerRequest, HandlerTable, Json
from agent.control.handlers import areas, grants, pack, people, rooms, visitors
from agent.control.losses import ComparedRights, compare_or_say
from agent.errors import ForbiddenError, UsageError
from agent.offboard.context import RevocationSubject
from agent.offboard.plan import Cause
from agent.offboard.steps.places import accounts
from agent.registry.rehearsal import rehearsed_change
from rules.rights import Loss
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()

_SHOWN = 20  # people whose processes are looked for
# None of these does anything outside the registry before its commit.
_ACTS: Mapping[str, Act] = {
    op: act
    for family in (grants, people, areas, rooms, visitors, pack)
    for op, act in family.handlers.acts.items()
    if op in PLANNED
}


@handlers.read("act.plan")
def _plan(request: HandlerRequest) -> Json:
    op, given = request.args.text("act"), _given(request)
    if op not in _ACTS:
        said, known = visible(op), ", ".join(sorted(_ACTS))
        raise UsageError(Text(f"`{said}` takes no rights that a plan could show", f"`{said}` 没有可预演的权限变化"),
                         Text(f"one of: {known}", f"可选：{known}"))  # fmt: skip
    for roles in TABLE[op].allowed(given):
        if not request.standing.may(roles):
            raise ForbiddenError(Text(f"`{op}` is not yours to do", f"您的角色不能执行 `{op}`"))
    asked = replace(request, op=op, args=TABLE[op].read(given, None), given=given)
    found = _rehearsed(asked)
    return {
        "act": op,
        "unknown": found.unknown.to_json() if found.unknown else None,
        "compared": found.compared,
        "left_out": found.left_out,
        "services": dict(found.services),
        "lost": [loss._asdict() for loss in found.losses],
        "plans": [_ends(request, loss) for loss in found.losses[:_SHOWN] if loss.areas],
    }


def _given(request: HandlerRequest) -> dict[str, Json]:
    try:
        given = json.loads(request.args.text("given"))
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise UsageError(Text("`given` is no JSON object", "`given` 不是 JSON 对象"))
    return given


def _rehearsed(request: HandlerRequest) -> ComparedRights:
    site = request.site
    with rehearsed_change(site.facts, request.at) as (before, change):
        done = _ACTS[request.op](request, change)
        return compare_or_say(before, change, site.pack, done.pack, request.at, done.cut)


def _ends(request: HandlerRequest, loss: Loss) -> Json:
    uids = loss.uids or [int(str(row["uid"])) for row in request.site.lists.accounts.find(loss.person)]
    subject = RevocationSubject(loss.person, accounts(uids), areas=frozenset(loss.areas), uncut_only=True)
    return request.services.offboarding.survey_of(subject, Cause.LOSS)
