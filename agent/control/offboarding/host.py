"""Revocation context of this agent: the decider, the registry, the areas, and the protected processes.

Rules of this file: wiring only, the same for the control process and the offboarding process.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agent.control.holder_cuts import use_of
from agent.control.offboarding.triggers import allowed
from agent.kernel import labels, open_files
from agent.kernel.open_files import HeldFile
from agent.kernel.walk import WalkEntry, WalkFailure
from agent.offboard import proof
from agent.offboard.context import AreaPath, DenialAck, DoorRevoker, RevocationContext
from agent.offboard.guardrails import Rails
from agent.offboard.steps import doors as doors_step
from agent.offboard.steps.tasks import family
from agent.registry.rows.areas import AreaLocation
from agent.runtime.clock import instant_of
from agent.site.context import SiteContext
from rules.tiers import ORDER, Tier, cuts, cuts_open_files

MORE = (doors_step.STEP, *proof.STEPS)  # steps of a run besides those every host has
Walk = Callable[[str], Iterator[WalkEntry | WalkFailure]]


class DevicesOfPlaces:
    """The filesystems that hold areas, looked up again when areas or mounts change. For any thread."""

    def __init__(self) -> None:
        self._cached: tuple[tuple[AreaLocation, ...], bytes, frozenset[int]] | None = None

    def of(self, places: tuple[AreaLocation, ...]) -> frozenset[int]:
        """Return ``st_dev`` of the filesystems of *places*; one that cannot be looked up is left out."""
        mounts = Path("/proc/self/mountinfo").read_bytes()
        cached = self._cached
        if cached and cached[1] == mounts and (cached[0] is places or cached[0] == places):
            return cached[2]
        devices, complete = set(), True
        for place in places:
            try:
                devices.add(os.stat(place.path).st_dev)  # noqa: PTH116 - there may be a thousand
            except OSError:
                complete = False
        self._cached = (places, mounts, frozenset(devices)) if complete else None
        return frozenset(devices)


def revocation_context(
    site: SiteContext,
    agent: frozenset[int],
    walk: Walk,
    doors: DoorRevoker | None,
    tiers: Callable[[], Mapping[str, Tier]] | None = None,
    *,
    patience: float,
) -> RevocationContext:
    """Return the host for the steps of a revocation. *agent*: the ancestors of all processes of the agent.

    *patience*: see :class:`agent.offboard.context.RevocationContext`. *tiers* returns the tier of each area now;
    without it, the tier recorded when the area was added counts.
    """

    def deny(_run: str) -> DenialAck:
        epoch = site.facts.epoch()
        if site.audit.acknowledged[0] < epoch:  # otherwise the present decider and its successors know it
            site.audit.epoch(epoch)
        epoch, since = site.audit.acknowledged
        return DenialAck(epoch, instant_of(since, site.now))

    on = DevicesOfPlaces()

    def devices() -> frozenset[int]:
        return on.of(site.facts.places())

    def areas() -> list[AreaPath]:
        watching = site.facts.observing()  # observed areas deny nothing, so there is nothing to revoke
        places = site.facts.places()
        return [AreaPath(place.area, os.fsdecode(place.path)) for place in places if place.area not in watching]

    def area_of(held_file: HeldFile) -> str | None:
        if held_file.how == "ring":
            return ""  # an unknown file
        try:
            area = labels.area_of(labels.read(held_file.link, follow=True)) or None
        except (FileNotFoundError, ProcessLookupError):  # released meanwhile, or the process has ended
            return None
        except OSError:
            return ""
        return None if area in site.facts.observing() else area

    def may(uid: int, area: str) -> bool:
        person = site.facts.person_of_uid(uid)
        return person is not None and allowed(site, person, area)

    def known_tiers() -> dict[str, Tier]:
        recorded = tiers() if tiers else {row.resource.id: row.volume.get("tier") for row in site.facts.areas()}
        return {area: area_tier if area_tier in ORDER else "none" for area, area_tier in recorded.items()}

    def tier(area: str) -> Tier:
        return known_tiers().get(area, "none")

    def uncut(held_file: HeldFile) -> bool:
        if held_file.how == "ring":  # area and use are unknown; treated as a descriptor
            return not all(map(cuts_open_files, known_tiers().values()))
        try:
            use = use_of(held_file)
        except OSError:
            return False
        return use is not None and not cuts(tier(area_of(held_file) or ""), use)

    return RevocationContext(
        seized=site.home.root / "seized",
        deny=deny,
        now=site.now,
        append=site.audit.append,
        own=site.audit.own,
        areas=areas,
        devices=devices,
        held=open_files.held,
        area_of=area_of,
        uncut=uncut,
        walk=walk,
        owner=lambda uid: site.facts.person_of_uid(uid),  # noqa: PLW0108 - as below
        taken=lambda: site.facts.accounts(),  # noqa: PLW0108 - of the thread that asks, not of the one that is here
        doors=doors,
        end_sessions=lambda: bool((rule := site.pack().losses) and rule.sessions),
        stop_units=lambda: site.pack().departure_case.stop_units,
        patience=patience,
        may=may,
        denials=None,
        rails=rails_of(site, agent),
    )


def rails_of(site: SiteContext, agent: frozenset[int]) -> Callable[[], Rails]:
    """Return a function that returns the processes that are never touched, read anew at each call."""
    return lambda: Rails(family(agent), frozenset((s.uid, s.executable) for s in site.facts.services()))


def agent_processes() -> frozenset[int]:
    """Return the ancestors of all processes of the agent, as seen from the control process."""
    return frozenset({os.getpid(), os.getppid()})  # the present pid: the holder is never replaced
