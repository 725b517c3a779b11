"""Somebody who types what a page shows, in a clean root, and keeps count of what came of it.

Everything is typed as it stands there. What a root without systemd and without a keyboard forces: ``shoumi run`` is put
into the background, apt is told ``--yes``, what a unit would start is the command of its unit, and passwords come by
standard input or by smbclient's ``PASSWD``.

Rules of this file: what it starts ends with it, and is ended by pid.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.demo.parting import end_with_parent
from tests import ROOT
from tests.docs.shown import Shown, wrong

PAGES = {"en": ("README.md", "docs/samba.md"), "zh": ("README.zh.md", "docs/samba.zh.md")}
SECONDS = 120.0
_PASSWORD = "Plans-2026"
_BROKEN, _TRIES = "NT_STATUS_CONNECTION_", 10  # a hold that is being proven ends connections; Windows makes new ones
_PORT, _UNIT = 445, Path("/lib/systemd/system/smbd.service")


class Said(NamedTuple):
    """How a command ended and what it said."""

    code: int
    text: str


class Follower:
    """Somebody who follows the page; ``counts`` and ``failures`` are what came of it."""

    def __init__(self, language: str) -> None:
        self.readme, self.page = ((ROOT / name).read_text(encoding="utf-8") for name in PAGES[language])
        self.environment = {**os.environ, "SHOUMI_LANG": language, "PASSWD": _PASSWORD}
        self.environment["PATH"] = f"{ROOT}/.venv/bin:{os.environ['PATH']}"
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.counts: dict[str, int] = {}
        self.failures: list[str] = []

    def expect(self, fine: object, what: str) -> None:
        if not fine:
            self.failures.append(what[:1500])

    def count(self, what: str, more: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + more

    def run(self, command: str, language: str = "") -> Said:
        """Run a command as it stands there, or what it comes to in a root."""
        line, typed = command, ""
        if command == "shoumi run":
            return self._agent()
        if command == "systemctl restart smbd":
            self.start_smbd()
            return Said(0, "")
        if command.startswith("apt install "):
            line = command.replace("install", "install --yes", 1)
        elif command.startswith("smbpasswd "):
            line, typed = command.replace("smbpasswd", "smbpasswd -s", 1), f"{_PASSWORD}\n{_PASSWORD}\n"
        done = self._typed(line, typed, language)
        for _ in range(_TRIES):
            if not (command.startswith("smbclient ") and _BROKEN in done.text):
                break
            self.count("connections made anew")
            time.sleep(0.5)
            done = self._typed(line, typed, language)
        if command.startswith("apt install ") and not done.code:
            self.start_smbd()  # as the package does where there is a systemd
        return done

    def _typed(self, line: str, typed: str, language: str) -> Said:
        environment = {**self.environment, **({"SHOUMI_LANG": language} if language else {})}
        done = subprocess.run(
            ("sh", "-ec", line), input=typed, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout)

    def own(self, command: str, *said: str) -> str:
        """Run a command that is not of the page; it has to say all of *said*, and a refusal makes it end with 1."""
        done = self.run(command, "en")
        self.expect(
            done.code == int(any("NT_STATUS" in text for text in said)) and all(text in done.text for text in said),
            f"{command}: ends with {done.code}\n{done.text}",
        )
        self.count("commands beside the page")
        return done.text

    def check(self, one: Shown) -> None:
        done = self.run(one.command)
        problem = wrong(one, done.code, done.text)
        self.expect(not problem, problem)
        self.count("commands of the page")
        self.count("lines as on the page", len(one.said) if not problem else 0)

    def start_smbd(self) -> None:
        self.end("smbd")
        [command] = re.findall(r"^ExecStart=(.*)$", _UNIT.read_text(), re.MULTILINE)
        self.running["smbd"] = subprocess.Popen(
            command.replace("$SMBDOPTIONS", "").split(), env={"PATH": os.environ["PATH"]}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=_ends_with_us,
        )  # fmt: skip
        until(answers, "smbd does not answer")

    def end(self, name: str) -> None:
        """End what was started under *name*, if it was."""
        process = self.running.pop(name, None)
        if process:
            process.terminate()
            process.wait(30)
        if process and name == "smbd":
            until(lambda: not answers(), "smbd is still there")

    def _agent(self) -> Said:
        self.running["agent"] = agent = subprocess.Popen(
            ("shoumi", "run"), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=_ends_with_us,
        )  # fmt: skip
        assert agent.stdout
        return Said(0, agent.stdout.readline())


def _ends_with_us() -> None:
    end_with_parent(signal.SIGTERM)


def answers() -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", _PORT), 5).close()
        return True
    return False


def until(fine: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not fine():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
