"""The distribution's smbd on a port of the loopback, with a folder for everything it keeps and accounts of its own.

Rules of this file: nothing of the machine is changed. Accounts are names in files that nss_wrapper shows to this server
alone; what the server keeps lies in the folder it is given, which is on no guarded filesystem. It is ended by its pid
in ``finally``, and with it every process that it has for a connection.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from agent.demo.parting import end_with_parent
from tests import needs

PASSWORD = "Plans-2026"
_KEPT = ("private", "lock", "state", "cache", "pid", "ncalrpc", "log")
_WRAPPER = "libnss_wrapper.so"

required = needs.tools("smbd", "smbcontrol", "smbstatus", "smbpasswd")


class FileServer:
    """A running smbd. ``folder`` has its configuration, ``environment`` what its own tools need to find it."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = port
        self.environment = environment
        self.configuration = folder / "smb.conf"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def tool(self, *words: str, text: str = "") -> str:
        """Run a tool of Samba's on this server and return what it printed."""
        done = subprocess.run(
            (words[0], "-s", str(self.configuration), *words[1:]),
            input=text, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert not done.returncode, (words, done.stdout, done.stderr)
        return done.stdout

    def sessions(self) -> list[psutil.Process]:
        """Return the process of each connection."""
        children = psutil.Process(self.pid).children()
        return [child for child in children if any(one.laddr.port == self.port for one in child.net_connections("tcp"))]


@contextlib.contextmanager
def serving(
    folder: Path, accounts: Mapping[str, int], shares: Mapping[str, Path], settings: Sequence[str] = ()
) -> Iterator[FileServer]:
    """Serve *shares* to *accounts* (uids by name). *settings* are lines for every share."""
    port = _free_port()
    for name in _KEPT:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "private").chmod(0o700)
    for name in ("passwd", "group"):
        more = [
            f"{account}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin" if name == "passwd" else f"{account}:x:{uid}:"
            for account, uid in accounts.items()
        ]
        (folder / name).write_text(Path("/etc", name).read_text() + "\n".join(more) + "\n")
    environment = {
        **os.environ,
        "LD_PRELOAD": _WRAPPER,
        "NSS_WRAPPER_PASSWD": str(folder / "passwd"),
        "NSS_WRAPPER_GROUP": str(folder / "group"),
    }
    server = FileServer(folder, port, environment)
    server.configuration.write_text(_configuration(folder, port, shares, settings))
    for account in accounts:
        server.tool("pdbedit", "-a", "-t", account, text=f"{PASSWORD}\n{PASSWORD}\n")
    server.process = subprocess.Popen(
        ("smbd", "-F", "--no-process-group", "-s", str(server.configuration)),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # when it ends it sends SIGTERM to its whole group, which may be ours
        preexec_fn=lambda: end_with_parent(signal.SIGTERM),
    )
    try:
        _answers(server)
        yield server
    finally:
        _end(server.process)


def _configuration(folder: Path, port: int, shares: Mapping[str, Path], settings: Sequence[str]) -> str:
    lines = [
        "[global]", "server role = standalone server", "workgroup = PLANS", "netbios name = PLANS",
        "disable netbios = yes", f"smb ports = {port}", "interfaces = lo", "bind interfaces only = yes",
        f"private dir = {folder}/private", f"lock directory = {folder}/lock", f"state directory = {folder}/state",
        f"cache directory = {folder}/cache", f"pid directory = {folder}/pid", f"ncalrpc dir = {folder}/ncalrpc",
        f"log file = {folder}/log/%m.log", "load printers = no", "printing = bsd", "printcap name = /dev/null",
        "disable spoolss = yes", "map to guest = never", "server min protocol = SMB2",
    ]  # fmt: skip
    for name, path in shares.items():
        lines += [f"[{name}]", f"path = {path}", "read only = no", *settings]
    return "\n".join(lines) + "\n"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(server: FileServer) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), 5).close()
            return
        assert server.process is not None
        assert server.process.poll() is None, (server.folder / "log").glob("*")
        assert time.monotonic() < deadline, "smbd does not answer"
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End smbd and its children, by pid, and wait until none of them holds anything."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    waiting = []
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            waiting.append((child, os.pidfd_open(child.pid)))
    process.terminate()
    process.wait(20)
    for child, pidfd in waiting:
        if not select.select([pidfd], [], [], 5)[0]:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
            select.select([pidfd], [], [], 20)
        os.close(pidfd)
