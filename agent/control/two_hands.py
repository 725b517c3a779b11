"""What becomes of an act that gives access: done by one hand, kept until a second one confirms, or refused (C12).

    trial, the agent itself, or a rule of the pack   one hand is enough; the entry says which
    an officer                                       a proposal
    an officer who confirms another's proposal       both are looked at as they are now, and the act is done

Rules of this file: whether an act gives is what its operation declares, what its handler says of these arguments, and
what the comparison of rights finds, any of the three. Both hands are judged at the moment of the confirmation: their
person, their role, whether they are in office. What would be given is computed anew by then, and must not be more than
the second hand was shown.
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
from agent.control.eligibility import absence, known
from agent.control.gains import GainedRights, compare_or_say
from agent.errors import ForbiddenError, RefusedError, ShoumiError
from agent.registry.columns import instant
from agent.registry.facts import FactsReader
from agent.registry.repositories.proposals import ASKED, over
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.runtime import os_groups
from rules.pack.model import TwoHandsRule
from rules.text import Text
from rules.two_hands import Hand, why_no_hand, why_not_together
from rules.visible import visible

CONFIRM = "proposal.confirm"
_PATIENCE = 1.0  # seconds for the name service: other acts wait meanwhile
ONE_HAND = "one-hand"  # what an entry of a trial says
_ANOTHER = Text("let another officer do it", "请由其他管理员办理")


def is_trial(request: HandlerRequest) -> bool:
    """Whether the site has not named its role groups yet."""
    return not request.site.role_groups().configured


def rule_of(request: HandlerRequest) -> TwoHandsRule:
    """Return the rule of the pack in force; of one that cannot be read, the strictest."""
    try:
        return request.site.pack().two_hands
    except ShoumiError:
        return TwoHandsRule()


def one_hand(request: HandlerRequest) -> bool:
    """Whether one hand is enough for whatever this act gives."""
    broken = request.standing.role is Role.BREAK_GLASS
    return is_trial(request) or broken or request.peer.pid == os.getpid() or rule_of(request).takes_one(request.op)


def rehearsed(request: HandlerRequest) -> HandlerRequest:
    """Return *request* as it is applied first: what waits for a second officer anyhow is tried as if one had acted."""
    waiting = TABLE[request.op].gives and request.hands is None and request.waiting is None and not one_hand(request)
    return replace(request, rehearsed=True) if waiting else request


def waits(request: HandlerRequest, change: RegistryTransaction, done: HandlerResult) -> SecondHandNeeded | None:
    """Return what the applied act waits for, ``None`` when it may take effect.

    Raises :class:`RefusedError` or :class:`ForbiddenError` for one that may neither be proposed nor confirmed so.
    """
    if request.waiting is not None or request.op in ONLY_TAKES:  # what keeps a proposal gives nothing by itself
        return None
    broken = request.standing.role is Role.BREAK_GLASS
    if one_hand(request) and not broken:
        return None
    gained = gained_by(request, request.site.facts, change, done)
    if broken:
        _require_nothing_given(gained._replace(always=False))
        return None
    if not (gained or request.asked):
        return None
    rule, gaining = rule_of(request), gained.persons | _named(request, done) | _written(change)
    if request.hands is None:
        assert request.rehearsed or not TABLE[request.op].gives
        first = hand_of(request)
        _require(why_no_hand(first, gaining, rule))
        asked = tuple(sorted(role.value for roles in request.asked for role in roles))
        return SecondHandNeeded(gained.to_json(), first, asked, request.at + timedelta(days=rule.days))
    second = replace(request.hands.second, login_known=seen_again(request.peer).login_known)
    for hand in (request.hands.first, second):
        _require(why_no_hand(hand, gaining, rule))
    _as_shown(request, request.hands, gained)
    return None


def gained_by(
    request: HandlerRequest, before: FactsReader, change: RegistryTransaction, done: HandlerResult
) -> GainedRights:
    """Return what the applied act gives beyond what stood *before*, and whether such an act waits anyhow."""
    gained = compare_or_say(before, change, request.site.pack, done.pack, request.at)
    always = done.gives or _declared(TABLE[request.op], request.given)
    return gained._replace(always=always, outside=done.outside)


def confirmed(request: HandlerRequest) -> HandlerRequest:
    """Return the act that the proposal named in *request* is about, to be done with two hands.

    Raises :class:`RefusedError` or :class:`ForbiddenError` when the caller cannot be the second one.
    """
    row = waiting_row(request, request.args.text("proposal"))
    op = str(row["act"])
    if row["role"] == ASKED:
        return _taken_up(request, row)
    first, second = proposer_of(request, row), hand_of(request)
    if first.person and (why := absence(request, first.person)):
        raise RefusedError(Text(f"who proposed it: {why.en}", f"提议人：{why.zh}"), _ANOTHER)
    _require(why_not_together(first, second, op, rule_of(request)))
    _require_not_supporter(row, first.name, second.name)
    asked = row["asked"]
    if any(role not in {first.role, second.role} for role in asked):
        raise ForbiddenError(
            Text(f"the second hand has to be: {', '.join(asked)}", f"第二人须为：{'、'.join(asked)}"), _ANOTHER
        )
    hands = Hands(str(row["id"]), first, second, str(row["at"]), row["would"], request.args.text("seen"))
    return replace(proposed(request, row), hands=hands)


def _taken_up(request: HandlerRequest, row: Mapping[str, Json]) -> HandlerRequest:
    """Return the act that somebody without a role asked for, as one that the caller proposes.

    Raises :class:`ForbiddenError` for a caller who may not do that act, and :class:`RefusedError` while the head of the
    department, or who has the place in custody, has not supported it.
    """
    op = str(row["act"])
    if not all(request.standing.may(roles) for roles in TABLE[op].allowed(row["given"])):
        raise ForbiddenError(
            Text(f"`{op}` is not for your role to propose", f"您的角色不能提议 `{op}`"),
            Text("let a security officer take it up", "请由安全保密管理员受理"),
        )
    _require_not_supporter(row, request.officer())
    able = supporters(request, str(row["requested_by"]), str(row["given"]["area"]))
    if able and row["supported_by"] not in able:
        named = ", ".join(visible(name) for name in able)
        number = visible(str(row["id"]))
        raise RefusedError(
            Text(f"it waits for the word of {named} first", f"须先由 {named} 支持"),
            Text(f"they run: shoumi support {number}", f"请其运行：shoumi support {number}"),
        )
    args = TABLE[op].read(row["given"], None)
    return replace(request, op=op, args=args, given=row["given"], takes_up=str(row["id"]))


def supporters(request: HandlerRequest, person: str, place: str) -> list[str]:
    """Return who may support what *person* asks for: heads of their department, and who has the place in custody.

    Only who is in office and has an account of their own counts; nobody supports their own.
    """
    facts = request.site.facts.facts([person], place)[1]
    asker, resource = facts.persons.get(person), facts.resources.get(place)
    heads = request.site.lists.people.heads(asker.department) if asker and asker.department else []
    keepers = [resource.custodian] if resource and resource.custodian else []
    return [
        name
        for name in dict.fromkeys([*heads, *keepers])
        if name != person
        and known(request, name)
        and absence(request, name) is None
        and request.site.lists.accounts.find(name)
    ]


def proposed(request: HandlerRequest, row: Mapping[str, Json]) -> HandlerRequest:
    """Return the act of the proposal *row* as a request of both hands together.

    Raises :class:`RefusedError` where its secrets are lost.
    """
    op = str(row["act"])
    given = request.services.secrets.shown(op, row["given"])
    return replace(
        request,
        op=op,
        args=TABLE[op].read(given, None),
        given=given,
        standing=request.standing if row["role"] == ASKED else CallerRole(Role(str(row["role"]))),
        partner=OFFICERS,
    )


def kept(request: HandlerRequest, waiting: SecondHandNeeded) -> HandlerRequest:
    """Return the request that keeps *request* as a proposal."""
    hidden = request.services.secrets.hidden(request.op, request.given)
    given = {"act": request.op, "given": json.dumps(hidden, ensure_ascii=False)}
    given |= {"takes_up": request.takes_up} if request.takes_up else {}
    args = TABLE["proposal.add"].read(given, None)
    return replace(request, op="proposal.add", args=args, given=given, waiting=waiting, takes_up="", rehearsed=False)


def end(request: HandlerRequest, change: RegistryTransaction) -> None:
    """End the proposal by which *request* is done, if it is by one, in the change that does it."""
    number = request.hands.proposal if request.hands else request.takes_up
    if number:
        by = request.hands.second.name if request.hands else request.officer()
        change.proposals.end(number, "confirmed", by=by, given=recorded(request.op, request.given))


def said(request: HandlerRequest) -> dict[str, Json]:
    """Return what the entry of an act says of the hands behind it."""
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
    """Return a proposal that still waits. Raises :class:`RefusedError`."""
    row: Mapping[str, Json] = request.site.lists.proposals.get(name)
    if row["outcome"] is not None:
        raise over(name, str(row["outcome"]))
    if str(row["lapses"]) <= instant(request.at):
        raise over(name, "lapsed")
    return row


def hand_of(request: HandlerRequest) -> Hand:
    """Return the caller as a hand, as the registry has them now."""
    role = request.standing.role
    if request.hands is not None:
        return request.hands.second
    peer = seen_again(request.peer)
    hand = _hand(request, peer.uid, peer.loginuid, role.value if role else None)
    return replace(hand, login_known=peer.login_known)


def proposer_of(request: HandlerRequest, row: Mapping[str, Json]) -> Hand:
    """Return who made a proposal, as they are now: their account may have lost its role, or be somebody else's."""
    uid = int(row["uid"])
    groups, present = request.site.role_groups(), _present(uid)
    role: str | None = str(row["role"])
    if present is None and request.site.facts.was_on_host(uid):
        role = None  # the account has been taken from this host since
    if present is not None:
        now = standing(replace(request.peer, uid=uid, groups=present), groups, os_groups.gid_of, present).role
        role = now.value if now else None
    login = row["login_uid"]
    hand = _hand(request, uid, None if login is None else int(login), role)
    if hand.name != row["proposed_by"]:
        said = visible(str(row["proposed_by"]))
        raise RefusedError(
            Text(f"uid {uid} is not the account of `{said}` any more", f"uid {uid} 已不是 `{said}` 的账号"),
            Text("have it proposed again", "请重新提议"),
        )
    return hand


