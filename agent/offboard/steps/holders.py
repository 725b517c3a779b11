"""Only the processes that hold classified files: for a hold, an expiry, a transfer or any other loss: the person stays.

Rules of this file: descriptors, mappings, working and root directories count. Only what lies in an area does, and where
the end is of some areas, only what lies in those; what cannot be told counts. A process of somebody else that holds the
same file is not touched: the decider asks about every one of its reads, on its own rights.
"""

from collections.abc import Sequence

from agent.kernel.open_files import HeldFile
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import processes
from agent.offboard.steps.ending_holders import HolderTerminator
from agent.offboard.steps.step import RevocationStep, StepResult, StepTarget
from rules.text import Text


def ending(leaver: RevocationSubject, context: RevocationContext) -> HolderTerminator:
    """Return what ends the processes of *leaver* that hold something of the areas they are about to lose."""
    return HolderTerminator((leaver,), context, lambda _uid, _area: False)


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when no volume of this host is protected."""
    return None if context.devices() else Text("no area is protected on this host", "本机没有受保护的目录")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the processes that would end."""
    [found] = ending(leaver, context).find()
    return tuple(processes.target(process, leaver, context) for process in found)


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """End them. ``facts``: :meth:`agent.offboard.steps.ending.TerminationResult.facts`."""
    [result] = together([(leaver, case)], context)
    return result


def together(many: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """End those of many people by the same looks."""
    leavers = [leaver for leaver, _ in many]
    return processes.results(leavers, HolderTerminator(leavers, context, context.may).run(context.patience), context)


def held(leaver: RevocationSubject, context: RevocationContext) -> frozenset[HeldFile]:
    """Return what processes, whoever's, hold of the areas *leaver* loses, as far as it counts."""
    return frozenset(found for found in context.held(context.devices()) if _counts(found, leaver, context))


def _counts(found: HeldFile, leaver: RevocationSubject, context: RevocationContext) -> bool:
    if found.how == "unfinished":
        return True
    area = context.area_of(found)
    lost = area == "" or (area is not None and (not leaver.areas or area in leaver.areas))
    return lost and (not leaver.uncut_only or context.uncut(found))


STEP = RevocationStep(
    "holders",
    Text("end processes that hold classified files", "结束持有涉密文件的进程"),
    probe,
    look,
    run,
    Text("what they had not saved is lost", "未保存的内容将丢失"),
    early=True,
    together=together,
    nothing=Text("nobody holds any now", "目前没有进程持有"),
)
