"""Calls of host tools: bounded in time, in the C locale, with no input.

Rules of this file: the arguments are a list, never a shell's; the output is foreign text.
"""

import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from rules.text import Message, Sentence
from rules.visible import visible

_SECONDS = 20.0
SMB_CONF = "SMB_CONF_PATH"  # the path of Samba's configuration, if not the built-in one
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    **{name: os.environ[name] for name in (SMB_CONF,) if name in os.environ},
}
"""The whole environment of a tool."""


class CommandResult(NamedTuple):
    """The result of a command. ``error`` is ``None`` when it succeeded."""

    output: str
    error: Sentence | None


def call(argv: Sequence[str], seconds: float = _SECONDS) -> CommandResult:
    """Run *argv* and wait for its end, *seconds* at the most; never raises for the result of the command."""
    tool = visible(argv[0])
    try:
        completed = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env=ENVIRONMENT,
            errors="surrogateescape",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return CommandResult("", Message("offboard.command-timed-out", tool=tool, seconds=seconds))
    except OSError as error:
        return CommandResult("", Message("offboard.command-not-run", tool=tool, reason=error.strerror))
    if completed.returncode:
        error_text = visible(completed.stderr.strip()[:300])
        return CommandResult(completed.stdout, Message("common.failed", tool=tool, error=error_text))
    return CommandResult(completed.stdout, None)
