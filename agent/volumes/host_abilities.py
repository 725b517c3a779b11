"""What this kernel and this host let the agent do, for ``doctor``: each ability with the command that closes the gap.

Rules of this file: it tries or reads, and changes nothing; no mark is placed on anything. What concerns one volume is
the business of ``probe``. A gap is told with its consequence, not with a version number.
"""

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.confinement import capabilities
from agent.kernel import fanotify, login_identity, mark_flags, subject
from rules.text import Text

_SYSCTL = Path("/proc/sys")
_UNSET = 0xFFFFFFFF
_IO_URING_SETUP = 425  # the same number on every architecture
_FIRST = {"user": 0xEFFFFFFD, "pid": 0xEFFFFFFC}  # inodes of the initial namespaces (linux/nsfs.h)


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing the host offers or lacks. ``needed``: without it nothing is enforced. ``name`` is for programs."""

    name: str
    ok: bool
    detail: Text
    remedy: Text | None = None
    needed: bool = False


def abilities() -> tuple[Ability, ...]:
    """Return what this host offers, the needed things first. Never raises for what is missing."""
    return tuple(look() for look in _LOOKS)


def _groups() -> Ability:
    try:
        os.close(fanotify.init())
    except OSError as error:
        why = os.strerror(error.errno or 0)
        return Ability(
            "fanotify",
            ok=False,
            detail=Text(f"no group of permission events can be made: {why}", f"无法建立 fanotify 权限事件组：{why}"),
            remedy=Text(
                "run as root with CAP_SYS_ADMIN, on a kernel of 5.10 or later with CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
                "请以 root（CAP_SYS_ADMIN）运行，内核不低于 5.10 且启用 CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
            ),
            needed=True,
        )
    return Ability(
        "fanotify", ok=True, detail=Text("the kernel asks before each open", "内核可在每次打开前询问"), needed=True
    )


def _capabilities() -> Ability:
    wanted = {"CAP_SYS_ADMIN": capabilities.CAP_SYS_ADMIN, "CAP_SYS_PTRACE": capabilities.CAP_SYS_PTRACE}
    wanted["CAP_DAC_READ_SEARCH"] = capabilities.CAP_DAC_READ_SEARCH
    held = capabilities.held()
    missing = " ".join(name for name, number in wanted.items() if not held >> number & 1)
    if missing:
        return Ability(
            "capabilities",
            ok=False,
            detail=Text(f"missing: {missing}", f"缺少：{missing}"),
            remedy=Text("run as root, outside of an unprivileged container", "请以 root 身份在非受限容器中运行"),
            needed=True,
        )
    return Ability("capabilities", ok=True, detail=Text("all that are needed are held", "所需权能齐备"), needed=True)


def _initial_namespace() -> Ability:
    # In a child pid namespace the kernel reports outside openers as 0: nobody could be told apart.
    inside = all(os.readlink(f"/proc/self/ns/{name}") == f"{name}:[{inode}]" for name, inode in _FIRST.items())
    return Ability(
        "host",
        ok=inside,
        detail=Text("runs in the host's own namespaces", "运行于主机自身的命名空间")
        if inside
        else Text("runs in a container: openers outside of it cannot be named", "运行于容器中：无法识别容器外的打开者"),
        remedy=None if inside else Text("run the agent on the host", "请在主机上直接运行"),
        needed=True,
    )


def _open_descriptors() -> Ability:
    # What a volume really has is said by its tier; this is the most that any can have under this kernel.
    try:
        access = mark_flags.known().access
    except OSError:
        access = 0
    if access & fanotify.FAN_PRE_ACCESS:
        detail = Text(
            "every use of an open descriptor can be refused (tiers A and B)",
            "可拒绝对已打开描述符的一切使用（A、B 级）",
        )
        return Ability("open-descriptors", ok=True, detail=detail)
    if access:
        return Ability(
            "open-descriptors",
            ok=True,
            detail=Text(
                "reads through open descriptors can be refused (tiers A-read and B-read); who writes or maps a file"
                " when rights end is ended as a process",
                "可拒绝经已打开描述符的读取（A-read、B-read 级）；权限终止时仍可写入或已映射文件的进程将被结束",
            ),
        )
    return Ability(
        "open-descriptors",
        ok=False,
        detail=Text(
            "no use of an open descriptor can be refused (tier C); who holds a file when rights end is ended as a"
            " process",
            "无法拒绝对已打开描述符的使用（C 级）：权限终止时仍持有文件的进程将被结束",
        ),
        remedy=Text(
            "use a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
            "请使用启用 CONFIG_FANOTIFY_ACCESS_PERMISSIONS 的内核",
        ),
    )


def _ignore_marks() -> Ability:
    try:
        evictable = mark_flags.known().evictable
    except OSError:
        evictable = False
    return Ability(
        "ignore-marks",
        ok=True,
        detail=Text("files that nobody is asked about may leave memory", "无须询问的文件可移出内存")
        if evictable
        else Text(
            f"files that nobody is asked about stay in memory, {mark_flags.MOST_PINNED} of each volume at the most;"
            " beyond that the oldest are asked about again",
            f"无须询问的文件会留在内存中，每卷最多 {mark_flags.MOST_PINNED} 个；超出时最早的将重新受判定",
        ),
    )


def _unreadable_events() -> Ability:
    named = True
    try:
        os.close(fanotify.init(fanotify.GROUP_FLAGS | fanotify.OPTIONAL_FLAGS, 0))
    except OSError:
        named = False
    return Ability(
        "unreadable-events",
        ok=True,
        detail=Text(
            "an open of a file that the agent cannot open itself is denied, and names the thread",
            "代理自身无法打开的文件，其打开请求被拒绝并记录线程",
        )
        if named
        else Text(
            "an open of a file that the agent cannot open itself is denied; the entry cannot say by whom it was tried",
            "代理自身无法打开的文件，其打开请求被拒绝；日志无法说明由谁发起",
        ),
    )


def _thread_identity() -> Ability:
    detail = (
        Text("the identity of a thread is read in one call", "一次调用即可读取线程身份")
        if subject.pidfd_info_works()
        else Text("the identity of a thread is read from /proc, which is slower", "改由 /proc 读取线程身份，速度较慢")
    )
    return Ability("pidfd-info", ok=True, detail=detail)


def _login_uid() -> Ability:
    value = _number(Path("/proc/self/loginuid"))
    detail = Text("the kernel keeps login identities", "内核保存登录身份")
    if value is None:
        return Ability(
            "loginuid",
            ok=False,
            detail=Text(
                "the kernel keeps no login identity: sudo hides who it was", "内核不保存登录身份：sudo 后无法识别本人"
            ),
            remedy=Text("use a kernel with CONFIG_AUDIT", "请使用启用 CONFIG_AUDIT 的内核"),
        )
    if value == _UNSET and not _pam_sets_it():
        return Ability(
            "loginuid",
            ok=False,
            detail=Text(
                "no login service sets the login identity (pam_loginuid)", "登录服务未设置登录身份（pam_loginuid）"
            ),
            remedy=Text(
                "add `session required pam_loginuid.so` to /etc/pam.d/sshd and /etc/pam.d/login",
                "请在 /etc/pam.d/sshd 与 /etc/pam.d/login 中加入 `session required pam_loginuid.so`",
            ),
        )
    return Ability("loginuid", ok=True, detail=detail)


def _login_uid_stays() -> Ability:
    stays = login_identity.immutable()
    remedy = Text(
        "auditctl --loginuid-immutable, and the same line in /etc/audit/rules.d; undone by a reboot only",
        "auditctl --loginuid-immutable，并写入 /etc/audit/rules.d；仅重启可撤销",
    )
    if stays:
        return Ability("loginuid-immutable", True, Text("nobody can change a login identity", "登录身份不可更改"))
    if stays is None:
        unknown = Text(
            "whether root can change a login identity is unknown: the kernel tells root alone",
            "无法得知 root 能否更改登录身份：内核仅告知 root",
        )
        return Ability("loginuid-immutable", False, unknown, remedy)
    detail = Text(
        "root can give itself another login identity, or none: then `sudo` hides who logged in",
        "root 可更改或清除自己的登录身份：此时 `sudo` 会隐藏登录者",
    )
    return Ability("loginuid-immutable", False, detail, remedy)


def _pam_sets_it() -> bool:
    for file in Path("/etc/pam.d").glob("*"):
        with contextlib.suppress(OSError):
            if any(b"pam_loginuid" in line and not line.startswith(b"#") for line in file.read_bytes().splitlines()):
                return True
    return False


def _sysctl(name: str, at_least: int, detail: Text, lack: Text) -> Callable[[], Ability]:
    """Return a look at one sysctl that should be *at_least* so much."""

    def look() -> Ability:
        value = _number(_SYSCTL / name.replace(".", "/"))
        good = value is not None and value >= at_least
        command = f"sysctl -w {name}={at_least}"
        return Ability(
            name,
            ok=good,
            detail=detail if good else lack,
            remedy=None if good else Text(command, command),
        )

    return look


def _user_namespaces() -> Ability:
    most = _number(_SYSCTL / "user/max_user_namespaces") or 0
    restricted = _number(_SYSCTL / "kernel/unprivileged_userns_clone") == 0
    if most == 0 or restricted:
        return Ability(
            "user-namespaces", ok=True, detail=Text("users cannot make namespaces", "普通用户不能建立命名空间")
        )
    return Ability(
        "user-namespaces",
        ok=True,
        detail=Text(
            "users can make namespaces; filesystem marks see through them",
            "普通用户可建立命名空间；文件系统标记不受其影响",
        ),
    )


def _rings() -> Ability:
    value = _number(_SYSCTL / "kernel/io_uring_disabled")
    if value or (value is None and not _io_uring_there()):
        return Ability("io_uring", ok=True, detail=Text("not everybody may use io_uring", "并非人人可用 io_uring"))
    return Ability(
        "io_uring",
        ok=False,
        detail=Text(
            "anybody can keep an open file in an io_uring, in a way that no look at /proc finds",
            "任何用户都可在 io_uring 中持有已打开的文件，且有办法令 /proc 中查不到",
        ),
        remedy=Text(
            "sysctl -w kernel.io_uring_disabled=2, or 1 and a group for the programs that need it",
            "sysctl -w kernel.io_uring_disabled=2；如有程序需要，可设为 1 并指定用户组",
        ),
    )


def _io_uring_there() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(_IO_URING_SETUP, 0, None) >= 0 or ctypes.get_errno() != errno.ENOSYS


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


_LOOKS: tuple[Callable[[], Ability], ...] = (
    _groups,
    _capabilities,
    _initial_namespace,
    _open_descriptors,
    _ignore_marks,
    _unreadable_events,
    _thread_identity,
    _login_uid,
    _login_uid_stays,
    _sysctl(
        "fs.protected_hardlinks",
        1,
        Text("users cannot link files they do not own", "用户不能为他人文件建立硬链接"),
        Text("any user can keep a second name of any file", "任何用户都可为任意文件保留第二个名称"),
    ),
    _sysctl(
        "fs.protected_symlinks",
        1,
        Text("links planted in shared folders are not followed", "不跟随公共目录中他人设置的链接"),
        Text("links planted in shared folders are followed", "会跟随公共目录中他人设置的链接"),
    ),
    _sysctl(
        "fs.fanotify.max_user_groups",
        16,
        Text("enough fanotify groups for the agent and its probes", "fanotify 组数量足够"),
        Text("too few fanotify groups are allowed", "允许的 fanotify 组数量过少"),
    ),
    _sysctl(
        "fs.fanotify.watchdog_timeout",
        1,
        Text("the kernel warns of a reader that does not answer", "内核会警告未及时应答的读取者"),
        Text("the kernel does not warn of a reader that does not answer", "内核不会警告未及时应答的读取者"),
    ),
    _user_namespaces,
    _rings,
)
