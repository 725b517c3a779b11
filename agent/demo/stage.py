"""Stage: a complete site for one run, with a volume in a file, a home and the real agent.

Rules of this file: everything made here is removed in ``finally``, in the order that leaves nothing behind: the agent
first, then covers and mounts, then files. The home lies in the folder of the volume image, next to the mount point:
never on the protected volume, and removed by the next run if this one is killed. The agent ends with its parent
process. It is operated as on a site, by the command line.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from agent.demo.parting import end_with_parent
from agent.demo.record import LogPosition
from agent.errors import RefusedError
from agent.runtime.home import Home
from agent.runtime.supervisor import python
from agent.simulator import volume_image
from rules.text import Message, foreign

START_SECONDS = 20.0
_MODULES = {"decider": "agent.guard.decider", "control": "agent.control", "watcher": "agent.guard.mount_watcher"}
_STOP_SECONDS = 10.0


class DemoStage:
    """A site: ``volume`` is the mount point of its filesystem, ``home`` is the home of the agent."""

    def __init__(self, home: Home, volume: volume_image.Volume | None) -> None:
        self.stderr: int | None = None  # a descriptor for the stderr of the agent; default: our own
        self.home = home
        self.volume = volume
        self.agent: subprocess.Popen[str] | None = None
        self.ready = ""

    @property
    def root(self) -> Path:
        """The directory in which areas can be made."""
        assert self.volume is not None
        return self.volume.point

    def shoumi(self, *arguments: str, check: bool = True, language: str = "en") -> subprocess.CompletedProcess[str]:
        """Run the command line on this site.

        Raises :class:`RefusedError` with its output when *check* and it fails.
        """
        completed = subprocess.run(
            python("agent.cli", "--home", str(self.home.root), *arguments),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "SHOUMI_LANG": language},
        )
        if check and completed.returncode:
            raise RefusedError(
                foreign(f"shoumi {' '.join(arguments)}: {completed.stderr.strip() or completed.returncode}")
            )
        return completed

    def ask(self, *arguments: str) -> Any:
        """Run the command line with ``--json`` and return what it printed."""
        return json.loads(self.shoumi(*arguments, "--json").stdout)

    def entries(self) -> list[dict[str, Any]]:
        """Return entries of the log, oldest first, read directly from the log files: all complete lines."""
        return LogPosition(self.home.log).fresh()

    def start(self) -> str:
        """Start the agent, wait for its ready line and return it.

        Raises :class:`RefusedError` when none comes in time.
        """
        self.agent = subprocess.Popen(
            python("agent.cli", "--home", str(self.home.root), "run"),
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "SHOUMI_LANG": "en"},
            start_new_session=True,  # Ctrl-C goes to this process, which ends everything in order
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
        )
        assert self.agent.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        while (remaining := deadline - time.monotonic()) > 0:
            if not select.select([self.agent.stdout], [], [], remaining)[0]:
                break
            line = self.agent.stdout.readline()
            if line.startswith(("ready ", "degraded ")):
                self.ready = line.strip()
                return self.ready
            if not line:
                break
        raise RefusedError(Message("demo.agent-not-ready"), Message("demo.see-stderr"))

    def stop(self) -> None:
        """Stop the agent in order; kill it if it does not. Returns when none of its processes lives."""
        if self.agent is None:
            return
        processes = []
        for child in self._children():
            with contextlib.suppress(ProcessLookupError):
                processes.append(os.pidfd_open(child.pid))
        self.agent.send_signal(signal.SIGTERM)
        try:
            self.agent.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.agent.kill()
            self.agent.wait()
        for process in processes:  # the decider hides the areas when its holder was killed; let it finish
            select.select([process], [], [], _STOP_SECONDS)
            os.close(process)
        if self.agent.stdout:
            self.agent.stdout.close()
        self.agent = None

    def _children(self) -> list[psutil.Process]:
        assert self.agent is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.agent.pid).children()
        return []

    def process(self, name: str) -> int:
        """Return the pid of ``decider``, ``control`` or ``watcher``. Raises ``LookupError`` while there is none."""
        module = _MODULES[name]
        for child in self._children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if module in child.cmdline():
                    return child.pid
        raise LookupError(name)


@contextmanager
def stage(
    pack: str = "minimal", size: int = 64 << 20, fstype: str = "ext4", settings: Sequence[str] = ()
) -> Iterator[DemoStage]:
    """Make a site with its volume; stop and remove everything on leaving. *settings* are lines put before config.toml.

    Raises :class:`RefusedError` when the rights or tools for a volume are missing. The agent is not started yet.
    """
    with volume_image.volume(fstype, size) as volume:
        volume.point.chmod(0o755)
        site = DemoStage(Home.at(volume.folder / "site"), volume)
        try:
            site.shoumi("init", "--pack", pack)
            if settings:
                _override(site.home.config, settings)
            yield site
        finally:
            site.stop()


def _override(config: Path, settings: Sequence[str]) -> None:
    """Replace the lines of *config* that set the same keys as *settings*, so that every key occurs once."""
    keys = {line.partition("=")[0].strip() for line in settings}
    unchanged = [line for line in config.read_text().splitlines() if line.partition("=")[0].strip() not in keys]
    config.write_text("\n".join([*settings, *unchanged]) + "\n")
