"""How an act is done: in an order that never lets a change stand without its entry (contract C2).

    begin → apply → compare rights → note the intent → append the entry → commit → tell the decider → its
    acknowledgement → cut who lost something → clear the intent → afterwards

What gives access ends after the comparison, and is kept as a proposal in its place (:mod:`agent.control.two_hands`).

Rules of this file:
- append fails: nothing is changed, and the caller is told so;
- killed after the append, or the commit fails: the entry stands and the change does not, so a second entry says that
  the act was not completed, at once or at the next start (:meth:`ActExecutor.settle`);
- refused and forbidden acts are entries too, but a caller cannot fill the disk with them;
- one thread does all acts, one after the other;
- nobody acts who is on hold, inactive or leaving, whatever group their account is still in;
- on a registry that lacks what the log holds nothing is done but to accept it (:data:`MEANWHILE`). Not even a hold:
  nobody can open anything meanwhile, and what was done here would be lost once the right registry is put back.
"""

import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control import eligibility, two_hands
from agent.control.decider_client import DeciderClient
from agent.control.dispatch import Act, HandlerRequest, SecondHandNeeded
from agent.control.first_hand import FirstHand
from agent.control.losses import compare_or_say
from agent.control.services import ControlServices
from agent.errors import FatalError, ForbiddenError, RefusedError, ShoumiError, UnreachableError
from agent.log import backward
from agent.registry import stores
from agent.registry.intent import WriteAheadIntent
from agent.runtime.config import RoleGroups
from rules.text import Text

_LONGEST_LIST, _FIRST = 16_000, 100  # of a list, and how many of a longer one: each area of an act is found by it
_LONGEST = 2000  # characters of an argument that an entry repeats
MEANWHILE = frozenset({"registry.accept"})  # what may be done while the registry is older than the log


