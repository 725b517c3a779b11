"""Only the processes that hold classified files: for a hold, an expiry or a transfer, where the person stays.

Rules of this file: descriptors, mappings, working and root directories count. Only what lies in an area does, and where
the end is of one grant, only what lies in that one; what cannot be told counts. A process of somebody else that holds
the same file is not touched: the decider asks about every one of its reads, on its own rights.
"""

from agent.kernel.open_files import HeldFile
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import processes, subids
from agent.offboard.steps.ending import ProcessTerminator
from agent.offboard.steps.step import RevocationStep, StepResult, StepTarget
from rules.text import Text


def ending(leaver: RevocationSubject, context: RevocationContext) -> ProcessTerminator:
    """Return what ends the processes of *leaver* that hold something of the areas they lose."""
    return ProcessTerminator(
        leaver.uids,
        context.rails,
        context.now,
        lambda: pids(leaver, context),
        only_holders=True,
        below=lambda: subids.of(leaver, context),
    )


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when no volume of this host is protected."""
    return None if context.devices() else Text("no area is protected on this host", "本机没有受保护的目录")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the processes that would end."""
    found = ending(leaver, context).find()
    return tuple(processes.target(process, leaver, context) for process in found)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """End them. ``facts``: :meth:`agent.offboard.steps.ending.TerminationResult.facts`."""
    return processes.result(ending(leaver, context).run())


def pids(leaver: RevocationSubject, context: RevocationContext) -> frozenset[int]:
    """Return the processes, whoever's, that hold something of the areas *leaver* loses."""
    return frozenset(found.pid for found in context.held(context.devices()) if _counts(found, leaver, context))


def _counts(found: HeldFile, leaver: RevocationSubject, context: RevocationContext) -> bool:
    area = context.area_of(found)
    return area == "" or (area is not None and (not leaver.areas or area in leaver.areas))


STEP = RevocationStep(
    "holders",
    Text("end processes that hold classified files", "结束持有涉密文件的进程"),
    probe,
    look,
    run,
    Text("what they had not saved is lost", "未保存的内容将丢失"),
)
