"""Transaction of an act, in an order that never leaves a change without its entry (contract C2).

    begin → apply → compare rights → note the intent → append the entry → commit → tell the decider → its
    acknowledgement → cut who lost something → clear the intent → afterwards

An act that grants access is rolled back after the comparison and stored as a proposal instead
(:mod:`agent.control.two_hands`).

Rules of this file:
- append fails: nothing is changed, and the caller gets the error;
- killed after the append, or the commit fails: the entry exists and the change does not, so a second entry records that
  the act was not completed, at once or at the next start (:meth:`ActExecutor.settle`);
- refused and forbidden acts are entries too, but a caller cannot fill the disk with them;
- one thread executes all acts, one after the other;
- people who are on hold, inactive or leaving may not act, whatever group their account is still in;
- a registry that lacks acts of the log permits no act but its acceptance (:data:`MEANWHILE`). Not even a hold: no file
  can be opened meanwhile, and the act would be lost once the right registry is restored.
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
from rules.text import Message

_LONGEST_LIST, _FIRST = (
    16_000,
    100,
)  # characters of a list, and items kept of a longer one: entries are searched by area
_LONGEST = 2000  # characters of an argument in an entry
MEANWHILE = frozenset({"registry.accept"})  # acts permitted while the registry is older than the log


class ActExecutor:
    """Executes acts, for callers and for the agent itself. Belongs to the thread of acts."""

    def __init__(self, services: ControlServices, acts: Mapping[str, Act]) -> None:
        self._services = services
        self._acts = acts
        self._first_hand = FirstHand()

    def execute(self, request: HandlerRequest) -> dict[str, Any]:
        """Execute the act and return its result with ``seq``, ``epoch`` and ``milliseconds`` until the acknowledgement.

        They count from the arrival of the request; ``waited_milliseconds`` is the wait for its turn.

        Raises :class:`RefusedError` or :class:`ForbiddenError` (nothing was changed), :class:`UnreachableError` (the
        change is in log and registry, and the decider has not acknowledged it: it will before it gives a verdict).
        """
        begun = time.monotonic()
        arrived = begun if request.arrived is None else request.arrived
        services = self._services
        fields: dict[str, Any] = {}
        seq = 0
        original = request
        try:
            if self.older() and request.op not in MEANWHILE:
                raise RefusedError(stores.OLDER, stores.REMEDY)
            self.settle()
            eligibility.check(request)
            if original.op == two_hands.CONFIRM:
                request = two_hands.confirmed(original)
            with services.registry.change(at=request.at) as change:
                request = two_hands.rehearsed(request)
                applied = self._acts[request.op](request, change)
                waiting = two_hands.waits(request, change, applied)
                if waiting and request.op in MEANWHILE:
                    request, waiting = self._first_hand.met(request, waiting), None
                _may_take_effect(waiting)
                two_hands.end(request, change)
                if applied.prepare:
                    applied.prepare()
                lost = compare_or_say(
                    services.site.facts, change, services.site.pack, applied.pack, request.at, applied.cut
                )
                fields = entry(request, "done", change.epoch, {**request.raw_args, **applied.log_fields})
                fields |= lost.to_json() | change.changed().to_json()
                fields["change"] = secrets.token_hex(8)
                services.intent.note({**fields, "after": backward.last(services.site.home.log)})
                seq = _append(services.decider, fields)
                change.recorded.add(seq, fields["change"])
                by, act_reason = request.officer(), request.args.text("reason")
                cut = [
                    change.losses.add(loss, act=request.op, entry=seq, by=by, reason=act_reason)
                    for loss in lost.losses
                    if loss.areas and loss.person not in applied.cut
                ]
                change.commit()
                durable = services.site.now()
        except _WaitsError as waits:
            return self.execute(two_hands.proposal_request(request, waits.waiting))
        except _UnsettledError:
            raise  # the intent stays: the next act or start settles it first
        except ShoumiError as error:
            if seq:  # the entry is in the log and the commit failed
                self.settle()
            else:
                if fields:
                    services.intent.clear()
                record_refusal(original, error)
            raise
        services.offboarding.committed(request.received or request.at, durable)
        services.site.stores.check(services.site.facts, fields["epoch"])  # the epoch never goes back below this one
        if applied.on_commit:
            applied.on_commit()
        _acknowledged(services.decider, fields["epoch"])
        reply = {**applied.reply, "seq": seq, "epoch": fields["epoch"]}
        reply |= {"act": request.op, "proposal": request.hands.proposal} if request.hands else {}
        reply |= {"losses": cut} if cut else {}
        if any(loss.rooms for loss in lost.losses):
            services.doors.changed()
        services.offboarding.start_losses(cut, request.peer.pid)
        if lost.by_looks:
            services.quiet_scan.look_soon()
        reply["waited_milliseconds"] = (begun - arrived) * 1000
        reply["milliseconds"] = (time.monotonic() - arrived) * 1000
        reply |= applied.on_ack() if applied.on_ack else {}
        with suppress(OSError):  # an intent whose act the registry holds is ignored
            services.intent.clear()  # cuts do not wait for this
        return reply | (applied.on_logged(seq) if applied.on_logged else {})

    def execute_own(self, op: str, args: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Execute an act of the agent itself like an officer's; *by* names its origin (``schedule``, ``hr``)."""
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
        """End the trial with the groups in config.toml, where earlier versions kept them."""
        named = {name: str(group) for name in groups.__struct_fields__ if (group := getattr(groups, name)) is not None}
        self.execute_own("role.set", named, by="config.toml")

    def older(self) -> bool:
        """Return whether the registry lacks acts of the log now.

        Raises :class:`FatalError` when the registry file was replaced: the next start examines everything again.
        """
        site = self._services.site
        site.facts.require_same_file()
        before = site.stores.now.older
        if site.stores.check(site.facts).older and not before:
            raise FatalError(stores.OLDER)
        return before

    def settle(self) -> bool:
        """Settle the act under way; see :func:`settle`. Only if the registry is not older than the log."""
        return settle(self._services.intent, self._services.decider, self._services.site.facts.epoch())


