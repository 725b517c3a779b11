"""Only the processes that hold classified files: for a hold, an expiry or a transfer, where the person stays.

Rules of this file: descriptors, mappings, working and root directories count. A process of somebody else that holds the
same file is not touched: the decider asks about every one of its reads, on its own rights.
"""

from agent.offboard.context import Context, Leaver
from agent.offboard.steps import processes
from agent.offboard.steps.step import Result, Step, Target
from rules.text import Text


def probe(_leaver: Leaver, context: Context) -> Text | None:
    """Return a reason when no volume of this host is protected."""
    return None if context.devices() else Text("no area is protected on this host", "本机没有受保护的目录")


def look(leaver: Leaver, context: Context) -> tuple[Target, ...]:
    """Return the processes that would end."""
    found = processes.ending(leaver, context, only_holders=True).find()
    return tuple(processes.target(process, leaver, context) for process in found)


def run(leaver: Leaver, context: Context, _case: str) -> Result:
    """End them. ``facts``: :meth:`agent.offboard.steps.ending.Ended.facts`."""
    return processes.result(processes.ending(leaver, context, only_holders=True).run())


STEP = Step(
    "holders",
    Text("end processes that hold classified files", "结束持有涉密文件的进程"),
    probe,
    look,
    run,
    Text("what they had not saved is lost", "未保存的内容将丢失"),
    early=True,
)
