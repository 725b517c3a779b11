"""Running a tool of the host: bounded in time, in the C locale, with nothing to read.

Rules of this file: the arguments are a list, never a shell's; what it says is foreign text.
"""

import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from rules.text import Text
from rules.visible import visible

_SECONDS = 20.0
SMB_CONF = "SMB_CONF_PATH"  # where Samba's tools find their configuration, if not where they were built to look
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    **{name: os.environ[name] for name in (SMB_CONF,) if name in os.environ},
}
"""What a tool finds in its environment, and nothing else of ours."""


class CommandResult(NamedTuple):
    """What came of a command. ``why`` is ``None`` when it went well."""

    output: str
    why: Text | None


def call(argv: Sequence[str], seconds: float = _SECONDS) -> CommandResult:
    """Run *argv* and wait for its end, *seconds* at the most; never raises for what the command does."""
    tool = visible(argv[0])
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env=ENVIRONMENT,
            errors="surrogateescape",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return CommandResult(
            "", Text(f"`{tool}` did not end in {seconds:.0f} s", f"`{tool}` 在 {seconds:.0f} 秒内未结束")
        )
    except OSError as error:
        return CommandResult(
            "", Text(f"`{tool}` could not be run: {error.strerror}", f"无法运行 `{tool}`：{error.strerror}")
        )
    if done.returncode:
        said = visible(done.stderr.strip()[:300])
        return CommandResult(done.stdout, Text(f"`{tool}` failed: `{said}`", f"`{tool}` 失败：`{said}`"))
    return CommandResult(done.stdout, None)
