"""Handlers: the registry held against the log, and the officers' decision on one that lacks what the log holds.

Rules of this file: what is accepted is what stood, and not what was under way. A proposal that waits in the copy may
have been refused since, and a code of the break-glass used: none of them lives again.
"""

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.lost_acts import LostActs, glass_is_as_it_was, lost_acts, named_roles, stops
from agent.control.two_hands import recorded
from agent.errors import ForbiddenError, RefusedError
from agent.log import backward
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.settings import ROLES
from agent.site.role_groups import stored
from rules.text import Text

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
            Text("the registry holds every act of the log: there is nothing to accept", "登记库与日志一致，无须接受"),
            Text("see `shoumi registry show`", "参见 `shoumi registry show`"),
        )
    lost = lost_acts(request.services)
    last = int(lost.entries[-1]["seq"]) if lost.entries else 0
    if request.args.number("last") != last:
        raise RefusedError(
            Text(
                f"the last act that would be lost is entry {last}, and another one was named",
                f"将丢失的最后一项操作是第 {last} 条，与所给序号不符",
            ),
            Text(
                "look at what would be lost first: shoumi registry show", "请先查看将丢失的内容：shoumi registry show"
            ),
        )
    if stops(lost.entries, request.officer()):
        raise ForbiddenError(
            Text(
                "one of the acts that would be lost is a hold on you, or your departure",
                "将丢失的操作中有对您本人的停权或离岗办理",
            ),
            Text("let another officer do it", "请由其他管理员办理"),
        )
    if groups := named_roles(lost):
        change.settings.set(ROLES, stored(groups))  # the trial has ended, whatever this registry says
    change.lift_epoch(now.highest)
    change.recorded.forget_after(now.since)
    ended = _end_what_was_under_way(request, change, lost)
    told = {"registry_epoch": epoch, "lost": len(lost.entries), "first": lost.entries[0]["seq"] if lost.entries else 0}
    return HandlerResult({"lost": len(lost.entries), "epoch": change.epoch, **ended}, {**told, **ended})


def _end_what_was_under_way(request: HandlerRequest, change: RegistryTransaction, lost: LostActs) -> dict[str, Json]:
    """End what waits in the copy for a second hand or for root; return what there was."""
    waiting: list[dict[str, Json]] = request.site.lists.proposals.find()
    by, reason = request.officer(), request.args.text("reason")
    for row in waiting:
        given = recorded(str(row["act"]), row["given"])
        change.proposals.end(str(row["id"]), "refused", by=by, reason=reason, given=given)
    ended: dict[str, Json] = {"proposals_refused": [str(row["id"]) for row in waiting]} if waiting else {}
    if not glass_is_as_it_was(lost) and change.break_glass.void():
        ended["break_glass"] = "void"
    return ended


def _brief(entry: dict[str, Json]) -> dict[str, Json]:
    return {name: entry.get(name) for name in ("seq", "time", "act", "actor", "args", "epoch")}
