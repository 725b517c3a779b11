"""Creation of a volume: an empty block device or image gets a filesystem, optionally in a LUKS2 container.

Rules of this file: first a plan, then the work; the plan names irreversible steps. A disk that is not empty is refused,
in the plan and again right before the work. Nothing here is guarded or mounted yet.
"""

import os
import stat
from typing import NamedTuple

from agent.disks import contents, luks, tools
from agent.errors import RefusedError
from agent.kernel import loop_device
from rules.text import Message, Sentence
from rules.visible import visible

_MAKE = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q")}
_KEEP = {"ext4": ("-E", "nodiscard"), "xfs": ("-K",)}  # an image keeps its allocated blocks
_SMALLEST = {"ext4": 8 << 20, "xfs": 300 << 20}  # bytes; xfsprogs refuses less
_LUKS_HEADER = 16 << 20
_HOURS = 6 * 3600.0  # for mkfs on a very large, very slow disk


class VolumePlan(NamedTuple):
    """The plan of a volume. ``new``: the image does not exist yet; ``size`` is in bytes."""

    device: str
    fstype: str
    size: int
    new: bool
    key: str

    def steps(self) -> tuple[Sentence, ...]:
        """Return a sentence for each step."""
        shown_device, mib, steps = visible(self.device), self.size >> 20, []
        if self.new:
            steps.append(Message("disks.step-create-image", device=shown_device, mib=mib))
        if self.key:
            key = visible(self.key)
            steps.append(Message("disks.step-create-luks", device=shown_device, key=key))
        fstype = self.fstype
        steps.append(Message("disks.step-create-filesystem", fstype=fstype, device=shown_device, mib=mib))
        return tuple(steps)


class MadeVolume(NamedTuple):
    """The created volume. ``uuid``: the UUID of the filesystem or container directly on the device."""

    device: str
    fstype: str
    uuid: str
    size: int
    luks: bool

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return self._asdict()


def plan(device: str, fstype: str, size: int | None, *, encrypted: bool, key: str) -> VolumePlan:
    """Return the plan for a volume on *device*; *size* in bytes is for a new image. Raises ``RefusedError``."""
    shown_device = visible(device)
    if os.geteuid() != 0:
        raise RefusedError(Message("disks.root-required"))
    if encrypted != bool(key):
        raise RefusedError(
            Message("disks.luks-needs-key"),
            Message("disks.give-luks-and-key"),
        )
    if key:
        luks.check_key(key)
    new = not os.path.lexists(device)
    if new and size is None:
        raise RefusedError(
            Message("common.does-not-exist", path=shown_device),
            Message("disks.create-image-with-size"),
        )
    if not new:
        device = os.path.realpath(device)
        _refuse_unless_empty(device)
        current_size = contents.size(device)
        if size is not None and current_size not in (0, size):
            raise RefusedError(Message("disks.size-fixed", device=shown_device), Message("disks.omit-size"))
        size = current_size or size
    smallest = _SMALLEST[fstype] + (_LUKS_HEADER if key else 0)
    if not size or size < smallest:
        least = smallest >> 20
        raise RefusedError(
            Message("disks.volume-too-small", fstype=fstype, least=least),
            Message("disks.give-size", least=least),
        )
    return VolumePlan(device, fstype, size, new, key)


def make(wanted: VolumePlan) -> MadeVolume:
    """Create the volume. Raises :class:`RefusedError`; then an image that was created for it is removed again."""
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
        reason = visible(str(error))
        raise RefusedError(Message("disks.volume-not-created", device=device, reason=reason)) from error
    return MadeVolume(device, wanted.fstype, contents.probe(device).uuid, wanted.size, bool(wanted.key))


def _make_filesystem(wanted: VolumePlan) -> None:
    image = stat.S_ISREG(os.stat(wanted.device).st_mode)
    command = (*_MAKE[wanted.fstype], *(_KEEP[wanted.fstype] if image else ()))
    if not wanted.key:
        tools.run(*command, wanted.device, seconds=_HOURS)
        return
    luks.format_device(wanted.device, wanted.key)
    uuid, node, loop = contents.probe(wanted.device).uuid, wanted.device, -1
    try:
        if image:
            node, loop = loop_device.open_image(wanted.device)
        inside = luks.open_device(node, uuid, wanted.key)
        try:
            tools.run(*command, inside, seconds=_HOURS)
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
    """Allocate the whole image: a volume must not run out of space within its own size."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def _refuse_unless_empty(device: str) -> None:
    if reason := contents.why_not_empty(device):
        shown_device = visible(device)
        raise RefusedError(
            Message("disks.device-not-empty", device=shown_device, reason=reason),
            Message("disks.wipe-device", device=shown_device),
        )
