"""A holder that dies under systemd leaves its descriptors there, and its successor goes on with them.

Systemd is a datagram socket of ours that takes what it is given; the successor is started with it as systemd would.
"""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.runtime.supervisor import python
from tests import ROOT
from tests.enforcement.scene import BYSTANDER, CLEARED, Scene, alive, scene, until
from tests.enforcement.servers import CHUNK, server

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-descriptor-store")]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield made


def _stored(systemd: socket.socket) -> dict[str, int]:
    """Take what was stored until now."""
    found: dict[str, int] = {}
    systemd.setblocking(False)
    while True:
        try:
            message, fds, _, _ = socket.recv_fds(systemd, 4096, 4)
        except BlockingIOError:
            return found
        if name := re.search(rb"^FDNAME=shoumi-(\w+)$", message, re.MULTILINE):
            found[name[1].decode()] = fds[0]


def _start_again(site: Scene, descriptors: dict[str, int]) -> None:
    """Start the agent as systemd does: what it kept from descriptor 3 on, and their names."""
    names = ":".join(f"shoumi-{name}" for name in descriptors)
    moves = " ".join(f"{3 + at}<&{fd}" for at, fd in enumerate(descriptors.values()))
    words = python("agent.cli", "--home", str(site.site.home.root), "run")
    shell = f'exec {moves}; export LISTEN_PID=$$ LISTEN_FDS={len(descriptors)} LISTEN_FDNAMES={names}; exec "$@"'
    site.site.agent = subprocess.Popen(
        ["bash", "-c", shell, "-", *words],
        pass_fds=tuple(descriptors.values()),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "SHOUMI_LANG": "en"},
    )
    assert site.site.agent.stdout is not None
    assert site.site.agent.stdout.readline().startswith("ready ")


def test_a_successor_of_the_holder_knows_who_opened_what(able: None, systemd: socket.socket) -> None:
    with scene() as site, server("smbd") as served:
        stored = _stored(systemd)
        unit = (ROOT / "docs" / "shoumi.service").read_text()
        assert f"FileDescriptorStoreMax={len(stored)}\n" in unit
        hers, his = (served.open(site.plans / f"doc{n}.txt", uid) for n, uid in ((1, CLEARED.uid), (2, BYSTANDER.uid)))
        assert site.site.agent is not None
        parts = [site.site.process(name) for name in ("decider", "control", "watcher")]
        for pid in (site.site.agent.pid, *parts):
            os.kill(pid, signal.SIGKILL)
        site.site.agent.wait()
        assert site.site.agent.stdout is not None
        site.site.agent.stdout.close()
        until(lambda: not any(alive(pid) for pid in parts))
        _start_again(site, stored)
        for fd in stored.values():
            os.close(fd)
        site.serving()
        with site.below("E1"):
            assert served.read(hers, uid=BYSTANDER.uid) == "EPERM"
            assert served.read(his) == CHUNK
