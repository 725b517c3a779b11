"""The cron step: the person's crontabs are moved aside; lines of system tables that run as the person are named.

Rules of this file: a system table is root's and may serve others, so it is never rewritten here; an administrator
removes the lines. Sources: crontab(5), cron(8): Debian keeps tables in ``crontabs/``, others directly in
``/var/spool/cron``; incron(8).
"""

from collections.abc import Iterator
from dataclasses import replace

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Message, Sentence
from rules.visible import visible

_SPOOLS = ("var/spool/cron/crontabs", "var/spool/cron", "var/spool/incron")


def personal_places(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return where their tables would be. A directory is never one, so a login called ``crontabs`` moves nothing."""
    tables = [PersonalPlace(context.root / spool, name) for spool in _SPOOLS for _, name in places.named(leaver)]
    return [place for place in tables if place.path.is_symlink() or not place.path.is_dir()]


def runs_as(table: str, names: frozenset[str]) -> Iterator[int]:
    """Yield the numbers of the lines of a *system* crontab (with a user field) that run as one of *names*."""
    for number, line in enumerate(table.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#") or "=" in fields[0]:
            continue
        user = 1 if fields[0].startswith("@") else 5
        if len(fields) > user and fields[user] in names:
            yield number


def system_lines(leaver: RevocationSubject, context: RevocationContext) -> list[str]:
    """Return ``path:line`` of every line of a system table that runs as the person."""
    names = frozenset(name for _, name in places.named(leaver))
    lines = []
    for path in (context.root / "etc/crontab", *sorted((context.root / "etc/cron.d").glob("*"))):
        try:
            table = path.read_text(errors="surrogateescape")
        except OSError:
            continue
        lines += [f"{path}:{number}" for number in runs_as(table, names)]
    return lines


def probe(leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when the host has no cron."""
    if any((context.root / spool).is_dir() for spool in _SPOOLS) or system_lines(leaver, context):
        return None
    return Message("offboard.no-crontabs")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the tables that would be moved, and the lines that would be named."""
    lines = (visible(line) for line in system_lines(leaver, context))
    by_hand = tuple(StepTarget(Message("offboard.line-to-remove-by-hand", line=line)) for line in lines)
    return places.planned_moves(personal_places(leaver, context)) + by_hand


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Move the tables; pending while a system table runs something as the person."""
    moved = places.move_all(personal_places(leaver, context), context, case)
    lines = system_lines(leaver, context)
    if not lines or moved.state is StepState.PENDING:
        return moved
    text = Message("offboard.system-cron-lines", lines=[f"`{line}`" for line in lines])
    return replace(moved, state=StepState.PENDING, detail=text, facts={**moved.facts, "by_hand": lines})


STEP = RevocationStep("cron", Message("common.cron-jobs"), probe, find_targets, run)
