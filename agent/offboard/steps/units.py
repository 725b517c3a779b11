"""The units step: system units that run as the person (``User=``), which systemd would start again.

Rules of this file: a unit belongs to the host and may serve others, so it is stopped only where the rule pack says so
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
from rules.text import Message, Sentence
from rules.visible import visible

_RUNNING = frozenset(("active", "activating", "reloading", "deactivating"))
_FIELDS = "Id,User,UID,ActiveState,UnitFileState"
_SHOW = ("systemctl", "show", "--all", "--type=service", f"--property={_FIELDS}", "*")


class ServiceUnit(NamedTuple):
    """A loaded unit. ``running``: it is, or starts again in a moment; ``enabled``: it starts with the host."""

    name: str
    running: bool
    enabled: bool


def units(listing: str, uids: Collection[int], names: Collection[str]) -> tuple[ServiceUnit, ...]:
    """Return the units in *listing*, the output of ``systemctl show``, that run as one of *uids* or *names*."""
    matching = []
    for block in listing.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name, user = fields.get("Id", ""), fields.get("User", "")
        runs_as_person = user in names or (user.isdecimal() and int(user) in uids)
        runs_as_person = runs_as_person or (fields.get("UID", "").isdecimal() and int(fields["UID"]) in uids)
        if name.endswith(".service") and not name.startswith("user@") and runs_as_person:
            running = fields.get("ActiveState", "") in _RUNNING
            matching.append(ServiceUnit(name, running, fields.get("UnitFileState", "").startswith("enabled")))
    return tuple(sorted(set(matching)))


def commands_for(service_units: Collection[ServiceUnit]) -> tuple[tuple[str, ...], ...]:
    """Return the commands that stop the running ones of *service_units*."""
    return tuple(("systemctl", "stop", "--", unit.name) for unit in service_units if unit.running)


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when systemd does not run here."""
    if (context.root / "run/systemd/system").is_dir() and shutil.which("systemctl"):
        return None
    return Message("offboard.no-systemd")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the units that would be stopped, or named; empty when systemd does not report."""
    service_units, _ = _ask(leaver)
    return tuple(_target(unit, stops=context.stop_units()) for unit in service_units)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Stop them where the pack says so, and query again; pending while one runs."""
    service_units, reason = _ask(leaver)
    if reason is None and context.stop_units():
        errors = [reply.error for argv in commands_for(service_units) if (reply := commands.call(argv)).error]
        service_units, reason = _ask(leaver)
        reason = errors[0] if errors and reason is None and any(unit.running for unit in service_units) else reason
    facts = {"units": [unit._asdict() for unit in service_units]}
    if reason is not None:
        return StepResult(StepState.PENDING, reason, facts)
    if running := _named(unit for unit in service_units if unit.running):
        text = Message("offboard.system-units-run", units=running)
        return StepResult(StepState.PENDING, text, facts)
    if enabled := _named(unit for unit in service_units if unit.enabled):
        text = Message("offboard.units-start-at-boot", units=enabled)
        return StepResult(StepState.DONE, text, facts)
    return StepResult(StepState.CONFIRMED, Message("offboard.no-system-unit"), facts)


def _named(service_units: Iterable[ServiceUnit]) -> list[str]:
    return [f"`{visible(unit.name)}`" for unit in service_units]


def _target(unit: ServiceUnit, *, stops: bool) -> StepTarget:
    name = visible(unit.name)
    if stops:
        return StepTarget(Message("offboard.system-unit", name=name), Message("offboard.unit-of-host"))
    return StepTarget(Message("offboard.system-unit-to-stop-by-hand", name=name))


def _ask(leaver: RevocationSubject) -> tuple[tuple[ServiceUnit, ...], Sentence | None]:
    """Return the units of *leaver*, and the error if they are unknown."""
    reply = commands.call(_SHOW)
    return units(reply.output, leaver.uids, [name for _, name in places.named(leaver)]), reply.error


STEP = RevocationStep("units", Message("common.system-units-run-them"), probe, find_targets, run, leaving=True)
