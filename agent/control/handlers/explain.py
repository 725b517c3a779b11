"""Handlers: ``explain`` and ``what-if``. The same facts, pack and ``decide`` as the guard uses, and nothing else."""

import os
from collections.abc import Callable, Iterable
from datetime import datetime

from agent.api.timestamps import printed
from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.control.handlers.explain_room import entering, known_persons
from agent.control.handlers.what_if import supposing
from agent.errors import RefusedError
from agent.kernel import labels
from agent.kernel.mountinfo import within
from agent.registry.rows.areas import AreaRow
from rules.decide import decide
from rules.model import Action, Facts, Request, Resource, RuleResult, Verdict
from rules.pack.reader import Pack
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.read("explain")
def _explain(request: HandlerRequest) -> Json:
    return _answer(request, lambda facts: facts)


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
        shown = _shown(verdict, room.resource, pack, at)
        return shown | {"person": person, "path": None, "epoch": epoch, "room": target, "assumed": assumed}
    path, areas = areas_of(target, request.site.facts.areas())
    answers = []
    for area in areas:
        epoch, facts = known_persons(request, (person,), area)
        facts = change(facts)
        verdict = decide(Request((person,), area, Action.OPEN), facts, pack, at)
        answers.append((verdict, facts.resources[area], epoch))
    verdict, resource, epoch = min(answers, key=lambda answer: answer[0].allow)  # every area must allow
    return _shown(verdict, resource, pack, at) | {"person": person, "path": path, "epoch": epoch}


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
        labelled = labels.read(path)
    except OSError:  # it does not exist (yet), or its filesystem keeps no labels: the place alone says
        labelled = None
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