class ActExecutor:
    """Does acts, for callers and for the agent itself. Belongs to the thread of acts."""

    def __init__(self, services: ControlServices, acts: Mapping[str, Act]) -> None:
        self._services = services
        self._acts = acts
        self._first_hand = FirstHand()

    def execute(self, request: HandlerRequest) -> dict[str, Any]:
        """Do the act and return its result with ``seq``, ``epoch`` and ``milliseconds`` until the acknowledgement.

        They count from when the request came; how many of them it waited for its turn is ``waited_milliseconds``.

        Raises :class:`RefusedError` or :class:`ForbiddenError` (nothing was changed), :class:`UnreachableError` (the
        change stands in log and registry, and the decider has not acknowledged it: it will before it answers anybody).
        """
        begun = time.monotonic()
        arrived = begun if request.arrived is None else request.arrived
        services = self._services
        fields: dict[str, Any] = {}
        seq = 0
        asked = request
        try:
            if self.older() and request.op not in MEANWHILE:
                raise RefusedError(stores.OLDER, stores.REMEDY)
            self.settle()
            eligibility.check(request)
            if asked.op == two_hands.CONFIRM:
                request = two_hands.confirmed(asked)
            with services.registry.change(at=request.at) as change:
                request = two_hands.rehearsed(request)
                done = self._acts[request.op](request, change)
                waiting = two_hands.waits(request, change, done)
                if waiting and request.op in MEANWHILE:
                    request, waiting = self._first_hand.met(request, waiting), None
                _may_take_effect(waiting)
                two_hands.end(request, change)
                if done.prepare:
                    done.prepare()
                lost = compare_or_say(services.site.facts, change, services.site.pack, done.pack, request.at, done.cut)
                fields = entry(request, "done", change.epoch, {**request.given, **done.log_fields})
                fields |= lost.to_json() | change.changed().to_json()
                fields["change"] = secrets.token_hex(8)
                services.intent.note({**fields, "after": backward.last(services.site.home.log)})
                seq = _append(services.decider, fields)
                change.recorded.add(seq, fields["change"])
                by, why = request.officer(), request.args.text("reason")
                cut = [
                    change.losses.add(loss, act=request.op, entry=seq, by=by, reason=why)
                    for loss in lost.losses
                    if loss.areas and loss.person not in done.cut
                ]
                change.commit()
                durable = services.site.now()
        except _WaitsError as waits:
            return self.execute(two_hands.kept(request, waits.waiting))
        except _UnsettledError:
            raise  # the intent stays: whoever acts next, or starts next, settles it first
        except ShoumiError as error:
            if seq:  # the entry is in the log and the commit failed
                self.settle()
            else:
                if fields:
                    services.intent.clear()
                record_refusal(asked, error)
            raise
        services.offboarding.committed(request.received or request.at, durable)
        services.site.stores.check(services.site.facts, fields["epoch"])  # the epoch never goes back behind this one
        if done.on_commit:
            done.on_commit()
        _acknowledged(services.decider, fields["epoch"])
        result = {**done.result, "seq": seq, "epoch": fields["epoch"]}
        result |= {"act": request.op, "proposal": request.hands.proposal} if request.hands else {}
        result |= {"losses": cut} if cut else {}
        if any(loss.rooms for loss in lost.losses):
            services.doors.changed()
        services.offboarding.start_losses(cut, request.peer.pid)
        if lost.by_looks:
            services.quiet_scan.look_soon()
        result["waited_milliseconds"] = (begun - arrived) * 1000
        result["milliseconds"] = (time.monotonic() - arrived) * 1000
        result |= done.on_ack() if done.on_ack else {}
        with suppress(OSError):  # then it is of an act that the registry holds, and says nothing
            services.intent.clear()  # whom the act cuts does not wait for this
        return result | (done.on_logged(seq) if done.on_logged else {})

    def execute_own(self, op: str, args: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Do an act of the agent itself, as an officer's would be done; *by* says for whom (``schedule``, ``hr``)."""
        site = self._services.site
        agent = Peer(os.getpid(), os.getuid(), os.getgid(), frozenset())
        return self.execute(
            HandlerRequest(
                op,
                TABLE[op].read(args, None),
                {**args, "by": by},
                agent,
                CallerRole(Role.SECURITY),
                site.now(),
                self._services,
            )
        )

    def adopt_roles(self, groups: RoleGroups) -> None:
        """End the trial by the groups that config.toml names: where they were before they were an act."""
        named = {name: str(group) for name in groups.__struct_fields__ if (group := getattr(groups, name)) is not None}
        self.execute_own("role.set", named, by="config.toml")

    def older(self) -> bool:
        """Whether the registry lacks what the log holds, as it is now.

        Raises :class:`FatalError` when it has become another one under us: the next start looks at everything again.
        """
        site = self._services.site
        site.facts.require_same_file()
        before = site.stores.now.older
        if site.stores.check(site.facts).older and not before:
            raise FatalError(stores.OLDER)
        return before

    def settle(self) -> bool:
        """Settle what was under way; see :func:`settle`. Only where the registry is not older than the log."""
        return settle(self._services.intent, self._services.decider, self._services.site.facts.epoch())


def settle(intent: WriteAheadIntent, decider: DeciderClient, epoch: int) -> bool:
    """Record that an act was not completed, if there is one that the registry, at *epoch*, does not hold.

    Returns whether there was. Raises :class:`RefusedError` or :class:`UnreachableError` when that cannot be recorded;
    then no other act may be done before it is.
    """
    fields = intent.open_since(epoch)
    if fields is None:
        return False
    not_completed(decider, fields)
    intent.clear()
    return True


def not_completed(decider: DeciderClient, noted: Mapping[str, Any]) -> None:
    """Record that the act of an intent was not completed. Raises as :func:`settle` does."""
    fields = {name: value for name, value in noted.items() if name != "after"}
    decider.append({**fields, "outcome": "not-completed"})


def entry(request: HandlerRequest, outcome: str, epoch: int, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an act's entry; the decider adds number, time and host."""
    return {
        "kind": "act",
        "act": request.op,
        "actor": request.actor(),
        "args": {name: _short(value) for name, value in TABLE[request.op].recorded(args).items()},
        "outcome": outcome,
        "epoch": epoch,
    } | two_hands.said(request)


def record_reading(request: HandlerRequest) -> None:
    """Record that somebody reads the log (contract C7). Raises when that cannot be: no record, no reading."""
    asked = {name: _short(value) for name, value in request.given.items()}
    request.services.decider.append({"kind": "read", "what": request.op, "actor": request.actor(), "args": asked})


class _WaitsError(Exception):
    """The act gives access and waits for a second hand; what it applied is rolled back."""

    def __init__(self, waiting: SecondHandNeeded) -> None:
        self.waiting = waiting


def _may_take_effect(waiting: SecondHandNeeded | None) -> None:
    if waiting is not None:
        raise _WaitsError(waiting)


class _UnsettledError(UnreachableError):
    """Nothing was changed, but whether the entry of it is in the log cannot be said yet: :func:`settle` will."""


def record_refusal(request: HandlerRequest, error: ShoumiError) -> None:
    """Record that *request* was refused or forbidden, as far as its caller has entries left."""

    def fields() -> dict[str, Any]:
        outcome = "forbidden" if isinstance(error, ForbiddenError) else "refused"
        told = entry(request, outcome, request.site.epoch(), request.given)
        return {**told, "error": error.text.to_json()}

    request.services.refusals.record(request.peer.uid, fields, with_role=request.standing.role is not None)


def _append(decider: DeciderClient, fields: Mapping[str, Any]) -> int:
    """Append the entry of a change that waits to be committed, or raise so that it is rolled back."""
    try:
        return decider.append(fields)
    except UnreachableError as silence:
        raise _UnsettledError(
            Text(
                "nothing was changed, because the decider did not confirm the entry",
                "判定进程未确认日志条目，因此未作任何更改",
            ),
            silence.hint,
        ) from silence


def _acknowledged(decider: DeciderClient, epoch: int) -> None:
    try:
        decider.epoch(epoch)
    except UnreachableError as silence:
        raise UnreachableError(
            Text(
                "the change is recorded and stored, but the decider has not acknowledged it",
                "更改已记录并保存，但判定进程尚未确认",
            ),
            silence.hint,
        ) from None


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, list) and len(text) > _LONGEST_LIST:
        return {"count": len(value), "first": value[:_FIRST]}
    if isinstance(value, list):
        return value
    return value if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)})"