def settle(intent: WriteAheadIntent, decider: DeciderClient, epoch: int) -> bool:
    """Record that the act of the intent was not completed, if the registry, at *epoch*, does not hold it.

    Returns whether there was one. Raises :class:`RefusedError` or :class:`UnreachableError` when that cannot be
    recorded; then no other act may be executed before it is.
    """
    fields = intent.open_since(epoch)
    if fields is None:
        return False
    not_completed(decider, fields)
    intent.clear()
    return True


def not_completed(decider: DeciderClient, noted: Mapping[str, Any]) -> None:
    """Record that the act of an intent was not completed. Raises as :func:`settle` does."""
    fields = {name: field for name, field in noted.items() if name != "after"}
    decider.append({**fields, "outcome": "not-completed"})


def entry(request: HandlerRequest, outcome: str, epoch: int, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the entry of an act; the decider adds number, time and host."""
    return {
        "kind": "act",
        "act": request.op,
        "actor": request.actor(),
        "args": {name: _short(argument) for name, argument in TABLE[request.op].recorded(args).items()},
        "outcome": outcome,
        "epoch": epoch,
    } | two_hands.hands_fields(request)


def record_reading(request: HandlerRequest) -> None:
    """Record a query of the log (contract C7). Raises on failure: without the entry there is no answer."""
    arguments = {name: _short(argument) for name, argument in request.raw_args.items()}
    request.services.decider.append({"kind": "read", "what": request.op, "actor": request.actor(), "args": arguments})


class _WaitsError(Exception):
    """Raised when an act grants access and waits for a second officer; its changes are rolled back."""

    def __init__(self, waiting: SecondHandNeeded) -> None:
        self.waiting = waiting


def _may_take_effect(waiting: SecondHandNeeded | None) -> None:
    if waiting is not None:
        raise _WaitsError(waiting)


class _UnsettledError(UnreachableError):
    """Raised when nothing was changed and it is unknown yet whether the entry is in the log; see :func:`settle`."""


def record_refusal(request: HandlerRequest, error: ShoumiError) -> None:
    """Record that *request* was refused or forbidden, within the caller's budget of entries."""

    def fields() -> dict[str, Any]:
        outcome = "forbidden" if isinstance(error, ForbiddenError) else "refused"
        entry_fields = entry(request, outcome, request.site.epoch(), request.raw_args)
        return {**entry_fields, "error": error.text.to_json()}

    request.services.refusals.record(request.peer.uid, fields, with_role=request.standing.role is not None)


def _append(decider: DeciderClient, fields: Mapping[str, Any]) -> int:
    """Append the entry of an uncommitted change, or raise so that it is rolled back."""
    try:
        return decider.append(fields)
    except UnreachableError as silence:
        raise _UnsettledError(
            Message("control.entry-unconfirmed"),
            silence.hint,
        ) from silence


def _acknowledged(decider: DeciderClient, epoch: int) -> None:
    try:
        decider.epoch(epoch)
    except UnreachableError as silence:
        raise UnreachableError(
            Message("control.change-unacknowledged"),
            silence.hint,
        ) from None


def _short(argument: Any) -> Any:
    text = argument if isinstance(argument, str) else json.dumps(argument)
    if isinstance(argument, list) and len(text) > _LONGEST_LIST:
        return {"count": len(argument), "first": argument[:_FIRST]}
    if isinstance(argument, list):
        return argument
    return argument if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)})"
