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
import stat
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
_GENERAL = (
    "[global]", "server role = standalone server", "load printers = no", "disable spoolss = yes",
    "map to guest = never", "server min protocol = SMB2",
)  # fmt: skip

_TOOLS = needs.tools("net", "smbclient", "smbcontrol", "smbd", "smbpasswd", "smbstatus", "testparm")


def required() -> str | None:
    """Check for the server, the tools and the library that shows it accounts of its own."""
    return _TOOLS() or needs.preloaded(_WRAPPER)()


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

    def smbclient(self, account: str, *commands: str, share: str = "plans") -> subprocess.CompletedProcess[str]:
        """Have the user's own tool do *commands*, one after the other, as *account*."""
        words = ("smbclient", "-s", str(self.configuration), "-p", str(self.port), f"//127.0.0.1/{share}")
        return subprocess.run(
            (*words, "-U", account, "-c", "; ".join(commands)),
            env={**self.environment, "PASSWD": PASSWORD},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def sessions(self) -> list[psutil.Process]:
        """Return the process of each connection."""
        found = []
        for child in psutil.Process(self.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # that of a connection which has just ended
                if any(one.laddr.port == self.port for one in child.net_connections("tcp")):
                    found.append(child)
        return found

    def configure(self, text: str) -> None:
        """Take *text* as the configuration, with what keeps this server apart from any other on the machine."""
        at = self.folder
        own = [
            "workgroup = PLANS", "netbios name = SERVER", "disable netbios = yes", f"smb ports = {self.port}",
            "interfaces = lo", "bind interfaces only = yes", f"private dir = {at}/private",
            f"lock directory = {at}/lock", f"state directory = {at}/state", f"cache directory = {at}/cache",
            f"pid directory = {at}/pid", f"ncalrpc dir = {at}/ncalrpc", "printing = bsd", "printcap name = /dev/null",
        ]  # fmt: skip
        self.configuration.write_text(text.replace("[global]\n", "\n".join(["[global]", *own, ""]), 1))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run smbd until the block is left."""
        self.process = subprocess.Popen(
            ("smbd", "-F", "--no-process-group", "-s", str(self.configuration)),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=0o022,
            start_new_session=True,  # when it ends it ends its process group, which must not be ours
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),
        )
        try:
            _answers(self)
            yield
        finally:
            _end(self.process)


def made(folder: Path) -> FileServer:
    """Return a server that is not running yet; ``etc`` in its folder has the accounts that it knows.

    Everybody must reach *folder*: smbd asks there, as the user, whether the processes that lock files live.
    """
    closed = [place for place in folder.parents if not place.stat().st_mode & stat.S_IXOTH]
    assert not closed, f"the accounts do not reach {closed[0]}"
    for name in (*_KEPT, "etc"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name).chmod(0o755)
    folder.chmod(0o755)
    (folder / "private").chmod(0o700)
    for name in ("passwd", "group"):
        (folder / "etc" / name).write_text(Path("/etc", name).read_text())
    environment = {
        **os.environ,
        "LD_PRELOAD": _WRAPPER,
        "NSS_WRAPPER_PASSWD": str(folder / "etc" / "passwd"),
        "NSS_WRAPPER_GROUP": str(folder / "etc" / "group"),
    }
    return FileServer(folder, _free_port(), environment)


@contextlib.contextmanager
def serving(
    folder: Path, accounts: Mapping[str, int], shares: Mapping[str, Path], settings: Sequence[str] = ()
) -> Iterator[FileServer]:
    """Serve *shares* to *accounts* (uids by name). *settings* are lines for every share."""
    server = made(folder)
    with (folder / "etc" / "passwd").open("a") as people, (folder / "etc" / "group").open("a") as groups:
        for account, uid in accounts.items():
            people.write(f"{account}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n")
            groups.write(f"{account}:x:{uid}:\n")
    general = [*_GENERAL, f"log file = {folder}/log/%m.log"]
    server.configure("\n".join([*general, *(line for name in shares.items() for line in _share(*name, settings)), ""]))
    for account in accounts:
        server.tool("pdbedit", "-a", "-t", account, text=f"{PASSWORD}\n{PASSWORD}\n")
    with server.running():
        yield server


def _share(name: str, path: Path, settings: Sequence[str]) -> list[str]:
    return [f"[{name}]", f"path = {path}", "read only = no", "ea support = no", *settings]


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
