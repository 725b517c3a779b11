"""Protection state of an area: data, and the findings about it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.api.findings import Finding
from agent.kernel import labels
from agent.volumes.facts import UnprotectableError
from agent.volumes.planning import AreaPlan
from rules.text import Message
from rules.tiers import MinimumTier, Tier
from rules.visible import visible


class ProtectedArea(NamedTuple):
    """The data of an area for protection. ``volume`` is what was stored about its volume when it was added."""

    name: str
    path: str
    volume: dict[str, Any]


UNLABELLED, STRIPPED, FOREIGN, UNSEALED = "unlabelled", "stripped", "foreign-labels", "unsealed"
NOT_SEEN = "not-seen"  # of a canary: the guard of an area did not refuse, or left no entry
NOT_TRIED = "not-tried"  # of a canary: it could not be said whether the guard refuses; it is tried again


class Counts(NamedTuple):
    """The counts of the last sweep; zero before the first."""

    files: int = 0
    directories: int = 0
    labelled: int = 0

    @classmethod
    def of(cls, report: labels.LabelReport) -> "Counts":
        """Return the counts of a sweep."""
        return cls(report.files, report.directories, report.fresh)


NOT_COUNTED = Counts()


@dataclass(frozen=True, slots=True)
class Protected:
    """The protection state of an area; ``tier`` is ``none`` when it is unprotected. ``findings``: for the officer.

    ``closed``: it is covered, so access is impossible. ``hidden``: an officer had its volume released. ``fresh``: its
    filesystem carried no mark before, so earlier opens were not checked. ``since``: when it was last brought under
    guard (:func:`agent.kernel.start_time.ticks_now`).
    """

    area: str
    path: str
    tier: Tier
    sharing: str = ""
    counts: Counts = NOT_COUNTED
    findings: tuple[Finding, ...] = ()
    closed: bool = False
    hidden: bool = False
    read_only: bool = False
    fresh: bool = False
    since: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        fields = ("area", "path", "tier", "sharing", "closed", "hidden")
        values = {name: getattr(self, name) for name in fields} | self.counts._asdict()
        return values | {"findings": [finding.to_json() for finding in self.findings]}


def volume_of(plan: AreaPlan | None, tier: str, *, accept_links: bool, held: str | None = None) -> dict[str, Any]:
    """Return the data about an area's volume for the registry. The decider reads ``alone``.

    *held*: the treatment of processes that held its files before it was guarded, ``name`` or ``end``.
    """
    if plan is None:
        return {"tier": tier}
    shape = {"alone": plan.dedicated, "sharing": plan.sharing, "fstype": plan.fstype, "tier": tier}
    return shape | ({"accept_links": True} if accept_links else {}) | ({"held": held} if held else {})


def of_sweep(report: labels.LabelReport, area: ProtectedArea) -> Iterator[Finding]:
    """Yield the findings about paths that were not labelled."""
    if not report.complete:
        first = report.troubles[0]
        shown_path = visible(first.path)
        reason = os.strerror(first.error)
        yield Finding(
            "serious",
            UNLABELLED,
            Message(
                "volumes.paths-not-labelled",
                count=report.trouble_count,
                area=area.name,
                path=shown_path,
                reason=reason,
            ),
            Message("volumes.correct-and-restart"),
        )

    if report.stripped_count:
        yield stripped(area.name, report.stripped_count, report.stripped[0], area.path)


def stripped(area: str, count: int, first: str, top: str) -> Finding:
    """Return the finding that files lost their labels, or were added while no agent was running."""
    shown_path, shown_area, shown_top = visible(first), visible(area), visible(top)
    return Finding(
        "serious",
        STRIPPED,
        Message("volumes.unlabelled-files", count=count, area=shown_area, path=shown_path),
        Message("volumes.find-cause-then-relabel", path=shown_top),
    )


def foreign(area: str, count: int, first: str, top: str) -> Finding:
    """Return the finding that inodes carry the label of an area that does not exist, or a damaged label."""
    shown_path, shown_area, shown_top = visible(first), visible(area), visible(top)
    return Finding(
        "serious",
        FOREIGN,
        Message("volumes.invalid-labels", count=count, area=shown_area, path=shown_path),
        Message("volumes.relabel", path=shown_top),
    )


def unsealed(area: str, first: str) -> Finding:
    """Return the finding that a dedicated volume is not fully labelled, so that a removed label is not noticed."""
    shown_area, shown_path = visible(area), visible(first)
    return Finding(
        "warning",
        UNSEALED,
        Message("volumes.volume-not-fully-labelled", area=shown_area, path=shown_path)
        if shown_path
        else Message("volumes.volume-not-wholly-mounted", area=shown_area),
        Message("volumes.unsealed-consequence"),
    )


def read_only(area: ProtectedArea) -> Finding:
    """Return the finding that the volume is read-only: files without a label stay inaccessible."""
    return Finding(
        "warning",
        "read-only",
        Message("volumes.volume-read-only", area=area.name),
        Message("volumes.mount-read-write-to-label"),
    )


def guarded_by(owner: str) -> UnprotectableError:
    """Return the refusal of a volume that another agent guards."""
    shown_owner = visible(owner)
    return UnprotectableError(
        "another-agent",
        Message("volumes.volume-guarded-by-another-agent", home=shown_owner),
        Message("volumes.one-agent-per-volume"),
    )


def held_before(area: str, holders: Sequence[tuple[int, str, bool]]) -> Finding:
    """Return the finding about holders of files from before the guard: pid, name, whether they may read now."""
    shown_area = visible(area)
    refused = [holder for holder in holders if not holder[2]]
    first = ", ".join(f"{pid} `{visible(comm)}`" for pid, comm, _ in (refused or holders)[:5])
    text = Message(
        "volumes.holder-processes",
        count=len(holders),
        area=shown_area,
        refused=len(refused),
        first=first,
    )
    hint = Message("volumes.end-holder-processes-of-area", area=shown_area)
    return Finding("serious" if refused else "warning", "held-before", text, hint)


def open_to_all(area: ProtectedArea, error: OSError) -> Finding:
    """Return the finding that an area is neither guarded nor covered."""
    shown_path, reason = visible(area.path), visible(error.strerror or "")
    return Finding(
        "serious",
        "uncovered",
        Message("volumes.neither-guarded-nor-covered", path=shown_path, reason=reason),
        Message("volumes.unmount-until-corrected"),
    )


def replaced(area: ProtectedArea, change: str) -> Finding:
    """Return the finding that another volume, or an older state of it, is mounted at the area."""
    shown_path = visible(area.path)
    older_state = Message("volumes.older-volume-state", path=shown_path)
    other_volume = Message("volumes.other-volume-than-before", path=shown_path)
    return Finding(
        "serious",
        f"volume-{change}",
        older_state if change == "older" else other_volume,
        Message("volumes.verify-volume"),
    )


REHEARSAL = Finding(
    "serious",
    "rehearsal",
    Message("volumes.rehearsal"),
    Message("common.run-agent-as-root"),
)


def too_low(area: str, tier: Tier, minimum: MinimumTier) -> Finding:
    """Return the finding that *area* does not reach the minimum tier of the site or its pack."""
    shown_area = visible(area)
    return Finding(
        "serious",
        "tier",
        Message("volumes.tier-below-minimum", area=shown_area, tier=tier, minimum=minimum),
        Message("volumes.use-better-volume-or-lower-minimum"),
    )