def code(proposal: str, op: str, given: Mapping[str, Json], gained: Mapping[str, Json]) -> str:
    """Return the short code of a proposal and what it would give, by which a confirmation says what was seen."""
    text = json.dumps([proposal, op, recorded(op, given), gained], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def recorded(op: str, given: Mapping[str, Json]) -> dict[str, Json]:
    """Return the arguments of a proposed act as entries and lists have them: no secrets, files by their digest."""
    files = {param.name for param in TABLE[op].params if param.kind == "file"}
    return {
        name: _digest(value) if name in files and isinstance(value, str) else value
        for name, value in TABLE[op].recorded(given).items()
        if value is not None
    }


def _digest(text: str) -> dict[str, Json]:
    data = text.encode()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _hand(request: HandlerRequest, uid: int, login_uid: int | None, role: str | None) -> Hand:
    facts = request.site.facts
    person = facts.person_of_uid(uid)
    login = None if login_uid is None else facts.person_of_uid(login_uid)
    return Hand(uid, person, role, login_uid, login, known=person is not None or _present(uid) is not None)


def _present(uid: int) -> frozenset[int] | None:
    """Return the groups of *uid* now. Raises :class:`RefusedError` where the name service does not say in time."""
    try:
        return os_groups.present_within(uid, _PATIENCE)
    except (TimeoutError, OSError):
        raise RefusedError(
            Text(
                f"the name service did not say in time which groups uid {uid} is in",
                f"名称服务未及时说明 uid {uid} 所在的组",
            ),
            Text(f"see how long it takes: id {uid}", f"查看所需时间：id {uid}"),
        ) from None


def _require_not_supporter(row: Mapping[str, Json], *officers: str) -> None:
    if row["supported_by"] in officers:
        said = visible(str(row["supported_by"]))
        raise ForbiddenError(
            Text(f"`{said}` has supported the request, and is no officer in it", f"`{said}` 已支持该申请，不得再办理"),
            _ANOTHER,
        )


def _require_nothing_given(gained: GainedRights) -> None:
    if gained:
        names = ", ".join(visible(name) for name in sorted(gained.persons)) or "?"
        raise ForbiddenError(
            Text(f"the broken glass restores offices and opens nothing: {names} would gain by it",
                 f"应急状态只恢复三员，不授予权限：{names} 将因此获得权限"),
            Text("end their grants first (shoumi grant end), or let two officers do it",
                 "请先终止其授权（shoumi grant end），或由两名管理员办理"),
        )  # fmt: skip


def on_host(uid: int) -> bool:
    """Whether this host has an account of *uid* now; ``False`` where the name service does not say in time."""
    try:
        return os_groups.present_within(uid, _PATIENCE) is not None
    except (TimeoutError, OSError):
        return False


def _declared(operation: Operation, given: Mapping[str, Json]) -> bool:
    return operation.gives or any(
        param.gives and given.get(param.name) not in (None, False, []) for param in operation.params
    )


def _written(change: RegistryTransaction) -> frozenset[str]:
    """Return the people for whom an account, a badge, a level or a grant is written by the change."""
    tables = ("accounts", "badges", "clearances", "grants")
    rows = (row for row in change.difference().rows if row["table"] in tables and row["after"])
    return frozenset(str(row["after"]["person"]) for row in rows if row["after"].get("person"))


def _named(request: HandlerRequest, done: HandlerResult) -> frozenset[str]:
    """Return the people an act that gives is about."""
    given = request.args.values.get("person", ())
    people = {given} if isinstance(given, str) else set(given if isinstance(given, tuple) else ())
    return frozenset({*people, *([about] if isinstance(about := done.result.get("person"), str) else [])})


def _as_shown(request: HandlerRequest, hands: Hands, gained: GainedRights) -> None:
    now = gained.to_json()
    if hands.seen and hands.seen != code(hands.proposal, request.op, request.given, now):
        raise RefusedError(
            Text("it would give something else by now than what was seen", "现在生效的结果与所见不同"),
            Text(f"see: shoumi proposal show {hands.proposal}", f"参见：shoumi proposal show {hands.proposal}"),
        )
    if not hands.seen and now != hands.would:
        raise RefusedError(
            Text("it would give something else by now than when it was proposed", "现在生效的结果与提议时不同"),
            Text(
                f"look, and confirm with --seen: shoumi proposal show {hands.proposal}",
                f"请查看后用 --seen 确认：shoumi proposal show {hands.proposal}",
            ),
        )


def _require(why: Text | None) -> None:
    if why is not None:
        raise ForbiddenError(why, _ANOTHER)
