"""System units that run as the person (``User=``): whoever ends only their processes sees systemd start them again.

Rules of this file: a unit is the host's and may serve others, so it is stopped only where the rule pack says so
(``stop_units`` in ``[departure_case]``), and named otherwise, for an administrator to stop. The person's own manager
(``user@UID.service``) is no such unit: :mod:`agent.offboard.steps.sessions` ends it. Units that are not loaded start
nothing by themselves. Sources: systemctl(1) ``show``, systemd.exec(5) ``User=``, sd_booted(3).
"""

import shutil
from collections.abc import Collection, Iterable
from typing import NamedTuple

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import commands, places
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text
from rules.visible import visible

_RUNNING = frozenset(("active", "activating", "reloading", "deactivating"))
_FIELDS = "Id,User,UID,ActiveState,UnitFileState"
_SHOW = ("systemctl", "show", "--all", "--type=service", f"--property={_FIELDS}", "*")


class ServiceUnit(NamedTuple):
    """A loaded unit. ``running``: it is, or starts again in a moment; ``enabled``: it starts with the host."""

    name: str
    running: bool
    enabled: bool


def units(shown: str, uids: Collection[int], names: Collection[str]) -> tuple[ServiceUnit, ...]:
    """Return the units in *shown*, what ``systemctl show`` writes, that run as one of *uids* or *names*."""
    found = []
    for block in shown.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name, user = fields.get("Id", ""), fields.get("User", "")
        theirs = user in names or (user.isdecimal() and int(user) in uids)
        theirs = theirs or (fields.get("UID", "").isdecimal() and int(fields["UID"]) in uids)
        if name.endswith(".service") and not name.startswith("user@") and theirs:
            running = fields.get("ActiveState", "") in _RUNNING
            found.append(ServiceUnit(name, running, fields.get("UnitFileState", "").startswith("enabled")))
    return tuple(sorted(set(found)))


def commands_for(found: Collection[ServiceUnit]) -> tuple[tuple[str, ...], ...]:
    """Return what stops the running ones of *found*."""
    return tuple(("systemctl", "stop", "--", unit.name) for unit in found if unit.running)


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when systemd does not run here."""
    if (context.root / "run/systemd/system").is_dir() and shutil.which("systemctl"):
        return None
    return Text("systemd does not run on this host", "本机未运行 systemd")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the units that would be stopped, or named; empty when systemd does not say."""
    found, _ = _ask(leaver)
    return tuple(_target(unit, stops=context.stop_units()) for unit in found)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Stop them where the pack says so, and ask again; pending while one runs."""
    found, why = _ask(leaver)
    if why is None and context.stop_units():
        whys = [said.why for argv in commands_for(found) if (said := commands.call(argv)).why]
        found, why = _ask(leaver)
        why = whys[0] if whys and why is None and any(unit.running for unit in found) else why
    facts = {"units": [unit._asdict() for unit in found]}
    if why is not None:
        return StepResult(StepState.PENDING, why, facts)
    if running := _named(unit for unit in found if unit.running):
        hint = f"`{running}`: stop them (systemctl disable --now), or set stop_units in the pack"
        text = Text(
            f"system units run as them: {hint}",
            f"系统服务以其身份运行：`{running}`；请停止（systemctl disable --now），或在规则包中设置 stop_units",
        )
        return StepResult(StepState.PENDING, text, facts)
    if enabled := _named(unit for unit in found if unit.enabled):
        text = Text(
            f"none runs; with the host these start again: `{enabled}` (systemctl disable)",
            f"均未运行；重启后将再次启动：`{enabled}`（systemctl disable）",
        )
        return StepResult(StepState.DONE, text, facts)
    return StepResult(StepState.CONFIRMED, Text("no system unit runs as them", "没有系统服务以其身份运行"), facts)


def _named(found: Iterable[ServiceUnit]) -> str:
    return visible(", ".join(unit.name for unit in found))


def _target(unit: ServiceUnit, *, stops: bool) -> StepTarget:
    name = visible(unit.name)
    if stops:
        return StepTarget(Text(f"system unit `{name}`", f"系统服务 `{name}`"), Text("a unit of the host", "本机的服务"))
    return StepTarget(Text(f"system unit `{name}`, to be stopped by hand", f"系统服务 `{name}`（需手工停止）"))


def _ask(leaver: RevocationSubject) -> tuple[tuple[ServiceUnit, ...], Text | None]:
    """Return the units of *leaver*, and why they cannot be told."""
    said = commands.call(_SHOW)
    return units(said.output, leaver.uids, [name for _, name in places.named(leaver)]), said.why


STEP = RevocationStep(
    "units", Text("system units that run as them", "以其身份运行的系统服务"), probe, look, run, leaving=True
)
