"""fapolicyd, the closest relative, watching one small filesystem of its own in a mount namespace of its own.

Rules of this file: fapolicyd marks mounts, and every mount it could see is a private copy, so nothing outside its
namespace is ever asked about; on top of that it is told to watch ext3 only, and is not started where anything else is
of that type. Its configuration, database and run directory are bound over the system's inside the namespace: the
system's own are never touched. Everything there ends with the process, which ends with us.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from agent.demo.parting import end_with_parent
from agent.kernel import mountinfo
from tests.bench.machine import Cpus
from tests.bench.sites import READER, fill

_TYPE = "ext3"  # ext4's own code under another name: the same files as Shoumi's, and nobody else's type
_START_SECONDS = 15.0
_READY = "Starting to listen for events"
_CONFIG = f"""permissive = 1
nice_val = 0
q_size = 640
uid = root
gid = root
do_stat_report = 0
detailed_report = 0
db_max_size = 10
subj_cache_size = 1549
obj_cache_size = 8191
watch_fs = {_TYPE}
trust = file
integrity = none
syslog_format = rule,dec,perm,auid,pid,exe,:,path,ftype,trust
rpm_sha256_only = 0
allow_filesystem_mark = 0
"""
_RULES = """allow perm=open uid={uid} : dir={plans}/
deny perm=open all : dir={plans}/
allow perm=any all : all
"""
_PRIVATELY = ("unshare", "--mount", "--propagation", "private", "sh", "-euc")
_SCRIPT = """
mount -t ext3 -o loop "$1/image" "$1/mnt"
mount --bind "$1/etc" /etc/fapolicyd
mount --bind "$1/db" /var/lib/fapolicyd
mount -t tmpfs none /run
mkdir /run/fapolicyd
exec "$2" "$3" --permissive --no-details
"""


class Peer(NamedTuple):
    """A running fapolicyd and the files it is asked about, as they are called in its namespace."""

    pid: int
    files: list[bytes]

    def pin(self, cpus: Cpus) -> None:
        """Let all its threads run on *cpus* only."""
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), cpus)


def unavailable() -> str:
    """Return why fapolicyd cannot be measured here; an empty string when it can."""
    if _program() is None:
        return "not installed"
    if not Path("/etc/fapolicyd").is_dir() or not Path("/var/lib/fapolicyd").is_dir():
        return "its directories are missing"
    if any(mount.fstype == _TYPE for mount in mountinfo.table()):
        return f"a filesystem of type {_TYPE} is mounted, which it would watch"
    return ""


@contextmanager
def fapolicyd(folder: Path, cpus: Cpus, *, writes: bool) -> Iterator[Peer]:
    """Start it on *cpus*; *folder* is made. *writes*: it writes a line for each decision to a file, as Shoumi does.

    Raises ``OSError`` when it does not get ready in time.
    """
    folder.mkdir(mode=0o755)
    files = _furnish(folder)
    said = folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*_PRIVATELY, _SCRIPT, "sh", str(folder), _program() or "", "--debug" if writes else "--debug-deny"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGKILL),
        )
    try:
        _await(process, said)
        peer = Peer(process.pid, files)
        peer.pin(cpus)
        yield peer
    finally:
        process.kill()  # it drops every mark with its group, and the namespace with it
        process.wait()


def _furnish(folder: Path) -> list[bytes]:
    for name in ("etc", "etc/rules.d", "etc/trust.d", "db", "mnt", "content"):
        (folder / name).mkdir(mode=0o755)
    (folder / "etc/fapolicyd.conf").write_text(_CONFIG)
    (folder / "etc/fapolicyd.trust").write_text("")
    plans = folder / "mnt" / "plans"
    (folder / "etc/compiled.rules").write_text(_RULES.format(uid=READER.uid, plans=plans))
    made = fill(folder / "content" / "plans")
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    tool = shutil.which("mke2fs", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin") or "mke2fs"
    subprocess.run([tool, "-q", "-F", "-t", _TYPE, "-d", str(folder / "content"), str(image)], check=True)
    return [os.fsencode(plans / os.fsdecode(os.path.basename(path))) for path in made]


def _await(process: "subprocess.Popen[bytes]", said: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while _READY not in (text := said.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > end:
            raise OSError(f"fapolicyd did not get ready: {text[-300:]}")
        time.sleep(0.02)  # it says so in a file, because a pipe would have to be emptied while it is measured


def _program() -> str | None:
    return shutil.which("fapolicyd", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
