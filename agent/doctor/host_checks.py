"""Checks of ``doctor`` on the host around the areas: access to files, or to news of them, without an open.

Rules of this file: as :mod:`agent.doctor.registry_checks`: reading only, and bounded in time. docs/limits.md describes
these accesses; they are not prevented.
"""

import contextlib
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from agent.api.findings import Finding
from agent.kernel import labels, mountinfo, mounting
from agent.kernel.kernel_holders import FileWatcher, KernelHolder, file_watchers, kernel_holders
from agent.kernel.mountinfo import MountTable, within
from agent.kernel.walk import WalkEntry, walk
from agent.registry.rows.areas import AreaRow
from agent.volumes import survey
from agent.volumes.samba_shares import SambaSeen, forced, objections, settable, unknowns
from rules.text import Message, Sentence
from rules.visible import visible

_NAMED = 5
_PROGRAMS = ("/usr/local", "/opt", "/home", "/usr/bin", "/usr/sbin", "/usr/libexec")
_LOCAL = frozenset(
    {"ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs", "overlay", "zfs", "tmpfs"}
)  # other filesystems may not answer
_MOST, _SECONDS = 200_000, 2.0  # the limits of the search for programs


def around(rows: Iterable[AreaRow], accounts: Mapping[int, str], agent: Collection[int]) -> Iterator[Finding]:
    """Yield the findings about access past the guard of the areas *rows*. *agent* are the agent's own processes."""
    areas = tuple(rows)
    if not areas:
        return
    devices = set()
    for row in areas:
        with contextlib.suppress(OSError):
            devices.add(Path(row.path).stat().st_dev)
    yield from _held(kernel_holders(), areas)
    yield from _watched(file_watchers(devices, agent))
    table = mounting.uncovered(mountinfo.table())
    yield from samba(survey.samba(table), areas, table)
    apart = [top for top in _PROGRAMS if not any(within(row.path, top) for row in areas)]  # a walk would ask the guard
    yield from set_uid_programs(accounts, apart, every=len(apart) == len(_PROGRAMS))


def _held(holders: Iterable[KernelHolder], rows: tuple[AreaRow, ...]) -> Iterator[Finding]:
    for holder in holders:
        area = _area_of(holder.path.removesuffix(" (deleted)"), rows)
        if not area:
            continue
        shown_path, name = visible(holder.path), visible(area)
        if holder.name == "swap":
            yield Finding(
                "serious",
                "swap-file",
                Message("doctor.swap-file-in-area", path=shown_path, name=name),
                Message("doctor.move-swap"),
            )
            continue
        yield Finding(
            "serious",
            "loop-device",
            Message("doctor.loop-device-over-area", holder=holder.name, path=shown_path, name=name),
            Message("doctor.detach-loop-device", holder=holder.name),
        )


def _area_of(path: str, rows: tuple[AreaRow, ...]) -> str:
    names = {row.resource.id for row in rows}
    with contextlib.suppress(OSError):
        if (area := labels.area_of(labels.read(path))) in names:
            return area
    return next((row.resource.id for row in rows if within(path, row.path)), "")


def _watched(watchers: Iterable[FileWatcher]) -> Iterator[Finding]:
    rows = list(watchers)
    if rows:
        first = ", ".join(f"{watcher.pid} `{visible(watcher.comm)}` ({watcher.how})" for watcher in rows[:_NAMED])
        yield Finding(
            "warning",
            "watchers",
            Message("doctor.file-watchers", count=len(rows), first=first),
            Message("doctor.end-needless-watchers"),
        )


def samba(samba_seen: SambaSeen, rows: Iterable[AreaRow], mounts: MountTable) -> Iterator[Finding]:
    """Yield the areas that Samba serves past the guard, and what is unknown about it."""
    unknown: dict[Sentence, None] = {}
    for row in rows:
        name, mount = visible(row.resource.id), mountinfo.resolve(row.path, mounts)
        problems = [("streams", objection) for objection in objections(samba_seen, row.path, mounts)]
        problems += [("one-account", objection) for objection in forced(samba_seen, row.path, mounts)]
        for code, problem in problems:
            yield Finding(
                "serious",
                code,
                Message("doctor.of-area", name=name, text=problem.text),
                problem.hint,
            )
        for objection in settable(samba_seen, row.path, mounts):
            text = Message("doctor.of-area", name=name, text=objection.text)
            yield Finding("warning", "attributes", text, objection.hint)
        unknown |= dict.fromkeys(unknowns(samba_seen, mount.device if mount else None))
    for unknown_reason in unknown:
        yield Finding(
            "warning",
            "streams-unknown",
            Message("common.samba-shares-unknown", reason=unknown_reason),
            Message("doctor.run-testparm"),
        )


def set_uid_programs(accounts: Mapping[int, str], tops: Iterable[str], *, every: bool = True) -> Iterator[Finding]:
    """Yield the programs below *tops* that run as a person, no matter who starts them; bounded.

    An incomplete search is a finding as well; *every*: *tops* are all directories to search.
    """
    programs, all_seen = _set_uid(accounts, tops)
    if programs:
        first = ", ".join(f"`{visible(path)}` ({visible(accounts[uid])})" for path, uid in programs[:_NAMED])
        yield Finding(
            "serious",
            "set-uid",
            Message("doctor.set-uid-programs", count=len(programs), first=first),
            Message("doctor.remove-set-uid"),
        )
    if not (all_seen and every):
        yield Finding(
            "warning",
            "set-uid-unknown",
            Message("doctor.set-uid-check-incomplete"),
            Message("doctor.find-set-uid"),
        )


def _set_uid(accounts: Mapping[int, str], tops: Iterable[str]) -> tuple[list[tuple[str, int]], bool]:
    programs: list[tuple[str, int]] = []
    count, until, mounts = 0, time.monotonic() + _SECONDS, mountinfo.table()
    for top in tops:
        mount = mountinfo.resolve(top, mounts)
        if mount is None or mount.fstype not in _LOCAL:
            continue
        with contextlib.suppress(OSError):
            for entry in walk(top):
                count += 1
                if isinstance(entry, WalkEntry):
                    status = entry.found
                    if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_ISUID and status.st_uid in accounts:
                        programs.append((entry.path, status.st_uid))
                if count > _MOST or time.monotonic() > until:
                    return programs, False
    return programs, True
