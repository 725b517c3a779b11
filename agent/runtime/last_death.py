"""The last death of a child, passed to its successor as one argument: ``died=SIGBUS,1.5,3,4711``.

Rules of this file: standard library only. The holder tells its children, because it writes no log; the child records
it. An unreadable argument is ignored, and prevents no start.
"""

from collections.abc import Mapping
from typing import Any

from agent.runtime.supervisor import Death

NAME = "died"


def arguments(death: Death | None) -> tuple[str, ...]:
    """Return the arguments that report *death*; none without one, or after an orderly end by the agent."""
    if death is None or (death.ours and death.how == "SIGTERM"):
        return ()
    how = f"{death.how}{' (by the holder)' if death.ours else ''}"
    return (f"{NAME}={how},{death.lived:.1f},{death.number},{death.pid}",)


def entry(process: str, options: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the fields of the entry about the last death of *process*; ``None`` when none was reported."""
    try:
        how, lived, count, pid = options[NAME].split(",")
        numbers = {"pid": int(pid), "lived": float(lived), "deaths": int(count)}
    except (KeyError, ValueError):
        return None
    return {"kind": "process-died", "alarm": True, "process": process, "how": how, **numbers}
