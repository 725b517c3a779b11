"""A run that is killed at any moment and resumed ends the same."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.offboard.context import AreaPath, RevocationContext
from agent.offboard.journal import RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner, steps_for
from agent.offboard.steps import tasks
from agent.offboard.steps.step import StepState
from tests import needs
from tests.offboard.host import area, child, context, furnish, leaver, picture
from tests.offboard.runs import OFFICERS, states

CHANGES = frozenset(
    f"os.{name}"
    for name in ("rename", "remove", "mkdir", "rmdir", "chown", "chmod", "utime", "symlink", "setxattr", "fork")
) | {"subprocess.Popen"}


class Scene:
    """One host, one area, one leaver with processes, made the same each time; and runners that are killed in it."""

    def __init__(self, top: Path, uid: int, seized: Path) -> None:
        self.top = top
        self.seized = seized
        top.mkdir()
        furnish(top, uid)
        self.place: AreaPath = area(top, uid)
        self.context: RevocationContext = context(top, areas=lambda: [self.place], seized=seized)
        self.who = leaver(top, uid)

    def run(self, count: Callable[[Callable[[], None]], Callable[..., None]], kill_at: int) -> bool:
        """Run in a child that is killed when *count* has counted to *kill_at*; return whether it was killed."""
        pid = os.fork()
        if pid == 0:
            left = kill_at

            def tick() -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                journal = RevocationJournal(self.top / "offboard.db")
                told = count(tick)
                here = replace(self.context, rails=lambda: type(self.context.rails())(frozenset({os.getpid()})))
                runner = Runner(journal, here, reporter=told)
                runner.begin("C1", self.who, Cause.DEPARTURE, OFFICERS)
                runner.advance("C1")
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def end(self) -> tuple[object, ...]:
        """Return everything that must be the same however often the runner was killed.

        What a killed try had ended and not yet written down is ended, and is not counted by the next one.
        """
        with closing(RevocationJournal(self.top / "offboard.db")) as journal:
            found = states(journal.steps(journal.run("C1")))
        files = picture(self.top) | {f"kept: {name}": what for name, what in picture(self.seized).items()}
        shown = {name.replace(str(self.top).lstrip("/"), "TOP"): what for name, what in files.items()}
        owners = shown.pop("kept: C1/owners.jsonl")
        assert "kept: C1/TOP/host/home/zhang/.config/systemd/user/copy.timer" in shown
        return found, {name: what for name, what in shown.items() if not name.startswith("offboard.db")}, owners[:3]

    def discard(self) -> None:
        """Remove every trace of it."""
        for top in (self.top, self.seized):
            for path in sorted(top.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            if top.exists():
                top.rmdir()


def at_steps(tick: Callable[[], None]) -> Callable[..., None]:
    return lambda _case, _step, _state: tick()


def at_changes(tick: Callable[[], None], only: str = "") -> Callable[..., None]:
    """Count every change the process makes to the host (in the step *only*): just before it is made."""
    inside = False

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if inside and (event in CHANGES or (event == "open" and args[2] & os.O_CREAT)):
            tick()

    def told(_case: str, step: str, state: StepState | None) -> None:
        nonlocal inside
        inside = not only or (step == only and state is None)

    sys.addaudithook(heard)
    return told


def at_owners(tick: Callable[[], None]) -> Callable[..., None]:
    return at_changes(tick, "acl")


@needs.root
@pytest.mark.parametrize(
    ("count", "stride", "elsewhere"),
    [(at_steps, 1, False), (at_owners, 1, False), (at_changes, 9, False), (at_changes, 9, True)],
    ids=["between two steps", "while owners change", "before a change", "before a change, kept elsewhere"],
)
def test_killed_anywhere_and_resumed_it_ends_the_same(
    tmp_path: Path, uid: int, count: Any, stride: int, elsewhere: bool
) -> None:
    """Every *stride*-th moment; with 1 for all of them it holds as well, and takes minutes."""
    tmp_path.chmod(0o711)
    seized = Path("/dev/shm" if elsewhere else tmp_path) / f"shoumi-test-seized-{os.getpid()}"
    wanted = None
    kills = 0
    for kill_at in (0, *range(1, 1000, stride)):
        scene = Scene(tmp_path / "scene", uid, seized)
        try:
            with child(uid, uid) as one, child(0, uid) as root:
                killed = scene.run(count, kill_at)
                if killed:
                    assert not scene.run(at_steps, 0)
                assert not one.alive
                assert not root.alive
            assert not tasks.scan([uid])
            wanted = wanted or scene.end()
            assert scene.end() == wanted, kill_at
        finally:
            scene.discard()
        kills += killed
        if kill_at and not killed:
            break
    steps = 2 * len(steps_for(Cause.DEPARTURE))
    assert kills >= {at_steps: steps, at_owners: 8, at_changes: 60 // stride}[count]
