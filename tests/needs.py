"""What a test needs of its machine: root, tools, what the kernel offers. In CI all of it is there and nothing skips.

Elsewhere a test that cannot run is skipped and names the package that is missing. ``.ci/run`` installs them all and
sets ``SHOUMI_CI=1``: then the same test fails, because a suite that quietly tests less is no suite.

Rules of this file: no other file of the tests skips by itself; ruff forbids it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from typing import NoReturn

import pytest

from agent.kernel import fanotify
from agent.simulator import volume_image
from tests.sentences import en

Check = Callable[[], str | None]
"""Return what is missing, ``None`` when nothing is."""

PACKAGES = {
    "gcc": "gcc libc6-dev",
    "loginctl": "systemd",
    "losetup": "util-linux",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "mount": "util-linux",
    "libnss_wrapper.so": "libnss-wrapper",
    "net": "samba-common-bin",
    "setpriv": "util-linux",
    "smbclient": "smbclient",
    "smbcontrol": "samba-common-bin",
    "smbd": "samba",
    "smbpasswd": "samba-common-bin",
    "smbstatus": "samba-common-bin",
    "systemctl": "systemd",
    "systemd-analyze": "systemd",
    "testparm": "samba-common-bin",
    "unshare": "util-linux",
    "usermod": "passwd",
}
"""Which package has a tool or a library, by its name in Debian."""


def skip_or_fail(reason: str) -> NoReturn:
    """Skip this test because of *reason*; in CI, fail it."""
    if os.environ.get("SHOUMI_CI") == "1":
        pytest.fail(f"nothing skips in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def needs(*checks: Check) -> pytest.MarkDecorator:
    """Return the mark of a test that runs only where all *checks* find nothing missing."""
    return pytest.mark.needs.with_args(*checks)


def met(item: pytest.Item) -> None:
    """Skip or fail *item* when one of its marks asks for what is missing."""
    for mark in item.iter_markers("needs"):
        for check in mark.args:
            if reason := check():
                skip_or_fail(reason)


def is_root() -> str | None:
    """Check for root."""
    return "needs root" if os.geteuid() else None


def tools(*names: str) -> Check:
    """Return a check for programs."""

    def check() -> str | None:
        path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
        absent = [name for name in names if not shutil.which(name, path=path)]
        return ", ".join(f"`{name}` is not installed (package {PACKAGES[name]})" for name in absent) or None

    return check


def preloaded(name: str) -> Check:
    """Return a check for a shared library that a program can be started with, such as ``libx.so``."""

    def check() -> str | None:
        said = subprocess.run(("true",), env=os.environ | {"LD_PRELOAD": name}, capture_output=True, check=False).stderr
        return f"`{name}` is not installed (package {PACKAGES[name]})" if said else None  # ld.so(8) says so

    return check


def volume(fstype: str = "ext4") -> Check:
    """Return a check for throw-away filesystems of this type."""

    def check() -> str | None:
        if reason := is_root() or tools(f"mkfs.{fstype}", "mount", "losetup")():
            return reason
        missing = volume_image.available(fstype)
        return en(missing) if missing else None

    return check


def fanotify_permissions() -> str | None:
    """Check for permission events, and for a filesystem to ask about."""
    if reason := volume()():
        return reason
    try:
        os.close(fanotify.init())
    except OSError as error:
        return f"no fanotify permission events here: {error.strerror}"
    return None


root = needs(is_root)
small_disk = needs(volume())
kernel = needs(fanotify_permissions)
