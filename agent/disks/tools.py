"""Running the host's own tools for disks.

Rules of this file: a tool gets a list of words and never a secret among them, no terminal, an environment that makes it
speak plainly, and a time after which it is given up. What it says when it fails is foreign text.
"""

import os
import shutil
import subprocess

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_PATH = ":/usr/sbin:/sbin"  # mkfs and its like live there, which the PATH of an ordinary login may lack


def find(name: str) -> str | None:
    """Return the path of a tool, ``None`` when it is not installed."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + _PATH)


def run(name: str, *words: str, seconds: float = 60.0, fine: tuple[int, ...] = (0,)) -> str:
    """Run a tool and return what it printed.

    Raises :class:`RefusedError` when it is not installed, does not end in time, or ends with a code not among *fine*.
    """
    path = find(name)
    if path is None:
        raise RefusedError(
            Text(f"`{name}` is not installed", f"未安装 `{name}`"),
            Text(f"install the package that has {name}", f"请安装包含 {name} 的软件包"),
        )
    environment = {"PATH": os.environ.get("PATH", os.defpath) + _PATH, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            (path, *words), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise RefusedError(
            Text(f"`{name}` did not end in {seconds:.0f} s", f"`{name}` 在 {seconds:.0f} 秒内未结束")
        ) from None
    if done.returncode not in fine:
        said = visible(os.fsdecode(done.stderr.strip() or done.stdout.strip())[:500]) or str(done.returncode)
        raise RefusedError(Text(f"`{name}` failed: `{said}`", f"`{name}` 失败：`{said}`"))
    return os.fsdecode(done.stdout)
