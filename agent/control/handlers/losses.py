"""Handlers: plan of the rights an act would end, computed on a rehearsed change.

Rules of this file: the act itself is rehearsed with the caller's own rights, so that plan and act cannot differ; a
rehearsal leaves no entry. A person who holds nothing has no processes in the plan.
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
from rules.text import Message
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
    op, act_args = request.args.text("act"), _act_args(request)
    if op not in _ACTS:
        shown_act, plannable = visible(op), ", ".join(sorted(_ACTS))
        raise UsageError(Message("control.act-has-no-plan", act=shown_act),
                         Message("control.one-of", options=plannable))  # fmt: skip
    for roles in TABLE[op].allowed(act_args):
        if not request.standing.may(roles):
            raise ForbiddenError(Message("control.role-may-not-plan", op=op))
    planned = replace(request, op=op, args=TABLE[op].read(act_args, None), raw_args=act_args)
    compared = _rehearsed(planned)
    return {
        "act": op,
        "unknown": compared.unknown.to_json() if compared.unknown else None,
        "compared": compared.compared,
        "left_out": compared.left_out,
        "services": dict(compared.services),
        "lost": [loss._asdict() for loss in compared.losses],
        "plans": [_ends(request, loss) for loss in compared.losses[:_SHOWN] if loss.areas],
    }


def _act_args(request: HandlerRequest) -> dict[str, Json]:
    try:
        act_args = json.loads(request.args.text("given"))
    except ValueError:
        act_args = None
    if not isinstance(act_args, dict):
        raise UsageError(Message("control.arguments-not-json-object"))
    return act_args


def _rehearsed(request: HandlerRequest) -> ComparedRights:
    site = request.site
    with rehearsed_change(site.facts, request.at) as (before, change):
        applied = _ACTS[request.op](request, change)
        return compare_or_say(before, change, site.pack, applied.pack, request.at, applied.cut)


def _ends(request: HandlerRequest, loss: Loss) -> Json:
    uids = loss.uids or [int(str(row["uid"])) for row in request.site.lists.accounts.find(loss.person)]
    subject = RevocationSubject(loss.person, accounts(uids), areas=frozenset(loss.areas), uncut_only=True)
    return request.services.offboarding.survey_of(subject, Cause.LOSS)
