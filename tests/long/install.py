"""Installing on a clean root: Debian by debootstrap, a clone of this commit, and the two commands of the README.

A round is one release. In a chroot some things cannot be had (namespaces, a login), so what is recorded is how the
commands end and how many tests passed, failed and skipped. What fails is an installation that does not come about.

Rules of this file: the root is a folder under ``build/``; what is mounted into it is unmounted again, whatever happens.
How this machine reaches its package registries is handed through and never written down.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.kernel import mounting
from tests import ROOT
from tests.long.rounds import Part, Run

RELEASES = ("bookworm", "trixie")
_PACKAGES = "python3,python3-venv,python3-dev,make,git,ca-certificates,e2fsprogs,util-linux,gcc,libc6-dev"
_CACHE = ROOT / "build" / "roots"
_HANDED = re.compile(r"PIP_|.*_PROXY$|.*_proxy$|SSL_CERT|REQUESTS_CA|CURL_CA")
_CONFIGURATION = ("/etc/pip.conf", "/etc/xdg/pip", "~/.config/pip", "~/.pip", "/etc/resolv.conf",
                  "/etc/ssl/certs/ca-certificates.crt")  # fmt: skip
_MOUNTS = {
    "/proc": ("-t", "proc", "proc"),
    "/sys": ("-t", "sysfs", "sys"),
    "/dev": ("--bind", "/dev"),  # not what is mounted below it: that stays with this machine
    "/dev/pts": ("-t", "devpts", "devpts"),
    "/dev/shm": ("-t", "tmpfs", "shm"),
    "/tmp": ("-t", "tmpfs", "tmp"),
    "/run": ("-t", "tmpfs", "run"),
}
_TEST_SECONDS = 2_700.0
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")


def run(run: Run) -> None:
    """Install on one release a round. The short form installs and asks for help, and runs no tests."""
    first = run.chance(0).randrange(len(RELEASES)) if run.short else 0
    for number in run.rounds():
        release = RELEASES[(first + number) % len(RELEASES)]
        base = _base(release)
        root = run.folder / release
        try:
            _copy(base, root)
            with _mounted(root):
                _install(run, release, root)
        finally:
            mounting.unmount_below(str(root))
            shutil.rmtree(root, ignore_errors=True)


def _base(release: str) -> Path:
    """Return a root of this release, made once and never run in."""
    folder = _CACHE / release
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mirror = re.search(r"^URIs: *(\S+)", Path("/etc/apt/sources.list.d/debian.sources").read_text(), re.MULTILINE)
        assert mirror, "no mirror is known to this machine"
        words = ("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", release, str(folder / "root"), mirror[1])
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"debootstrap {release}: {done.stdout[-500:]} {done.stderr[-500:]}"
        (folder / "made").touch()
    return folder / "root"


def _copy(base: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root)], check=True)
    clone = root / "srv" / "shoumi"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    for path in (Path(name).expanduser() for name in _CONFIGURATION):
        if path.exists():
            into = root / path.relative_to("/")
            into.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, into)
            else:
                into.unlink(missing_ok=True)
                shutil.copy(path, into)


@contextmanager
def _mounted(root: Path) -> Iterator[None]:
    """Mount what a root needs to be run in, and the folders pip's own configuration names."""
    try:
        _mount(root, "/", "--bind", str(root))  # without a mount at its root a chroot does not see its own mounts
        for at, words in _MOUNTS.items():
            _mount(root, at, *words)
        for folder in _wheels(root):
            _mount(root, folder, "--bind", "-o", "ro", folder)
        yield
    finally:
        mounting.unmount_below(str(root))


def _mount(root: Path, at: str, *words: str) -> None:
    target = root / at.lstrip("/")
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *words, str(target)], check=True, capture_output=True)


def _wheels(root: Path) -> set[str]:
    """Return the folders of this machine that its pip reads: indexes refer to what lies beside them."""
    said = subprocess.run(["pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    found = re.findall(r"(?:file://|')(/[^\s']+)", said + " ".join(f"'{value}'" for value in _environment().values()))
    tops = {"/" + path.split("/")[1] for path in found if Path(path).is_dir()}
    return {top for top in tops if not (root / top[1:]).exists() or not list((root / top[1:]).iterdir())}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _HANDED.match(name)}


def _inside(root: Path, command: str, seconds: float) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["timeout", f"{seconds:.0f}", "chroot", str(root), "/bin/sh", "-c", f"cd /srv/shoumi && {command}"],
        env={**environment, **_environment()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _install(run: Run, release: str, root: Path) -> None:
    made = _inside(root, "make .venv/.run && .venv/bin/shoumi --help", 900)
    if made.returncode:
        run.fail(f"{release}: the installation ends with {made.returncode}: {made.stdout[-1500:]}")
        return
    python = _inside(root, ".venv/bin/python --version", 60).stdout.strip()
    run.count("installed")
    demo = _inside(root, "make demo", 300)
    lines = [line for line in demo.stdout.splitlines() if line.strip() and not line.startswith("make")]
    said = [line.strip() for line in lines if "✗" in line or line.startswith("shoumi: ")] or lines[-1:]
    run.note(f"{release}: {python}; `make demo` ends with {demo.returncode}: {'; '.join(said)[:500]}")
    if run.short:
        return
    tests = _inside(root, "make test", _TEST_SECONDS)
    for number, what in _COUNTS.findall(tests.stdout):
        run.count(f"{release}, tests {what}", int(number))
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", tests.stdout, re.MULTILINE)
    run.note(f"{release}: `make test` ends with {tests.returncode}; {len(failed)} failed: {' '.join(failed[:40])}")


PART = Part("install", "clean roots of Debian", run, rounds=len(RELEASES), short=1, needs=("debootstrap",))
