"""What a revocation is given of this agent: the decider, the registry, the areas, and whom it must never touch.

Rules of this file: wiring only, the same for the control process and for the process of departures. What may be known
comes from :class:`OffboardingHost`, which both have in their own way.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

from agent.kernel import labels, open_files
from agent.offboard import proof
from agent.offboard.context import (
    AreaPath,
    Blocked,
    DenialAck,
    DoorRevoker,
    HeldInode,
    Inode,
    RevocationContext,
    no_walk,
)
from agent.offboard.guardrails import Rails
from agent.offboard.steps import doors as doors_step
from agent.offboard.steps.tasks import family
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.runtime.home import Home
from rules.pack.reader import Pack

MORE = (doors_step.STEP, *proof.STEPS)  # steps of a run besides those every host has
Walk = Callable[[str], Iterator[Inode | Blocked]]


class AuditWriter(Protocol):
    """The part of :class:`agent.control.decider_client.DeciderClient` that a revocation needs."""

    @property
    def acknowledged(self) -> tuple[int, float]:
        """The last epoch the decider is known to have taken over, and when (``time.monotonic``)."""

    def append(self, fields: Mapping[str, Any]) -> int:
        """Append one entry and return its number."""

    def epoch(self, epoch: int) -> None:
        """Return when the decider has taken over *epoch*."""


class OffboardingHost(Protocol):
    """One agent, as far as departures need it. Every member may raise :class:`agent.errors.ShoumiError`."""

    @property
    def home(self) -> Home:
        """Where it keeps everything."""

    @property
    def decider(self) -> AuditWriter:
        """Who denies and records."""

    @property
    def facts(self) -> FactsReader:
        """This thread's own reader of the registry."""

    @property
    def lists(self) -> RegistryQueries:
        """This thread's own reader for lists."""

    def now(self) -> datetime:
        """The agent's time."""

    def pack(self) -> Pack:
        """The pack in force."""


def revocation_context(
    ground: OffboardingHost, agent: frozenset[int], walk: Walk = no_walk, doors: DoorRevoker | None = None
) -> RevocationContext:
    """Return the host as the steps of a revocation see it. *agent*: the processes all of its own descend from."""

    def deny(_person: str) -> DenialAck:
        epoch = ground.facts.epoch()
        if ground.decider.acknowledged[0] < epoch:  # else: whoever decides now, or starts later, knows it
            ground.decider.epoch(epoch)
        epoch, since = ground.decider.acknowledged
        return DenialAck(epoch, ground.now() - timedelta(seconds=time.monotonic() - since))

    def devices() -> frozenset[int]:
        found = set()
        for place in ground.facts.places():
            with suppress(OSError):
                found.add(os.stat(place.path).st_dev)  # noqa: PTH116 - a thousand of them, for every look
        return frozenset(found)

    def areas() -> list[AreaPath]:
        watching = ground.facts.observing()  # nothing is denied there, so nothing can be taken away
        places = ground.facts.places()
        return [AreaPath(place.area, os.fsdecode(place.path)) for place in places if place.area not in watching]

    def area_of(found: HeldInode) -> str | None:
        if found.how == "ring":
            return ""  # a file, and nobody can say which
        try:
            area = labels.read(found.link, follow=True)
        except FileNotFoundError:  # it let go of it meanwhile
            return None
        except OSError:
            return ""
        return None if area in ground.facts.observing() else area

    return RevocationContext(
        seized=ground.home.root / "seized",
        deny=deny,
        now=ground.now,
        append=ground.decider.append,
        areas=areas,
        devices=devices,
        held=open_files.held,
        area_of=area_of,
        walk=walk,
        taken=ground.facts.accounts,
        doors=doors,
        rails=lambda: Rails(family(agent), frozenset((s.uid, s.executable) for s in ground.facts.services())),
    )
