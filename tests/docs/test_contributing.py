"""CONTRIBUTING.md is true: its quick commands run, its slow ones exist, and no command is neither."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.docs.pages import commands
from tests.long.__main__ import PARTS

PAGE = ROOT / "CONTRIBUTING.md"
COMMANDS = commands(PAGE)
_SLOW = "make "  # looked at with `make -n`
_QUICK = ".venv/bin/"  # run
_TARGET = re.compile(r"^([a-z-]+):.*##", re.MULTILINE)


def run(command: str) -> subprocess.CompletedProcess[str]:
    """Run *command* as somebody would who types it, with the Python of this test and nothing of its runner."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MAKE", "MFLAGS"))}
    line = command.replace(_QUICK, f"{Path(sys.executable).parent}/")
    return subprocess.run(["sh", "-c", line], cwd=ROOT, env=ours, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_or_would(command: str) -> None:
    if command.startswith(_SLOW):
        assert len(command.split()) == 2, "one target, and no words that `make -n` would not understand"
        done = run(command.replace(_SLOW, "make -n ", 1))
    else:
        assert command.startswith(_QUICK), "neither run nor looked at: see this file"
        done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_target_and_every_part_of_the_long_tests_is_there() -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    shown = {command.removeprefix(_SLOW) for command in COMMANDS if command.startswith(_SLOW)}
    assert targets | {f"test-long-{part}" for part in PARTS} <= shown
    assert {name.removeprefix("test-long-") for name in shown if name.startswith("test-long-")} == set(PARTS)
