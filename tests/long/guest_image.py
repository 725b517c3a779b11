"""A disk for guests with the program and everything Python loads for it: over 9p these files alone take minutes.

Rules of this file: what is on it is what this machine has at the same paths, and lies over them in the guest; what is
not on it is read through 9p as before. It is made anew whenever a file of the program has changed.
"""

import importlib
import os
import pkgutil
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests import ROOT
from tests.long.kernel_packages import HarnessError, tool

_LOADED = "import tests.long.guest_image as image; print(*image.loaded(), sep='\\n')"
_TOOLS = ("bash", "cat", "mkfs.ext4", "mkfs.xfs", "mount", "umount", "timeout")
_OURS = ("agent", "rules", "tests/__init__.py", "tests/long")
_SPARE = 32 << 20


def image(cache: Path) -> Path:
    """Return the disk, made where it is missing or older than the program. Raises :class:`HarnessError`."""
    found = cache / "program.ext4"
    newest = max(file.stat().st_mtime for file in _ours())
    if found.exists() and found.stat().st_mtime > newest:
        return found
    tool(sys.executable, "-m", "compileall", "-q", *(str(ROOT / name) for name in ("agent", "rules", "tests/long")))
    files = [Path(line) for line in tool(sys.executable, "-c", _LOADED, at=ROOT).splitlines()]
    folder = cache / "program"
    shutil.rmtree(folder, ignore_errors=True)
    _copy({*files, *_ours(), *_libraries()}, folder)
    size = sum(file.stat().st_size + 4096 for file in folder.rglob("*")) + _SPARE
    with (cache / "program.new").open("wb") as file:
        file.truncate(size)
    tool("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", str(folder), str(cache / "program.new"))
    (cache / "program.new").rename(found)
    shutil.rmtree(folder)
    return found


def loaded() -> Iterator[str]:
    """Load the whole program, and yield every file that Python has read for that."""
    for name in ("agent", "rules"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    importlib.import_module("tests.long.guest_checks")
    for one in list(sys.modules.values()):
        for path in (getattr(one, "__file__", None), getattr(one, "__cached__", None)):
            if path and os.path.isfile(path):
                yield os.path.abspath(path)


def _ours() -> Iterator[Path]:
    for name in _OURS:
        top = ROOT / name
        yield from (top.rglob("*.*") if top.is_dir() else (top,))


def _libraries() -> Iterator[Path]:
    """Yield Python itself, the tools a site is made with, and what the loader maps for them."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    programs = [Path(sys.executable).resolve(), *(Path(at) for name in _TOOLS if (at := shutil.which(name, path=path)))]
    for program in programs:
        yield program.resolve()
        for word in tool("ldd", str(program)).split():
            if word.startswith("/"):
                yield Path(word).resolve()


def _copy(files: Iterable[Path], to: Path) -> None:
    for file in files:
        if file.is_file():
            there = to / file.resolve().relative_to("/")
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, there)
    if not (to / ROOT.relative_to("/") / "agent").exists():
        raise HarnessError(f"nothing of {ROOT} came onto the disk")
