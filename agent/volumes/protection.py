"""Areas under protection: brought under guard, watched, let go, and what was seen of that (contracts C5 and C11).

    cover → look → plan → probe the tier → mark → prove → uncover;   afterwards, behind it: label every inode

Rules of this file:
- the tier is what was seen to work on that volume; below the minimum an area is not called protected;
- an enforced area that is not guarded is covered, whatever the reason; only a proof takes the cover off;
- everything can be done again: at every start, after each change of the mount table, after a crash in the middle;
- without fanotify groups (a rehearsal without the rights) nothing is marked, and every tier is ``none``.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from agent.api.findings import Finding
from agent.errors import RefusedError
from agent.kernel import labels, mountinfo, mounting, volume_lock
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.private_mount import doorway
from agent.kernel.start_time import ticks_now
from agent.kernel.volume_lock import VolumeLocks
from agent.registry.rows.areas import AreaRow
from agent.runtime.home import Home
from agent.volumes import guarding, marks, status
from agent.volumes.facts import UnprotectableError
from agent.volumes.guarding import Guarding, MarkedArea
from agent.volumes.hiding import HiddenAreas, close_doors
from agent.volumes.labelling import LabelSweeps, sweep
from agent.volumes.places import GuardedPlaces
from agent.volumes.planning import AreaPlan, Sharing, plan_area
from agent.volumes.refusals import GOES_PAST
from agent.volumes.status import REHEARSAL, Protected, ProtectedArea, of_sweep, too_low
from agent.volumes.survey import Machine, gather, look_around
from agent.volumes.visits import VisitNumbers
from agent.volumes.volume_tiers import VolumeTiers
from rules import tiers
from rules.model import Mode
from rules.text import Text
from rules.tiers import Tier
from rules.visible import visible

_OF_SWEEP = (status.UNLABELLED, status.STRIPPED)

Prove = Callable[[Sequence[tuple[ProtectedArea, AreaPlan, Tier]]], Mapping[str, Finding]]
"""Tries areas as somebody uncleared; returns, by name, why the guard of some was not seen to work."""


@dataclass(slots=True)
class Protection:
    """The areas of one agent and how each is protected. For any thread: one at a time works, ``now`` is for all."""

    home: Home
    groups: FanotifyGroups | None
    prove: Prove
    guarded_by: Callable[[], bool]  # whether the holder lives: without it every cover stays, or comes back
    watched: Callable[[], object]  # has the mount watcher look now, and keep hold of volumes that carry marks
    volume_tiers: VolumeTiers
    now: dict[str, Protected] = field(default_factory=dict)
    plans: dict[str, AreaPlan] = field(default_factory=dict)
    turn: threading.RLock = field(default_factory=threading.RLock)
    _hidden: HiddenAreas = field(init=False)
    _places: GuardedPlaces = field(init=False)
    locks: VolumeLocks = field(init=False)
    sweeps: LabelSweeps = field(init=False)
    visits: VisitNumbers = field(init=False)

    def __post_init__(self) -> None:
        """Read what earlier starts have kept."""
        self.locks = VolumeLocks(self.home.root)
        self._hidden = HiddenAreas(self.home.root)
        self._places = GuardedPlaces(self.home.covers)
        self.sweeps = LabelSweeps(self.home.run / "swept")
        self.visits = VisitNumbers(self.home.run / "visits")

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
        way_in = partial(doorway, *self.groups)
        table = machine.mounts if machine else mounting.uncovered(mountinfo.table())
        there = mountinfo.resolve(path, table)
        if there is not None and (owner := volume_lock.owner(there.device)) not in (None, str(self.home.root)):
            raise status.guarded_by(str(owner))  # who would refuse us every look
        facts = gather(path, self.home.root, taken, inside=inside, machine=machine, way_in=way_in)
        plan = plan_area(facts, sharing=sharing, accept_links=accept_links)
        self._lock(plan)
        return plan

    def tiers(self) -> dict[str, Tier]:
        """Return the tier of each area, as it is now."""
        return {name: found.tier for name, found in list(self.now.items())}

    def guarded_since(self) -> dict[str, int]:
        """Return since when each area is guarded, as process starts are counted."""
        return {name: found.since for name, found in list(self.now.items()) if found.tier != "none"}

    def findings(self, name: str) -> tuple[Finding, ...]:
        """Return what an officer must know of the protection of area *name*."""
        found = self.now.get(name)
        if found is None:
            return ()
        low = found.tier != "none" and self.volume_tiers.below(found.tier)
        return (*found.findings, *((too_low(name, found.tier, self.volume_tiers.minimum),) if low else ()))

    def sealed_beside(self, plan: AreaPlan | None, rows: Sequence[AreaRow]) -> bool:
        """Whether *plan* lies on a volume where every inode was given a label, by what is known of its other areas."""
        beside = {name for name, other in self.plans.items() if plan is not None and other.device == plan.device}
        return any(row.resource.id in beside and row.volume.get("sealed") is True for row in rows)

    def protect(self, area: ProtectedArea, plan: AreaPlan | None, tier: Tier) -> Protected:
        """Bind, mark and label a new area, and be ready to hide it. Raises ``OSError`` and :class:`RefusedError`."""
        with self.turn:
            if plan is None:
                return self._rehearsed(area)
            assert self.groups
            self._lock(plan)
            guard = Guarding(self.groups, plan, self._others(area.name), tier)
            marks.prepare(plan)
            guard.mark()
            self.plans[area.name] = plan
            report = sweep(self.groups, area.name, plan.path, sealed=area.volume.get("sealed") is True)
            self.sweeps.swept(area.name, plan.path, plan.st_dev, report)
            self.visits.arrive(area.name, plan.path)
            return self._seen(area, plan, tier, status.Counts.of(report), [*of_sweep(report, area)])

    def release(self, area: ProtectedArea, others: Sequence[AreaRow]) -> tuple[Finding, ...]:
        """Take marks, labels and self-bind of a removed area away; what could not be undone is a finding."""
        with self.turn:
            self.now.pop(area.name, None)
            self._hidden.discard([area.name])
            self.sweeps.forget(area.name)
            plan = self.plans.pop(area.name, None)
            if self.groups is None:
                return ()
            try:
                plan = plan or self.plan(area.path, others, sharing=None, accept_links=True, inside=False)
                assert plan
                self.visits.forget(area.name, plan.path)
                Guarding(self.groups, plan, list(self.plans.values()), self.volume_tiers.tier(plan)).let_go(area.name)
            except (OSError, RefusedError) as error:
                self.visits.forget(area.name)
                said = visible(str(error))
                text = Text(f"something of `{area.path}` is left behind: {said}", f"`{area.path}` 未能完全清理：{said}")
                return (Finding("warning", "left-behind", text),)
            return ()

    def bring_up(self, rows: Sequence[AreaRow]) -> tuple[Protected, ...]:
        """Bring every area that is not guarded now under guard; return those whose state was looked at. Never raises.

        For the start, and after each change of the mount table. An enforced area that cannot be guarded stays covered,
        has tier ``none`` and says why.
        """
        with self.turn:
            if self.groups is None:
                return tuple(self._rehearse(row) for row in rows)
            if not self.guarded_by():
                return ()
            table, marked = mountinfo.table(), guarding.marked(self.groups.open)
            kept = self._hidden.close_all(rows, self._places, self.now)
            shown = [row for row in rows if row.resource.id not in self._hidden]
            waiting = [row for row in shown if not self._is_guarded(row, table, marked)]
            if not waiting:
                self.list_covers(rows)
                return kept
            self._close_all(waiting, table, marked)  # all of them first: nobody is asked there
            found = self._bring_all_up(waiting, rows)
            self.list_covers(rows)
            self.watched()
            self._cover_inside(shown)
            return (*kept, *found)

    def hide(self, areas: Mapping[str, Finding], rows: Sequence[AreaRow]) -> None:
        """Close *areas* at once, by every way into them, for the reasons given; the watcher lets go of their volume."""
        with self.turn:
            self._hidden.add(areas)
            for name in areas:
                self.sweeps.forget(name)
            close_doors([self.plans.pop(name, None) for name in areas], self.groups)
            self._hidden.close_all(rows, self._places, self.now)
            self.list_covers(rows)

    def show(self, areas: Iterable[str]) -> None:
        """Have *areas* guarded again; :meth:`bring_up` does it."""
        with self.turn:
            self._hidden.discard(areas)

    def close_area(self, name: str, why: Finding) -> None:
        """Cover an area that was seen not to be guarded, and say *why*."""
        with self.turn:
            found = self.now.get(name)
            if self.groups is None or found is None:
                return
            closed = guarding.close(
                self._places.named(name, found.path), mountinfo.table(), frozenset(), self.home.root
            )
            kept = tuple(finding for finding in found.findings if finding.code != why.code)
            self.now[name] = replace(found, tier="none", closed=closed, findings=(*kept, why))

    def add_finding(self, name: str, finding: Finding) -> None:
        """Add what was found out about an area afterwards."""
        with self.turn:
            if (found := self.now.get(name)) is not None:
                kept = tuple(other for other in found.findings if other.code != finding.code)
                self.now[name] = replace(found, findings=(*kept, finding))

    def drop_findings(self, names: Sequence[str], code: str) -> None:
        """Take back what was found out about areas and does not hold any more."""
        with self.turn:
            for name in names:
                if (found := self.now.get(name)) is not None:
                    kept = tuple(finding for finding in found.findings if finding.code != code)
                    self.now[name] = replace(found, findings=kept)

    def list_covers(self, rows: Sequence[AreaRow]) -> None:
        """Tell holder and watcher what to cover: every way into the areas of *rows* that are enforced."""
        with self.turn:  # one writer at a time, and nobody's older list after a newer one
            if self._places.write(rows if self.groups else (), self.plans, self._hidden):
                self.watched()
            if self.groups is not None:  # what has neither an area nor a mark any more may be another agent's
                marked = {(os.major(one), os.minor(one)) for one in guarding.marked(self.groups.open)}
                self.locks.keep_only(frozenset(plan.device for plan in self.plans.values()) | marked)

    def _lock(self, plan: AreaPlan) -> None:
        if owner := self.locks.take(plan.device):
            raise status.guarded_by(owner)

    def untried(self) -> bool:
        """Whether an area is closed only because its guard could not be tried: looking again may help."""
        return any(finding.code == status.NOT_TRIED for found in list(self.now.values()) for finding in found.findings)

    def lowest(self) -> Tier:
        """Return the tier the agent may claim: the lowest of its areas, ``none`` without areas."""
        return tiers.lowest(self.tiers().values())

    def sweep_waiting(self) -> None:
        """Label what waits to be labelled. Takes as long as that takes, and ends early when the sweeps are stopped.

        Raises ``OSError`` for an area that cannot be walked; the others wait for the next call.
        """
        while self.groups is not None and self.sweeps.step(self.groups, self._swept):
            pass

    def _swept(self, name: str, report: labels.LabelReport) -> None:
        with self.turn:
            found = self.now.get(name)
            if found is not None:
                news = [*of_sweep(report, ProtectedArea(name, found.path, {}))]
                kept = tuple(finding for finding in found.findings if finding.code not in _OF_SWEEP)
                counted = replace(found, counts=status.Counts.of(report), findings=(*kept, *news))
                self.now[name] = counted

    def _is_guarded(self, row: AreaRow, table: Sequence[mountinfo.Mount], marked: frozenset[int]) -> bool:
        found, plan = self.now.get(row.resource.id), self.plans.get(row.resource.id)
        if found is None or plan is None or found.tier == "none" or found.path != row.path:
            return False
        top = mountinfo.resolve(row.path, table)
        if top is None or top.device != plan.device or plan.st_dev not in marked or top.read_only != found.read_only:
            return False
        return top.inner(row.path) == plan.inner and (plan.dedicated or top.point == row.path)

    def _bring_all_up(self, waiting: Sequence[AreaRow], rows: Sequence[AreaRow]) -> tuple[Protected, ...]:
        """Plan and mark every area that waits, prove them together, then uncover what was proven."""
        machine = look_around(self.home.root)
        steps = [self._mark(row, rows, machine) for row in waiting]
        marked = [step for step in steps if isinstance(step, MarkedArea)]
        unseen = self.prove([(step.area, step.plan, step.tier) for step in marked if step.enforced])
        return tuple(
            self._uncover(step, unseen.get(step.area.name)) if isinstance(step, MarkedArea) else step for step in steps
        )

    def _mark(self, row: AreaRow, rows: Sequence[AreaRow], machine: Machine) -> MarkedArea | Protected:
        assert self.groups
        area = _area(row)
        try:
            plan = self.plan(
                row.path,
                [other for other in rows if other.path != row.path],
                sharing=guarding.chosen_sharing(row.volume),
                accept_links=bool(row.volume.get("accept_links")),
                inside=False,
                machine=machine,
            )
            assert plan is not None
            tier = self.volume_tiers.tier(plan)
            guard = Guarding(self.groups, plan, self._others(area.name), tier)
            placed = guard.place()
            self.plans[area.name] = plan
            if placed == "again" and (shut := self._unseen(area.name)):
                return shut  # its marks were there, and were not seen to refuse: looking again mends nothing
            findings = [finding for finding in (guard.arrived(area, self.visits),) if finding]
        except (OSError, RefusedError) as error:
            past = isinstance(error, UnprotectableError) and error.reason in GOES_PAST
            return self._failed(row, error, marks_hold=not past)
        return MarkedArea(row, area, plan, tier, guard, findings, fresh=placed == "anew")

    def _unseen(self, name: str) -> Protected | None:
        found = self.now.get(name)
        return found if found and any(finding.code == status.NOT_SEEN for finding in found.findings) else None

    def _uncover(self, step: MarkedArea, unseen: Finding | None) -> Protected:
        if unseen is not None:
            code = status.NOT_TRIED if unseen.code == status.NOT_TRIED else "unprotected"
            return self._failed(step.row, RefusedError(unseen.text, unseen.hint), code, marks_hold=False)
        try:
            if step.tier != "none" or not step.enforced:
                step.guard.open_doors()
        except (OSError, RefusedError) as error:
            return self._failed(step.row, error)
        if step.enforced and not self.guarded_by():  # whoever hides the areas now must not be undone by us
            return self._failed(step.row, RefusedError(Text("the agent ends", "代理正在退出")), marks_hold=False)
        sealed = step.row.volume.get("sealed") is True
        self.sweeps.want(step.area.name, step.plan.path, step.plan.st_dev, again=step.fresh, sealed=sealed)
        seen = self._seen(step.area, step.plan, step.tier, status.NOT_COUNTED, step.findings)
        return replace(seen, fresh=step.fresh)

    def _cover_inside(self, rows: Sequence[AreaRow]) -> None:
        """Cover what others have mounted inside guarded areas: the watcher does so at once, and may be away."""
        assert self.groups
        self._close_all(rows, mountinfo.table(), guarding.marked(self.groups.open))

    def _close_all(self, rows: Iterable[AreaRow], table: Sequence[mountinfo.Mount], marked: frozenset[int]) -> None:
        places = [self._places.of(row) for row in rows if row.resource.mode is Mode.ENFORCE]
        guarding.close_all(places, table, marked, self.home.root)

    def _others(self, name: str) -> list[AreaPlan]:
        return [other for other_name, other in self.plans.items() if other_name != name]

    def _seen(
        self, area: ProtectedArea, plan: AreaPlan, tier: Tier, counts: status.Counts, findings: Sequence[Finding]
    ) -> Protected:
        told = [Finding("warning", notice.code, notice.text, notice.hint) for notice in plan.notices]
        told += findings
        top = mountinfo.resolve(plan.path, mounting.uncovered(mountinfo.table()))
        read_only = top is not None and top.read_only
        if read_only:
            told.append(status.read_only(area))
        found = self.now[area.name] = Protected(
            area.name, area.path, tier, plan.sharing, counts, tuple(told), read_only=read_only, since=ticks_now()
        )
        return found

    def _rehearse(self, row: AreaRow) -> Protected:
        try:
            self.plan(row.path, (), sharing=None, accept_links=True, inside=False)
        except RefusedError as error:
            why = Finding("serious", "unprotected", error.text, error.hint)
            found = self.now[row.resource.id] = Protected(row.resource.id, row.path, "none", findings=(why,))
            return found
        return self._rehearsed(_area(row))

    def _rehearsed(self, area: ProtectedArea) -> Protected:
        found = self.now[area.name] = Protected(area.name, area.path, "none", findings=(REHEARSAL,))
        return found

    def _failed(
        self, row: AreaRow, error: OSError | RefusedError, code: str = "unprotected", *, marks_hold: bool = True
    ) -> Protected:
        """Cover what shows the area, but for filesystems that carry a mark, if these are known to hold."""
        assert self.groups
        text = error.text if isinstance(error, RefusedError) else Text(visible(str(error)), visible(str(error)))
        findings = [Finding("serious", code, text, error.hint if isinstance(error, RefusedError) else None)]
        closed = False
        if row.resource.mode is Mode.ENFORCE:
            try:
                trusted = guarding.marked(self.groups.open) if marks_hold else frozenset[int]()
                closed = guarding.close(self._places.of(row), mountinfo.table(), trusted, self.home.root)
            except OSError as trouble:
                findings.append(status.open_to_all(_area(row), trouble))
        found = Protected(row.resource.id, row.path, "none", findings=tuple(findings), closed=closed)
        self.now[row.resource.id] = found
        return found


def _area(row: AreaRow) -> ProtectedArea:
    return ProtectedArea(row.resource.id, row.path, dict(row.volume))
