"""The holders step: ends only processes that hold classified files, for causes in which the person stays.

Rules of this file: the causes are a hold, an expiry, a transfer or any other loss. Descriptors, mappings, working and
root directories count. Only files in an area count, and where only some areas are lost, only files in those; a file of
unknown area counts. A process of another person that holds the same file is not touched: the decider decides every one
of its reads, by that person's own rights.
"""

from collections.abc import Sequence

from agent.kernel.open_files import HeldFile
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import processes
from agent.offboard.steps.ending_holders import HolderTerminator
from agent.offboard.steps.step import RevocationStep, StepResult, StepTarget
from rules.text import Message, Sentence


def ending(leaver: RevocationSubject, context: RevocationContext) -> HolderTerminator:
    """Return the terminator for the processes of *leaver* that hold files of the areas they are about to lose."""
    return HolderTerminator((leaver,), context, lambda _uid, _area: False)


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when no volume of this host is protected."""
    return None if context.devices() else Message("offboard.no-protected-area")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the processes that would end."""
    [targets] = ending(leaver, context).find()
    return tuple(processes.target(process, leaver, context) for process in targets)


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """End them. ``facts``: :meth:`agent.offboard.steps.ending.TerminationResult.facts`."""
    [outcome] = together([(leaver, case)], context)
    return outcome


def together(many: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """End those of many people by the same scans."""
    leavers = [leaver for leaver, _ in many]
    return processes.results(leavers, HolderTerminator(leavers, context, context.may).run(context.patience), context)


def held(leaver: RevocationSubject, context: RevocationContext) -> frozenset[HeldFile]:
    """Return the files that any process holds of the areas *leaver* loses, as far as they count."""
    return frozenset(held_file for held_file in context.held(context.devices()) if _counts(held_file, leaver, context))


def _counts(held_file: HeldFile, leaver: RevocationSubject, context: RevocationContext) -> bool:
    if held_file.how == "unfinished":
        return True
    area = context.area_of(held_file)
    lost = area == "" or (area is not None and (not leaver.areas or area in leaver.areas))
    return lost and (not leaver.uncut_only or context.uncut(held_file))


STEP = RevocationStep(
    "holders",
    Message("common.end-processes-hold-classified-files"),
    probe,
    find_targets,
    run,
    Message("offboard.unsaved-work-lost"),
    early=True,
    together=together,
    nothing=Message("offboard.no-holder-process"),
)
