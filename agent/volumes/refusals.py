"""Refusals: the reasons why a directory cannot be protected soundly, one small pure rule for each.

Rules of this file: a rule reads the facts and returns its refusal or ``None``; the first refusal counts, so the rules
are in the order in which an officer would correct things. A rule refuses unknown states. Each hint says what to do
instead.
"""

import errno
import os
from collections.abc import Callable

from agent.kernel.mountinfo import Mount, within
from agent.volumes.facts import UnprotectableError, VolumeFacts
from agent.volumes.samba_shares import objections, unknowns
from rules.text import Message
from rules.visible import visible

Rule = Callable[[VolumeFacts], UnprotectableError | None]

# A remote server also opens these files, without a check here; only the openers of this machine would be seen.
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "afs", "coda", "ncpfs", "ceph", "glusterfs"}
_CLUSTER = {"lustre", "gfs", "gfs2", "ocfs2", "beegfs", "orangefs", "pvfs2", "gpfs"}
# Local filesystems without a block device of their own. Every other local one has a device with a major number.
_LOCAL = {"tmpfs", "btrfs", "zfs", "bcachefs"}

_ELSEWHERE = Message("volumes.use-separate-volume")


def refusal(facts: VolumeFacts) -> UnprotectableError | None:
    """Return the first reason against protecting the directory of *facts*, or ``None``."""
    return next((objection for rule in RULES if (objection := rule(facts))), None)


