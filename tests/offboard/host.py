"""A made-up host in a directory, people who are uids nobody has, and the context a revocation gets.

Rules of this file: real processes, but only under uids of 62400 to 62499, each taken by one test at a time.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.kernel import open_files
from agent.kernel.walk import walk
from agent.offboard.context import AreaPath, DenialAck, RevocationContext, RevocationSubject
from agent.offboard.guardrails import Rails
from agent.offboard.steps import places
from agent.offboard.steps.ending import ProcessTerminator, TerminationResult

LOCKS = Path("/run/lock")


@contextmanager
def unused_uid() -> Iterator[int]:
    """Take a uid that nobody has, for this test alone."""
    for uid in range(62400, 62500):
        fd = os.open(LOCKS / f"shoumi-test-uid-{uid}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            continue
        try:
            yield uid
        finally:
            os.close(fd)
        return
    raise AssertionError("no uid is free")


def now() -> datetime:
    return datetime.now(UTC)


class Child:
    """A process of somebody: forked, became *uid* with login uid *login*, then does *act* until it is killed."""

    def __init__(
        self,
        uid: int,
        login: int | None,
        act: Callable[[], object] = signal.pause,
        ready: bool = True,
        groups: Sequence[int] = (),
    ) -> None:
        told, telling = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(told)
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(120)  # the last resort
                if login is not None:
                    Path("/proc/self/loginuid").write_text(str(login))
                if uid:
                    os.setgroups(groups)
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                os.write(telling, b"!")
                act()
            finally:
                os._exit(0)
        os.close(telling)
        assert not ready or os.read(told, 1) == b"!"
        os.close(told)
        self._reaped = False

    @property
    def alive(self) -> bool:
        """Whether it still runs; reaps it if it has ended."""
        if not self._reaped and os.waitpid(self.pid, os.WNOHANG)[0]:
            self._reaped = True
        return not self._reaped

    def end(self) -> None:
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self._reaped = True


@contextmanager
def child(
    uid: int, login: int | None = None, act: Callable[[], object] = signal.pause, *, ready: bool = True
) -> Iterator[Child]:
    """A child of *uid* that does *act*. Not *ready*: it may be killed before it has begun."""
    made = Child(uid, login, act, ready)
    try:
        yield made
    finally:
        made.end()


def end(uid: int, rails: Rails | None = None, **more: object) -> TerminationResult:
    """End everything of *uid*, as the steps of a revocation do."""
    protected = rails or Rails(frozenset({os.getpid()}))
    [ended] = ProcessTerminator([[uid]], lambda: protected, now, **more).run(5.0)  # type: ignore[arg-type]
    return ended


def chain(seconds: float = 60.0) -> None:
    """Fork and exit, every half millisecond, for ever: nobody lives long enough to be found by listing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.0005)
        if os.fork():
            os._exit(0)


