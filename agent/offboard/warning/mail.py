"""Mail to an account of this host: by the host's own ``sendmail``, else appended to the account's mail spool.

Rules of this file:
- ``sendmail`` is run only if root alone can have installed it; it is bounded in time, and its output is discarded;
- the spool (mbox, RFC 4155) is written by a child with the rights of the account alone: no right of the agent can be
  turned against a file that a user puts in its place. No link is followed, and only a regular file of the account is
  written;
- waiting is limited: a lock held by another process, or a spool on a server that is gone, costs some seconds, and the
  mail.

Sources: sendmail(1) of Postfix and Exim (``-i``), mbox(5), fcntl(2) locks, RFC 3834 (``Auto-Submitted``).
"""

import fcntl
import os
import pwd
import select
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from io import BytesIO
from pathlib import Path

from agent.offboard.steps.commands import ENVIRONMENT

SENDMAIL = (Path("/usr/sbin/sendmail"), Path("/usr/lib/sendmail"))
SPOOL = Path("/var/mail")
_SECONDS = 10.0
_LOCK = 3.0  # seconds a child tries to get the lock
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Mailed(StrEnum):
    """The way a mail was delivered. A word of the log."""

    SENDMAIL = "sendmail"
    SPOOL = "spool"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class MailBox:
    """An account that can be written to."""

    name: str
    uid: int
    gid: int


def mailbox_of(uid: int) -> MailBox | None:
    """Return the account *uid* as this host knows it; ``None`` when it does not, or has a name no mail goes to."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    plain = entry.pw_name and not entry.pw_name.startswith((".", "-")) and "/" not in entry.pw_name
    return MailBox(entry.pw_name, uid, entry.pw_gid) if plain and entry.pw_name.isprintable() else None


def deliver(
    to: MailBox,
    subject: str,
    lines: Sequence[str],
    now: datetime,
    sendmail: Sequence[Path] = SENDMAIL,
    spool: Path = SPOOL,
) -> Mailed:
    """Send *lines* to *to*; never raises for errors of the host's mail."""
    letter = _letter(to, subject, lines, now)
    program = next((path for path in sendmail if _is_roots(path)), None)
    if program and _sent(program, to, letter.as_bytes()):
        return Mailed.SENDMAIL
    with suppress(OSError):
        if _appended(to, spool, _mbox(letter, now)):
            return Mailed.SPOOL
    return Mailed.NOT


def _letter(to: MailBox, subject: str, lines: Sequence[str], now: datetime) -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = "Shoumi <root>"
    letter["To"] = to.name
    letter["Subject"] = subject
    letter["Date"] = format_datetime(now)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n".join(lines) + "\n")
    return letter


def _mbox(letter: EmailMessage, now: datetime) -> bytes:
    buffer = BytesIO()
    BytesGenerator(buffer, mangle_from_=True, policy=letter.policy.clone(linesep="\n")).flatten(letter)
    return f"From shoumi {now.astimezone(UTC):%a %b %e %H:%M:%S %Y}\n".encode() + buffer.getvalue() + b"\n"


def _is_roots(path: Path) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_uid == 0
        and not status.st_mode & _OTHERS
        and os.access(path, os.X_OK)
    )


def _sent(program: Path, to: MailBox, letter: bytes) -> bool:
    """Send as root: no right is gained any more in this process, and a mail system's setgid program would need one."""
    try:
        completed = subprocess.run(
            [program, "-i", "--", to.name],
            input=letter,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            env=ENVIRONMENT,
            cwd="/",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return completed.returncode == 0


def _appended(to: MailBox, spool: Path, letter: bytes) -> bool:
    at = os.open(spool, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if os.fstat(at).st_uid != 0:
            return False
        _begun(at, to)
        pid = os.fork()
        if pid == 0:
            _child(at, to, letter)
        return _ended(pid)
    finally:
        os.close(at)


def _begun(at: int, to: MailBox) -> None:
    """Create an empty spool if there is none yet, as the host's mail system would. Raises ``OSError``."""
    with suppress(FileExistsError):
        fd = os.open(to.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)
        try:
            os.fchown(fd, to.uid, to.gid)
        finally:
            os.close(fd)


def _child(at: int, to: MailBox, letter: bytes) -> None:
    """Be the account, append, and end. Never returns."""
    code = 1
    try:
        os.setgroups([])
        os.setresgid(to.gid, to.gid, to.gid)
        os.setresuid(to.uid, to.uid, to.uid)
        code = 0 if _append(at, to, letter) else 1
    finally:
        os._exit(code)


def _append(at: int, to: MailBox, letter: bytes) -> bool:
    how = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(to.name, how, dir_fd=at)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != to.uid or status.st_nlink != 1:
        return False
    deadline = time.monotonic() + _LOCK
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
    size = os.fstat(fd).st_size
    if os.write(fd, letter) == len(letter):
        return True
    os.ftruncate(fd, size)  # over a quota: half a letter is worse than none
    return False


def _ended(pid: int) -> bool:
    """Wait for the child, some seconds at the most, and tell whether it has done it."""
    pidfd = os.pidfd_open(pid)
    try:
        if not select.select([pidfd], [], [], _SECONDS)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        _, status = os.waitpid(pid, 0) if select.select([pidfd], [], [], 1.0)[0] else (0, 1)
    finally:
        os.close(pidfd)
    return os.waitstatus_to_exitcode(status) == 0
