"""The commands a README shows, run for real: what they print must be what the README says they print.

Rules of this file: a ``console`` block is read as ``$ command`` lines, each followed by what it printed. Only two
things are changed before a command runs: ``/srv`` is a directory made for the occasion, and the agent's home is in it.
Numbers, digests and spaces are not compared, because times and counts differ from run to run; nor are notes, which
speak of the host; of a random number in a file's name only that it is one.
"""

import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.kernel import mounting

_SECONDS = 60
_IN_A_TERMINAL_OF_ITS_OWN = ("shoumi run", "shoumi door simulate --serve")


class Shown(NamedTuple):
    """A command of a README and what it is said to print."""

    command: str
    output: str


def blocks(text: str) -> list[list[Shown]]:
    """Return the ``console`` blocks of a README, each as its commands in order."""
    return [_commands(block) for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def plain(output: str) -> str:
    """Return what of *output* must be the same each time it is printed."""
    output = re.sub(r"^(note|注意) .*\n?", "", output, flags=re.MULTILINE)
    output = re.sub(r"@[0-9a-f]{12}", "@…", output)
    output = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", output)
    output = re.sub(r"([(（])[0-9a-f]{16}([)）])", r"\1…\2", output)
    output = re.sub(r"\d+", "0", output)
    return "\n".join(" ".join(line.split()) for line in output.splitlines()).strip()


class Host:
    """Somewhere the commands of a README can be run: ``/srv`` is *folder*."""

    def __init__(self, folder: Path, language: str) -> None:
        self._folder = folder
        self._environ = {
            **os.environ,
            "SHOUMI_LANG": language,
            "LC_ALL": "C.UTF-8",
            "SHOUMI_HOME": str(folder / "home"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin",
        }
        self._running: list[subprocess.Popen[str]] = []

    def run(self, command: str) -> str:
        """Run one command and return all it printed, as it would have been printed for ``/srv``."""
        if command in _IN_A_TERMINAL_OF_ITS_OWN:
            return self._start(command)
        done = subprocess.run(
            ["sh", "-c", self._moved(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environ,
            timeout=_SECONDS,
            check=False,
        )
        return done.stdout.replace(str(self._folder / "home"), "/var/lib/shoumi").replace(str(self._folder), "/srv")

    def stop(self) -> None:
        """End the agent, and take away what was mounted."""
        for process in reversed(self._running):
            process.terminate()
            process.communicate()
        mounting.unmount_below(str(self._folder))

    def _start(self, command: str) -> str:
        process = subprocess.Popen(command.split(), stdout=subprocess.PIPE, text=True, env=self._environ)
        self._running.append(process)
        assert process.stdout
        assert select.select([process.stdout], [], [], _SECONDS)[0]
        return process.stdout.readline()

    def _moved(self, command: str) -> str:
        command = re.sub(r"/srv\b", str(self._folder), command)
        return command.replace("/var/lib/shoumi", str(self._folder / "home"))


@contextmanager
def host(folder: Path, language: str) -> Iterator[Host]:
    """A host whose agent and mounts end with the block."""
    made = Host(folder, language)
    try:
        yield made
    finally:
        made.stop()


def _commands(block: str) -> list[Shown]:
    shown: list[Shown] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            shown.append(Shown(line.removeprefix("$ "), ""))
        elif shown:
            shown[-1] = Shown(shown[-1].command, shown[-1].output + line + "\n")
    return shown
