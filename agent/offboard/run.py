"""Carrying a revocation out: every step once, in order, whatever becomes of the others; after a crash, the rest.

Rules of this file:
- the run is in the journal before its first step, a result before the next step; nothing else is remembered, so being
  killed anywhere costs no more than doing one step again;
- a step that fails, by any error, is pending with the reason, and the next one follows at once;
- what cuts access (``early``) can be done for many people before the slow rest of any (:meth:`Runner.cut`);
- steps that wait for others run alongside, each in a thread; what has not answered in time is pending.
"""

import contextlib
import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from agent.errors import Fatal, Refused, ShoumiError
from agent.offboard.context import Context, Leaver
from agent.offboard.guardrails import ordinary
from agent.offboard.journal import Done, Journal, Run
from agent.offboard.plan import Cause, Plan, PlannedStep, check_officers, plan
from agent.offboard.steps import LEAVING, STAYING
from agent.offboard.steps.step import Result, State, Step
from rules.text import Text
from rules.visible import visible

_CASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_ALONGSIDE = 8  # threads
_ANSWER = 5.0  # seconds the end of a run waits for steps alongside

Told = Callable[[str, str, State | None], None]


def steps_for(cause: Cause, more: Iterable[Step] = ()) -> tuple[Step, ...]:
    """Return the steps *cause* needs. Of *more*, those alongside (doors) come first, the others (the proof) last."""
    mine = LEAVING if cause is Cause.DEPARTURE else STAYING
    return tuple(sorted((*mine, *more), key=lambda step: (not step.alongside, step not in mine)))


def survey(leaver: Leaver, context: Context, cause: Cause, more: Iterable[Step] = ()) -> Plan:
    """Look at everything a run would end, change nothing, and return the plan.

    A step that cannot look is in the plan without targets: that never keeps anybody from running it.
    """
    known = vetted(leaver)
    return plan(leaver, cause, [_looked(step, known, context) for step in steps_for(cause, more)])


def vetted(leaver: Leaver) -> Leaver:
    """Return *leaver* with the accounts a revocation may touch."""
    return replace(leaver, accounts=tuple(account for account in leaver.accounts if ordinary(account.uid)))


def _looked(step: Step, leaver: Leaver, context: Context) -> PlannedStep:
    seen = PlannedStep(step.id, step.title, lasting=step.lasting)
    with contextlib.suppress(OSError, ShoumiError):
        skipped = step.probe(leaver, context)
        return replace(seen, skipped=skipped) if skipped else replace(seen, targets=step.look(leaver, context))
    return seen


class Runner:
    """Runs them. Belongs to one thread.

    *more*: see :func:`steps_for`. *told* hears ``(case, step, None)`` before a step and its state after it.
    """

    def __init__(
        self,
        journal: Journal,
        context: Context,
        more: Iterable[Step] = (),
        told: Told = lambda _case, _step, _state: None,
    ) -> None:
        self._journal = journal
        self._context = context
        self._more = tuple(more)
        self._told = told
        self._threads: ThreadPoolExecutor | None = None
        self._waiting: dict[tuple[str, str], Future[Done]] = {}

    def begin(self, case: str, leaver: Leaver, cause: Cause, officers: Iterable[str]) -> Run:
        """Write the run down, and end nothing yet. The same case again gives the run there is.

        Raises :class:`Refused` for a privileged leaver without two officers, and when the journal does not take it.
        """
        if not _CASE.fullmatch(case):
            shown = visible(case)
            raise Refused(Text(f"`{shown}` is no case number", f"`{shown}` 不是案件编号"))
        named = tuple(officers)
        check_officers(leaver, named)
        steps = [step.id for step in steps_for(cause, self._more)]
        return self._journal.begin(case, cause, vetted(leaver), named, steps, self._context.now())

    def cut(self, case: str) -> None:
        """Do the open steps that cut access, and set going those that run alongside.

        Raises :class:`Refused` at the very end when a result could not be written down: it is then done again.
        """
        run = self._journal.run(case)
        for step in self._open(run):
            if step.alongside:
                self._send(run, step)
        _raise_first(self._serial(run, early=True))

    def finish(self, case: str) -> list[Done]:
        """Do all other open steps, collect those that ran alongside, log every result, and return all steps.

        Raises :class:`Refused` at the very end when a result could not be written down: it is then done again.
        """
        run = self._journal.run(case)
        unwritten = [*self._serial(run, early=False), *self._collect(run)]
        self._log(run)
        _raise_first(unwritten)
        return self._journal.steps(run)

    def advance(self, case: str) -> list[Done]:
        """Do everything that is open, and return all steps. Raises as its two parts do, after both."""
        _raise_first([*_failures(self.cut, case), *_failures(self.finish, case)])
        return self._journal.steps(self._journal.run(case))

    def resume(self) -> list[Run]:
        """Advance everything unfinished, oldest first, everybody's cut before anybody's rest; return these runs.

        Raises the first of their :class:`Refused` after all were tried.
        """
        found = self._journal.unfinished()
        _raise_first(
            [error for part in (self.cut, self.finish) for run in found for error in _failures(part, run.case)]
        )
        return found

    def close(self) -> None:
        """Let go of the threads; a step alongside that still waits is pending in the journal."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _open(self, run: Run) -> list[Step]:
        states = {done.step: done.result.state for done in self._journal.steps(run)}
        return [step for step in steps_for(run.cause, self._more) if (s := states.get(step.id)) and s.open]

    def _serial(self, run: Run, *, early: bool) -> list[ShoumiError]:
        unwritten: list[ShoumiError] = []
        for step in self._open(run):
            if step.alongside or step.early is not early:
                continue
            self._told(run.case, step.id, None)
            done = self._try(run, step)
            unwritten += self._note(run, done)
        return unwritten

    def _note(self, run: Run, done: Done) -> list[ShoumiError]:
        """Write *done* down; an error is returned, because what comes next is more urgent than the note of it."""
        try:
            self._journal.record(run, done)
        except ShoumiError as error:
            return [error]
        self._told(run.case, done.step, done.result.state)
        return []

    def _try(self, run: Run, step: Step) -> Done:
        began = self._context.now()
        try:
            skipped = step.probe(run.leaver, self._context)
            result = Result(State.SKIPPED, skipped) if skipped else step.run(run.leaver, self._context, run.case)
        except Fatal:
            raise
        except ShoumiError as error:
            result = Result(State.PENDING, error.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this step's and keeps no other from running
            said = visible(f"{type(error).__name__}: {error}")
            result = Result(State.PENDING, Text(f"failed: `{said}`", f"失败：`{said}`"))
        return Done(step.id, result, began_at=began, ended_at=self._context.now())

    def _send(self, run: Run, step: Step) -> None:
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
                late = Result(State.PENDING, Text("no answer yet", "尚未应答"))
                done = Done(step, late, began_at=now, ended_at=now)
            unwritten += self._note(run, done)
        return unwritten

    def _log(self, run: Run) -> None:
        for done in self._journal.unlogged(run):
            fields = {"kind": "revocation", "case": run.case, "person": run.leaver.id, **done.record()}
            try:
                self._context.append(fields)
            except ShoumiError:  # the log is full or the decider away: they are logged when the run is looked at again
                return
            self._journal.logged(run, done)


def _failures(part: Callable[[str], object], case: str) -> list[ShoumiError]:
    try:
        part(case)
    except ShoumiError as error:
        return [error]
    return []


def _raise_first(errors: list[ShoumiError]) -> None:
    if errors:
        raise errors[0]
