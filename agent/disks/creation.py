"""A new volume: an empty block device or image gets a filesystem, in a LUKS2 container if that is asked for.

Rules of this file: it is planned, then done; the plan says what cannot be undone. What is not empty is refused, in the
plan and again right before it is done. Nothing here is guarded yet, and nothing is mounted.
"""

import os
import stat
from typing import NamedTuple

from agent.disks import contents, luks, tools
from agent.errors import RefusedError
from agent.kernel import loop_device
from rules.text import Text
from rules.visible import visible

_MAKE = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q")}
_KEEP = {"ext4": ("-E", "nodiscard"), "xfs": ("-K",)}  # an image keeps the room it was given
_SMALLEST = {"ext4": 8 << 20, "xfs": 300 << 20}  # bytes; xfsprogs refuses less
_LUKS_HEADER = 16 << 20
_HOURS = 6 * 3600.0  # for mkfs on a very large, very slow disk


class VolumePlan(NamedTuple):
    """What is going to be made. ``new``: the image does not exist yet; ``size`` is in bytes."""

    device: str
    fstype: str
    size: int
    new: bool
    key: str

    def steps(self) -> tuple[Text, ...]:
        """Say each step."""
        shown, mib, steps = visible(self.device), self.size >> 20, []
        if self.new:
            steps.append(Text(f"make the image `{shown}` of {mib} MiB", f"建立 {mib} MiB 的映像文件 `{shown}`"))
        if self.key:
            key = visible(self.key)
            steps.append(
                Text(
                    f"make a LUKS2 container on `{shown}` with the key in `{key}`: without that key nobody gets in",
                    f"在 `{shown}` 上建立 LUKS2 容器，密钥为 `{key}`：密钥丢失则无法打开",
                )
            )
        fstype = self.fstype
        steps.append(
            Text(
                f"make a new {fstype} on `{shown}` ({mib} MiB): what may have been there cannot be brought back",
                f"在 `{shown}`（{mib} MiB）上建立新的 {fstype}：原有内容将无法恢复",
            )
        )
        return tuple(steps)


class MadeVolume(NamedTuple):
    """What was made: ``uuid`` is the number of what lies on the device itself."""

    device: str
    fstype: str
    uuid: str
    size: int
    luks: bool

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return self._asdict()


def plan(device: str, fstype: str, size: int | None, *, encrypted: bool, key: str) -> VolumePlan:
    """Return what making a volume of *device* takes; *size* in bytes is for a new image. Raises ``RefusedError``."""
    shown = visible(device)
    if os.geteuid() != 0:
        raise RefusedError(Text("making a volume needs root", "建立卷需要 root 权限"))
    if encrypted != bool(key):
        raise RefusedError(
            Text("--luks and --luks-key go together", "--luks 与 --luks-key 须同时使用"),
            Text("--luks --luks-key FILE", "--luks --luks-key FILE"),
        )
    if key:
        luks.check_key(key)
    new = not os.path.lexists(device)
    if new and size is None:
        raise RefusedError(
            Text(f"`{shown}` does not exist", f"`{shown}` 不存在"),
            Text("to make an image of it: --size MIB", "建立映像文件：--size MIB"),
        )
    if not new:
        device = os.path.realpath(device)
        _refuse_unless_empty(device)
        found = contents.size(device)
        if size is not None and found not in (0, size):
            raise RefusedError(
                Text(f"`{shown}` has a size already", f"`{shown}` 已有大小"), Text("leave --size out", "请去掉 --size")
            )
        size = found or size
    smallest = _SMALLEST[fstype] + (_LUKS_HEADER if key else 0)
    if not size or size < smallest:
        least = smallest >> 20
        raise RefusedError(
            Text(f"{fstype} needs {least} MiB at least", f"{fstype} 至少需要 {least} MiB"),
            Text(f"--size {least}", f"--size {least}"),
        )
    return VolumePlan(device, fstype, size, new, key)


def make(wanted: VolumePlan) -> MadeVolume:
    """Do it. Raises :class:`RefusedError`; an image that was made for it and is of no use is removed again."""
    device = wanted.device
    try:
        if wanted.new:
            _make_image(device, wanted.size)
        else:
            _refuse_unless_empty(device)
            if stat.S_ISREG(os.stat(device).st_mode) and not contents.size(device):
                _fill(device, wanted.size)
        try:
            _make_filesystem(wanted)
        except BaseException:
            if wanted.new:
                os.unlink(device)
            raise
    except OSError as error:
        why = visible(str(error))
        raise RefusedError(
            Text(f"`{visible(device)}` cannot be made: {why}", f"无法建立 `{visible(device)}`：{why}")
        ) from error
    return MadeVolume(device, wanted.fstype, contents.probe(device).uuid, wanted.size, bool(wanted.key))


def _make_filesystem(wanted: VolumePlan) -> None:
    image = stat.S_ISREG(os.stat(wanted.device).st_mode)
    words = (*_MAKE[wanted.fstype], *(_KEEP[wanted.fstype] if image else ()))
    if not wanted.key:
        tools.run(*words, wanted.device, seconds=_HOURS)
        return
    luks.format_device(wanted.device, wanted.key)
    uuid, node, loop = contents.probe(wanted.device).uuid, wanted.device, -1
    try:
        if image:
            node, loop = loop_device.open_image(wanted.device)
        inside = luks.open_device(node, uuid, wanted.key)
        try:
            tools.run(*words, inside, seconds=_HOURS)
        finally:
            luks.close_device(uuid)
    finally:
        if loop >= 0:
            os.close(loop)


def _make_image(path: str, size: int) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        _fill(path, size)
    except BaseException:
        os.unlink(path)
        raise


def _fill(path: str, size: int) -> None:
    """Give the image its size and its room on the disk: a volume must not run out of what it says it has."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def _refuse_unless_empty(device: str) -> None:
    if why := contents.why_not_empty(device):
        shown = visible(device)
        raise RefusedError(
            Text(f"`{shown}` is not empty: {why.en}", f"`{shown}` 非空：{why.zh}"),
            Text(
                f"nothing was changed; if it is to be lost: wipefs --all {shown}, then zero its first MiB",
                f"未作任何更改；若确要清除：wipefs --all {shown}，并将开头 1 MiB 清零",
            ),
        )