def not_there(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a path that is not an accessible directory."""
    if not facts.error and facts.mount:
        return None
    shown_path = visible(facts.requested)
    if facts.error == errno.ENOENT:
        return UnprotectableError(
            "missing",
            Message("common.does-not-exist", path=shown_path),
            Message("volumes.create-directory-first"),
        )
    if facts.error == errno.ENOTDIR:
        return UnprotectableError(
            "not-a-directory",
            Message("volumes.not-directory", path=shown_path),
            Message("volumes.area-is-a-directory"),
        )
    reason = os.strerror(facts.error)
    return UnprotectableError("unreachable", Message("volumes.path-lookup-failed", path=shown_path, reason=reason))


def through_a_link(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a symbolic link: it can be changed later; an area is named by its real path."""
    if facts.requested == facts.path:
        return None
    requested, path = visible(facts.requested), visible(facts.path)
    return UnprotectableError(
        "link",
        Message("volumes.path-is-symbolic-link", requested=requested, path=path),
        Message("volumes.use-real-path", path=path),
    )


def needed_to_work(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a vital path: the agent must never wait for its own verdict, nor the machine for the agent."""
    for place in facts.vital:
        if place.path != "/" and (within(place.path, facts.path) or within(facts.path, place.path)):
            shown_path = visible(place.path)
            return UnprotectableError(
                "vital-path",
                Message("volumes.directory-needed-by-agent-or-system", path=shown_path),
                _ELSEWHERE,
            )
    return None


def kind_of_filesystem(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse all but local filesystems, whose every opener passes this kernel."""
    mount = _mount(facts)
    kind = mount.fstype
    shown_fstype = visible(kind)
    if kind in _NETWORK | _CLUSTER or kind.partition(".")[0] in ("fuse", "fuseblk"):
        return UnprotectableError(
            "network",
            Message("volumes.network-filesystem", fstype=shown_fstype),
            Message("volumes.run-on-file-server"),
        )
    if kind == "overlay":
        return UnprotectableError(
            "overlay",
            Message("volumes.overlay-loses-labels"),
            Message("volumes.use-underlying-directory"),
        )
    if mount.device[0] == 0 and kind not in _LOCAL:
        return UnprotectableError(
            "pseudo",
            Message("volumes.not-a-document-filesystem", fstype=shown_fstype),
            _ELSEWHERE,
        )
    return None


def carries_the_system(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a vital filesystem: a mark makes every opener wait, and the agent's own files must not be among them."""
    device = _mount(facts).device
    for place in facts.vital:
        if place.device == device:
            shown_path = visible(place.path)
            return UnprotectableError(
                "vital-filesystem",
                Message("volumes.filesystem-needed-by-agent-or-system", path=shown_path),
                _ELSEWHERE,
            )
    return None


def exported(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse an exported directory: NFS and ksmbd open as the kernel, so the network user is unknown."""
    for path, exporter in facts.exports:
        if within(path, facts.path) or within(facts.path, path):
            shown_path = visible(path)
            return UnprotectableError(
                "exported",
                Message("volumes.directory-exported", path=shown_path, exporter=exporter),
                Message("volumes.serve-with-samba-instead"),
            )
    return None


GOES_PAST = frozenset(("exported", "streams"))
"""Reasons that no mark can prevent."""


def served_past(facts: VolumeFacts) -> UnprotectableError | None:
    """Return the reason to close an existing area that has been exported or shared since."""
    reasons = (
        UnprotectableError("streams", objection.text, objection.hint)
        for objection in objections(facts.samba, facts.path, facts.mounts)
    )
    return exported(facts) or next(reasons, None)


def kept_in_attributes(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a share that stores content in attributes. For existing areas an unknown state is only reported."""
    for reason in objections(facts.samba, facts.path, facts.mounts):
        return UnprotectableError("streams", reason.text, reason.hint)
    for unknown in () if facts.already_area else unknowns(facts.samba, _mount(facts).device):
        return UnprotectableError(
            "samba-unknown",
            Message("common.samba-shares-unknown", reason=unknown),
            Message("volumes.check-testparm"),
        )
    return None


def overlapping(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse overlapping areas: the label of an inode would depend on the order of sweeps."""
    for name, path in facts.areas:
        if within(path, facts.path) or within(facts.path, path):
            area, shown_path = visible(name), visible(path)
            return UnprotectableError(
                "overlap",
                Message("volumes.overlaps-area", area=area, path=shown_path),
                Message("volumes.choose-separate-directory"),
            )
    return None


def mounted_inside(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a mount inside, which the mark does not cover. In existing areas such a mount is covered."""
    if facts.already_area:
        return None
    for mount in facts.mounts:
        if mount.point != facts.path and within(mount.point, facts.path):
            shown_point = visible(mount.point)
            return UnprotectableError(
                "mounted-inside",
                Message("volumes.mounted-inside", point=shown_point),
                Message("volumes.unmount-or-choose-other", point=shown_point),
            )
    return None


def without_labels(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a filesystem without labels. Files of existing areas already have labels."""
    if _mount(facts).read_only and not facts.already_area:
        return UnprotectableError(
            "read-only",
            Message("volumes.filesystem-read-only"),
            Message("volumes.remount-read-write", point=visible(_mount(facts).point)),
        )
    if not facts.labels:
        shown_fstype = visible(_mount(facts).fstype)
        return UnprotectableError(
            "no-labels",
            Message("volumes.no-extended-attributes", fstype=shown_fstype),
            Message("volumes.use-ext4-xfs"),
        )
    return None


def not_read(facts: VolumeFacts) -> UnprotectableError | None:
    """Refuse a tree that could not be read completely: it could not be labelled."""
    if facts.survey.complete:
        return None
    first = facts.survey.troubles[0]
    shown_path, reason = visible(first.path), os.strerror(first.error)
    count = facts.survey.trouble_count
    return UnprotectableError(
        "unread",
        Message("volumes.paths-unreadable", count=count, path=shown_path, reason=reason),
        Message("volumes.repair-and-try-again"),
    )


def _mount(facts: VolumeFacts) -> Mount:
    assert facts.mount is not None, "not_there is the first rule"
    return facts.mount


RULES: tuple[Rule, ...] = (
    not_there,
    through_a_link,
    needed_to_work,
    kind_of_filesystem,
    carries_the_system,
    exported,
    kept_in_attributes,
    overlapping,
    mounted_inside,
    without_labels,
    not_read,
)
