"""Handlers: requests and queries of people without a role about themselves.

Rules of this file: the caller is the person of both the calling account and its login. They see their own denials and
whom to ask, and nothing else. A request becomes a proposal only when an officer takes it up. Pending requests and
queries of one person are limited.
"""

from collections.abc import Mapping
from datetime import timedelta

from agent.api.peers import seen_again
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.gains import GainedRights
from agent.control.two_hands import rule_of, supporters, waiting_row
from agent.errors import ForbiddenError, RefusedError
from agent.log import search
from agent.registry.repositories.proposals import ASKED, MOST_REQUESTS
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()

_DENIALS = 20
_DAYS = timedelta(days=7)
_SHOWN = ("seq", "time", "action", "area", "room", "path")  # of one's own denial


@handlers.act("request.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person, place = _asker(request), request.args.text("area")
    act_args = {"person": person, "area": place, "reason": request.args.text("reason")}
    if "until" in request.args:
        act_args["until"] = str(request.raw_args["until"])
    number = change.proposals.ask(
        "grant.add",
        act_args,
        would=GainedRights().to_json(),  # computed when an officer takes it up
        person=person,
        uid=request.peer.uid,
        login_uid=request.peer.loginuid,
        lapses=request.at + timedelta(days=rule_of(request).days),
    )
    reply = {"proposal": number, "person": person, "area": place, "ask": _whom(request, person, place)}
    return HandlerResult(reply, {"person": person, "proposal": number})


@handlers.act("request.support")
def _support(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    supporter = _asker(request)
    row = waiting_row(request, request.args.text("proposal"))
    asker = str(row["requested_by"])
    if not asker or supporter not in supporters(request, asker, _act_args(row)["area"]):
        raise ForbiddenError(
            Message("control.support-not-allowed"),
            Message("common.see-shoumi-mine"),
        )
    change.proposals.support(str(row["id"]), by=supporter)
    return HandlerResult({"proposal": row["id"], "person": asker}, {"person": asker, "supported_by": supporter})


@handlers.read("request.mine")
def _own_requests(request: HandlerRequest) -> Json:
    person = _asker(request)
    if not request.services.asking.takes(request.peer.uid):
        raise RefusedError(Message("control.query-rate-exceeded"), Message("control.wait-one-minute"))
    request.services.decider.append({"kind": "read", "what": request.op, "actor": request.actor(), "args": {}})
    proposals = request.site.lists.proposals
    return {
        "person": person,
        "denials": _denials(request, person),
        "requests": [_request(row) for row in proposals.requests(person, most=_DENIALS)],
        "to_support": [
            {**_request(row), "person": row["requested_by"], "reason": _act_args(row)["reason"]}
            for row in proposals.requests(most=MOST_REQUESTS)
            if not row["supported_by"]
            and person in supporters(request, str(row["requested_by"]), _act_args(row)["area"])
        ],
    }


def _asker(request: HandlerRequest) -> str:
    """Return the calling person. Raises :class:`ForbiddenError` for an unregistered account or another's login."""
    facts, peer = request.site.facts, seen_again(request.peer)
    person = facts.person_of_uid(peer.uid)
    login = None if peer.loginuid is None else facts.person_of_uid(peer.loginuid)
    if person is None:
        raise ForbiddenError(Message("control.uid-not-registered", uid=peer.uid))
    if not peer.login_known:
        raise ForbiddenError(Message("control.caller-ended"))
    if peer.loginuid is not None and login != person:
        raise ForbiddenError(Message("control.login-of-another-person"))
    return person


def _denials(request: HandlerRequest, person: str) -> list[dict[str, Json]]:
    request.services.indexer.fresh()
    wanted = search.Filter(person=person, verdict="deny", own=False, since=request.at - _DAYS, limit=_DENIALS)
    denials = []
    for row in search.query(request.site.home.index, wanted):
        entry: dict[str, Json] = row.entry
        if entry.get("person") != person:  # the person is only the login behind another's account
            continue
        place = entry.get("area") or entry.get("room")
        fields = {name: entry[name] for name in _SHOWN if entry.get(name) is not None}
        denials.append({**fields, "ask": _whom(request, person, str(place)) if place else []})
    return denials


def _whom(request: HandlerRequest, person: str, place: str) -> list[dict[str, Json]]:
    """Return the supporters whom *person* may ask about *place*, by id and name."""
    return [{"person": name, "name": _name(request, name)} for name in supporters(request, person, place)]


def _name(request: HandlerRequest, person: str) -> str:
    return visible(str(request.site.lists.people.dossier(person)["name"]))


def _request(row: Mapping[str, Json]) -> dict[str, Json]:
    names = ("id", "at", "lapses", "outcome", "ended_at", "supported_by")
    return {name: row[name] for name in names} | {"area": _act_args(row)["area"], "taken_up": row["role"] != ASKED}


def _act_args(row: Mapping[str, Json]) -> Mapping[str, str]:
    act_args: Mapping[str, str] = row["given"]
    return act_args
