"""Handlers: comparison of registry and log, and acceptance of a registry that lacks acts of the log.

Rules of this file: acceptance covers completed acts, not pending ones. A proposal pending in the copy may have been
refused since, and a break-glass code used: both are ended.
"""

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.lost_acts import LostActs, glass_is_as_it_was, lost_acts, named_roles, stops
from agent.control.two_hands import recorded
from agent.errors import ForbiddenError, RefusedError
from agent.log import backward
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.settings import ROLES
from agent.site.role_groups import stored
from rules.text import Message

handlers = HandlerTable()


@handlers.read("registry.show")
def _show(request: HandlerRequest) -> Json:
    site = request.site
    now, newest = site.stores.now, site.facts.newest_change()
    lost = lost_acts(request.services) if now.older else LostActs((), whole=True)
    return {
        "older": now.older,
        "epoch": site.facts.epoch(),
        "entry": newest.entry if newest else None,
        "log": {"last": backward.last(site.home.log), "epoch": site.epoch()},
        "lost": [_brief(entry) for entry in lost.entries],
        "whole": lost.whole,
    }


@handlers.act("registry.accept")
def _accept(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    site = request.site
    now, epoch = site.stores.now, site.facts.epoch()
    if not now.older:
        raise RefusedError(
            Message("control.registry-complete"),
            Message("control.see-registry"),
        )
    lost = lost_acts(request.services)
    last = int(lost.entries[-1]["seq"]) if lost.entries else 0
    if request.args.number("last") != last:
        raise RefusedError(
            Message("control.last-lost-act-mismatch", seq=last),
            Message("control.review-lost-acts"),
        )
    if stops(lost.entries, request.officer()):
        raise ForbiddenError(
            Message("control.own-hold-would-be-lost"),
            Message("control.ask-another-officer"),
        )
    if groups := named_roles(lost):
        change.settings.set(ROLES, stored(groups))  # the trial has ended, even if this registry names no groups
    change.lift_epoch(now.highest)
    change.recorded.forget_after(now.since)
    ended = _end_what_was_under_way(request, change, lost)
    log_fields = {
        "registry_epoch": epoch,
        "lost": len(lost.entries),
        "first": lost.entries[0]["seq"] if lost.entries else 0,
    }
    return HandlerResult({"lost": len(lost.entries), "epoch": change.epoch, **ended}, {**log_fields, **ended})


def _end_what_was_under_way(request: HandlerRequest, change: RegistryTransaction, lost: LostActs) -> dict[str, Json]:
    """End pending proposals and the break-glass code of the copy; return what was ended."""
    waiting: list[dict[str, Json]] = request.site.lists.proposals.find()
    by, reason = request.officer(), request.args.text("reason")
    for row in waiting:
        act_args = recorded(str(row["act"]), row["given"])
        change.proposals.end(str(row["id"]), "refused", by=by, reason=reason, given=act_args)
    ended: dict[str, Json] = {"proposals_refused": [str(row["id"]) for row in waiting]} if waiting else {}
    if not glass_is_as_it_was(lost) and change.break_glass.void():
        ended["break_glass"] = "void"
    return ended


def _brief(entry: dict[str, Json]) -> dict[str, Json]:
    return {name: entry.get(name) for name in ("seq", "time", "act", "actor", "args", "epoch")}
