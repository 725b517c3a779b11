"""Disk tools of the host, run as child processes.

Rules of this file: a tool gets a list of arguments that never contains a secret, no terminal, a plain English
environment, and a timeout. Its error output is foreign text.
"""

import os
import shutil
import subprocess

from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

_PATH = ":/usr/sbin:/sbin"  # the directories of mkfs and similar tools, which the PATH of an ordinary login may lack


def find(name: str) -> str | None:
    """Return the path of a tool, ``None`` when it is not installed."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + _PATH)


def run(name: str, *args: str, seconds: float = 60.0, fine: tuple[int, ...] = (0,)) -> str:
    """Run a tool and return its output.

    Raises :class:`RefusedError` when it is not installed, does not end in time, or its exit code is not in *fine*.
    """
    path = find(name)
    if path is None:
        raise RefusedError(
            Message("disks.tool-not-installed", name=name),
            Message("disks.install-tool", name=name),
        )
    environment = {"PATH": os.environ.get("PATH", os.defpath) + _PATH, "LC_ALL": "C"}
    try:
        process = subprocess.run(
            (path, *args),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise RefusedError(Message("disks.tool-timeout", name=name, seconds=seconds)) from None
    if process.returncode not in fine:
        output = visible(os.fsdecode(process.stderr.strip() or process.stdout.strip())[:500]) or str(process.returncode)
        raise RefusedError(Message("disks.tool-failed", name=name, output=output))
    return os.fsdecode(process.stdout)
