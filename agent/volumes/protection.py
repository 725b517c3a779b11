"""Areas under protection: planned, labelled, marked, and found out how well (contract C5).

    look → plan → probe the tier → bind onto itself (shared) → label every inode → mark → uncover

Rules of this file:
- the tier is what was seen to work on that volume; below the configured minimum an area is not called protected;
- labels come before marks on a fresh volume, and through the agent's own doorway on one that is marked already;
- everything can be done again: at every start, after a crash in the middle, with the same result;
- without fanotify groups (a rehearsal without the rights) nothing is marked, and every tier is ``none``.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.api.findings import Finding
from agent.errors import RefusedError
from agent.kernel import cover, labels, mountinfo, mounting
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.private_mount import doorway
from agent.registry.rows.areas import AreaRow
from agent.runtime.home import Home
from agent.volumes import marks, probe
from agent.volumes.planning import AreaPlan, Sharing, doors, plan_area
from agent.volumes.probe import Tier
from agent.volumes.status import REHEARSAL, Protected, ProtectedArea, of_sweep, too_low
from agent.volumes.survey import Machine, gather, look_around
from rules.model import Mode
from rules.text import Text
from rules.visible import visible

_RANK: dict[str, int] = {"none": 0, "C": 1, "B": 2, "A": 3}
_TIERS: dict[str, Tier] = {"A": "A", "B": "B", "C": "C"}
_SDEV = re.compile(r"^fanotify sdev:([0-9a-f]+) ", re.MULTILINE)


@dataclass(slots=True)
class Protection:
    """The areas of one agent and how each is protected. Used by the thread of acts; ``now`` may be read by any."""

    home: Home
    groups: FanotifyGroups | None
    minimum: str = "C"
    now: dict[str, Protected] = field(default_factory=dict)
    plans: dict[str, AreaPlan] = field(default_factory=dict)
    _probed: dict[tuple[int, str], Tier] = field(default_factory=dict)

    def plan(
        self,
        path: str,
        others: Sequence[AreaRow],
        *,
        sharing: Sharing | None,
        accept_links: bool,
        inside: bool = True,
        machine: Machine | None = None,
    ) -> AreaPlan | None:
        """Return how an area at *path* can be protected beside the areas *others*, ``None`` in a rehearsal.

        *inside*: look at every file of the tree, as for a new area. Raises :class:`RefusedError` with the reason when
        the directory cannot be protected.
        """
        if self.groups is None:
            if not Path(path).is_dir():
                said = visible(path)
                raise RefusedError(Text(f"`{said}` is not a directory", f"`{said}` 不是目录"))
            return None
        taken = [(row.resource.id, row.path) for row in others]
        facts = gather(path, self.home.root, taken, inside=inside, machine=machine)
        return plan_area(facts, sharing=sharing, accept_links=accept_links)

    def tier(self, plan: AreaPlan | None, remembered: object = None) -> Tier:
        """Return what *plan* can reach on its volume: probed, or on a volume that is marked already what is known."""
        if self.groups is None or plan is None:
            return "none"
        if plan.st_dev in _marked(self.groups.open):
            for name, other in self.plans.items():
                if other.st_dev == plan.st_dev and name in self.now:
                    return self.now[name].tier
            return _TIERS.get(str(remembered), "C")
        volume = plan.st_dev, plan.sharing
        if volume not in self._probed:
            tier = probe.tier_of(probe.probe(plan.path), plan.sharing)
            self._probed[volume] = "C" if self.groups.access < 0 and tier in ("A", "B") else tier
        return self._probed[volume]

    def below(self, tier: str) -> bool:
        """Whether *tier* is below the configured minimum (a rehearsal protects nothing, and says so itself)."""
        return self.groups is not None and _RANK[tier] < max(_RANK[self.minimum], 1)

    def protect(self, area: ProtectedArea, plan: AreaPlan | None, tier: Tier) -> Protected:
        """Bind, label and mark a new area, and be ready to hide it. Raises ``OSError`` and :class:`RefusedError`."""
        if plan is None:
            return self._rehearsed(area)
        return self._mark(area, plan, tier, self._label(area, plan))

    def release(self, area: ProtectedArea, others: Sequence[AreaRow]) -> tuple[Finding, ...]:
        """Take marks, labels and self-bind of a removed area away; what could not be undone is a finding."""
        self.now.pop(area.name, None)
        plan = self.plans.pop(area.name, None)
        if self.groups is None:
            return ()
        try:
            plan = plan or self.plan(area.path, others, sharing=None, accept_links=True, inside=False)
            assert plan
            table = mounting.uncovered(mountinfo.table())
            self._place(marks.unmarks(plan, table, list(self.plans.values())))
            volume = mountinfo.resolve(plan.path, table)
            # Files moved out of the area carry its label too; out of a self-bound one nothing can be moved.
            top = volume.point if volume and plan.dedicated else plan.path
            with self._way_in(plan, top) as inside:
                labels.clear(inside, area.name)
            mounting.unbind(area.path)
        except (OSError, RefusedError) as error:
            said = visible(str(error))
            text = Text(f"something of `{area.path}` is left behind: {said}", f"`{area.path}` 未能完全清理：{said}")
            return (Finding("warning", "left-behind", text),)
        return ()

    def protect_all(self, rows: Sequence[AreaRow]) -> tuple[Protected, ...]:
        """Protect every area, as at each start, and uncover them. Never raises.

        Every area is labelled before the first mark is placed, and marked before the first is uncovered. One that
        cannot be protected has tier ``none``, says why, and stays covered if the last holder covered it.
        """
        marked = _marked(self.groups.open) if self.groups else frozenset()
        machine = look_around(self.home.root) if self.groups else None
        steps = [self._first_half(row, rows, marked, machine) for row in rows]
        found = tuple(step() for step in steps)
        self.list_covers(rows)
        table = mounting.uncovered(mountinfo.table())
        safe = [self.plans[area.area] for area in found if area.tier != "none"]
        for path in dict.fromkeys(path for plan in safe for path in doors(plan, table)):
            with contextlib.suppress(OSError):  # the cover stays: nobody gets in
                mounting.unhide(path)
        return found

    def list_covers(self, rows: Sequence[AreaRow]) -> None:
        """Tell the holder what to cover when the agent ends: every way into the areas of *rows* that are enforced."""
        table = mounting.uncovered(mountinfo.table())
        enforced = {row.resource.id for row in rows if row.resource.mode is Mode.ENFORCE}
        plans = [plan for name, plan in self.plans.items() if name in enforced]
        cover.write_list(
            self.home.covers, map(os.fsencode, dict.fromkeys(path for plan in plans for path in doors(plan, table)))
        )

    def lowest(self) -> str:
        """Return the tier the agent may claim: the lowest of its areas, ``none`` without areas."""
        return min((p.tier for p in self.now.values()), key=lambda tier: _RANK[tier], default="none")

    def _first_half(
        self, row: AreaRow, rows: Sequence[AreaRow], marked: frozenset[int], machine: Machine | None
    ) -> Callable[[], Protected]:
        """Plan and label an area the registry knows; return what marks it. On a volume of *marked*, no label lacks."""
        area = ProtectedArea(row.resource.id, row.path, dict(row.volume))
        others = [other for other in rows if other.path != row.path]
        chosen: Any = area.volume.get("sharing")
        links = bool(area.volume.get("accept_links"))
        try:
            plan = self.plan(row.path, others, sharing=chosen, accept_links=links, inside=False, machine=machine)
            if plan is None:
                return lambda: self._rehearsed(area)
            tier = self.tier(plan, area.volume.get("tier"))
            report = labels.LabelReport() if plan.st_dev in marked else self._label(area, plan)
        except (OSError, RefusedError) as error:
            found = self._failed(area, error)
            return lambda: found
        return lambda: self._second_half(area, plan, tier, report)

    def _second_half(self, area: ProtectedArea, plan: AreaPlan, tier: Tier, report: labels.LabelReport) -> Protected:
        try:
            return self._mark(area, plan, tier, report)
        except (OSError, RefusedError) as error:
            return self._failed(area, error)

    def _label(self, area: ProtectedArea, plan: AreaPlan) -> labels.LabelReport:
        marks.prepare(plan)
        with self._way_in(plan, plan.path) as inside:
            return labels.sweep(inside, area.name, named=plan.path)

    def _mark(self, area: ProtectedArea, plan: AreaPlan, tier: Tier, report: labels.LabelReport) -> Protected:
        others = [other for name, other in self.plans.items() if name != area.name]
        self._place(marks.marks(plan, mounting.uncovered(mountinfo.table()), others))
        self.plans[area.name] = plan
        findings = [Finding("warning", notice.code, notice.text, notice.hint) for notice in plan.notices]
        findings += of_sweep(report, area)
        if self.below(tier):
            findings.append(too_low(area, tier, self.minimum))
        counts = report.files, report.directories, report.fresh
        found = self.now[area.name] = Protected(area.name, area.path, tier, plan.sharing, *counts, tuple(findings))
        return found

    def _rehearsed(self, area: ProtectedArea) -> Protected:
        found = self.now[area.name] = Protected(area.name, area.path, "none", findings=(REHEARSAL,))
        return found

    def _failed(self, area: ProtectedArea, error: OSError | RefusedError) -> Protected:
        text = error.text if isinstance(error, RefusedError) else Text(visible(str(error)), visible(str(error)))
        why = Finding("serious", "unprotected", text, error.hint if isinstance(error, RefusedError) else None)
        found = self.now[area.name] = Protected(area.name, area.path, "none", findings=(why,))
        return found

    def _place(self, requests: Iterable[marks.MarkRequest]) -> None:
        assert self.groups
        marks.place(self.groups.open, self.groups.access if self.groups.access >= 0 else None, requests)

    @contextlib.contextmanager
    def _way_in(self, plan: AreaPlan, path: str) -> Iterator[str]:
        """Yield a path to *path* that asks nobody, and leads below our own cover."""
        assert self.groups
        if plan.st_dev in _marked(self.groups.open):
            with doorway(self.groups.open, self.groups.access, path) as inside:
                yield inside
            return
        descriptor = mounting.reach(path)
        try:
            yield f"/proc/self/fd/{descriptor}/."
        finally:
            os.close(descriptor)


def _marked(group: int) -> frozenset[int]:
    """Return the devices (``st_dev``) whose filesystem carries a mark of *group*: proc_pid_fdinfo(5)."""
    text = Path(f"/proc/self/fdinfo/{group}").read_text(encoding="ascii")
    numbers = (int(found, 16) for found in _SDEV.findall(text))
    return frozenset(os.makedev(number >> 20, number & 0xFFFFF) for number in numbers)  # the kernel's own dev_t
