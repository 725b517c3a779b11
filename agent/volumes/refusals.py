"""Why a directory cannot be protected soundly: one small pure rule for each reason.

Rules of this file: a rule looks at the facts and returns its refusal or ``None``; the first one that objects is heard,
so they stand in the order in which an officer would mend things. What a rule does not know, it refuses. Each hint says
what to do instead.
"""

import errno
import os
from collections.abc import Callable

from agent.kernel.mountinfo import Mount, within
from agent.volumes.facts import UnprotectableError, VolumeFacts
from agent.volumes.samba_shares import objections, unknowns
from rules.text import Text
from rules.visible import visible

Rule = Callable[[VolumeFacts], UnprotectableError | None]

# A server elsewhere opens these files, too, and asks nobody here; only the openers of this machine would be seen.
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "afs", "coda", "ncpfs", "ceph", "glusterfs"}
_CLUSTER = {"lustre", "gfs", "gfs2", "ocfs2", "beegfs", "orangefs", "pvfs2", "gpfs"}
# Local filesystems without a block device of their own. Every other local one has a device with a major number.
_LOCAL = {"tmpfs", "btrfs", "zfs", "bcachefs"}

_ELSEWHERE = Text(
    "put the documents on a volume of their own and name a directory of it",
    "请把文件放到独立的卷上，并指定其中的目录",
)


def refusal(facts: VolumeFacts) -> UnprotectableError | None:
    """Return the first reason against protecting the directory of *facts*, or ``None``."""
    return next((found for rule in RULES if (found := rule(facts))), None)


def not_there(facts: VolumeFacts) -> UnprotectableError | None:
    """The path leads to no directory we can look at."""
    if not facts.error and facts.mount:
        return None
    shown = visible(facts.asked)
    if facts.error == errno.ENOENT:
        return UnprotectableError(
            "missing",
            Text(f"`{shown}` does not exist", f"`{shown}` 不存在"),
            Text("make the directory first", "请先建立该目录"),
        )
    if facts.error == errno.ENOTDIR:
        return UnprotectableError(
            "not-a-directory",
            Text(f"`{shown}` is not a directory", f"`{shown}` 不是目录"),
            Text("an area is a directory with everything in it", "涉密目录是一个目录及其全部内容"),
        )
    why = os.strerror(facts.error)
    return UnprotectableError(
        "unreachable", Text(f"`{shown}` cannot be looked up: {why}", f"无法查找 `{shown}`：{why}")
    )


def through_a_link(facts: VolumeFacts) -> UnprotectableError | None:
    """A link can be pointed elsewhere tomorrow; an area is named by where it really is."""
    if facts.asked == facts.path:
        return None
    asked, path = visible(facts.asked), visible(facts.path)
    return UnprotectableError(
        "link",
        Text(f"`{asked}` leads through a symbolic link to `{path}`", f"`{asked}` 经符号链接指向 `{path}`"),
        Text(f"name the directory itself: `{path}`", f"请直接指定该目录：`{path}`"),
    )


def needed_to_work(facts: VolumeFacts) -> UnprotectableError | None:
    """The agent must never wait for its own verdict, nor the machine for the agent."""
    for place in facts.vital:
        if place.path != "/" and (within(place.path, facts.path) or within(facts.path, place.path)):
            shown = visible(place.path)
            return UnprotectableError(
                "vital-path",
                Text(
                    f"the directory holds, or is part of, `{shown}`, which the agent or the system needs to work",
                    f"该目录包含 `{shown}` 或位于其中，而本程序或系统离不开它",
                ),
                _ELSEWHERE,
            )
    return None


def kind_of_filesystem(facts: VolumeFacts) -> UnprotectableError | None:
    """Only local filesystems whose every opener passes this kernel."""
    mount = _mount(facts)
    kind = mount.fstype
    shown = visible(kind)
    if kind in _NETWORK | _CLUSTER or kind.partition(".")[0] in ("fuse", "fuseblk"):
        return UnprotectableError(
            "network",
            Text(
                f"`{shown}` is served from elsewhere: opens on other machines or behind its server are not seen here",
                f"`{shown}` 由他处提供：其他主机或其服务端的打开操作在此不可见",
            ),
            Text("run the agent on the server that holds the disk", "请在保存磁盘的服务器上运行本程序"),
        )
    if kind == "overlay":
        return UnprotectableError(
            "overlay",
            Text(
                "on an overlay a file changes its identity at its first write, so a label does not stay with it",
                "叠加文件系统上的文件首次写入时会更换标识，标记无法随文件保留",
            ),
            Text("name the directory of the filesystem below", "请指定其下层文件系统上的目录"),
        )
    if mount.device[0] == 0 and kind not in _LOCAL:
        return UnprotectableError(
            "pseudo",
            Text(f"`{shown}` is not a filesystem for documents", f"`{shown}` 不是存放文件的文件系统"),
            _ELSEWHERE,
        )
    return None


