"""Protection of areas: guarding, watching and releasing them, and their proven state (contracts C5 and C11).

    cover → survey → plan → probe the tier → mark → prove → uncover;   afterwards, in the background: label every inode

Rules of this file:
- the tier is what was seen to work on that volume; below the minimum an area is not called protected;
- an enforced area that is not guarded is covered, whatever the reason; only a proof removes the cover;
- every step can be repeated: at every start, after each change of the mount table, after a crash in the middle;
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
from agent.volumes.survey import Machine, look_around, survey_directory
from agent.volumes.visits import VisitNumbers
from agent.volumes.volume_tiers import VolumeTiers
from rules import tiers
from rules.model import Mode
from rules.text import Message, foreign
from rules.tiers import Tier
from rules.visible import visible

_OF_SWEEP = (status.UNLABELLED, status.STRIPPED)

Prove = Callable[[Sequence[tuple[ProtectedArea, AreaPlan, Tier]]], Mapping[str, Finding]]
"""Tries areas as an uncleared user; returns, by name, the findings of those whose guard was not seen to work."""


@dataclass(slots=True)
class Protection:
    """The areas of one agent and the protection of each. For any thread: one works at a time, ``now`` is for all."""

    home: Home
    groups: FanotifyGroups | None
    prove: Prove
    guarded_by: Callable[[], bool]  # whether the holder lives: without it every cover stays or is restored
    watched: Callable[[], object]  # makes the mount watcher check now, and hold volumes that carry marks
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
        """Read the stored state of earlier starts."""
        self.locks = VolumeLocks(self.home.root)
        self._hidden = HiddenAreas(self.home.root)
        self._places = GuardedPlaces(self.home.covers)
        self.sweeps = LabelSweeps(self.home.run / "swept")
        self.visits = VisitNumbers(self.home.run / "visits")

    def plan(
        self,
        path: str,
        other_rows: Sequence[AreaRow],
        *,
        sharing: Sharing | None,
        accept_links: bool,
        inside: bool = True,
        machine: Machine | None = None,
    ) -> AreaPlan | None:
        """Return the plan for an area at *path* beside the areas *other_rows*, ``None`` in a rehearsal.

        *inside*: survey every file of the tree, as for a new area. Raises :class:`RefusedError` with the reason when
        the directory cannot be protected.
        """
        if self.groups is None:
            if not Path(path).is_dir():
                shown_path = visible(path)
                raise RefusedError(Message("common.not-directory", path=shown_path))
            return None
        taken = [(row.resource.id, row.path) for row in other_rows]
        way_in = partial(doorway, *self.groups)
        table = machine.mounts if machine else mounting.uncovered(mountinfo.table())
        mount = mountinfo.resolve(path, table)
        if mount is not None and (owner := volume_lock.owner(mount.device)) not in (None, str(self.home.root)):
            raise status.guarded_by(str(owner))  # it would deny every access of the survey
        facts = survey_directory(path, self.home.root, taken, inside=inside, machine=machine, way_in=way_in)
        plan = plan_area(facts, sharing=sharing, accept_links=accept_links)
        self._lock(plan)
        return plan

    def tiers(self) -> dict[str, Tier]:
        """Return the current tier of each area."""
        return {name: state.tier for name, state in list(self.now.items())}

    def guarded_since(self) -> dict[str, int]:
        """Return since when each area is guarded, in the clock of process start times."""
        return {name: state.since for name, state in list(self.now.items()) if state.tier != "none"}

    def findings(self, name: str) -> tuple[Finding, ...]:
        """Return the findings about the protection of area *name*."""
        state = self.now.get(name)
        if state is None:
            return ()
        low = state.tier != "none" and self.volume_tiers.below(state.tier)
        return (*state.findings, *((too_low(name, state.tier, self.volume_tiers.minimum),) if low else ()))

    def sealed_beside(self, plan: AreaPlan | None, rows: Sequence[AreaRow]) -> bool:
        """Return whether *plan* is on a volume that its other areas say is fully labelled."""
        neighbours = {
            name for name, other_plan in self.plans.items() if plan is not None and other_plan.device == plan.device
        }
        return any(row.resource.id in neighbours and row.volume.get("sealed") is True for row in rows)

    def protect(self, area: ProtectedArea, plan: AreaPlan | None, tier: Tier) -> Protected:
        """Bind, mark and label a new area. Raises ``OSError`` and :class:`RefusedError`."""
        with self.turn:
            if plan is None:
                return self._rehearsed(area)
            assert self.groups
            self._lock(plan)
            guard = Guarding(self.groups, plan, self._other_plans(area.name), tier)
            marks.prepare(plan)
            guard.mark()
            self.plans[area.name] = plan
            report = sweep(self.groups, area.name, plan.path, sealed=area.volume.get("sealed") is True)
            self.sweeps.swept(area.name, plan.path, plan.st_dev, report)
            self.visits.arrive(area.name, plan.path)
            return self._protected(area, plan, tier, status.Counts.of(report), [*of_sweep(report, area)])

    def release(self, area: ProtectedArea, other_rows: Sequence[AreaRow]) -> tuple[Finding, ...]:
        """Remove marks, labels and self-bind of a removed area; return a finding for what could not be undone."""
        with self.turn:
            self.now.pop(area.name, None)
            self._hidden.discard([area.name])
            self.sweeps.forget(area.name)
            plan = self.plans.pop(area.name, None)
            if self.groups is None:
                return ()
            try:
                plan = plan or self.plan(area.path, other_rows, sharing=None, accept_links=True, inside=False)
                assert plan
                self.visits.forget(area.name, plan.path)
                Guarding(self.groups, plan, list(self.plans.values()), self.volume_tiers.tier(plan)).let_go(area.name)
            except (OSError, RefusedError) as error:
                self.visits.forget(area.name)
                reason = error.text if isinstance(error, RefusedError) else str(error)
                text = Message("volumes.release-incomplete", path=area.path, error=reason)
                return (Finding("warning", "left-behind", text),)
            return ()

    def bring_up(self, rows: Sequence[AreaRow]) -> tuple[Protected, ...]:
        """Guard every area that is not guarded now; return the states that were checked. Never raises.

        For the start, and after each change of the mount table. An enforced area that cannot be guarded stays covered,
        with tier ``none`` and a finding.
        """
        with self.turn:
            if self.groups is None:
                return tuple(self._rehearse(row) for row in rows)
            if not self.guarded_by():
                return ()
            table, marked = mountinfo.table(), guarding.marked(self.groups.open)
            hidden = self._hidden.close_all(rows, self._places, self.now)
            visible_rows = [row for row in rows if row.resource.id not in self._hidden]
            waiting = [row for row in visible_rows if not self._is_guarded(row, table, marked)]
            if not waiting:
                self.list_covers(rows)
                return hidden
            self._close_all(waiting, table, marked)  # all of them first: accesses there are not checked
            states = self._bring_all_up(waiting, rows)
            self.list_covers(rows)
            self.watched()
            self._cover_inside(visible_rows)
            return (*hidden, *states)

    def hide(self, areas: Mapping[str, Finding], rows: Sequence[AreaRow]) -> None:
        """Close every path to *areas* at once, for the given reasons; the watcher releases their volume."""
        with self.turn:
            self._hidden.add(areas)
            for name in areas:
                self.sweeps.forget(name)
            close_doors([self.plans.pop(name, None) for name in areas], self.groups)
            self._hidden.close_all(rows, self._places, self.now)
            self.list_covers(rows)

    def show(self, areas: Iterable[str]) -> None:
        """Stop hiding *areas*; :meth:`bring_up` guards them again."""
        with self.turn:
            self._hidden.discard(areas)

    def close_area(self, name: str, reason: Finding) -> None:
        """Cover an area that was seen to be unguarded, with the finding *reason*."""
        with self.turn:
            state = self.now.get(name)
            if self.groups is None or state is None:
                return
            closed = guarding.close(
                self._places.named(name, state.path), mountinfo.table(), frozenset(), self.home.root
            )
            other_findings = tuple(finding for finding in state.findings if finding.code != reason.code)
            self.now[name] = replace(state, tier="none", closed=closed, findings=(*other_findings, reason))

    def add_finding(self, name: str, finding: Finding) -> None:
        """Add a later finding about an area."""
        with self.turn:
            if (state := self.now.get(name)) is not None:
                other_findings = tuple(earlier for earlier in state.findings if earlier.code != finding.code)
                self.now[name] = replace(state, findings=(*other_findings, finding))

    def drop_findings(self, names: Sequence[str], code: str) -> None:
        """Remove the findings with *code* from areas."""
        with self.turn:
            for name in names:
                if (state := self.now.get(name)) is not None:
                    other_findings = tuple(finding for finding in state.findings if finding.code != code)
                    self.now[name] = replace(state, findings=other_findings)

    def list_covers(self, rows: Sequence[AreaRow]) -> None:
        """Write the list of paths to cover for holder and watcher: all paths to the enforced areas of *rows*."""
        with self.turn:  # one writer at a time, so that no older list follows a newer one
            if self._places.write(rows if self.groups else (), self.plans, self._hidden):
                self.watched()
            if self.groups is not None:  # a volume without area and mark may belong to another agent
                marked = {(os.major(number), os.minor(number)) for number in guarding.marked(self.groups.open)}
                self.locks.keep_only(frozenset(plan.device for plan in self.plans.values()) | marked)

    def _lock(self, plan: AreaPlan) -> None:
        if owner := self.locks.take(plan.device):
            raise status.guarded_by(owner)

    def untried(self) -> bool:
        """Return whether an area is closed only because its guard could not be tried: a new attempt may help."""
        return any(finding.code == status.NOT_TRIED for state in list(self.now.values()) for finding in state.findings)

    def lowest(self) -> Tier:
        """Return the tier that the agent may claim: the lowest of its areas, ``none`` without areas."""
        return tiers.lowest(self.tiers().values())

    def sweep_waiting(self) -> None:
        """Run the pending label sweeps. This can take long, and ends early when the sweeps are stopped.

        Raises ``OSError`` for an area that cannot be walked; the others wait for the next call.
        """
        while self.groups is not None and self.sweeps.step(self.groups, self._swept):
            pass

    def _swept(self, name: str, report: labels.LabelReport) -> None:
        with self.turn:
            state = self.now.get(name)
            if state is not None:
                news = [*of_sweep(report, ProtectedArea(name, state.path, {}))]
                other_findings = tuple(finding for finding in state.findings if finding.code not in _OF_SWEEP)
                counted = replace(state, counts=status.Counts.of(report), findings=(*other_findings, *news))
                self.now[name] = counted

    def _is_guarded(self, row: AreaRow, table: Sequence[mountinfo.Mount], marked: frozenset[int]) -> bool:
        state, plan = self.now.get(row.resource.id), self.plans.get(row.resource.id)
        if state is None or plan is None or state.tier == "none" or state.path != row.path:
            return False
        top = mountinfo.resolve(row.path, table)
        if top is None or top.device != plan.device or plan.st_dev not in marked or top.read_only != state.read_only:
            return False
        return top.inner(row.path) == plan.inner and (plan.dedicated or top.point == row.path)

    def _bring_all_up(self, waiting: Sequence[AreaRow], rows: Sequence[AreaRow]) -> tuple[Protected, ...]:
        """Plan and mark every waiting area, prove them together, then uncover the proven ones."""
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
                [other_row for other_row in rows if other_row.path != row.path],
                sharing=guarding.chosen_sharing(row.volume),
                accept_links=bool(row.volume.get("accept_links")),
                inside=False,
                machine=machine,
            )
            assert plan is not None
            tier = self.volume_tiers.tier(plan)
            guard = Guarding(self.groups, plan, self._other_plans(area.name), tier)
            placed = guard.place()
            self.plans[area.name] = plan
            if placed == "again" and (shut := self._unseen(area.name)):
                return shut  # its marks were in place and did not refuse: a new attempt changes nothing
            findings = [finding for finding in (guard.arrived(area, self.visits),) if finding]
        except (OSError, RefusedError) as error:
            past = isinstance(error, UnprotectableError) and error.reason in GOES_PAST
            return self._failed(row, error, marks_hold=not past)
        return MarkedArea(row, area, plan, tier, guard, findings, fresh=placed == "anew")

    def _unseen(self, name: str) -> Protected | None:
        state = self.now.get(name)
        return state if state and any(finding.code == status.NOT_SEEN for finding in state.findings) else None

    def _uncover(self, step: MarkedArea, unseen: Finding | None) -> Protected:
        if unseen is not None:
            code = status.NOT_TRIED if unseen.code == status.NOT_TRIED else "unprotected"
            return self._failed(step.row, RefusedError(unseen.text, unseen.hint), code, marks_hold=False)
        try:
            if step.tier != "none" or not step.enforced:
                step.guard.open_doors()
        except (OSError, RefusedError) as error:
            return self._failed(step.row, error)
        if step.enforced and not self.guarded_by():  # the process that hides the areas now must not be overruled
            return self._failed(step.row, RefusedError(Message("volumes.agent-is-stopping")), marks_hold=False)
        sealed = step.row.volume.get("sealed") is True
        self.sweeps.want(step.area.name, step.plan.path, step.plan.st_dev, swept_anew=step.fresh, sealed=sealed)
        state = self._protected(step.area, step.plan, step.tier, status.NOT_COUNTED, step.findings)
        return replace(state, fresh=step.fresh)

    def _cover_inside(self, rows: Sequence[AreaRow]) -> None:
        """Cover mounts inside guarded areas: the watcher does so at once, but may be absent."""
        assert self.groups
        self._close_all(rows, mountinfo.table(), guarding.marked(self.groups.open))

    def _close_all(self, rows: Iterable[AreaRow], table: Sequence[mountinfo.Mount], marked: frozenset[int]) -> None:
        places = [self._places.of(row) for row in rows if row.resource.mode is Mode.ENFORCE]
        guarding.close_all(places, table, marked, self.home.root)

    def _other_plans(self, name: str) -> list[AreaPlan]:
        return [plan for other_name, plan in self.plans.items() if other_name != name]

    def _protected(
        self, area: ProtectedArea, plan: AreaPlan, tier: Tier, counts: status.Counts, findings: Sequence[Finding]
    ) -> Protected:
        all_findings = [Finding("warning", notice.code, notice.text, notice.hint) for notice in plan.notices]
        all_findings += findings
        top = mountinfo.resolve(plan.path, mounting.uncovered(mountinfo.table()))
        read_only = top is not None and top.read_only
        if read_only:
            all_findings.append(status.read_only(area))
        state = Protected(area.name, area.path, tier, plan.sharing, counts, tuple(all_findings), since=ticks_now())
        state = replace(state, read_only=read_only)
        self.now[area.name] = state
        return state

    def _rehearse(self, row: AreaRow) -> Protected:
        try:
            self.plan(row.path, (), sharing=None, accept_links=True, inside=False)
        except RefusedError as error:
            finding = Finding("serious", "unprotected", error.text, error.hint)
            state = self.now[row.resource.id] = Protected(row.resource.id, row.path, "none", findings=(finding,))
            return state
        return self._rehearsed(_area(row))

    def _rehearsed(self, area: ProtectedArea) -> Protected:
        state = self.now[area.name] = Protected(area.name, area.path, "none", findings=(REHEARSAL,))
        return state

    def _failed(
        self, row: AreaRow, error: OSError | RefusedError, code: str = "unprotected", *, marks_hold: bool = True
    ) -> Protected:
        """Cover every exposure of the area, except marked filesystems if their marks are known to work."""
        assert self.groups
        text = error.text if isinstance(error, RefusedError) else foreign(str(error))
        findings = [Finding("serious", code, text, error.hint if isinstance(error, RefusedError) else None)]
        closed = False
        if row.resource.mode is Mode.ENFORCE:
            try:
                trusted = guarding.marked(self.groups.open) if marks_hold else frozenset[int]()
                closed = guarding.close(self._places.of(row), mountinfo.table(), trusted, self.home.root)
            except OSError as trouble:
                findings.append(status.open_to_all(_area(row), trouble))
        state = Protected(row.resource.id, row.path, "none", findings=tuple(findings), closed=closed)
        self.now[row.resource.id] = state
        return state


def _area(row: AreaRow) -> ProtectedArea:
    return ProtectedArea(row.resource.id, row.path, dict(row.volume))
