"""Starting: no command waits for what it does not use, and none fails in a way the reader cannot act on."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.__main__ import COMMANDS
from agent.cli.parser import Command, option

HEAVY = (
    "cryptography",
    "jwt",
    "sqlite_utils",
    "sqlite3",
    "textual",
    "rules.pack.model",
    "agent.guard",
    "agent.registry",
)
SERVING = {("run",), ("demo",), ("tui",)}
VALUES = {
    "number": "1",
    "numbers": "1",
    "level": "secret",
    "levels": "secret",
    "since": "2026-01-01",
    "path": "/nowhere",
}


def line(command: Command, *, everything: bool) -> list[str]:
    """Return words for *command*: what it requires, or one of everything it takes."""
    words = list(command.names)
    for param in command.params:
        if not (param.required or everything):
            continue
        value = (
            param.choices[0]
            if param.choices
            else VALUES.get(param.kind, "2026-12-01" if param.kind == "until" else "x")
        )
        if param.kind == "flag":
            words.append(option(param))
        else:
            words += [value] if param.positional else [option(param), value]
    return words


def test_a_command_imports_nothing_heavy_before_it_runs() -> None:
    look = "import sys, agent.cli.__main__; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", look], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in loaded if name.startswith(HEAVY)] == []


@pytest.mark.parametrize("everything", [False, True], ids=["what it needs", "all it takes"])
@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one.names not in SERVING], ids=lambda one: " ".join(one.names)
)
def test_without_a_site_every_command_says_so_in_a_sentence(
    command: Command, everything: bool, tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = run("--home", str(tmp_path / "none"), *line(command, everything=everything))
    assert said.code in (0, 1, 2, 4), said
    if said.code and command.names != ("doctor",):
        assert said.err.startswith("shoumi: "), said
        assert "Traceback" not in said.err
