"""A whole agent without a kernel: a home, the control process, and a decider that is a ``control_peer``."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent import shipped_packs
from agent.api.client import AgentClient
from agent.demo.record import LogPosition
from agent.runtime import channel
from agent.runtime.home import Home
from agent.site.init import make
from tests import ROOT


class Site:
    """Both processes, and the pair between them, which outlives them as the holder's does."""

    def __init__(self, home: Home, *, control: bool = True) -> None:
        self.home = home
        self.control_end, self.peer_end = channel.pair()
        self.peer = self._peer()
        self.control: subprocess.Popen[bytes] | None = None
        self.said = ""
        if control:
            self.start_control()

    def client(self) -> AgentClient:
        return AgentClient(self.home, timeout=30)

    def start_control(self) -> None:
        said, say = os.pipe()
        argv = [sys.executable, "-I", "-m", "agent.control", str(self.home.root)]
        fd = self.control_end.fileno()
        self.control = subprocess.Popen([*argv, f"channel={fd}", f"say={say}"], pass_fds=(fd, say))
        os.close(say)
        with open(said) as lines:
            self.said = lines.readline()
        assert self.said, "the control process ended before it was ready"

    def tell_peer(self, command: str) -> None:
        assert self.peer.stdin
        assert self.peer.stdout
        self.peer.stdin.write(command.encode() + b"\n")
        self.peer.stdin.flush()
        assert self.peer.stdout.readline() == b"ok\n"

    def kill_peer(self) -> None:
        self.peer.kill()
        self._bury_peer()

    def restart_peer(self) -> None:
        self.peer = self._peer()

    def entries(self, **wanted: object) -> list[dict[str, object]]:
        """Return the entries with these fields, oldest first, read from the record itself."""
        found = LogPosition(self.home.log).fresh()
        return [entry for entry in found if all(entry.get(key) == value for key, value in wanted.items())]

    def stop_control(self) -> None:
        """Stop the control process, if there is one."""
        if self.control:
            self.control.terminate()
            self.control.wait(30)

    def stop(self) -> None:
        self.stop_control()
        if self.peer.poll() is None:
            self.peer.kill()
        self._bury_peer()
        self.control_end.close()
        self.peer_end.close()

    def _peer(self) -> subprocess.Popen[bytes]:
        fd = self.peer_end.fileno()
        argv = [sys.executable, "-m", "tests.control.peer_process", str(self.home.root), str(fd)]
        return subprocess.Popen(argv, cwd=ROOT, pass_fds=(fd,), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _bury_peer(self) -> None:
        self.peer.wait(30)
        for pipe in (self.peer.stdin, self.peer.stdout):
            assert pipe
            pipe.close()


@contextmanager
def running(root: Path, pack: str = "minimal", *, control: bool = True) -> Iterator[Site]:
    """A site; without *control* only its decider, for a test that starts the other process or takes its place."""
    home = Home(root)
    if not home.config.exists():
        make(home, shipped_packs.text(pack))
    site = Site(home, control=control)
    try:
        yield site
    finally:
        site.stop()
