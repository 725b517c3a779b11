"""What a revocation is given of this agent: the decider, the registry, the areas, and whom it must never touch.

Rules of this file: wiring only, the same for the control process and for the process of departures.
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
    """Which filesystems hold areas; asked anew when the areas or the mounts are others. For any thread."""

    def __init__(self) -> None:
        self._known: tuple[tuple[AreaLocation, ...], bytes, frozenset[int]] | None = None

    def of(self, places: tuple[AreaLocation, ...]) -> frozenset[int]:
        """Return ``st_dev`` of the filesystems of *places*; one that cannot be looked up is left out."""
        mounts = Path("/proc/self/mountinfo").read_bytes()
        known = self._known
        if known and known[1] == mounts and (known[0] is places or known[0] == places):
            return known[2]
        found, complete = set(), True
        for place in places:
            try:
                found.add(os.stat(place.path).st_dev)  # noqa: PTH116 - a thousand of them
            except OSError:
                complete = False
        self._known = (places, mounts, frozenset(found)) if complete else None
        return frozenset(found)


def revocation_context(
    site: SiteContext,
    agent: frozenset[int],
    walk: Walk,
    doors: DoorRevoker | None,
    tiers: Callable[[], Mapping[str, Tier]] | None = None,
    *,
    patience: float,
) -> RevocationContext:
    """Return the host as the steps of a revocation see it. *agent*: the processes all of its own descend from.

    *patience*: see :class:`agent.offboard.context.RevocationContext`.
    *tiers* says how each area is protected now; without it, what was seen when the area was added counts.
    """

    def deny(_run: str) -> DenialAck:
        epoch = site.facts.epoch()
        if site.audit.acknowledged[0] < epoch:  # else: whoever decides now, or starts later, knows it
            site.audit.epoch(epoch)
        epoch, since = site.audit.acknowledged
        return DenialAck(epoch, instant_of(since, site.now))

    on = DevicesOfPlaces()

    def devices() -> frozenset[int]:
        return on.of(site.facts.places())

    def areas() -> list[AreaPath]:
        watching = site.facts.observing()  # nothing is denied there, so nothing can be taken away
        places = site.facts.places()
        return [AreaPath(place.area, os.fsdecode(place.path)) for place in places if place.area not in watching]

    def area_of(found: HeldFile) -> str | None:
        if found.how == "ring":
            return ""  # a file, and nobody can say which
        try:
            area = labels.area_of(labels.read(found.link, follow=True)) or None
        except (FileNotFoundError, ProcessLookupError):  # it let go of it meanwhile, or has ended
            return None
        except OSError:
            return ""
        return None if area in site.facts.observing() else area

    def may(uid: int, area: str) -> bool:
        person = site.facts.person_of_uid(uid)
        return person is not None and allowed(site, person, area)

    def known_tiers() -> dict[str, Tier]:
        known = tiers() if tiers else {row.resource.id: row.volume.get("tier") for row in site.facts.areas()}
        return {area: found if found in ORDER else "none" for area, found in known.items()}

    def tier(area: str) -> Tier:
        return known_tiers().get(area, "none")

    def uncut(found: HeldFile) -> bool:
        if found.how == "ring":  # of which area and for which use is unknown; it is asked about as a descriptor is
            return not all(map(cuts_open_files, known_tiers().values()))
        try:
            use = use_of(found)
        except OSError:
            return False
        return use is not None and not cuts(tier(area_of(found) or ""), use)

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
    """Return what says, each time it is asked, which processes are never touched."""
    return lambda: Rails(family(agent), frozenset((s.uid, s.executable) for s in site.facts.services()))


def agent_processes() -> frozenset[int]:
    """Return the processes all of the agent's own descend from, seen from the control process."""
    return frozenset({os.getpid(), os.getppid()})  # its number now: the holder has no heir
