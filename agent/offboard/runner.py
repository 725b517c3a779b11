"""Carrying a revocation out: every step once, in order, whatever becomes of the others; after a crash, the rest.

Rules of this file:
- the run is in the journal before its first step, a result before the next step (what cuts access is all done before
  any of it is written down); nothing else is remembered: being killed anywhere costs no more than doing that again;
- where a second officer is still missing, only what is ``urgent`` is done, and the rest waits without end;
- a step that fails, by any error, is pending with the reason, and the next one follows at once;
- what cuts access (``early``) is done for many people before the slow rest of any (:meth:`Runner.cut_together`), and
  what is the same work for all of them is done once (:meth:`Runner.advance_together`);
- steps that wait for others run alongside, each in a thread; what has not answered in time is pending;
- what a proof has found is ended again, and proven again, some times (:mod:`agent.offboard.reopening`).
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any, TypeVar

from agent.errors import FatalError, RefusedError, ShoumiError
from agent.offboard import freezing, proof, reopening
from agent.offboard.callers import Caller
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal, Run, WantedRun
from agent.offboard.plan import PARTLY, Cause, PlannedStep, RevocationPlan, agreed, plan
from agent.offboard.steps import LEAVING, RESTORING, STAYING
from agent.offboard.steps.step import RevocationStep, StepResult, StepState
from rules.text import Text
from rules.visible import visible

_CASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_ALONGSIDE = 8  # threads
_ANSWER = 5.0  # seconds the end of a run waits for steps alongside
_LISTED, _SHOWN = 100, 20  # items of a list that an entry repeats whole; those it shows of a longer one

GIVEN_UP = "given_up"  # a fact of a step that was open when its run lost its reason
_WHOLE = frozenset((Cause.DEPARTURE, Cause.HOLD))

_T = TypeVar("_T")

Told = Callable[[str, str, StepState | None], None]


def steps_for(cause: Cause, more: Iterable[RevocationStep] = ()) -> tuple[RevocationStep, ...]:
    """Return the steps *cause* needs. Of *more*, those alongside (doors) come first, the others (the proof) last."""
    if cause is Cause.RESTORED:
        return RESTORING
    leaving = cause is Cause.DEPARTURE
    mine = LEAVING if leaving else STAYING
    others = [step for step in more if step.leaving in (None, leaving) and (not step.whole or cause in _WHOLE)]
    return tuple(sorted((*mine, *others), key=lambda step: (not step.alongside, step not in mine)))


def _asked(steps: Iterable[RevocationStep], context: RevocationContext) -> tuple[RevocationStep, ...]:
    return tuple(step for step in steps if _wanted(step, context))


def _wanted(step: RevocationStep, context: RevocationContext) -> bool:
    """Whether the site wants *step*; one of which that cannot be said now is begun, and asks again when it is done."""
    try:
        return step.asked is None or step.asked(context)
    except RefusedError:  # the pack cannot be read: no cut waits until it is mended
        return True


def survey(
    leaver: RevocationSubject, context: RevocationContext, cause: Cause, more: Iterable[RevocationStep] = ()
) -> RevocationPlan:
    """Look at everything a run would end, change nothing, and return the plan.

    A step that cannot look is in the plan without targets, and says so: that never keeps anybody from running it.
    """
    known = freezing.vetted(leaver)
    steps = _asked(steps_for(cause, more), context)
    return plan(leaver, cause, [_looked(step, known, context, cause) for step in steps])


def _looked(step: RevocationStep, leaver: RevocationSubject, context: RevocationContext, cause: Cause) -> PlannedStep:
    seen = PlannedStep(step.id, step.titled(partly=cause in PARTLY), lasting=step.lasting)
    with contextlib.suppress(OSError, ShoumiError):
        skipped = step.probe(leaver, context)
        if skipped:
            return replace(seen, skipped=skipped)
        return replace(seen, targets=step.look(leaver, context), nothing=step.nothing)
    return seen


class Runner:
    """Runs them. Belongs to one thread.

    *more*: see :func:`steps_for`. Without *alongside*, steps that wait for others are left to the runner that finishes.
    *told* hears ``(case, step, None)`` before a step and its state after it. *stands* says whether the reason of a run
    still holds, before what its proof has found is ended.
    """

    def __init__(
        self,
        journal: RevocationJournal,
        context: RevocationContext,
        more: Iterable[RevocationStep] = (),
        told: Told = lambda _case, _step, _state: None,
        *,
        alongside: bool = True,
        stands: Callable[[str], bool] = lambda _case: True,
    ) -> None:
        self._journal = journal
        self._context = context
        self._more = tuple(more)
        self._told = told
        self._alongside = alongside
        self._stands = stands
        self._threads: ThreadPoolExecutor | None = None
        self._waiting: dict[tuple[str, str], Future[JournaledStep]] = {}

    def begin(
        self,
        case: str,
        leaver: RevocationSubject,
        cause: Cause,
        officers: Iterable[str],
        callers: Iterable[Caller] = (),
    ) -> Run:
        """Write the run down, and end nothing yet. *callers* are the processes that asked for it: they are spared.

        The same case again gives the run there is, wanted by these officers as well. Raises :class:`RefusedError` when
        the journal does not take it.
        """
        self.begin_together([WantedRun(case, leaver, cause, tuple(officers), tuple(callers))])
        return self._journal.run(case)

    def begin_together(self, wanted: Iterable[WantedRun]) -> None:
        """Write many down at once; see :meth:`begin`, which raises what this raises."""
        new = []
        for one in wanted:
            if not _CASE.fullmatch(one.case):
                shown = visible(one.case)
                raise RefusedError(Text(f"`{shown}` is no case number", f"`{shown}` 不是案件编号"))
            steps = tuple(step.id for step in _asked(steps_for(one.cause, self._more), self._context))
            new.append((one._replace(leaver=freezing.vetted(one.leaver)), steps))
        self._journal.begin_together(new, self._context.now())

    def cut(self, case: str) -> None:
        """Do the open steps that cut access, and set going those that run alongside. See :meth:`cut_together`."""
        self.cut_together((case,))

    def cut_together(self, cases: Iterable[str]) -> None:
        """Do the open steps that cut access of all *cases*, each step for everybody before the next one.

        Raises :class:`RefusedError` at the very end when a result could not be written down: it is then done again.
        """
        runs: list[Run] = []
        left: dict[str, list[RevocationStep]] = {}
        errors: list[ShoumiError] = []
        for case in cases:
            try:
                run = self._journal.run(case)
                left[case] = self._open(run)
                runs.append(run)
            except ShoumiError as error:  # one that cannot be read keeps nobody else from being cut
                errors.append(error)
        for run in runs:
            for step in left[run.case]:
                if step.alongside and self._alongside:
                    self._send(run, step)
        steps = {step.id: step for run in runs for step in left[run.case] if step.early and not step.alongside}
        cut: list[tuple[Run, JournaledStep]] = []
        for step in steps.values():
            theirs = [run for run in runs if step in left[run.case]]
            for run in theirs:
                self._told(run.case, step.id, None)
            if step.together:
                cut += zip(theirs, self._try_together(theirs, step), strict=True)
            else:
                cut += [(run, self._try(run, step)) for run in theirs]
        _raise_first([*errors, *self._note_together(cut)])

    def finish(self, case: str) -> list[JournaledStep]:
        """Do all other open steps, collect those that ran alongside, log every result, and return all steps.

        Raises :class:`RefusedError` at the very end when a result could not be written down: it is then done again.
        """
        run = self._journal.run(case)
        unwritten = [*self._serial(run), *self._collect(run), *self._again(run)]
        self._log(run)
        _raise_first(unwritten)
        return self._journal.steps(run)

    def advance(self, case: str) -> list[JournaledStep]:
        """Do everything that is open, and return all steps. Raises as its two parts do, after both."""
        _raise_first([*_failures(self.cut, case), *_failures(self.finish, case)])
        return self._journal.steps(self._journal.run(case))

    def advance_together(self, cases: Iterable[str], finished: Callable[[str], None]) -> None:
        """Advance many, in order, and do once for all what is the same work for all; tell *finished* of each at once.

        Raises the first :class:`RefusedError`, of *finished* too, after all were tried.
        """
        names = list(cases)
        errors = _failures(self.cut_together, names)
        errors += self._share([self._journal.run(name) for name in names])
        errors += [error for name in names for part in (self.finish, finished) for error in _failures(part, name)]
        _raise_first(errors)

    def abandon(self, case: str, why: Text) -> None:
        """Do nothing more of a run that has lost its reason: what is still open of it is skipped, because of *why*.

        The fact :data:`GIVEN_UP` tells that from what a host does not have.

        Raises :class:`RefusedError` when that could not be written down.
        """
        run, now = self._journal.run(case), self._context.now()
        for done in self._journal.steps(run):
            if done.result.state.open:
                given_up = StepResult(StepState.SKIPPED, _until_then(why, done), {**done.result.facts, GIVEN_UP: True})
                self._journal.record(
                    run, JournaledStep(done.step, given_up, began_at=done.began_at or now, ended_at=now)
                )
        self._log(run)

    def close(self) -> None:
        """Let go of the threads; a step alongside that still waits is pending in the journal."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _open(self, run: Run) -> list[RevocationStep]:
        states = {done.step: done.result.state for done in self._journal.steps(run)}
        all_of_them = agreed(run.leaver, run.cause, run.officers)
        mine = [step for step in steps_for(run.cause, self._more) if all_of_them or step.urgent]
        return [step for step in mine if (state := states.get(step.id)) and state.open]

    def _share(self, runs: list[Run]) -> list[ShoumiError]:
        """Do what can be done together for all of *runs* that need it, and before it what comes before it in each."""
        unwritten: list[ShoumiError] = []
        waiting = {step.id: step for run in runs for step in self._open(run) if step.together and not step.early}
        for step in waiting.values():
            theirs = [run for run in runs if step in self._open(run)]
            for run in theirs:
                unwritten += self._serial(run, before=step)
            for run, done in zip(theirs, self._try_together(theirs, step), strict=True):
                unwritten += self._note(run, done)
        return unwritten

    def _again(self, run: Run) -> list[ShoumiError]:
        """Do again what ends processes while the proof finds one; when it does to the last, leave these steps open."""
        unwritten: list[ShoumiError] = []
        early = {step.id: step for step in steps_for(run.cause, self._more) if step.early}
        for tries in range(reopening.MOST + 1):
            found = reopening.reopened(self._journal.steps(run))
            if found and not self._stands(run.case):
                break  # it was given again meanwhile: what the proof found is theirs, and the run is given up
            for done in found:
                unwritten += self._note(run, done)
            if not found or tries == reopening.MOST:
                break
            for done in found:
                if done.step in early:
                    unwritten += self._note(run, self._try(run, early[done.step]))
            unwritten += self._serial(run, only={proof.STEP.id, *(done.step for done in found)})
        return unwritten

    def _serial(
        self, run: Run, *, before: RevocationStep | None = None, only: AbstractSet[str] | None = None
    ) -> list[ShoumiError]:
        unwritten: list[ShoumiError] = []
        for step in self._open(run):
            if step is before:
                break
            if not step.alongside and not step.early and (only is None or step.id in only):
                self._told(run.case, step.id, None)
                unwritten += self._note(run, self._try(run, step))
        return unwritten

    def _note(self, run: Run, done: JournaledStep) -> list[ShoumiError]:
        """Write *done* down; an error is returned, because what comes next is more urgent than the note of it."""
        try:
            self._journal.record(run, done)
        except ShoumiError as error:
            return [error]
        self._told(run.case, done.step, done.result.state)
        return []

    def _note_together(self, results: Sequence[tuple[Run, JournaledStep]]) -> list[ShoumiError]:
        """Write many down in one commit; where that fails, each by itself."""
        try:
            self._journal.record_together(results)
        except ShoumiError:
            return [error for run, done in results for error in self._note(run, done)]
        for run, done in results:
            self._told(run.case, done.step, done.result.state)
        return []

    def _try(self, run: Run, step: RevocationStep) -> JournaledStep:
        context = freezing.sparing(self._context, run)
        return self._tried([run], step, lambda: [step.run(self._now_of(run), context, run.case)])[0]

    def _try_together(self, runs: list[Run], step: RevocationStep) -> list[JournaledStep]:
        assert step.together
        together = step.together
        context = freezing.sparing_callers(self._context, {caller for run in runs for caller in run.callers})
        return self._tried(runs, step, lambda: together([(self._now_of(run), run.case) for run in runs], context))

    def _now_of(self, run: Run) -> RevocationSubject:
        """Return whom *run* is about, without accounts that are somebody else's since it began."""
        leaver, owner = run.leaver, self._context.owner
        theirs = tuple(one for one in leaver.accounts if owner(one.uid) in (None, leaver.id))
        return replace(leaver, accounts=theirs)

    def _tried(
        self, runs: list[Run], step: RevocationStep, work: Callable[[], list[StepResult]]
    ) -> list[JournaledStep]:
        began = self._context.now()
        try:
            skipped = step.probe(runs[0].leaver, self._context)
            results = [StepResult(StepState.SKIPPED, skipped)] * len(runs) if skipped else work()
        except FatalError:
            raise
        except ShoumiError as error:
            results = [StepResult(StepState.PENDING, error.text)] * len(runs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this step's and keeps no other from running
            said = visible(f"{type(error).__name__}: {error}")
            results = [StepResult(StepState.PENDING, Text(f"failed: `{said}`", f"失败：`{said}`"))] * len(runs)
        ended = self._context.now()
        return [JournaledStep(step.id, result, began_at=began, ended_at=ended) for result in results]

    def _send(self, run: Run, step: RevocationStep) -> None:
        self._threads = self._threads or ThreadPoolExecutor(_ALONGSIDE, "alongside")
        if (run.case, step.id) not in self._waiting:
            self._told(run.case, step.id, None)
            self._waiting[run.case, step.id] = self._threads.submit(self._try, run, step)

    def _collect(self, run: Run) -> list[ShoumiError]:
        unwritten: list[ShoumiError] = []
        mine = {key: future for key, future in self._waiting.items() if key[0] == run.case}
        wait(mine.values(), _ANSWER)
        for (case, step), future in mine.items():
            if future.done():
                del self._waiting[case, step]
                done = future.result()
            else:
                now = self._context.now()
                late = StepResult(StepState.PENDING, Text("no answer yet", "尚未应答"))
                done = JournaledStep(step, late, began_at=now, ended_at=now)
            unwritten += self._note(run, done)
        return unwritten

    def _log(self, run: Run) -> None:
        for done in self._journal.unlogged(run):
            told = _brief(done.to_json())
            areas = {"areas": sorted(run.leaver.areas)} if run.leaver.areas else {}
            about = {"case": run.case, "cause": str(run.cause), "person": run.leaver.id, **areas}
            fields = {"kind": "revocation", **_brief(about), **told}
            try:
                self._context.append(fields)
            except ShoumiError:  # the log is full or the decider away: they are logged when the run is looked at again
                return
            self._journal.logged(run, done)


def _until_then(why: Text, done: JournaledStep) -> Text:
    """Return why a step is given up, and what had come of it by then."""
    if not done.tries:
        return why
    known = done.result.detail
    return Text(f"{why.en}; until then: {known.en}", f"{why.zh}；此前：{known.zh}")


def _brief(value: Any) -> Any:
    """Return JSON for an entry: of a long list the length and the beginning. Journal and receipt have all of it."""
    match value:
        case Mapping():
            return {name: _brief(inner) for name, inner in value.items()}
        case list() if len(value) > _LISTED:
            return {"count": len(value), "first": [_brief(inner) for inner in value[:_SHOWN]]}
        case list():
            return [_brief(inner) for inner in value]
        case _:
            return value


def _failures(part: Callable[[_T], object], of: _T) -> list[ShoumiError]:
    try:
        part(of)
    except ShoumiError as error:
        return [error]
    return []


def _raise_first(errors: list[ShoumiError]) -> None:
    if errors:
        raise errors[0]
