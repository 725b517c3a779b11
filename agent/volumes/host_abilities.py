"""Abilities of this kernel and host, for ``doctor``: each with the command that closes the gap.

Rules of this file: it tries or reads, and changes nothing; no mark is placed. Abilities of one volume belong to
``probe``. A gap is reported with its consequence, not with a version number.
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
from rules.text import Message, Sentence, Text

_SYSCTL = Path("/proc/sys")
_UNSET = 0xFFFFFFFF
_IO_URING_SETUP = 425  # the same number on every architecture
_FIRST = {"user": 0xEFFFFFFD, "pid": 0xEFFFFFFC}  # inodes of the initial namespaces (linux/nsfs.h)


@dataclass(frozen=True, slots=True)
class Ability:
    """An ability that the host has or lacks. ``needed``: without it nothing is enforced. ``name`` is for programs."""

    name: str
    ok: bool
    detail: Sentence
    remedy: Sentence | None = None
    needed: bool = False


def abilities() -> tuple[Ability, ...]:
    """Return the abilities of this host, the needed ones first. Never raises for a missing ability."""
    return tuple(check() for check in _LOOKS)


def _groups() -> Ability:
    try:
        os.close(fanotify.init())
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        return Ability(
            "fanotify",
            ok=False,
            detail=Message("volumes.permission-events-unavailable", reason=reason),
            remedy=Message("volumes.run-as-root-with-fanotify"),
            needed=True,
        )
    return Ability("fanotify", ok=True, detail=Message("volumes.kernel-checks-opens"), needed=True)


def _capabilities() -> Ability:
    wanted = {"CAP_SYS_ADMIN": capabilities.CAP_SYS_ADMIN, "CAP_SYS_PTRACE": capabilities.CAP_SYS_PTRACE}
    wanted["CAP_DAC_READ_SEARCH"] = capabilities.CAP_DAC_READ_SEARCH
    held = capabilities.held()
    missing = " ".join(name for name, number in wanted.items() if not held >> number & 1)
    if missing:
        return Ability(
            "capabilities",
            ok=False,
            detail=Message("volumes.capabilities-missing", missing=missing),
            remedy=Message("volumes.run-as-root-outside-container"),
            needed=True,
        )
    return Ability("capabilities", ok=True, detail=Message("volumes.all-capabilities-held"), needed=True)


def _initial_namespace() -> Ability:
    # In a child pid namespace the kernel reports outside openers as 0, so they cannot be distinguished.
    inside = all(os.readlink(f"/proc/self/ns/{name}") == f"{name}:[{inode}]" for name, inode in _FIRST.items())
    return Ability(
        "host",
        ok=inside,
        detail=Message("volumes.runs-on-host") if inside else Message("volumes.runs-in-container"),
        remedy=None if inside else Message("volumes.run-on-host"),
        needed=True,
    )


def _open_descriptors() -> Ability:
    # The tier of a volume says what it really has; this is the most that any volume can have under this kernel.
    try:
        access = mark_flags.known().access
    except OSError:
        access = 0
    if access & fanotify.FAN_PRE_ACCESS:
        detail = Message("volumes.tier-a-b-available")
        return Ability("open-descriptors", ok=True, detail=detail)
    if access:
        return Ability(
            "open-descriptors",
            ok=True,
            detail=Message("volumes.tier-read-available"),
        )
    return Ability(
        "open-descriptors",
        ok=False,
        detail=Message("volumes.tier-c-only"),
        remedy=Message("volumes.use-kernel-with-permission-events"),
    )


def _ignore_marks() -> Ability:
    try:
        evictable = mark_flags.known().evictable
    except OSError:
        evictable = False
    return Ability(
        "ignore-marks",
        ok=True,
        detail=Message("volumes.unchecked-files-evictable")
        if evictable
        else Message("volumes.unchecked-files-pinned", most_pinned=mark_flags.MOST_PINNED),
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
        detail=Message("volumes.unreadable-open-denied-with-thread")
        if named
        else Message("volumes.unreadable-open-denied"),
    )


def _thread_identity() -> Ability:
    detail = (
        Message("volumes.pidfd-info-available") if subject.pidfd_info_works() else Message("volumes.pidfd-info-missing")
    )
    return Ability("pidfd-info", ok=True, detail=detail)


def _login_uid() -> Ability:
    login_uid = _number(Path("/proc/self/loginuid"))
    detail = Message("volumes.login-identities-kept")
    if login_uid is None:
        return Ability(
            "loginuid",
            ok=False,
            detail=Message("volumes.login-identities-missing"),
            remedy=Message("volumes.use-kernel-with-audit"),
        )
    if login_uid == _UNSET and not _pam_sets_it():
        return Ability(
            "loginuid",
            ok=False,
            detail=Message("volumes.login-identity-not-set"),
            remedy=Message("volumes.add-pam-loginuid"),
        )
    return Ability("loginuid", ok=True, detail=detail)


def _login_uid_stays() -> Ability:
    stays = login_identity.immutable()
    remedy = Message("volumes.set-loginuid-immutable")
    if stays:
        return Ability("loginuid-immutable", True, Message("volumes.login-identity-immutable"))
    if stays is None:
        unknown = Message("volumes.login-identity-mutability-unknown")
        return Ability("loginuid-immutable", False, unknown, remedy)
    detail = Message("volumes.login-identity-mutable")
    return Ability("loginuid-immutable", False, detail, remedy)


def _pam_sets_it() -> bool:
    for file in Path("/etc/pam.d").glob("*"):
        with contextlib.suppress(OSError):
            if any(b"pam_loginuid" in line and not line.startswith(b"#") for line in file.read_bytes().splitlines()):
                return True
    return False


def _sysctl(name: str, at_least: int, detail: Sentence, lack: Sentence) -> Callable[[], Ability]:
    """Return the check of one sysctl whose value should be *at_least* that number."""

    def check() -> Ability:
        setting = _number(_SYSCTL / name.replace(".", "/"))
        good = setting is not None and setting >= at_least
        command = f"sysctl -w {name}={at_least}"
        return Ability(
            name,
            ok=good,
            detail=detail if good else lack,
            remedy=None if good else Text(command, command),
        )

    return check


def _user_namespaces() -> Ability:
    most = _number(_SYSCTL / "user/max_user_namespaces") or 0
    restricted = _number(_SYSCTL / "kernel/unprivileged_userns_clone") == 0
    if most == 0 or restricted:
        return Ability("user-namespaces", ok=True, detail=Message("volumes.user-namespaces-denied"))
    return Ability(
        "user-namespaces",
        ok=True,
        detail=Message("volumes.user-namespaces-allowed"),
    )


def _rings() -> Ability:
    disabled = _number(_SYSCTL / "kernel/io_uring_disabled")
    if disabled or (disabled is None and not _io_uring_there()):
        return Ability("io_uring", ok=True, detail=Message("volumes.io-uring-restricted"))
    return Ability(
        "io_uring",
        ok=False,
        detail=Message("volumes.io-uring-open-to-all"),
        remedy=Message("volumes.restrict-io-uring"),
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
        Message("volumes.hard-links-protected"),
        Message("volumes.hard-links-unprotected"),
    ),
    _sysctl(
        "fs.protected_symlinks",
        1,
        Message("volumes.symlinks-protected"),
        Message("volumes.symlinks-unprotected"),
    ),
    _sysctl(
        "fs.fanotify.max_user_groups",
        16,
        Message("volumes.fanotify-groups-sufficient"),
        Message("volumes.fanotify-groups-insufficient"),
    ),
    _sysctl(
        "fs.fanotify.watchdog_timeout",
        1,
        Message("volumes.fanotify-watchdog-on"),
        Message("volumes.fanotify-watchdog-off"),
    ),
    _user_namespaces,
    _rings,
)
