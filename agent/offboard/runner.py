"""The runner of revocations: every step once, in order, whatever the others result in; after a crash, the rest.

Rules of this file:
- the run is in the journal before its first step, a result before the next step (the steps that cut access are all done
  before any of them is recorded); nothing else is remembered: a kill anywhere costs no more than doing that again;
- where a second officer is still missing, only ``urgent`` steps are done, and the rest waits without end;
- a step that fails, by any error, is pending with the reason, and the next one follows at once;
- the steps that cut access (``early``) are done for many people before the slow rest of any
  (:meth:`Runner.cut_together`), and work that is the same for all of them is done once
  (:meth:`Runner.advance_together`);
- steps that wait for others run alongside, each in a thread; one without an answer in time is pending;
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
from rules.text import Message, Sentence
from rules.visible import visible

_CASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_ALONGSIDE = 8  # threads
_ANSWER = 5.0  # seconds the end of a run waits for steps alongside
_LISTED, _SHOWN = 100, 20  # items of a list that an entry repeats whole; those it shows of a longer one

GIVEN_UP = "given_up"  # a fact of a step that was open when its run lost its reason
_WHOLE = frozenset((Cause.DEPARTURE, Cause.HOLD))

_T = TypeVar("_T")

Reporter = Callable[[str, str, StepState | None], None]


def steps_for(cause: Cause, more: Iterable[RevocationStep] = ()) -> tuple[RevocationStep, ...]:
    """Return the steps of *cause*. Of *more*, those alongside (doors) come first, the others (the proof) last."""
    if cause is Cause.RESTORED:
        return RESTORING
    leaving = cause is Cause.DEPARTURE
    own_steps = LEAVING if leaving else STAYING
    extra_steps = [step for step in more if step.leaving in (None, leaving) and (not step.whole or cause in _WHOLE)]
    return tuple(sorted((*own_steps, *extra_steps), key=lambda step: (not step.alongside, step not in own_steps)))


def _enabled_steps(steps: Iterable[RevocationStep], context: RevocationContext) -> tuple[RevocationStep, ...]:
    return tuple(step for step in steps if _wanted(step, context))


def _wanted(step: RevocationStep, context: RevocationContext) -> bool:
    """Whether the site wants *step*; if that is not known now, the step is begun and checks again when it runs."""
    try:
        return step.enabled is None or step.enabled(context)
    except RefusedError:  # the pack cannot be read: no cut waits until it is mended
        return True


def survey(
    leaver: RevocationSubject, context: RevocationContext, cause: Cause, more: Iterable[RevocationStep] = ()
) -> RevocationPlan:
    """Collect the targets of a run, change nothing, and return the plan.

    A step that cannot find its targets is in the plan without any, and says so: that never prevents a run of it.
    """
    vetted_leaver = freezing.vetted(leaver)
    steps = _enabled_steps(steps_for(cause, more), context)
    return plan(leaver, cause, [_planned_step(step, vetted_leaver, context, cause) for step in steps])


def _planned_step(
    step: RevocationStep, leaver: RevocationSubject, context: RevocationContext, cause: Cause
) -> PlannedStep:
    planned = PlannedStep(step.id, step.titled(partly=cause in PARTLY), lasting=step.lasting)
    with contextlib.suppress(OSError, ShoumiError):
        skipped = step.probe(leaver, context)
        if skipped:
            return replace(planned, skipped=skipped)
        return replace(planned, targets=step.find_targets(leaver, context), nothing=step.nothing)
    return planned


class Runner:
    """The runner of revocations. Belongs to one thread.

    *more*: see :func:`steps_for`. Without *alongside*, steps that wait for others are left to the runner that finishes.
    *reporter* receives ``(case, step, None)`` before a step and its state after it. *stands* returns whether the reason
    of a run still holds, before the findings of its proof are ended.
    """

    def __init__(
        self,
        journal: RevocationJournal,
        context: RevocationContext,
        more: Iterable[RevocationStep] = (),
        reporter: Reporter = lambda _case, _step, _state: None,
        *,
        alongside: bool = True,
        stands: Callable[[str], bool] = lambda _case: True,
    ) -> None:
        self._journal = journal
        self._context = context
        self._more = tuple(more)
        self._reporter = reporter
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
        """Record the run, and end nothing yet. *callers* are the processes that requested it: they are spared.

        The same case again returns the existing run, with these officers added. Raises :class:`RefusedError` when the
        journal does not take it.
        """
        self.begin_together([WantedRun(case, leaver, cause, tuple(officers), tuple(callers))])
        return self._journal.run(case)

    def begin_together(self, wanted: Iterable[WantedRun]) -> None:
        """Record many runs at once; see :meth:`begin`, which raises what this raises."""
        new = []
        for run in wanted:
            if not _CASE.fullmatch(run.case):
                raise RefusedError(Message("offboard.invalid-case-number", case=run.case))
            steps = tuple(step.id for step in _enabled_steps(steps_for(run.cause, self._more), self._context))
            new.append((run._replace(leaver=freezing.vetted(run.leaver)), steps))
        self._journal.begin_together(new, self._context.now())

    def cut(self, case: str) -> None:
        """Do the open steps that cut access, and set going those that run alongside. See :meth:`cut_together`."""
        self.cut_together((case,))

    def cut_together(self, cases: Iterable[str]) -> None:
        """Do the open steps that cut access of all *cases*, each step for all people before the next one.

        Raises :class:`RefusedError` at the very end when a result could not be recorded: it is then done again.
        """
        runs: list[Run] = []
        open_steps: dict[str, list[RevocationStep]] = {}
        errors: list[ShoumiError] = []
        for case in cases:
            try:
                run = self._journal.run(case)
                open_steps[case] = self._open(run)
                runs.append(run)
            except ShoumiError as error:  # an unreadable run does not delay the cut of others
                errors.append(error)
        for run in runs:
            for step in open_steps[run.case]:
                if step.alongside and self._alongside:
                    self._send(run, step)
        steps = {step.id: step for run in runs for step in open_steps[run.case] if step.early and not step.alongside}
        cut: list[tuple[Run, JournaledStep]] = []
        for step in steps.values():
            concerned = [run for run in runs if step in open_steps[run.case]]
            for run in concerned:
                self._reporter(run.case, step.id, None)
            if step.together:
                cut += zip(concerned, self._try_together(concerned, step), strict=True)
            else:
                cut += [(run, self._try(run, step)) for run in concerned]
        _raise_first([*errors, *self._note_together(cut)])

    def finish(self, case: str) -> list[JournaledStep]:
        """Do all other open steps, collect those that ran alongside, log every result, and return all steps.

        Raises :class:`RefusedError` at the very end when a result could not be written down: it is then done again.
        """
        run = self._journal.run(case)
        unwritten = [*self._serial(run), *self._collect(run), *self._end_again(run)]
        self._log(run)
        _raise_first(unwritten)
        return self._journal.steps(run)

    def advance(self, case: str) -> list[JournaledStep]:
        """Do everything that is open, and return all steps. Raises as its two parts do, after both."""
        _raise_first([*_failures(self.cut, case), *_failures(self.finish, case)])
        return self._journal.steps(self._journal.run(case))

    def advance_together(self, cases: Iterable[str], finished: Callable[[str], None]) -> None:
        """Advance many, in order, with shared work done once; call *finished* for each at once.

        Raises the first :class:`RefusedError`, of *finished* too, after all were tried.
        """
        names = list(cases)
        errors = _failures(self.cut_together, names)
        errors += self._share([self._journal.run(name) for name in names])
        errors += [error for name in names for part in (self.finish, finished) for error in _failures(part, name)]
        _raise_first(errors)

    def abandon(self, case: str, reason: Sentence) -> None:
        """Skip the open steps of a run that has lost its reason, because of *reason*.

        The fact :data:`GIVEN_UP` distinguishes that from a step that does not apply to the host. Raises
        :class:`RefusedError` when that could not be recorded.
        """
        run, now = self._journal.run(case), self._context.now()
        for attempt in self._journal.steps(run):
            if attempt.result.state.open:
                given_up = StepResult(
                    StepState.SKIPPED, _until_then(reason, attempt), {**attempt.result.facts, GIVEN_UP: True}
                )
                self._journal.record(
                    run, JournaledStep(attempt.step, given_up, began_at=attempt.began_at or now, ended_at=now)
                )
        self._log(run)

    def close(self) -> None:
        """Release the threads; a step alongside that still waits is pending in the journal."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _open(self, run: Run) -> list[RevocationStep]:
        states = {attempt.step: attempt.result.state for attempt in self._journal.steps(run)}
        all_of_them = agreed(run.leaver, run.cause, run.officers)
        run_steps = [step for step in steps_for(run.cause, self._more) if all_of_them or step.urgent]
        return [step for step in run_steps if (state := states.get(step.id)) and state.open]

    def _share(self, runs: list[Run]) -> list[ShoumiError]:
        """Do the shared work for all of *runs* that need it, and before it the earlier steps of each."""
        unwritten: list[ShoumiError] = []
        waiting = {step.id: step for run in runs for step in self._open(run) if step.together and not step.early}
        for step in waiting.values():
            concerned = [run for run in runs if step in self._open(run)]
            for run in concerned:
                unwritten += self._serial(run, before=step)
            for run, attempt in zip(concerned, self._try_together(concerned, step), strict=True):
                unwritten += self._note(run, attempt)
        return unwritten

    def _end_again(self, run: Run) -> list[ShoumiError]:
        """Repeat the steps that end processes while the proof finds one; after the last try, leave these steps open."""
        unwritten: list[ShoumiError] = []
        early = {step.id: step for step in steps_for(run.cause, self._more) if step.early}
        for tries in range(reopening.MOST + 1):
            reopened = reopening.reopened(self._journal.steps(run))
            if reopened and not self._stands(run.case):
                break  # access was restored meanwhile: the findings are the person's by right, and the run is given up
            for attempt in reopened:
                unwritten += self._note(run, attempt)
            if not reopened or tries == reopening.MOST:
                break
            for attempt in reopened:
                if attempt.step in early:
                    unwritten += self._note(run, self._try(run, early[attempt.step]))
            unwritten += self._serial(run, only={proof.STEP.id, *(attempt.step for attempt in reopened)})
        return unwritten

    def _serial(
        self, run: Run, *, before: RevocationStep | None = None, only: AbstractSet[str] | None = None
    ) -> list[ShoumiError]:
        unwritten: list[ShoumiError] = []
        for step in self._open(run):
            if step is before:
                break
            if not step.alongside and not step.early and (only is None or step.id in only):
                self._reporter(run.case, step.id, None)
                unwritten += self._note(run, self._try(run, step))
        return unwritten

    def _note(self, run: Run, attempt: JournaledStep) -> list[ShoumiError]:
        """Record *attempt*; an error is returned, because the next step is more urgent than its record."""
        try:
            self._journal.record(run, attempt)
        except ShoumiError as error:
            return [error]
        self._reporter(run.case, attempt.step, attempt.result.state)
        return []

    def _note_together(self, results: Sequence[tuple[Run, JournaledStep]]) -> list[ShoumiError]:
        """Write many down in one commit; where that fails, each by itself."""
        try:
            self._journal.record_together(results)
        except ShoumiError:
            return [error for run, attempt in results for error in self._note(run, attempt)]
        for run, attempt in results:
            self._reporter(run.case, attempt.step, attempt.result.state)
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
        """Return the subject of *run*, without accounts that have since become another person's."""
        leaver, owner = run.leaver, self._context.owner
        own_accounts = tuple(account for account in leaver.accounts if owner(account.uid) in (None, leaver.id))
        return replace(leaver, accounts=own_accounts)

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
            error_text = visible(f"{type(error).__name__}: {error}")
            results = [StepResult(StepState.PENDING, Message("offboard.step-failed", error=error_text))] * len(runs)
        ended = self._context.now()
        return [JournaledStep(step.id, outcome, began_at=began, ended_at=ended) for outcome in results]

    def _send(self, run: Run, step: RevocationStep) -> None:
        self._threads = self._threads or ThreadPoolExecutor(_ALONGSIDE, "alongside")
        if (run.case, step.id) not in self._waiting:
            self._reporter(run.case, step.id, None)
            self._waiting[run.case, step.id] = self._threads.submit(self._try, run, step)

    def _collect(self, run: Run) -> list[ShoumiError]:
        unwritten: list[ShoumiError] = []
        futures = {key: future for key, future in self._waiting.items() if key[0] == run.case}
        wait(futures.values(), _ANSWER)
        for (case, step), future in futures.items():
            if future.done():
                del self._waiting[case, step]
                attempt = future.result()
            else:
                now = self._context.now()
                late = StepResult(StepState.PENDING, Message("offboard.no-answer-yet"))
                attempt = JournaledStep(step, late, began_at=now, ended_at=now)
            unwritten += self._note(run, attempt)
        return unwritten

    def _log(self, run: Run) -> None:
        for attempt in self._journal.unlogged(run):
            details = _brief(attempt.to_json())
            areas = {"areas": sorted(run.leaver.areas)} if run.leaver.areas else {}
            about = {"case": run.case, "cause": str(run.cause), "person": run.leaver.id, **areas}
            fields = {"kind": "revocation", **_brief(about), **details}
            try:
                self._context.append(fields)
            except ShoumiError:  # the log is full or the decider does not answer: logged at the next pass over the run
                return
            self._journal.logged(run, attempt)


def _until_then(reason: Sentence, attempt: JournaledStep) -> Sentence:
    """Return the reason why a step is given up, and its result until then."""
    if not attempt.tries:
        return reason
    earlier = attempt.result.detail
    return Message("offboard.given-up", reason=reason, detail=earlier)


def _brief(node: Any) -> Any:
    """Return JSON for an entry: of a long list the length and the beginning. Journal and receipt have all of it."""
    match node:
        case Mapping():
            return {name: _brief(inner) for name, inner in node.items()}
        case list() if len(node) > _LISTED:
            return {"count": len(node), "first": [_brief(inner) for inner in node[:_SHOWN]]}
        case list():
            return [_brief(inner) for inner in node]
        case _:
            return node


def _failures(part: Callable[[_T], object], of: _T) -> list[ShoumiError]:
    try:
        part(of)
    except ShoumiError as error:
        return [error]
    return []


def _raise_first(errors: list[ShoumiError]) -> None:
    if errors:
        raise errors[0]
