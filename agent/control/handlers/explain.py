"""Handlers: ``explain`` and ``what-if``, with the same facts, pack and ``decide`` as the guard.

``explain`` also checks whether a deny entry on the disk refuses an allowed access: the kernel checks the ACL before it
asks the agent, so the decider never sees such an open.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from agent.api.timestamps import printed
from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.control.handlers.explain_room import entering, known_persons
from agent.control.handlers.what_if import supposing
from agent.errors import RefusedError
from agent.kernel import labels
from agent.kernel.mountinfo import within
from agent.offboard.steps import acl
from agent.registry.rows.areas import AreaRow
from agent.registry.stores import CLOSED
from rules.decide import decide
from rules.model import Action, Facts, Mode, Request, Resource, RuleResult, Verdict
from rules.pack.reader import Pack
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.read("explain")
def _explain(request: HandlerRequest) -> Json:
    answer = _answer(request, lambda facts: facts)
    if answer["verdict"] == "allow" and answer.get("area") and request.args.instant("at") is None:
        return _refused_on_disk(request, answer)
    return answer


def _refused_on_disk(request: HandlerRequest, answer: dict[str, Json]) -> dict[str, Json]:
    """Return *answer* with the deny entries on the path, which refuse all accounts of the person or some."""
    row = next((row for row in request.site.facts.areas() if row.resource.id == answer["area"]), None)
    if row is None:  # a room has no deny entries
        return answer
    top = os.path.realpath(row.path)
    uids = sorted(int(str(row["uid"])) for row in request.site.lists.accounts.find(str(answer["person"])))
    path = str(answer["path"] or top)
    refused = sorted(acl.denied_here(path, uids, top if within(path, top) else path))
    if not refused:
        return answer
    named = ", ".join(map(str, refused))
    because = Message("control.allowed-but-denied-on-disk", uids=named)
    change = Message("control.deny-entry-removed-soon", uid=refused[0])
    refusal = RuleResult("deny-entry", False, because, change=change, person=str(answer["person"]))
    full_answer = answer | {"findings": [*answer["findings"], _finding(refusal)], "denied_accounts": refused}
    if len(refused) < len(uids):  # another account of the person has access
        return full_answer
    return full_answer | {
        "verdict": "deny",
        "rule": refusal.rule,
        "clauses": [],
        "until": None,
        "because": because.to_json(),
        "change": change.to_json(),
    }


@handlers.read("what-if")
def _what_if(request: HandlerRequest) -> Json:
    before = _answer(request, lambda facts: facts)
    after = _answer(request, lambda facts: supposing(facts, request.args, request.args.instant("at") or request.at))
    return {**after, "before": {name: before[name] for name in ("verdict", "rule", "clauses", "because")}}


def _answer(request: HandlerRequest, change: Callable[[Facts], Facts]) -> dict[str, Json]:
    person, at = request.args.text("person"), request.args.instant("at") or request.at
    target, pack = request.args.text("target"), request.site.pack()
    if not target.startswith("/") and (room := request.site.facts.room(target)):
        verdict, epoch, assumed = entering(request, room.resource.id, change)
        verdict = CLOSED if request.site.stores.now.older else verdict
        reply = _verdict_json(verdict, room.resource, pack, at)
        return reply | {"person": person, "path": None, "epoch": epoch, "room": target, "assumed": assumed}
    rows = request.site.facts.areas()
    if (closed := closed_to_all(target, rows)) is not None:
        return _closed_json(closed, pack, at) | {"person": person, "epoch": request.site.facts.epoch()}
    path, areas = areas_of(target, rows)
    answers = []
    for area in areas:
        epoch, facts = known_persons(request, (person,), area)
        facts = change(facts)
        older = CLOSED if request.site.stores.now.older else None
        verdict = older or decide(Request((person,), area, Action.OPEN), facts, pack, at)
        answers.append((verdict, facts.resources[area], epoch))
    verdict, resource, epoch = min(answers, key=lambda answer: answer[0].allow)  # every area must allow
    return _verdict_json(verdict, resource, pack, at) | {"person": person, "path": path, "epoch": epoch}


class ClosedToAll(NamedTuple):
    """An inode whose label denies everyone, and its path. ``label`` is ``None`` for one that lost it."""

    path: str
    label: str | None


def closed_to_all(target: str, rows: Iterable[AreaRow]) -> ClosedToAll | None:
    """Return why *target* is denied to everyone; ``None`` when the verdict depends on the person."""
    if not target.startswith("/"):
        return None
    path, areas = os.path.realpath(target), tuple(rows)
    with suppress(OSError):  # it does not exist (yet), or its filesystem keeps no labels
        inode, label = Path(path).stat(), labels.read(path)
        if label is None:
            if labels.has_content(inode) and inode.st_dev in _sealed(areas):
                return ClosedToAll(path, None)
        elif (area := labels.area_of(label)) and area not in {row.resource.id for row in areas}:
            return ClosedToAll(path, label)
    return None


def _sealed(rows: Iterable[AreaRow]) -> frozenset[int]:
    """Return the devices on which unlabelled files are denied: sealed, with an enforced area."""
    devices = set()
    for row in rows:
        if row.volume.get("sealed") is True and row.resource.mode is Mode.ENFORCE:
            with suppress(OSError):
                devices.add(Path(row.path).stat().st_dev)
    return frozenset(devices)


def _closed_json(closed: ClosedToAll, pack: Pack, at: datetime) -> dict[str, Json]:
    shown_path = visible(closed.path)
    area = "" if closed.label in (None, labels.DAMAGED) else visible(str(closed.label))
    if closed.label is None:
        because = Message("control.label-missing")
    elif not area:
        because = Message("control.label-damaged")
    else:
        because = Message("control.label-of-unknown-area", area=area)
    change = Message("control.relabel-after-review", path=shown_path)
    rule = "unlabelled" if closed.label is None else "unknown-resource"
    finding = RuleResult(rule, False, because, change=change)
    return {
        "verdict": "deny",
        "rule": rule,
        "clauses": [],
        "until": None,
        "because": because.to_json(),
        "change": change.to_json(),
        "area": area or None,
        "level": None,
        "domain": None,
        "mode": Mode.ENFORCE.value,
        "at": printed(at),
        "pack": pack.id,
        "findings": [_finding(finding)],
        "path": closed.path,
    }


def areas_of(target: str, rows: Iterable[AreaRow]) -> tuple[str | None, tuple[str, ...]]:
    """Return the real path (``None`` for an area's name) and its areas, by path and by the inode's label.

    Raises :class:`RefusedError` for a path outside every area, and for an unknown name.
    """
    by_length = sorted(rows, key=lambda row: len(row.path), reverse=True)
    names = {row.resource.id for row in by_length}
    if not target.startswith("/"):
        if target in names:
            return None, (target,)
        shown_target = visible(target)
        text = Message("control.target-not-found", target=shown_target)
        raise RefusedError(text, Message("control.see-area-list"))
    path = os.path.realpath(target)
    areas = [row.resource.id for row in by_length if within(path, row.path)][:1]
    try:
        labelled = labels.area_of(labels.read(path))
    except OSError:  # it does not exist (yet), or its filesystem keeps no labels: the path alone decides
        labelled = ""
    if labelled in names and labelled not in areas:
        areas.append(labelled)
    if not areas:
        shown_target = visible(path)
        raise RefusedError(
            Message("control.path-outside-areas", path=shown_target),
            Message("control.see-area-list"),
        )
    return path, tuple(areas)


def _verdict_json(verdict: Verdict, resource: Resource, pack: Pack, at: datetime) -> dict[str, Json]:
    return {
        "verdict": "allow" if verdict.allow else "deny",
        "rule": verdict.rule,
        "clauses": list(verdict.clauses),
        "until": printed(verdict.until) if verdict.until else None,
        "because": verdict.because.to_json(),
        "change": verdict.change.to_json() if verdict.change else None,
        "area": resource.id,
        "level": resource.level.word,
        "domain": resource.domain,
        "mode": resource.mode.value,
        "at": printed(at),
        "pack": pack.id,
        "findings": [_finding(finding) for finding in verdict.findings],
    }


def _finding(finding: RuleResult) -> dict[str, Json]:
    return {
        "rule": finding.rule,
        "ok": finding.ok,
        "because": finding.because.to_json(),
        "change": finding.change.to_json() if finding.change else None,
        "clauses": list(finding.clauses),
        "until": printed(finding.until) if finding.until else None,
        "person": finding.person,
    }
