"""Handlers: proposals. :mod:`agent.control.two_hands` makes and confirms them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from agent.api.operations import TABLE
from agent.control.dispatch import Act, HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers import (
    areas,
    break_glass,
    calendar,
    cases,
    clock,
    doors,
    grants,
    labels,
    occupancy,
    pack,
    people,
    roles,
    rooms,
    services,
    visitors,
)
from agent.control.handlers.case_transitions import by_itself
from agent.control.two_hands import code, gained_by, hand_of, proposed, recorded, waiting_row
from agent.errors import ForbiddenError, ShoumiError
from agent.registry.rehearsal import rehearsed_change
from agent.registry.repositories.proposals import ASKED
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message

handlers = HandlerTable()

_FAMILIES = (
    areas, break_glass, calendar, cases, clock, doors, grants, labels, occupancy, pack, people, roles, rooms, services,
    visitors,
)  # fmt: skip
# None of these acts outside the registry before its commit.
_ACTS: Mapping[str, Act] = {op: act for family in _FAMILIES for op, act in family.handlers.acts.items()}


@handlers.act("proposal.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    waiting = request.waiting
    if waiting is None:
        raise ForbiddenError(
            Message("control.agent-stores-proposals"),
            Message("control.run-act-to-propose"),
        )
    op, act_args = request.args.text("act"), json.loads(request.args.text("given"))
    would, roles_needed, hand, lapses = waiting.would, waiting.roles_needed, waiting.hand, waiting.lapses
    if proposal := request.args.text("takes_up"):
        change.proposals.take_up(proposal, would=would, asked=roles_needed, hand=hand, lapses=lapses)
    else:
        proposal = change.proposals.add(op, act_args, would=would, asked=roles_needed, hand=hand, lapses=lapses)
    reply = {
        "proposal": proposal,
        "act": op,
        "given": recorded(op, act_args),
        "would": waiting.would,
        "lapses": waiting.lapses.isoformat(),
    }
    return HandlerResult({**reply, "waiting": True}, reply)


@handlers.act("proposal.confirm")
def _confirm(_request: HandlerRequest, _change: RegistryTransaction) -> HandlerResult:
    raise AssertionError("the executor does the proposed act in its place")


@handlers.act("proposal.refuse")
def _refuse(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    row = waiting_row(request, request.args.text("proposal"))
    own = hand_of(request).name == row["proposed_by"]
    return _ended(request, change, row, "withdrawn" if own else "refused")


@handlers.act("proposal.lapse")
def _lapse(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not by_itself(request):
        raise ForbiddenError(Message("control.agent-ends-lapsed-proposals"))
    return _ended(request, change, request.site.lists.proposals.get(request.args.text("proposal")), "lapsed")


def _ended(
    request: HandlerRequest, change: RegistryTransaction, row: Mapping[str, Json], outcome: str
) -> HandlerResult:
    op, by = str(row["act"]), "" if outcome == "lapsed" else request.officer()
    act_args = recorded(op, row["given"])
    change.proposals.end(str(row["id"]), outcome, by=by, reason=request.args.text("reason"), given=act_args)
    return HandlerResult({"proposal": row["id"], "act": op, "outcome": outcome}, {"act": op, "outcome": outcome})


@handlers.stream("proposal.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    rows = request.site.lists.proposals.find(ended=request.args.flag("all"))
    return iter([_row_json(row) for row in rows])


def _texts(request: HandlerRequest, row: Mapping[str, Json]) -> dict[str, Json]:
    """Return the files in the arguments of the act; for a rule pack also the one in force."""
    operation = TABLE.get(str(row["act"]))
    files = [param.name for param in operation.params if param.kind == "file"] if operation else []
    texts = {name: row["given"][name] for name in files if isinstance(row["given"].get(name), str)}
    in_force = request.site.home.pack.read_text(encoding="utf-8") if row["act"] == "pack.use" else None
    return {"texts": texts, "pack_in_force": in_force}


_UNSEEN: dict[str, Json] = {"now": None, "seen": None, "because": None, "changes": [], "changes_more": 0}


def _row_json(row: Mapping[str, Json]) -> dict[str, Json]:
    return {**row, "given": recorded(str(row["act"]), row["given"])}


@handlers.read("proposal.show")
def _show(request: HandlerRequest) -> Json:
    row = request.site.lists.proposals.get(request.args.text("proposal"))
    reply = _row_json(row) | _texts(request, row)
    if row["outcome"] is not None or row["act"] not in _ACTS:
        return reply | _UNSEEN
    try:
        now, changes = _rehearsed(request, row)
    except ShoumiError as error:
        return reply | _UNSEEN | {"because": error.text.to_json()}
    return reply | {"now": now, "seen": _code(row, now), "because": None, "changes": [], "changes_more": 0} | changes


def _code(row: Mapping[str, Json], now: Mapping[str, Json]) -> str | None:
    """Return the code of the access shown; ``None`` for a request that an officer has yet to take up."""
    return None if row["role"] == ASKED else code(str(row["id"]), str(row["act"]), row["given"], now)


def _rehearsed(request: HandlerRequest, row: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the access that the act would grant now, and the rows it would write."""
    rehearsal = replace(proposed(request, row), rehearsed=True)
    with rehearsed_change(request.site.facts, request.at) as (before, change):
        applied = _ACTS[rehearsal.op](rehearsal, change)
        return gained_by(rehearsal, before, change, applied).to_json(), change.difference().to_json()