def reach(pid: int, name: str, seconds: float = 30.0) -> None:
    """Wait until process *pid* has state *name* (a letter)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if f"\nState:\t{name}" in Path(f"/proc/{pid}/status").read_text():
            return
        os.sched_yield()
    raise AssertionError(f"{pid} never got to {name}")


def context(home: Path, **more: Any) -> RevocationContext:
    """Return the context of a made-up host below *home*: ``host`` is its root, ``seized`` what was moved aside."""
    found = RevocationContext(
        seized=home / "seized",
        deny=lambda _person: DenialAck(7, datetime.now(UTC)),
        now=now,
        append=lambda _fields: 0,
        own=lambda _pid: None,
        areas=tuple,
        devices=frozenset,
        held=open_files.held,
        area_of=lambda _held: "",
        uncut=lambda found: found.how == "map",
        walk=walk,
        rails=lambda: Rails(frozenset({os.getpid()})),
        owner=lambda _uid: None,
        taken=tuple,
        doors=None,
        end_sessions=lambda: False,
        stop_units=lambda: False,
        patience=5.0,
        may=lambda _uid, _area: False,
        denials=None,
        root=home / "host",
    )
    return replace(found, **more)


def leaver(home: Path, uid: int, *uids: int) -> RevocationSubject:
    return RevocationSubject("E1001", places.accounts((uid, *uids), home / "host"))


def furnish(home: Path, uid: int, name: str = "zhang") -> Path:
    """Make a host below *home* with one account that has everything; return its root."""
    root = home / "host"
    house = root / "home" / name
    files = {
        "etc/passwd": f"root:x:0:0::/root:/bin/sh\n{name}:x:{uid}:{uid}::/home/{name}:/bin/sh\n"
        f"li:x:{uid + 100}:{uid + 100}::/home/li:/bin/sh\n",
        "etc/shadow": f"root:*:19000:0:99999:7:::\n{name}:$6$x$y:19000:0:99999:7:::\nli:$6$x$y:19000:0:99999:7:::\n",
        "etc/group": f"root:x:0:\n{name}:x:{uid}:\n",
        "var/spool/cron/crontabs/li": "* * * * * true\n",
        f"var/spool/cron/crontabs/{name}": "*/5 * * * * cat /srv/plans/a\n",
        "var/spool/cron/atjobs/a0000101": "#!/bin/sh\n",
        "var/spool/cron/atjobs/a0000202": "#!/bin/sh\n",
        f"var/lib/systemd/linger/{name}": "",
        f"run/sudo/ts/{name}": "stamp",
        f"tmp/krb5cc_{uid}": "ticket",
        f"home/{name}/.ssh/authorized_keys": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc me@home\n",
        f"home/{name}/.config/systemd/user/copy.timer": "[Timer]\nOnBootSec=1\n",
        f"home/{name}/.config/systemd/user/timers.target.wants/copy.timer": "[Timer]\n",
        f"home/{name}/.config/autostart/copy.desktop": "[Desktop Entry]\n",
        f"home/{name}/notes.txt": "stays",
        "home/li/.ssh/authorized_keys": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIother li@home\n",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for path in (house, *house.rglob("*"), root / "tmp" / f"krb5cc_{uid}", root / "var/spool/cron/atjobs/a0000101"):
        os.chown(path, uid, uid, follow_symlinks=False)
    os.chown(root / "var/spool/cron/crontabs" / name, uid, 0)
    (root / "etc/shadow").chmod(0o600)
    return root


def picture(top: Path) -> dict[str, tuple[object, ...]]:
    """Return everything below *top*: kind and mode, owner, and bytes or what a link says."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(top.rglob("*")):
        about = path.lstat()
        inside: str | bytes | None = None
        if path.is_symlink():
            inside = str(path.readlink())
        elif path.is_file():
            inside = path.read_bytes()
        acl = _acl(path)
        found[str(path.relative_to(top))] = (oct(about.st_mode), about.st_uid, about.st_gid, inside, acl)
    return found


def _acl(path: Path) -> bytes | None:
    try:
        return os.getxattr(path, "system.posix_acl_access", follow_symlinks=False)
    except OSError:
        return None


def area(home: Path, uid: int) -> AreaPath:
    """Make a small area with a file of *uid*'s own, a hard link, a link, a fifo and a default ACL."""
    top = home / "plans"
    (top / "deep").mkdir(parents=True)
    (top / "a.txt").write_text("secret")
    (top / "deep" / "mine.txt").write_text("by the leaver")
    os.chown(top / "deep" / "mine.txt", uid, uid)
    os.link(top / "a.txt", home / "outside.txt")
    os.link(top / "deep" / "mine.txt", home / "outside-mine.txt")
    (top / "link").symlink_to("a.txt")
    os.mkfifo(top / "fifo")
    for path in (top, top / "deep"):
        path.chmod(0o777)
    (top / "a.txt").chmod(0o664)
    return AreaPath("plans", str(top))


def owners(home: Path, case: str) -> list[dict[str, Any]]:
    lines = (home / "seized" / case / "owners.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]
