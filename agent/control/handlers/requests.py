"""Handlers: what people without a role ask for themselves.

Rules of this file: who asks is the person of the calling account and of its login, both the same. They learn of their
own denials and whom to ask, and of nothing else. A request has no hand behind it: it is a proposal only once an officer
takes it up. How much one person may have waiting, and how often they may look, is bounded.
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
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()

_DENIALS = 20
_DAYS = timedelta(days=7)
_SHOWN = ("seq", "time", "action", "area", "room", "path")  # of one's own denial


@handlers.act("request.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person, place = _asker(request), request.args.text("area")
    given = {"person": person, "area": place, "reason": request.args.text("reason")}
    if "until" in request.args:
        given["until"] = str(request.given["until"])
    number = change.proposals.ask(
        "grant.add",
        given,
        would=GainedRights().to_json(),  # it is computed when an officer takes it up
        person=person,
        uid=request.peer.uid,
        login_uid=request.peer.loginuid,
        lapses=request.at + timedelta(days=rule_of(request).days),
    )
    told = {"proposal": number, "person": person, "area": place, "ask": _whom(request, person, place)}
    return HandlerResult(told, {"person": person, "proposal": number})


@handlers.act("request.support")
def _support(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    supporter = _asker(request)
    row = waiting_row(request, request.args.text("proposal"))
    asker = str(row["requested_by"])
    if not asker or supporter not in supporters(request, asker, _given(row)["area"]):
        raise ForbiddenError(
            Text("it is not yours to support", "该申请不由您支持"),
            Text("see: shoumi mine", "参见：shoumi mine"),
        )
    change.proposals.support(str(row["id"]), by=supporter)
    return HandlerResult({"proposal": row["id"], "person": asker}, {"person": asker, "supported_by": supporter})


@handlers.read("request.mine")
def _mine(request: HandlerRequest) -> Json:
    person = _asker(request)
    if not request.services.asking.takes(request.peer.uid):
        raise RefusedError(
            Text("asked too often", "查询过于频繁"), Text("wait a minute, and ask again", "请一分钟后再试")
        )
    request.services.decider.append({"kind": "read", "what": request.op, "actor": request.actor(), "args": {}})
    proposals = request.site.lists.proposals
    return {
        "person": person,
        "denials": _denials(request, person),
        "requests": [_request(row) for row in proposals.requests(person, most=_DENIALS)],
        "to_support": [
            {**_request(row), "person": row["requested_by"], "reason": _given(row)["reason"]}
            for row in proposals.requests(most=MOST_REQUESTS)
            if not row["supported_by"] and person in supporters(request, str(row["requested_by"]), _given(row)["area"])
        ],
    }


def _asker(request: HandlerRequest) -> str:
    """Return the person who calls. Raises :class:`ForbiddenError` for an account or a login of nobody else's."""
    facts, peer = request.site.facts, seen_again(request.peer)
    person = facts.person_of_uid(peer.uid)
    login = None if peer.loginuid is None else facts.person_of_uid(peer.loginuid)
    if person is None:
        raise ForbiddenError(
            Text(f"uid {peer.uid} is the account of nobody the registry knows", f"uid {peer.uid} 不属于任何登记人员")
        )
    if not peer.login_known:
        raise ForbiddenError(Text("the process that asked has ended", "请求进程已结束"))
    if peer.loginuid is not None and login != person:
        raise ForbiddenError(Text("the login is somebody else's", "登录会话属于他人"))
    return person


def _denials(request: HandlerRequest, person: str) -> list[dict[str, Json]]:
    request.services.indexer.fresh()
    wanted = search.Filter(person=person, verdict="deny", own=False, since=request.at - _DAYS, limit=_DENIALS)
    found = []
    for row in search.query(request.site.home.index, wanted):
        entry: dict[str, Json] = row.entry
        if entry.get("person") != person:  # of the two persons behind it, they are the login of another's account
            continue
        place = entry.get("area") or entry.get("room")
        shown = {name: entry[name] for name in _SHOWN if entry.get(name) is not None}
        found.append({**shown, "ask": _whom(request, person, str(place)) if place else []})
    return found


def _whom(request: HandlerRequest, person: str, place: str) -> list[dict[str, Json]]:
    """Return whom *person* asks about *place*, by id and name."""
    return [{"person": name, "name": _name(request, name)} for name in supporters(request, person, place)]


def _name(request: HandlerRequest, person: str) -> str:
    return visible(str(request.site.lists.people.dossier(person)["name"]))


def _request(row: Mapping[str, Json]) -> dict[str, Json]:
    names = ("id", "at", "lapses", "outcome", "ended_at", "supported_by")
    return {name: row[name] for name in names} | {"area": _given(row)["area"], "taken_up": row["role"] != ASKED}


def _given(row: Mapping[str, Json]) -> Mapping[str, str]:
    given: Mapping[str, str] = row["given"]
    return given
