"""A stock kernel in QEMU without KVM, over this machine's own files: what a test of other kernels runs in.

The guest sees the whole root of this machine read-only through 9p, with a layer in memory on top: whatever is done in
there, nothing reaches this machine. Python is ten to twenty times slower than outside.

Rules of this file: packages come from the package index of this machine by the names found there, because these change
with every update; a series the machine has no source for is looked for in the backports of the same mirror, with lists
of its own. Everything is kept in one folder.
"""

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("qemu-system-x86", "busybox-static", "cpio", "kmod", "seabios")
_SUITES = "trixie-backports bookworm-backports"
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "ext4", "loop", "xfs")
_APPLETS = ("sh", "mount", "insmod", "switch_root", "mkdir", "sleep", "echo")
_MEMORY = "2500"
_NAME = re.compile(r"linux-image-(?P<version>[0-9][0-9.]*)(?:-(?P<abi>[0-9]+))?(?:\+deb[0-9.]+)?-amd64")
_INIT = Path(__file__).with_name("guest_init.sh")


class HarnessError(Exception):
    """The guest could not be made or did not come up: a finding about this harness, never about the agent."""


class GuestRun(NamedTuple):
    """What a command in the guest came to. ``code`` is ``None`` when the time was over."""

    code: int | None
    output: str


class Kernel(NamedTuple):
    """An unpacked kernel with its first root file system."""

    package: str
    version: str
    image: Path
    initrd: Path


def kernel(series: str, cache: Path) -> Kernel | None:
    """Return the newest kernel of *series* (``6.12``), ``None`` when no source has one."""
    cache.mkdir(parents=True, exist_ok=True)
    for options in ((), _backports(cache)):
        if names := _names(series, options):
            return _unpacked(names[-1], cache, options)
    return None


def run(kernel: Kernel, command: str, seconds: float) -> GuestRun:
    """Boot *kernel*, run *command* in bash as root, and return its exit code and what the console showed."""
    told = base64.b64encode(command.encode()).decode()
    append = f"console=ttyS0 quiet loglevel=3 panic=-1 random.trust_cpu=on audit=1 guestcmd={told}"
    words = [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", _MEMORY),
        *("-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-monitor", "none"),
        *("-kernel", str(kernel.image), "-initrd", str(kernel.initrd), "-append", append),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on"),
    ]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", text=True
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if "GUEST-BEGINS" not in said:
        raise HarnessError(f"{kernel.version} did not come up: {said[-1500:]}")
    ended = re.search(r"GUEST-RC=([0-9]+)", said)
    return GuestRun(int(ended[1]) if ended else None, said.partition("GUEST-BEGINS")[2].partition("GUEST-RC=")[0])


def _names(series: str, options: Sequence[str]) -> list[str]:
    """Return the package names of this series, oldest first."""
    found = _tool("apt-cache", *options, "search", "--names-only", f"^linux-image-{re.escape(series)}[.]").split("\n")
    matches = [match for line in found if (match := _NAME.fullmatch(line.split(" ")[0]))]
    return [match[0] for match in sorted(matches, key=_age) if match["abi"] or match["version"].count(".") > 1]


def _age(match: re.Match[str]) -> tuple[int, ...]:
    return (*map(int, match["version"].split(".")), int(match["abi"] or 0))


def _backports(cache: Path) -> tuple[str, ...]:
    """Return the options with which apt looks into the backports of this machine's own mirror, and nowhere else."""
    top = cache / "apt"
    parts = top / "sources"
    for folder in (parts, top / "lists" / "partial", top / "cache" / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    known = Path("/etc/apt/sources.list.d/debian.sources").read_text(encoding="utf-8")
    mirror = re.search(r"^URIs: *(\S+)", known, re.MULTILINE)
    signed = re.search(r"^Signed-By: *(\S+)", known, re.MULTILINE)
    if not mirror or not signed:
        raise HarnessError("no mirror is known to this machine")
    lines = ("Types: deb", f"URIs: {mirror[1]}", f"Suites: {_SUITES}", "Components: main", f"Signed-By: {signed[1]}")
    (parts / "backports.sources").write_text("\n".join(lines) + "\n", encoding="utf-8")
    folders = {"Etc::sourcelist": "/dev/null", "Etc::sourceparts": parts, "State::lists": top / "lists",
               "Cache": top / "cache"}  # fmt: skip
    options = tuple(word for name, at in folders.items() for word in ("-o", f"Dir::{name}={at}"))
    _tool("apt-get", *options, "update", "-qq")
    return options


def _unpacked(package: str, cache: Path, options: Sequence[str]) -> Kernel:
    folder = cache / package
    if not (folder / "initrd").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        # As nobody but root: apt's own user may not write here, which apt says and does all the same.
        _tool("apt-get", *options, "-qq", "-o", "APT::Sandbox::User=root", "download", package, at=folder)
        [archive] = folder.glob("*.deb")
        _tool("dpkg-deb", "-x", str(archive), str(folder))
        archive.unlink()
        if not (folder / "lib").exists():  # since Debian 13 modules lie below /usr
            (folder / "lib").symlink_to("usr/lib")
        _make_initrd(folder)
    version = _version(folder)
    return Kernel(package, version, folder / "boot" / f"vmlinuz-{version}", folder / "initrd")


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
    _tool("depmod", "-b", str(folder), version)
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
        lines = _tool("modprobe", "-d", str(folder), "-S", version, "--show-depends", module).splitlines()
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
        _tool("xz", "-d", *packed)
    return names


def _tool(*words: str, at: Path | None = None) -> str:
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