def carries_the_system(facts: VolumeFacts) -> UnprotectableError | None:
    """A filesystem mark makes every opener wait; what the agent needs to answer must not be among them."""
    device = _mount(facts).device
    for place in facts.vital:
        if place.device == device:
            shown = visible(place.path)
            return UnprotectableError(
                "vital-filesystem",
                Text(
                    f"the filesystem also carries `{shown}`: the agent, or the system, could end up waiting for itself",
                    f"该文件系统同时承载 `{shown}`：本程序或系统可能陷入自我等待",
                ),
                _ELSEWHERE,
            )
    return None


def exported(facts: VolumeFacts) -> UnprotectableError | None:
    """NFS and ksmbd open in the kernel's name; who asked over the network cannot be told."""
    for path, exporter in facts.exports:
        if within(path, facts.path) or within(facts.path, path):
            shown = visible(path)
            return UnprotectableError(
                "exported",
                Text(
                    f"`{shown}` is exported by {exporter}: its opens come from the kernel and name no person",
                    f"`{shown}` 已由 {exporter} 导出：其打开操作来自内核，无法对应到人员",
                ),
                Text(
                    "end the export, or serve the directory with Samba (smbd), whose opens carry the user",
                    "请取消导出，或改用 Samba（smbd）共享，其打开操作带有用户身份",
                ),
            )
    return None


GOES_PAST = frozenset(("exported", "streams"))
"""Reasons that no mark helps against."""


def served_past(facts: VolumeFacts) -> UnprotectableError | None:
    """Say why an area that exists must be closed for what has begun to serve it since."""
    reasons = (
        UnprotectableError("streams", one.text, one.hint) for one in objections(facts.samba, facts.path, facts.mounts)
    )
    return exported(facts) or next(reasons, None)


def kept_in_attributes(facts: VolumeFacts) -> UnprotectableError | None:
    """Samba can keep content where no open leads. Later on what is not known is said, and closes nothing."""
    for reason in objections(facts.samba, facts.path, facts.mounts):
        return UnprotectableError("streams", reason.text, reason.hint)
    for why in () if facts.known else unknowns(facts.samba, _mount(facts).device):
        return UnprotectableError(
            "samba-unknown",
            Text(
                f"it is not known what Samba serves, and what of it in attributes: {why.en}",
                f"无法得知 Samba 共享了什么、是否将内容存入属性：{why.zh}",
            ),
            Text("see what `testparm -s` says, mend it, and try again", "请查看 `testparm -s` 的输出，修正后重试"),
        )
    return None


def overlapping(facts: VolumeFacts) -> UnprotectableError | None:
    """One inode, one area: otherwise the label would depend on which area was swept first."""
    for name, path in facts.areas:
        if within(path, facts.path) or within(facts.path, path):
            area, shown = visible(name), visible(path)
            return UnprotectableError(
                "overlap",
                Text(f"it overlaps area `{area}` at `{shown}`", f"与涉密目录 `{area}`（`{shown}`）重叠"),
                Text("choose a directory beside it", "请选择与其并列的目录"),
            )
    return None


def mounted_inside(facts: VolumeFacts) -> UnprotectableError | None:
    """What is mounted inside belongs to another filesystem, which the mark does not cover. Later on it is covered."""
    if facts.known:
        return None
    for mount in facts.mounts:
        if mount.point != facts.path and within(mount.point, facts.path):
            shown = visible(mount.point)
            return UnprotectableError(
                "mounted-inside",
                Text(f"`{shown}` inside it is a mount of its own", f"其中的 `{shown}` 是另一个挂载点"),
                Text(
                    f"unmount `{shown}`, or choose a directory that holds no mounts",
                    f"请卸载 `{shown}`，或选择其中没有挂载点的目录",
                ),
            )
    return None


def without_labels(facts: VolumeFacts) -> UnprotectableError | None:
    """A file that cannot carry its label loses it with the next rename or hard link. Later on they have theirs."""
    if _mount(facts).read_only and not facts.known:
        return UnprotectableError(
            "read-only",
            Text(
                "the filesystem is mounted read-only, so labels cannot be written",
                "文件系统以只读方式挂载，无法写入标记",
            ),
            Text(f"mount it read-write: mount -o remount,rw {visible(_mount(facts).point)}", "请以读写方式重新挂载"),
        )
    if not facts.labels:
        shown = visible(_mount(facts).fstype)
        return UnprotectableError(
            "no-labels",
            Text(
                f"`{shown}` keeps no extended attributes, so files cannot carry a label",
                f"`{shown}` 不支持扩展属性，文件无法携带标记",
            ),
            Text("use ext4 or xfs", "请使用 ext4 或 xfs"),
        )
    return None


def not_read(facts: VolumeFacts) -> UnprotectableError | None:
    """What could not be seen could not be labelled."""
    if facts.survey.complete:
        return None
    first = facts.survey.troubles[0]
    shown, why = visible(first.path), os.strerror(first.error)
    count = facts.survey.trouble_count
    return UnprotectableError(
        "unread",
        Text(
            f"{count} places in it cannot be read, first `{shown}`: {why}",
            f"其中 {count} 处无法读取，首处为 `{shown}`：{why}",
        ),
        Text("mend them, stop writers for a moment and try again", "请修复，暂停写入后重试"),
    )


def _mount(facts: VolumeFacts) -> Mount:
    assert facts.mount is not None, "not_there stands first"
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
