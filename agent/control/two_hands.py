"""Two-person rule for acts that grant access: executed alone, stored as a proposal, or refused (C12).

    trial, the agent itself, or a rule of the pack   one officer is enough; recorded in the entry
    an officer                                       a proposal
    an officer who confirms another's proposal       both are checked as of now, and the act is executed

Rules of this file: an act grants access if its operation declares it, if its handler reports it for these arguments, or
if the comparison of rights finds a gain. Both officers are checked at the moment of confirmation: person, role, and
whether they are in office. The access to be granted is computed again then, and must not differ from what the second
officer was shown.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from agent.api.operations import ONLY_TAKES, TABLE
from agent.api.operations.schema import OFFICERS, Operation
from agent.api.peers import seen_again
from agent.api.roles import CallerRole, Role, standing
from agent.control.dispatch import HandlerRequest, HandlerResult, Hands, Json, SecondHandNeeded
from agent.control.eligibility import absence, find_person
from agent.control.gains import GainedRights, compare_or_say
from agent.errors import ForbiddenError, RefusedError, ShoumiError
from agent.registry.columns import instant
from agent.registry.facts import FactsReader
from agent.registry.repositories.proposals import ASKED, over
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.runtime import os_groups
from rules.pack.model import TwoHandsRule
from rules.text import Message, Sentence
from rules.two_hands import Hand, why_no_hand, why_not_together
from rules.visible import visible

CONFIRM = "proposal.confirm"
_PATIENCE = 1.0  # seconds for the name service; other acts wait meanwhile
ONE_HAND = "one-hand"  # value in entries of a trial
_ANOTHER = Message("control.ask-another-officer")


def is_trial(request: HandlerRequest) -> bool:
    """Return whether the site is in its trial: no role groups are set."""
    return not request.site.role_groups().configured


def rule_of(request: HandlerRequest) -> TwoHandsRule:
    """Return the rule of the pack in force; the strictest for an unreadable pack."""
    try:
        return request.site.pack().two_hands
    except ShoumiError:
        return TwoHandsRule()


def one_hand(request: HandlerRequest) -> bool:
    """Return whether one officer is enough for this act, whatever it grants."""
    broken = request.standing.role is Role.BREAK_GLASS
    return is_trial(request) or broken or request.peer.pid == os.getpid() or rule_of(request).takes_one(request.op)


def rehearsed(request: HandlerRequest) -> HandlerRequest:
    """Return *request* for its first application: an act that needs a second officer anyway is rehearsed with one."""
    waiting = TABLE[request.op].gives and request.hands is None and request.waiting is None and not one_hand(request)
    return replace(request, rehearsed=True) if waiting else request


def waits(request: HandlerRequest, change: RegistryTransaction, applied: HandlerResult) -> SecondHandNeeded | None:
    """Return the second officer that the applied act needs, ``None`` when it may take effect.

    Raises :class:`RefusedError` or :class:`ForbiddenError` for an act that may neither be proposed nor confirmed.
    """
    if request.waiting is not None or request.op in ONLY_TAKES:  # storing a proposal grants nothing by itself
        return None
    broken = request.standing.role is Role.BREAK_GLASS
    if one_hand(request) and not broken:
        return None
    gained = gained_by(request, request.site.facts, change, applied)
    if broken:
        _require_nothing_given(gained._replace(always=False))
        return None
    if not (gained or request.roles_needed):
        return None
    rule, gaining = rule_of(request), gained.persons | _named(request, applied) | _written(change)
    if request.hands is None:
        assert request.rehearsed or not TABLE[request.op].gives
        first = hand_of(request)
        _require(why_no_hand(first, gaining, rule))
        roles_needed = tuple(sorted(role.value for roles in request.roles_needed for role in roles))
        return SecondHandNeeded(gained.to_json(), first, roles_needed, request.at + timedelta(days=rule.days))
    second = replace(request.hands.second, login_known=seen_again(request.peer).login_known)
    for hand in (request.hands.first, second):
        _require(why_no_hand(hand, gaining, rule))
    _as_shown(request, request.hands, gained)
    return None


def gained_by(
    request: HandlerRequest, before: FactsReader, change: RegistryTransaction, applied: HandlerResult
) -> GainedRights:
    """Return the access that the applied act adds to *before*, and whether the act needs a second officer anyway."""
    gained = compare_or_say(before, change, request.site.pack, applied.pack, request.at)
    always = applied.gives or _declared(TABLE[request.op], request.raw_args)
    return gained._replace(always=always, outside=applied.outside)


def confirmed(request: HandlerRequest) -> HandlerRequest:
    """Return the act of the proposal in *request*, to be executed by two officers.

    Raises :class:`RefusedError` or :class:`ForbiddenError` when the caller cannot be the second officer.
    """
    row = waiting_row(request, request.args.text("proposal"))
    op = str(row["act"])
    if row["role"] == ASKED:
        return _taken_up(request, row)
    first, second = proposer_of(request, row), hand_of(request)
    if first.person and (reason := absence(request, first.person)):
        raise RefusedError(Message("control.proposer-ineligible", reason=reason), _ANOTHER)
    _require(why_not_together(first, second, op, rule_of(request)))
    _require_not_supporter(row, first.name, second.name)
    roles_needed = row["asked"]
    if any(role not in {first.role, second.role} for role in roles_needed):
        raise ForbiddenError(
            Message("control.second-officer-role-required", roles=[Role(role).text for role in roles_needed]),
            _ANOTHER,
        )
    hands = Hands(str(row["id"]), first, second, str(row["at"]), row["would"], request.args.text("seen"))
    return replace(proposed(request, row), hands=hands)


def _taken_up(request: HandlerRequest, row: Mapping[str, Json]) -> HandlerRequest:
    """Return the act that a person without a role requested, as a proposal of the caller.

    Raises :class:`ForbiddenError` for a caller who may not perform that act, and :class:`RefusedError` until the head
    of the department, or the custodian of the place, has supported it.
    """
    op = str(row["act"])
    if not all(request.standing.may(roles) for roles in TABLE[op].allowed(row["given"])):
        raise ForbiddenError(
            Message("control.role-may-not-propose", op=op),
            Message("control.ask-security-officer"),
        )
    _require_not_supporter(row, request.officer())
    able = supporters(request, str(row["requested_by"]), str(row["given"]["area"]))
    if able and row["supported_by"] not in able:
        named = ", ".join(visible(name) for name in able)
        number = visible(str(row["id"]))
        raise RefusedError(
            Message("control.support-required-first", supporters=named),
            Message("control.ask-to-support", number=number),
        )
    args = TABLE[op].read(row["given"], None)
    return replace(request, op=op, args=args, raw_args=row["given"], takes_up=str(row["id"]))


def supporters(request: HandlerRequest, person: str, place: str) -> list[str]:
    """Return the possible supporters of a request of *person*: heads of their department, and the custodian.

    Only people in office with an account count; no one supports their own request.
    """
    facts = request.site.facts.facts([person], place)[1]
    asker, resource = facts.persons.get(person), facts.resources.get(place)
    heads = request.site.lists.people.heads(asker.department) if asker and asker.department else []
    keepers = [resource.custodian] if resource and resource.custodian else []
    return [
        name
        for name in dict.fromkeys([*heads, *keepers])
        if name != person
        and find_person(request, name)
        and absence(request, name) is None
        and request.site.lists.accounts.find(name)
    ]


def proposed(request: HandlerRequest, row: Mapping[str, Json]) -> HandlerRequest:
    """Return the act of the proposal *row* as a request of both officers.

    Raises :class:`RefusedError` when its secrets are lost.
    """
    op = str(row["act"])
    act_args = request.services.secrets.revealed(op, row["given"])
    return replace(
        request,
        op=op,
        args=TABLE[op].read(act_args, None),
        raw_args=act_args,
        standing=request.standing if row["role"] == ASKED else CallerRole(Role(str(row["role"]))),
        partner=OFFICERS,
    )


def proposal_request(request: HandlerRequest, waiting: SecondHandNeeded) -> HandlerRequest:
    """Return the request that stores *request* as a proposal."""
    hidden = request.services.secrets.hidden(request.op, request.raw_args)
    act_args = {"act": request.op, "given": json.dumps(hidden, ensure_ascii=False)}
    act_args |= {"takes_up": request.takes_up} if request.takes_up else {}
    args = TABLE["proposal.add"].read(act_args, None)
    return replace(
        request, op="proposal.add", args=args, raw_args=act_args, waiting=waiting, takes_up="", rehearsed=False
    )


def end(request: HandlerRequest, change: RegistryTransaction) -> None:
    """End the proposal behind *request*, if any, in the same change."""
    number = request.hands.proposal if request.hands else request.takes_up
    if number:
        by = request.hands.second.name if request.hands else request.officer()
        change.proposals.end(number, "confirmed", by=by, given=recorded(request.op, request.raw_args))


def hands_fields(request: HandlerRequest) -> dict[str, Json]:
    """Return the fields about the officers of an act for its entry."""
    if request.hands is not None:
        first = request.hands.first
        proposer = {"uid": first.uid, "loginuid": first.login_uid, "role": first.role, "person": first.person}
        return {"hands": {"proposal": request.hands.proposal, "proposed_by": proposer, "at": request.hands.at}}
    if request.standing.role is Role.BREAK_GLASS:
        return {"hands": Role.BREAK_GLASS.value, "alarm": True}
    own, takes = request.peer.pid == os.getpid(), request.op in ONLY_TAKES
    left_to_one = not (own or takes) and rule_of(request).takes_one(request.op)
    return {"hands": ONE_HAND} if is_trial(request) or left_to_one else {}


def waiting_row(request: HandlerRequest, name: str) -> Mapping[str, Json]:
    """Return a pending proposal. Raises :class:`RefusedError`."""
    row: Mapping[str, Json] = request.site.lists.proposals.get(name)
    if row["outcome"] is not None:
        raise over(name, str(row["outcome"]))
    if str(row["lapses"]) <= instant(request.at):
        raise over(name, "lapsed")
    return row


def hand_of(request: HandlerRequest) -> Hand:
    """Return the caller as a hand, by the registry now."""
    role = request.standing.role
    if request.hands is not None:
        return request.hands.second
    peer = seen_again(request.peer)
    hand = _hand(request, peer.uid, peer.loginuid, role.value if role else None)
    return replace(hand, login_known=peer.login_known)


def proposer_of(request: HandlerRequest, row: Mapping[str, Json]) -> Hand:
    """Return the proposer as of now: the account may have lost its role, or belong to another person."""
    uid = int(row["uid"])
    groups, present = request.site.role_groups(), _present(uid)
    role: str | None = str(row["role"])
    if present is None and request.site.facts.was_on_host(uid):
        role = None  # the account was removed from this host since
    if present is not None:
        now = standing(replace(request.peer, uid=uid, groups=present), groups, os_groups.gid_of, present).role
        role = now.value if now else None
    login = row["login_uid"]
    hand = _hand(request, uid, None if login is None else int(login), role)
    if hand.name != row["proposed_by"]:
        shown_name = visible(str(row["proposed_by"]))
        raise RefusedError(
            Message("control.uid-no-longer-bound", uid=uid, person=shown_name),
            Message("control.propose-again"),
        )
    return hand


def code(proposal: str, op: str, act_args: Mapping[str, Json], gained: Mapping[str, Json]) -> str:
    """Return the short code of a proposal and its access, by which a confirmation states what was reviewed."""
    text = json.dumps([proposal, op, recorded(op, act_args), gained], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def recorded(op: str, act_args: Mapping[str, Json]) -> dict[str, Json]:
    """Return the arguments of a proposed act for entries and lists: without secrets, files by their digest."""
    files = {param.name for param in TABLE[op].params if param.kind == "file"}
    return {
        name: _digest(argument) if name in files and isinstance(argument, str) else argument
        for name, argument in TABLE[op].recorded(act_args).items()
        if argument is not None
    }


def _digest(text: str) -> dict[str, Json]:
    content = text.encode()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _hand(request: HandlerRequest, uid: int, login_uid: int | None, role: str | None) -> Hand:
    facts = request.site.facts
    person = facts.person_of_uid(uid)
    login = None if login_uid is None else facts.person_of_uid(login_uid)
    return Hand(uid, person, role, login_uid, login, known=person is not None or _present(uid) is not None)


def _present(uid: int) -> frozenset[int] | None:
    """Return the groups of *uid* now. Raises :class:`RefusedError` when the name service does not answer in time."""
    try:
        return os_groups.present_within(uid, _PATIENCE)
    except (TimeoutError, OSError):
        raise RefusedError(
            Message("control.officer-groups-unknown", uid=uid),
            Message("control.check-name-service", uid=uid),
        ) from None


def _require_not_supporter(row: Mapping[str, Json], *officers: str) -> None:
    if row["supported_by"] in officers:
        shown_name = visible(str(row["supported_by"]))
        raise ForbiddenError(
            Message("control.supporter-may-not-decide", person=shown_name),
            _ANOTHER,
        )


def _require_nothing_given(gained: GainedRights) -> None:
    if gained:
        names = ", ".join(visible(name) for name in sorted(gained.persons)) or "?"
        raise ForbiddenError(
            Message("control.break-glass-grants-nothing", names=names),
            Message("control.end-grants-first"),
        )  # fmt: skip


def on_host(uid: int) -> bool:
    """Return whether this host has an account *uid* now; ``False`` when the name service does not answer in time."""
    try:
        return os_groups.present_within(uid, _PATIENCE) is not None
    except (TimeoutError, OSError):
        return False


def _declared(operation: Operation, arguments: Mapping[str, Json]) -> bool:
    return operation.gives or any(
        param.gives and arguments.get(param.name) not in (None, False, []) for param in operation.params
    )


def _written(change: RegistryTransaction) -> frozenset[str]:
    """Return the people whose accounts, badges, levels or grants the change writes."""
    tables = ("accounts", "badges", "clearances", "grants")
    rows = (row for row in change.difference().rows if row["table"] in tables and row["after"])
    return frozenset(str(row["after"]["person"]) for row in rows if row["after"].get("person"))


def _named(request: HandlerRequest, applied: HandlerResult) -> frozenset[str]:
    """Return the people named in an act that grants access."""
    person_arg = request.args.values.get("person", ())
    people = {person_arg} if isinstance(person_arg, str) else set(person_arg if isinstance(person_arg, tuple) else ())
    return frozenset({*people, *([about] if isinstance(about := applied.reply.get("person"), str) else [])})


def _as_shown(request: HandlerRequest, hands: Hands, gained: GainedRights) -> None:
    now = gained.to_json()
    if hands.seen_code and hands.seen_code != code(hands.proposal, request.op, request.raw_args, now):
        raise RefusedError(
            Message("control.grants-differ-from-review"),
            Message("control.see-proposal", proposal=hands.proposal),
        )
    if not hands.seen_code and now != hands.would:
        raise RefusedError(
            Message("control.grants-differ-from-proposal"),
            Message("control.review-proposal-then-confirm", proposal=hands.proposal),
        )


def _require(objection: Sentence | None) -> None:
    if objection is not None:
        raise ForbiddenError(objection, _ANOTHER)
