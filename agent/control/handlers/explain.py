"""Handlers: ``explain`` and ``what-if``. The same facts, pack and ``decide`` as the guard uses.

Beside that, ``explain`` looks whether a deny entry on the disk refuses what would be allowed now: the kernel asks the
ACL before it asks the agent, so the decider never hears of such an open.
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
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.read("explain")
def _explain(request: HandlerRequest) -> Json:
    answer = _answer(request, lambda facts: facts)
    if answer["verdict"] == "allow" and answer.get("area") and request.args.instant("at") is None:
        return _refused_on_disk(request, answer)
    return answer


def _refused_on_disk(request: HandlerRequest, answer: dict[str, Json]) -> dict[str, Json]:
    """Return *answer* with what the deny entries on the way to it refuse: all accounts of the person, or some."""
    row = next((row for row in request.site.facts.areas() if row.resource.id == answer["area"]), None)
    if row is None:  # a room: its door asks nobody's disk
        return answer
    top = os.path.realpath(row.path)
    uids = sorted(int(str(row["uid"])) for row in request.site.lists.accounts.find(str(answer["person"])))
    path = str(answer["path"] or top)
    refused = sorted(acl.denied_here(path, uids, top if within(path, top) else path))
    if not refused:
        return answer
    named = ", ".join(map(str, refused))
    because = Text(
        f"the rules allow it, but a deny entry on the disk refuses uid {named}: one is left from a departure",
        f"规则允许，但磁盘上的拒绝项拒绝 uid {named}：系离岗时所设，尚未移除",
    )
    change = Text(
        f"the agent takes it away within a minute; if not, see `shoumi doctor`, or: setfacl -x u:{refused[0]} FILE",
        f"代理将在一分钟内移除；否则参见 `shoumi doctor`，或运行：setfacl -x u:{refused[0]} FILE",
    )
    found = RuleResult("deny-entry", False, because, change=change, person=str(answer["person"]))
    told = answer | {"findings": [*answer["findings"], _finding(found)], "denied_accounts": refused}
    if len(refused) < len(uids):  # another account of theirs gets in
        return told
    return told | {
        "verdict": "deny",
        "rule": found.rule,
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
        shown = _shown(verdict, room.resource, pack, at)
        return shown | {"person": person, "path": None, "epoch": epoch, "room": target, "assumed": assumed}
    rows = request.site.facts.areas()
    if (closed := closed_to_all(target, rows)) is not None:
        return _shown_closed(closed, pack, at) | {"person": person, "epoch": request.site.facts.epoch()}
    path, areas = areas_of(target, rows)
    answers = []
    for area in areas:
        epoch, facts = known_persons(request, (person,), area)
        facts = change(facts)
        older = CLOSED if request.site.stores.now.older else None
        verdict = older or decide(Request((person,), area, Action.OPEN), facts, pack, at)
        answers.append((verdict, facts.resources[area], epoch))
    verdict, resource, epoch = min(answers, key=lambda answer: answer[0].allow)  # every area must allow
    return _shown(verdict, resource, pack, at) | {"person": person, "path": path, "epoch": epoch}


class ClosedToAll(NamedTuple):
    """An inode whose label lets nobody in, and where it lies. ``label`` is ``None`` for one that lost it."""

    path: str
    label: str | None


def closed_to_all(target: str, rows: Iterable[AreaRow]) -> ClosedToAll | None:
    """Return why nobody gets into what *target* leads to, whoever they are; ``None`` when that depends on who it is."""
    if not target.startswith("/"):
        return None
    path, known = os.path.realpath(target), tuple(rows)
    with suppress(OSError):  # it does not exist (yet), or its filesystem keeps no labels
        found, label = Path(path).stat(), labels.read(path)
        if label is None:
            if labels.has_content(found) and found.st_dev in _sealed(known):
                return ClosedToAll(path, None)
        elif (area := labels.area_of(label)) and area not in {row.resource.id for row in known}:
            return ClosedToAll(path, label)
    return None


def _sealed(rows: Iterable[AreaRow]) -> frozenset[int]:
    """Return the devices on which a file without a label is refused: sealed, and with an enforced area."""
    found = set()
    for row in rows:
        if row.volume.get("sealed") is True and row.resource.mode is Mode.ENFORCE:
            with suppress(OSError):
                found.add(Path(row.path).stat().st_dev)
    return frozenset(found)


def _shown_closed(closed: ClosedToAll, pack: Pack, at: datetime) -> dict[str, Json]:
    said = visible(closed.path)
    area = "" if closed.label in (None, labels.DAMAGED) else visible(str(closed.label))
    if closed.label is None:
        because = Text(
            "it has content and lost its label: it was stripped, or put there while no agent ran; nobody gets in",
            "有内容而无标记：标记被去除，或在代理未运行时放入；任何人均不能打开",
        )
    elif not area:
        because = Text("its label is damaged: nobody gets in", "其标记已损坏：任何人均不能打开")
    else:
        because = Text(
            f"it carries the label of `{area}`, which is no area (any more): nobody gets in",
            f"其标记为 `{area}`，而该目录不存在或已移除：任何人均不能打开",
        )
    change = Text(
        f"the security officer sees to it that it lies where it belongs, then: shoumi area relabel {said}",
        f"由安全保密管理员确认其位置无误后运行：shoumi area relabel {said}",
    )
    rule = "unlabelled" if closed.label is None else "unknown-resource"
    finding = RuleResult(rule, False, because, change)
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
    """Return the real path (``None`` for an area's name) and the areas it is in: by place, and by the inode's label.

    Raises :class:`RefusedError` for a path outside every area, and for a name that is none.
    """
    by_length = sorted(rows, key=lambda row: len(row.path), reverse=True)
    names = {row.resource.id for row in by_length}
    if not target.startswith("/"):
        if target in names:
            return None, (target,)
        said = visible(target)
        text = Text(f"there is no area or room `{said}`, and it is no path", f"没有目录或场所 `{said}`，也不是路径")
        raise RefusedError(text, Text("see `shoumi area list`", "参见 `shoumi area list`"))
    path = os.path.realpath(target)
    found = [row.resource.id for row in by_length if within(path, row.path)][:1]
    try:
        labelled = labels.area_of(labels.read(path))
    except OSError:  # it does not exist (yet), or its filesystem keeps no labels: the place alone says
        labelled = ""
    if labelled in names and labelled not in found:
        found.append(labelled)
    if not found:
        said = visible(path)
        raise RefusedError(
            Text(f"`{said}` is in no area: nothing is decided there", f"`{said}` 不在任何受保护目录中，不作判定"),
            Text("see `shoumi area list`", "参见 `shoumi area list`"),
        )
    return path, tuple(found)


def _shown(verdict: Verdict, resource: Resource, pack: Pack, at: datetime) -> dict[str, Json]:
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
