"""Debian's stock kernels, found in its package index and unpacked with the first root file system a guest starts from.

Rules of this file: packages go by the names found in the index, because these change with every update. The index is
asked with lists of its own, of the suites that ship a series and of this machine's own mirror, so it does not matter
which Debian this is. Everything is kept in one folder; nothing is installed.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FIRST = "5.10-first"
"""The oldest 5.10 there still is: from before 5.10.220, which took over the fanotify of 5.19 and 6.0."""
SUITES = {
    FIRST: ("bullseye",),
    "5.10": ("bullseye", "bullseye-security"),
    "6.1": ("bookworm", "bookworm-security"),
    "6.12": ("trixie", "trixie-security"),
    "6.18": ("trixie-backports",),
}
"""Where Debian ships the kernels of a series. Each is looked into by itself: one that is gone takes no other along."""
PACKAGES = ("busybox-static", "cpio", "debian-archive-keyring", "kmod", "xz-utils")

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FRESH = 86_400.0  # seconds an index is believed
_MODULES = ("virtio_pci", "virtio_blk", "9pnet_virtio", "9p", "overlay", "ext4", "loop", "xfs")
_APPLETS = ("sh", "mount", "insmod", "switch_root", "mkdir", "sleep", "echo")
_NAME = re.compile(r"linux-image-(?P<version>[0-9][0-9.]*)(?:-(?P<abi>[0-9]+))?(?:\+deb(?P<deb>[0-9.]+))?-amd64")
_URI = re.compile(r"^(?:URIs:|deb(?: \[[^]]*\])?) *(?P<uri>\w+://\S+)", re.MULTILINE)
_INIT = Path(__file__).with_name("guest_init.sh")


class HarnessError(Exception):
    """The guest could not be made or did not come up: a finding about this harness, never about the agent."""


class Kernel(NamedTuple):
    """An unpacked kernel with its first root file system. ``modules`` is its folder below ``lib/modules``."""

    series: str
    package: str
    version: str
    image: Path
    initrd: Path
    modules: Path


def kernel(series: str, cache: Path) -> Kernel:
    """Return the newest kernel of *series* (``6.12``). Raises :class:`HarnessError` when no suite has one."""
    cache.mkdir(parents=True, exist_ok=True)
    trouble = "no suite is known for it"
    for suite in reversed(SUITES.get(series, ())):  # the security updates come last and are the newest
        try:
            options = _index(suite, cache)
            if names := _names(series.partition("-")[0], options):
                return _unpacked(series, names[0 if series == FIRST else -1], cache, options)
            trouble = f"`{suite}` has none"
        except HarnessError as error:
            trouble = str(error)
    raise HarnessError(f"no kernel {series}: {trouble}")


def _names(series: str, options: Sequence[str]) -> list[str]:
    """Return the package names of this series, oldest first."""
    found = tool("apt-cache", *options, "search", "--names-only", f"^linux-image-{re.escape(series)}[.]").split("\n")
    matches = [match for line in found if (match := _NAME.fullmatch(line.split(" ")[0]))]
    return [match[0] for match in sorted(matches, key=_age) if match["abi"] or match["version"].count(".") > 1]


def _age(match: re.Match[str]) -> tuple[int, ...]:
    return (*_numbers(match["version"]), int(match["abi"] or 0), *_numbers(match["deb"] or "0"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _index(suite: str, cache: Path) -> tuple[str, ...]:
    """Return the options with which apt looks into *suite* and nowhere else."""
    top = cache / "apt" / suite
    for folder in (top / "sources", top / "lists" / "partial", top / "cache" / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    lines = ("Types: deb", f"URIs: {_mirror(security=suite.endswith('-security'))}", f"Suites: {suite}",
             "Components: main", f"Signed-By: {_KEYRING}", "Check-Valid-Until: no")  # fmt: skip
    (top / "sources" / "suite.sources").write_text("\n".join(lines) + "\n", encoding="utf-8")
    folders = {"Etc::sourcelist": "/dev/null", "Etc::sourceparts": top / "sources", "State::lists": top / "lists",
               "Cache": top / "cache"}  # fmt: skip
    options = tuple(word for name, at in folders.items() for word in ("-o", f"Dir::{name}={at}"))
    asked = top / "asked"
    if not asked.exists() or time.time() - asked.stat().st_mtime > _FRESH:
        tool("apt-get", *options, "update", "-qq", "--error-on=any")
        asked.touch()
    return options


def _mirror(*, security: bool) -> str:
    """Return where this machine gets Debian, or its security updates, from."""
    files = (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*")))
    known = [found["uri"] for file in files if file.exists() for found in _URI.finditer(file.read_text("utf-8"))]
    wanted = "debian-security" if security else "debian"
    for uri in known:
        if uri.rstrip("/").rpartition("/")[2] == wanted:
            return uri
    raise HarnessError(f"this machine knows no mirror of {wanted}")


def _unpacked(series: str, package: str, cache: Path, options: Sequence[str]) -> Kernel:
    folder = cache / package
    if not (folder / "initrd").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        # As nobody but root: apt's own user may not write here, which apt says and does all the same.
        tool("apt-get", *options, "-qq", "-o", "APT::Sandbox::User=root", "download", package, at=folder)
        [archive] = folder.glob("*.deb")
        tool("dpkg-deb", "-x", str(archive), str(folder))
        archive.unlink()
        if not (folder / "lib").exists():  # since Debian 13 modules lie below /usr
            (folder / "lib").symlink_to("usr/lib")
        _make_initrd(folder)
    version = _version(folder)
    modules = folder / "lib" / "modules" / version
    return Kernel(series, package, version, folder / "boot" / f"vmlinuz-{version}", folder / "initrd", modules)


def _version(folder: Path) -> str:
    [version] = os.listdir(folder / "lib" / "modules")
    return version


def _make_initrd(folder: Path) -> None:
    """Make what the kernel starts with: busybox, and the modules that mount this machine's root."""
    version, root = _version(folder), folder / "first-root"
    for name in ("bin", "lib", "proc", "sys", "dev", "host", "rw", "new", "tmp"):
        (root / name).mkdir(parents=True)
    busybox = shutil.which("busybox")
    if busybox is None:
        raise HarnessError("busybox is not installed")
    shutil.copy(busybox, root / "bin" / "busybox")
    for applet in _APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    tool("depmod", "-b", str(folder), version)
    (root / "lib" / "list").write_text("".join(f"{name}\n" for name in _modules(folder, version, root / "lib")))
    shutil.copy(_INIT, root / "init")
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in root.rglob("*"))
    archive = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), cwd=root, capture_output=True, check=True
    )
    (folder / "initrd.new").write_bytes(archive.stdout)
    (folder / "initrd.new").rename(folder / "initrd")
    shutil.rmtree(root)


def _modules(folder: Path, version: str, to: Path) -> list[str]:
    """Copy the modules and what they need; return their names in the order of loading."""
    names: list[str] = []
    for module in _MODULES:
        lines = tool("modprobe", "-d", str(folder), "-S", version, "--show-depends", module).splitlines()
        for line in lines:
            if not line.startswith("insmod "):
                continue
            file = Path(line.split()[1])
            name = file.name.removesuffix(".xz")
            if name not in names:
                names.append(name)
                shutil.copy(file, to)
    packed = [str(file) for file in to.glob("*.xz")]
    if packed:
        tool("xz", "-d", *packed)
    return names


def tool(*words: str, at: Path | None = None) -> str:
    """Run a tool and return what it printed. Raises :class:`HarnessError` with what it complained of."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=at, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
    except OSError as error:
        raise HarnessError(f"{words[0]}: {error.strerror}") from error
    if done.returncode:
        raise HarnessError(f"{' '.join(words[:3])} …: {done.stderr.strip()[-500:]}")
    return done.stdout
