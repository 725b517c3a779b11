"""How a child hears of what its predecessor died: one word on its command line, ``died=SIGBUS,1.5,3,4711``.

Rules of this file: standard library only. The holder tells its children, because it writes no log; the child records
it. A word that is not understood says nothing, and stops no start.
"""

from collections.abc import Mapping
from typing import Any

from agent.runtime.supervisor import Death

NAME = "died"


def word(death: Death | None) -> tuple[str, ...]:
    """Return the words that tell a child of *death*; none when there was none, or we ended the process in order."""
    if death is None or (death.ours and death.how == "SIGTERM"):
        return ()
    how = f"{death.how}{' (by the holder)' if death.ours else ''}"
    return (f"{NAME}={how},{death.lived:.1f},{death.number},{death.pid}",)


def entry(process: str, words: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the fields of the entry that says what the last *process* died of; ``None`` when nothing was told."""
    try:
        how, lived, count, pid = words[NAME].split(",")
        said = {"pid": int(pid), "lived": float(lived), "deaths": int(count)}
    except (KeyError, ValueError):
        return None
    return {"kind": "process-died", "alarm": True, "process": process, "how": how, **said}
