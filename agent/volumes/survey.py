"""Survey of a directory and its machine before the directory becomes an area.

Rules of this file: it reads and changes nothing, opens no file of the tree, and uses no network. Data of other programs
(export tables, /proc) is read as untrusted bytes. The filesystem of a path comes from the mount table, not from a
lookup, so that an unreachable server cannot block us.
"""

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import agent
import rules
from agent.kernel import labels, mountinfo, mounting
from agent.kernel.mountinfo import Mount, MountTable, within
from agent.kernel.task_tables import tables
from agent.volumes import samba_look
from agent.volumes.facts import MachinePath, PathHolder, UnprotectableError, VolumeFacts
from agent.volumes.refusals import refusal, served_past
from agent.volumes.samba_shares import SambaSeen

# Paths that must never wait for a verdict: the machine itself, its logs and sockets (other agents had deadlocks).
_SYSTEM = ("/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var/log")
_BUSY = ("/home", "/opt", "/root", "/tmp", "/var", "/var/tmp")  # noqa: S108 - names to recognise, nothing is put there
_EXPORT_TABLES = ("/etc/exports", "/var/lib/nfs/etab")
_KSMBD = ("/etc/ksmbd/ksmbd.conf", "/usr/local/etc/ksmbd/ksmbd.conf")
WayIn = Callable[[str], AbstractContextManager[str]]
_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts of the machine that are the same for every directory; fields as in ``VolumeFacts``."""

    mounts: MountTable
    vital: tuple[MachinePath, ...]
    busy: tuple[MachinePath, ...]
    exports: tuple[tuple[str, str], ...]
    samba: SambaSeen


def look_around(home: str | os.PathLike[str]) -> Machine:
    """Return the facts of the machine for the agent at *home*."""
    rows = mounting.uncovered(mountinfo.table())
    return Machine(
        mounts=rows,
        vital=tuple(_vital(os.path.realpath(home), rows)),
        busy=tuple(_places("busy", (*_BUSY, *_account_homes()), rows)),
        exports=tuple(_exports()),
        samba=samba(rows),
    )


def served_round(paths: Mapping[str, str]) -> dict[str, UnprotectableError]:
    """Return the reasons of the areas, by name, that are now served past the guard. *paths*: their paths by name."""
    if not paths:
        return {}
    rows = mounting.uncovered(mountinfo.table())
    exports, samba_seen = tuple(_exports()), samba(rows)
    reasons = {
        name: served_past(VolumeFacts(path, os.path.realpath(path), mounts=rows, exports=exports, samba=samba_seen))
        for name, path in paths.items()
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def samba(mounts: MountTable) -> SambaSeen:
    """Return the shares of Samba on this host."""
    return samba_look.find_shares(("/home", *_account_homes()), mounts)


def survey_directory(
    path: str | os.PathLike[str],
    home: str | os.PathLike[str],
    areas: Iterable[tuple[str, str]] = (),
    progress: labels.Progress | None = None,
    *,
    inside: bool = True,
    machine: Machine | None = None,
    way_in: WayIn | None = None,
) -> VolumeFacts:
    """Return the facts about *path* for ``plan_area``. Walks the tree once; never raises for its content.

    *home* is the agent's own directory, *areas* are its other areas as (name, path). With *inside* false, for an
    existing area, neither the tree nor its holder processes are inspected. *machine* avoids a new survey of the machine
    for each of many areas. *way_in* gives a path to the directory that needs no verdict: on a marked volume the survey
    would have to wait for the decider, and be denied.
    """
    machine = machine or look_around(home)
    requested = os.path.abspath(path)
    real = os.path.realpath(requested)
    try:
        descriptor = mounting.reach(real)
    except OSError as error:
        return VolumeFacts(requested, real, error=error.errno or errno.EIO)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISDIR(status.st_mode):
            return VolumeFacts(requested, real, error=errno.ENOTDIR)
        descriptor_path = f"/proc/self/fd/{descriptor}/."
        facts = VolumeFacts(
            requested,
            real,
            st_dev=status.st_dev,
            mount=mountinfo.resolve(real, machine.mounts),
            mounts=machine.mounts,
            labels=labels.supported(descriptor_path),
            vital=machine.vital,
            busy=machine.busy,
            exports=machine.exports,
            samba=machine.samba,
            areas=tuple(areas),
            already_area=not inside,
        )
        if not inside or refusal(facts):  # a walk over a whole system disk would only delay the answer
            return facts
        with ExitStack() as stack:
            if way_in is not None:
                with suppress(OSError):
                    descriptor_path = stack.enter_context(way_in(real))
            survey = labels.survey(descriptor_path, progress=progress, named=real)
        holders, unseen = _holders(facts)
        return replace(facts, survey=survey, holders=holders, unseen=unseen)
    finally:
        os.close(descriptor)


def _vital(home: str, rows: Iterable[Mount]) -> Iterator[MachinePath]:
    yield from _places("home", (home,), rows)
    yield from _places("program", (_folder(agent), _folder(rules)), rows)
    yield from _places("python", (sys.prefix, sys.base_prefix, sys.executable), rows)
    yield from _places("system", _SYSTEM, rows)


def _places(role: str, paths: Iterable[str], rows: Iterable[Mount]) -> Iterator[MachinePath]:
    table = tuple(rows)
    for path in dict.fromkeys(os.path.realpath(path) for path in paths):
        mount = mountinfo.resolve(path, table)
        yield MachinePath(path, mount.device if mount else None, role)


def _folder(package: ModuleType) -> str:
    return os.path.dirname(package.__file__ or "")


def _account_homes() -> Iterator[str]:
    """Yield the home directories of people in /etc/passwd; a directory service is not used, it may not answer."""
    for line in _read("/etc/passwd").splitlines():
        fields = line.split(b":")
        if len(fields) == 7 and fields[2].isdigit() and 1000 <= int(fields[2]) < 60_000 and fields[5].startswith(b"/"):
            yield os.fsdecode(fields[5])


def _exports() -> Iterator[tuple[str, str]]:
    tables = [*_EXPORT_TABLES, *map(str, sorted(Path("/etc/exports.d").glob("*.exports")))]
    for table in tables:
        for path in exported_paths(_read(table)):
            yield path, "NFS"
    for path in ksmbd_paths(_read(*_KSMBD)):
        yield path, "ksmbd"


def exported_paths(text: bytes) -> tuple[str, ...]:
    """Return the directories an exports(5) or etab file names: first word of a line, quoted or with octal escapes."""
    paths = []
    for line in text.replace(b"\\\n", b" ").splitlines():
        line = line.strip()
        escaped = line[1:].partition(b'"')[0] if line.startswith(b'"') else line.split(None, 1)[0] if line else b""
        if escaped.startswith(b"/"):
            plain = _OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), escaped)
            paths.append(os.path.normpath(os.fsdecode(plain)))
    return tuple(paths)


def ksmbd_paths(text: bytes) -> tuple[str, ...]:
    """Return the directories a ksmbd.conf(5ksmbd) shares."""
    matches = re.findall(rb"^\s*path\s*=\s*(/.*?)\s*$", text, re.MULTILINE)
    return tuple(os.path.normpath(os.fsdecode(path)) for path in matches)


def _read(*paths: str) -> bytes:
    for path in paths:
        try:
            return Path(path).read_bytes()
        except OSError:
            continue
    return b""


def _holders(facts: VolumeFacts) -> tuple[tuple[PathHolder, ...], int]:
    """Return the holder processes of files below the directory, and the number of processes not inspected.

    A descriptor opened before the marks stays exempt (FMODE_NONOTIFY_PERM is fixed at open), so it is reported. Names
    are found by every mount of the filesystem in our namespace. psutil shows the table of the first thread only.
    """
    assert facts.mount is not None
    inner = facts.mount.inner(facts.path) or "/"
    tops = [top for row in mountinfo.siblings(facts.mount, facts.mounts) if (top := row.outer(inner))]
    holders, unseen = [], 0
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        if pid == os.getpid():
            continue
        try:
            held = list(_held(pid))
        except PermissionError:
            unseen += 1
            continue
        except OSError:  # it ended in the meantime
            continue
        comm = os.fsdecode(_read(f"/proc/{pid}/comm").strip())
        for how, target in held:
            path = target.removesuffix(" (deleted)")
            if any(within(path, top) for top in tops):
                holders.append(PathHolder(pid, comm, how, path))
    return tuple(holders), unseen


def _held(pid: int) -> Iterator[tuple[str, str]]:
    tables_of_pid = tables(pid)
    for thread in tables_of_pid.files:
        for number in os.listdir(f"/proc/{thread}/fd"):
            with suppress(FileNotFoundError):  # closed since it was listed
                yield "open", os.readlink(f"/proc/{thread}/fd/{number}")
    for thread in tables_of_pid.places:
        for name in ("cwd", "root"):
            with suppress(FileNotFoundError):  # kernel threads and the dead have none
                yield "inside", os.readlink(f"/proc/{thread}/{name}")
    lines = [line for thread in tables_of_pid.memory for line in _read(f"/proc/{thread}/maps").splitlines()]
    mapped = {fields[5] for line in lines if len(fields := line.split(None, 5)) == 6}
    for path in sorted(mapped):
        yield "mapped", os.fsdecode(path.replace(b"\\012", b"\n"))
