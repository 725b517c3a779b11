"""The person's crontabs, moved aside; lines of system tables that run as them are named, for an administrator to end.

Rules of this file: a system table is root's and may serve others, so it is never rewritten here. Sources: crontab(5),
cron(8): Debian keeps tables in ``crontabs/``, others directly in ``/var/spool/cron``; incron(8).
"""

from collections.abc import Iterator
from dataclasses import replace

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text
from rules.visible import visible

_SPOOLS = ("var/spool/cron/crontabs", "var/spool/cron", "var/spool/incron")


def where(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return where their tables would be. A directory is never one, so a login called ``crontabs`` moves nothing."""
    found = [PersonalPlace(context.root / spool, name) for spool in _SPOOLS for _, name in places.named(leaver)]
    return [place for place in found if place.path.is_symlink() or not place.path.is_dir()]


def runs_as(table: str, names: frozenset[str]) -> Iterator[int]:
    """Yield the numbers of the lines of a *system* crontab (with a user field) that run as one of *names*."""
    for number, line in enumerate(table.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#") or "=" in words[0]:
            continue
        user = 1 if words[0].startswith("@") else 5
        if len(words) > user and words[user] in names:
            yield number


def system_lines(leaver: RevocationSubject, context: RevocationContext) -> list[str]:
    """Return ``path:line`` of every line of a system table that runs as the person."""
    names = frozenset(name for _, name in places.named(leaver))
    found = []
    for path in (context.root / "etc/crontab", *sorted((context.root / "etc/cron.d").glob("*"))):
        try:
            table = path.read_text(errors="surrogateescape")
        except OSError:
            continue
        found += [f"{path}:{number}" for number in runs_as(table, names)]
    return found


def probe(leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when the host has no cron."""
    if any((context.root / spool).is_dir() for spool in _SPOOLS) or system_lines(leaver, context):
        return None
    return Text("this host has no crontabs", "本机没有 crontab")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the tables that would be moved, and the lines that would be named."""
    lines = (visible(line) for line in system_lines(leaver, context))
    by_hand = tuple(StepTarget(Text(f"`{line}`, to be removed by hand", f"`{line}`（需手工移除）")) for line in lines)
    return places.shown(where(leaver, context)) + by_hand


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Move the tables; pending while a system table runs something as the person."""
    moved = places.move_all(where(leaver, context), context, case)
    lines = system_lines(leaver, context)
    if not lines or moved.state is StepState.PENDING:
        return moved
    shown = visible(", ".join(lines))
    text = Text(
        f"system tables run as them: `{shown}`; remove these lines", f"系统任务表以其身份运行：`{shown}`；请移除"
    )
    return replace(moved, state=StepState.PENDING, detail=text, facts={**moved.facts, "by_hand": lines})


STEP = RevocationStep("cron", Text("cron jobs", "定时任务 cron"), probe, look, run)
