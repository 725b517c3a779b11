"""A volume that goes and comes: unmounted and mounted again, and mounted behind the agent's back.

Rules of this file: the tools of the host do it, as root would; the stranger is a child that ends with the act. What is
reported was seen by people who tried and stands in the log: how long the cover took, and whether anybody got in.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agent.demo.actors import ActorIdentity, acting, attempt, reading
from agent.demo.site import LateMount
from agent.demo.stage import DemoStage
from agent.errors import RefusedError
from rules.text import Text

_PATIENCE = 20.0


def remount(stage: DemoStage) -> None:
    """Unmount the volume of *stage* and mount it again. Raises :class:`RefusedError` when it stays busy."""
    assert stage.volume is not None
    deadline = time.monotonic() + _PATIENCE
    while subprocess.run(["umount", str(stage.volume.point)], capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:  # an open that is just being decided keeps a mount busy for a moment
            raise RefusedError(Text("the volume stays busy", "卷一直被占用"))
        time.sleep(0.05)
    _mount(stage)


def mount_late(
    stage: DemoStage, document: Path, stranger: ActorIdentity, reader: ActorIdentity, fresh: Callable[[], list[Any]]
) -> LateMount:
    """Have the agent let go of its volume, then mount it without telling the agent; *stranger* tries all the while.

    *reader* may read the *document*: when they can again, it is over. *fresh* returns new entries of the log.
    """
    assert stage.volume is not None
    stage.shoumi("volume", "hide", str(stage.volume.point), "--yes", "--forget")
    fresh()
    told: list[Any] = []
    with acting(stranger, _trying(document)) as outsider:
        begun = time.monotonic()
        _mount(stage)
        # Whoever is quick enough to open it before the cover says nothing of what comes after it.
        while not (_guarded(told) and attempt(reader, reading(document)).allowed):
            if time.monotonic() - begun > _PATIENCE:
                raise RefusedError(Text("the volume did not come back", "卷未能恢复"))
            time.sleep(0.02)
            told += fresh()
        seconds = time.monotonic() - begun
        let_in = sum(1 for reply in outsider.heard() if reply.value == "opened")
    covered = [entry.get("after_ms") for entry in told if entry.get("state") == "covered"]
    return LateMount(float(covered[0]) if covered and covered[0] is not None else None, seconds, let_in)


def _guarded(entries: Iterable[Mapping[str, Any]]) -> bool:
    return any(entry.get("kind") == "volume" and entry.get("state") == "guarded" for entry in entries)


def _mount(stage: DemoStage) -> None:
    assert stage.volume is not None
    image, point = stage.volume.folder / "image", stage.volume.point
    done = subprocess.run(["mount", "-o", "loop", str(image), str(point)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip()
        raise RefusedError(Text(f"mount: {said}", f"mount：{said}"))


def _trying(document: Path) -> Callable[[Callable[[Any], None]], object]:
    def act(say: Callable[[Any], None]) -> object:
        while True:
            with contextlib.suppress(OSError):
                os.close(os.open(document, os.O_RDONLY))
                say("opened")

    return act
