"""Remounting: a volume unmounted and mounted again, and mounted without the agent.

Rules of this file: the tools of the host are used, as root would; the stranger is a child that ends with the act. The
report comes from real attempts and from the log: the time until the cover, and the opens before it.
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
from rules.text import Message

_PATIENCE = 20.0


def remount(stage: DemoStage) -> None:
    """Unmount the volume of *stage* and mount it again. Raises :class:`RefusedError` when it stays busy."""
    assert stage.volume is not None
    deadline = time.monotonic() + _PATIENCE
    while subprocess.run(["umount", str(stage.volume.point)], capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:  # an open under decision keeps the mount busy for a moment
            raise RefusedError(Message("demo.volume-stays-busy"))
        time.sleep(0.05)
    _mount(stage)


def mount_late(
    stage: DemoStage, document: Path, stranger: ActorIdentity, reader: ActorIdentity, fresh: Callable[[], list[Any]]
) -> LateMount:
    """Make the agent release its volume, then mount it without the agent; *stranger* tries to open it meanwhile.

    *reader* may read the *document*: when they can again, the measurement ends. *fresh* returns new entries of the log.
    """
    assert stage.volume is not None
    stage.shoumi("volume", "hide", str(stage.volume.point), "--yes", "--forget")
    fresh()
    entries: list[Any] = []
    with acting(stranger, _trying(document)) as outsider:
        begun = time.monotonic()
        _mount(stage)
        # An open before the cover does not show that the volume is guarded; both conditions are needed.
        while not (_guarded(entries) and attempt(reader, reading(document)).allowed):
            if time.monotonic() - begun > _PATIENCE:
                raise RefusedError(Message("demo.volume-not-restored"))
            time.sleep(0.02)
            entries += fresh()
        seconds = time.monotonic() - begun
        let_in = sum(1 for reply in outsider.heard() if reply.value == "opened")
    covered = [entry.get("after_ms") for entry in entries if entry.get("state") == "covered"]
    return LateMount(float(covered[0]) if covered and covered[0] is not None else None, seconds, let_in)


def _guarded(entries: Iterable[Mapping[str, Any]]) -> bool:
    return any(entry.get("kind") == "volume" and entry.get("state") == "guarded" for entry in entries)


def _mount(stage: DemoStage) -> None:
    assert stage.volume is not None
    image, point = stage.volume.folder / "image", stage.volume.point
    completed = subprocess.run(
        ["mount", "-o", "loop", str(image), str(point)], capture_output=True, text=True, check=False
    )
    if completed.returncode:
        output = completed.stderr.strip()
        raise RefusedError(Message("demo.mount-failed", error=output))


def _trying(document: Path) -> Callable[[Callable[[Any], None]], object]:
    def act(say: Callable[[Any], None]) -> object:
        while True:
            with contextlib.suppress(OSError):
                os.close(os.open(document, os.O_RDONLY))
                say("opened")

    return act
