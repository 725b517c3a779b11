"""Disks that hang, break and vanish, tried inside a guest: ``python -m tests.long.guest_disks``.

The volume of an area lies on a device-mapper device over a loop device, so that it can be suspended and turned into one
that answers every request with an error. It says ``CHECK name ok|failed what was seen`` as it goes.

Rules of this file: only in a guest, because a device that hangs can need a reboot; every wait is for an event.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.api.client import AgentClient
from agent.demo import stage
from agent.demo.actors import UNSET, ActorIdentity, attempt, reading
from agent.demo.shared import wait_until
from agent.volumes import probe
from tests.long.guest_seen import Checks

PATIENCE = 400.0
CLEARED, STRANGER = ActorIdentity(61_781, UNSET), ActorIdentity(61_782, UNSET)
_NAME = "shoumi-test"


class Disk:
    """A device-mapper device over an image, its filesystem mounted at ``point``."""

    def __init__(self, folder: Path) -> None:
        self.point = folder / "disk"
        self._image = folder / "disk.image"
        with self._image.open("wb") as file:
            file.truncate(64 << 20)
        self._loop = _run("losetup", "--find", "--show", str(self._image))
        self._sectors = (64 << 20) // 512
        _run("dmsetup", "create", _NAME, "--noudevsync", "--table", self._table("linear"))
        self.device = "/dev/" + _run("dmsetup", "info", "-c", "--noheadings", "-o", "blkdevname", _NAME)  # no udev here
        _run("mkfs.ext4", "-q", "-F", "-m", "0", self.device)
        self.point.mkdir()
        _run("mount", self.device, str(self.point))

    def suspend(self) -> None:
        """Let every request wait."""
        _run("dmsetup", "suspend", "--nolockfs", "--noflush", "--noudevsync", _NAME)

    def resume(self) -> None:
        """Let requests go on."""
        _run("dmsetup", "resume", "--noudevsync", _NAME)

    def turn(self, target: str) -> None:
        """Answer with ``error``, or serve again (``linear``)."""
        _run("dmsetup", "suspend", "--nolockfs", "--noflush", "--noudevsync", _NAME)
        _run("dmsetup", "load", _NAME, "--table", self._table(target))
        _run("dmsetup", "resume", "--noudevsync", _NAME)

    def remove(self) -> None:
        """Take everything away, as far as it goes."""
        for words in (("umount", "-l", str(self.point)), ("dmsetup", "remove", "--force", _NAME)):
            subprocess.run(words, capture_output=True, check=False)
        subprocess.run(("losetup", "--detach", self._loop), capture_output=True, check=False)

    def _table(self, target: str) -> str:
        tail = f" {self._loop} 0" if target == "linear" else ""
        return f"0 {self._sectors} {target}{tail}"


def main() -> int:
    """Make all checks; 0: each held."""
    stage.START_SECONDS = PATIENCE
    subprocess.run(["modprobe", "dm_mod"], check=True)
    probe.SECONDS = int(PATIENCE)
    checks = Checks()
    with checks.guarded("site"), stage.stage(settings=("heartbeat_seconds = 60",)) as made, _disk(made) as disk:
        plans = disk.point / "plans"
        plans.mkdir()
        plans.chmod(0o777)
        for name in ("a.txt", "b.txt"):
            (plans / name).write_text("机密\n")
            (plans / name).chmod(0o666)
        made.start()
        made.shoumi("area", "add", str(plans), "--name", "plans", "--level", "secret", "--domain", "state")
        with AgentClient(made.home) as client:
            client.call("person.add", person="E1", level=["secret"], domain="state", account=[CLEARED.uid])
            client.call("grant.add", person="E1", area="plans", reason="测试")
        checks.check("guarded", held=_right(plans), seen=made.ask("area", "show", "plans")["tier"])
        for name, act in (("suspended", _suspended), ("error", _error), ("pulled", _pulled)):
            with checks.guarded(name):
                act(checks, disk, plans)
    return int("failed" in checks.result["checks"].values())


@contextmanager
def _disk(made: stage.DemoStage) -> Iterator[Disk]:
    assert made.volume is not None
    disk = Disk(made.volume.folder)
    try:
        yield disk
    finally:
        disk.remove()


def _right(plans: Path) -> bool:
    """Whether the cleared read and the stranger is refused."""
    cleared = wait_until(lambda: attempt(CLEARED, reading(plans / "a.txt"), PATIENCE).allowed, PATIENCE)
    return cleared and attempt(STRANGER, reading(plans / "a.txt"), PATIENCE).error == "EPERM"


def _suspended(checks: Checks, disk: Disk, plans: Path) -> None:
    """A device that answers nothing: the unknown is denied, the known goes on, and afterwards everything does."""
    os.mknod(plans / "new.txt", 0o666)
    (plans / "new.txt").chmod(0o666)
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")
    attempt(CLEARED, reading(plans / "a.txt"), PATIENCE)
    disk.suspend()
    try:
        seen = {
            "stranger, known file": attempt(STRANGER, reading(plans / "a.txt"), PATIENCE).error,
            "cleared, known file": attempt(CLEARED, lambda: os.close(os.open(plans / "a.txt", os.O_RDONLY)), 60).error,
        }
    finally:
        disk.resume()
    held = seen["stranger, known file"] == "EPERM" and not seen["cleared, known file"]
    checks.check("suspended", held=held and _right(plans), seen=seen)


def _error(checks: Checks, disk: Disk, plans: Path) -> None:
    """A device that answers with errors: nobody uncleared gets in, and when it serves again so does the agent."""
    disk.turn("error")
    seen = attempt(STRANGER, reading(plans / "b.txt"), PATIENCE).error
    disk.turn("linear")
    _run("umount", "-l", str(disk.point))
    _run("mount", disk.device, str(disk.point))
    checks.check("error", held=bool(seen) and _right(plans), seen=seen)


def _pulled(checks: Checks, disk: Disk, plans: Path) -> None:
    """The disk is gone for good, and another mount of it comes later."""
    disk.turn("error")
    subprocess.run(("umount", "-l", str(disk.point)), check=False)
    seen = attempt(STRANGER, reading(plans / "a.txt"), PATIENCE).error
    disk.turn("linear")
    _run("mount", disk.device, str(disk.point))
    wrong = sum(attempt(STRANGER, reading(plans / "a.txt"), PATIENCE).allowed for _ in range(5))
    checks.check("pulled", held=bool(seen) and not wrong and _right(plans), seen=f"{seen}, {wrong} wrong opens")


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise OSError(f"{' '.join(words[:3])}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
