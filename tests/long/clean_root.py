"""A clean root: Debian by debootstrap with a clone of this commit, entered as a machine of its own.

Rules of this file: the root is a folder under ``build/``. What is mounted into it is mounted in a namespace that ends
with the command, whatever happens. How this machine reaches its package registries is handed through and never written
down.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests import ROOT

RELEASES = ("bookworm", "trixie")
_PACKAGES = "git,ca-certificates"
_CACHE = ROOT / "build" / "roots"
_HANDED = re.compile(r"PIP_|.*_PROXY$|.*_proxy$|SSL_CERT|REQUESTS_CA|CURL_CA")
_CONFIGURATION = ("/etc/pip.conf", "/etc/xdg/pip", "~/.config/pip", "~/.pip", "/etc/resolv.conf", "/etc/hosts",
                  "/etc/apt/apt.conf.d", "/etc/ssl/certs/ca-certificates.crt")  # fmt: skip
_SCRIPT = Path(__file__).with_name("clean_root.sh")
_NAMESPACE = ("unshare", "--mount", "--propagation", "private")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LANG": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive"}  # fmt: skip


class Ended(NamedTuple):
    """How a command in the root ended, and what it said. 124 is the code of one whose time was over."""

    code: int
    output: str


class CleanRoot:
    """A root of one release. ``run`` enters it anew each time; what is written stays until it is removed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.namespace = folder.with_name(f"{folder.name}.namespace")

    def run(self, command: str, seconds: float) -> Ended:
        """Run *command* with ``sh`` in the clone, as root, for *seconds* at most; nothing that it started is left."""
        words = ("timeout", "--kill-after=10", f"{seconds:.0f}", *_NAMESPACE)
        with tempfile.TemporaryFile() as said:  # no pipe: whoever is left would keep it open
            try:
                done = subprocess.run(
                    (*words, "sh", str(_SCRIPT), str(self.folder), command, *sorted(_wheels(self.folder))),
                    env={**_ENVIRONMENT, **_environment()},
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            finally:
                self.end_all()
            said.seek(0)
            return Ended(done.returncode, said.read().decode(errors="replace"))

    def end_all(self) -> None:
        """End every process that still is in the namespace of the last command; they are ours and nobody else's."""
        mine = self.namespace.read_text().strip() if self.namespace.exists() else ""
        assert mine != os.readlink("/proc/self/ns/mnt")
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if mine and process.name.isdigit() and os.readlink(process / "ns" / "mnt") == mine:
                    os.kill(int(process.name), signal.SIGKILL)
        self.namespace.unlink(missing_ok=True)


@contextmanager
def clean_root(release: str, folder: Path) -> Iterator[CleanRoot]:
    """Make a root of *release* at *folder*, with a clone of this commit in ``/srv/shoumi``; remove it on leaving."""
    base = _base(release)
    end_left(folder)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(folder)], check=True)
        clone = folder / "srv" / "shoumi"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        for path in (Path(name).expanduser() for name in _CONFIGURATION):
            _hand_over(path, folder)
        yield CleanRoot(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def end_left(folder: Path) -> None:
    """End what a run that died has left in its root at *folder*: whoever has this very folder as its ``/``."""
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and folder.samefile(process / "root"):
                os.kill(int(process.name), signal.SIGKILL)


def _base(release: str) -> Path:
    """Return a root of this release, made once and never run in."""
    folder = _CACHE / release
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mirror = re.search(r"^URIs: *(\S+)", Path("/etc/apt/sources.list.d/debian.sources").read_text(), re.MULTILINE)
        assert mirror, "no mirror is known to this machine"
        words = ("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", release, str(folder / "root"), mirror[1])
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"debootstrap {release}: {done.stdout[-500:]} {done.stderr[-500:]}"
        (folder / "whole").touch()
    return folder / "root"


def _hand_over(path: Path, root: Path) -> None:
    if not path.exists():
        return
    into = root / path.relative_to("/")
    into.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, into, dirs_exist_ok=True)
    else:
        into.unlink(missing_ok=True)
        shutil.copy(path, into)


def _wheels(root: Path) -> set[str]:
    """Return the folders of this machine that its pip reads: indexes refer to what lies beside them."""
    said = subprocess.run(["pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    found = re.findall(r"(?:file://|')(/[^\s']+)", said + " ".join(f"'{value}'" for value in _environment().values()))
    tops = {"/" + path.split("/")[1] for path in found if Path(path).is_dir()}
    return {top for top in tops if not (root / top[1:]).exists() or not list((root / top[1:]).iterdir())}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _HANDED.match(name)}
