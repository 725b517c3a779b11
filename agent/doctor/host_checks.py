"""Checks of the host around the areas that ``doctor`` makes: what reaches files, or news of them, without an open.

Rules of this file: as :mod:`agent.doctor.registry_checks`: looking only, and bounded in time. What is found here is
described in docs/limits.md; nothing of it is stopped.
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
from rules.text import Text
from rules.visible import visible

_NAMED = 5
_PROGRAMS = ("/usr/local", "/opt", "/home", "/usr/bin", "/usr/sbin", "/usr/libexec")
_LOCAL = frozenset(
    {"ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs", "overlay", "zfs", "tmpfs"}
)  # the others may not answer
_MOST, _SECONDS = 200_000, 2.0  # of programs looked at


def around(rows: Iterable[AreaRow], accounts: Mapping[int, str], agent: Collection[int]) -> Iterator[Finding]:
    """Say what of this host reaches round the areas *rows*. *agent* are the agent's own processes."""
    known = tuple(rows)
    if not known:
        return
    devices = set()
    for row in known:
        with contextlib.suppress(OSError):
            devices.add(Path(row.path).stat().st_dev)
    yield from _held(kernel_holders(), known)
    yield from _watched(file_watchers(devices, agent))
    table = mounting.uncovered(mountinfo.table())
    yield from samba(survey.samba(table), known, table)
    apart = [top for top in _PROGRAMS if not any(within(row.path, top) for row in known)]  # a walk would ask the guard
    yield from set_uid_programs(accounts, apart, every=len(apart) == len(_PROGRAMS))


def _held(found: Iterable[KernelHolder], rows: tuple[AreaRow, ...]) -> Iterator[Finding]:
    for holder in found:
        area = _area_of(holder.path.removesuffix(" (deleted)"), rows)
        if not area:
            continue
        said, name = visible(holder.path), visible(area)
        if holder.name == "swap":
            yield Finding(
                "serious",
                "swap-file",
                Text(
                    f"the kernel swaps to `{said}` of `{name}`: nobody is asked",
                    f"内核以 `{name}` 的 `{said}` 作为交换空间：其读写不经询问",
                ),
                Text("swapoff, and put swap elsewhere", "请 swapoff 并将交换空间移至他处"),
            )
            continue
        yield Finding(
            "serious",
            "loop-device",
            Text(
                f"/dev/{holder.name} shows `{said}` of `{name}`: whoever may read that device is not asked",
                f"/dev/{holder.name} 显示 `{name}` 的 `{said}`：能读取该设备者不经询问",
            ),
            Text(f"losetup -d /dev/{holder.name}", f"losetup -d /dev/{holder.name}"),
        )


def _area_of(path: str, rows: tuple[AreaRow, ...]) -> str:
    names = {row.resource.id for row in rows}
    with contextlib.suppress(OSError):
        if (area := labels.area_of(labels.read(path))) in names:
            return area
    return next((row.resource.id for row in rows if within(path, row.path)), "")


def _watched(found: Iterable[FileWatcher]) -> Iterator[Finding]:
    seen = list(found)
    if seen:
        first = ", ".join(f"{one.pid} `{visible(one.comm)}` ({one.how})" for one in seen[:_NAMED])
        yield Finding(
            "warning",
            "watchers",
            Text(
                f"{len(seen)} processes are told of names, times and uses on volumes of areas: {first}",
                f"有 {len(seen)} 个进程可获知涉密目录所在卷上的名称、时间与使用情况：{first}",
            ),
            Text(
                "end what is not needed; whoever may read a directory may watch it",
                "请结束不必要者；能读取目录者即可监视",
            ),
        )


def samba(seen: SambaSeen, rows: Iterable[AreaRow], mounts: MountTable) -> Iterator[Finding]:
    """Say which areas Samba serves in a way that goes round the guard, and what of it is not known."""
    unknown: dict[Text, None] = {}
    for row in rows:
        name, mount = visible(row.resource.id), mountinfo.resolve(row.path, mounts)
        kept, alike = objections(seen, row.path, mounts), forced(seen, row.path, mounts)
        for code, reason in (*(("streams", one) for one in kept), *(("one-account", one) for one in alike)):
            yield Finding(
                "serious",
                code,
                Text(f"area `{name}`: {reason.text.en}", f"目录 `{name}`：{reason.text.zh}"),
                reason.hint,
            )
        for one in settable(seen, row.path, mounts):
            said = Text(f"area `{name}`: {one.text.en}", f"目录 `{name}`：{one.text.zh}")
            yield Finding("warning", "attributes", said, one.hint)
        unknown |= dict.fromkeys(unknowns(seen, mount.device if mount else None))
    for why in unknown:
        yield Finding(
            "warning",
            "streams-unknown",
            Text(
                f"it is not known what Samba serves, and what of it in attributes: {why.en}",
                f"无法得知 Samba 共享了什么、是否将内容存入属性：{why.zh}",
            ),
            Text("testparm -s", "testparm -s"),
        )


def set_uid_programs(accounts: Mapping[int, str], tops: Iterable[str], *, every: bool = True) -> Iterator[Finding]:
    """Say which programs below *tops* run as a person whoever starts them; bounded.

    When not all was seen that is said; *every*: *tops* are all the folders there are to look at.
    """
    found, all_seen = _set_uid(accounts, tops)
    if found:
        first = ", ".join(f"`{visible(path)}` ({visible(accounts[uid])})" for path, uid in found[:_NAMED])
        yield Finding(
            "serious",
            "set-uid",
            Text(
                f"{len(found)} programs run as a registered person, whoever starts them: {first}; started without a "
                "login they are let in as that person",
                f"有 {len(found)} 个程序以已登记人员的身份运行，不论由谁启动：{first}；无登录身份时启动即按该人员放行",
            ),
            Text("chmod u-s", "chmod u-s"),
        )
    if not (all_seen and every):
        yield Finding(
            "warning",
            "set-uid-unknown",
            Text(
                "not every folder of programs was looked at for set-uid programs of registered people",
                "未能检查全部程序目录中以已登记人员身份运行的程序",
            ),
            Text("find / -xdev -perm -4000 -ls", "find / -xdev -perm -4000 -ls"),
        )


def _set_uid(accounts: Mapping[int, str], tops: Iterable[str]) -> tuple[list[tuple[str, int]], bool]:
    found: list[tuple[str, int]] = []
    looked, until, mounts = 0, time.monotonic() + _SECONDS, mountinfo.table()
    for top in tops:
        mount = mountinfo.resolve(top, mounts)
        if mount is None or mount.fstype not in _LOCAL:
            continue
        with contextlib.suppress(OSError):
            for item in walk(top):
                looked += 1
                if isinstance(item, WalkEntry):
                    seen = item.found
                    if stat.S_ISREG(seen.st_mode) and seen.st_mode & stat.S_ISUID and seen.st_uid in accounts:
                        found.append((item.path, seen.st_uid))
                if looked > _MOST or time.monotonic() > until:
                    return found, False
    return found, True
