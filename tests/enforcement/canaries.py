"""What the tests of canaries do to a guard, and how they see what the agent makes of it."""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from agent.demo.actors import attempt, reading
from agent.kernel import fanotify, mounting
from agent.offboard.steps.tasks import family
from tests.enforcement.scene import CLEARED, TOO_LOW, Scene, groups, until

PERIOD = 1.0  # twice as long after it was last seen a guard is unknown: also a busy machine must not take so long
SETTING = f"canary_seconds = {PERIOD}"
OPEN = fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR
ACCESS = fanotify.FAN_PRE_ACCESS


def seen(site: Scene, area: str = "plans") -> dict[str, Any]:
    """Return what the agent says was seen of *area*."""
    with site.asking() as agent:
        return dict(agent.call("area.show", area=area)["seen"])


def enforcing(site: Scene) -> bool:
    with site.asking() as agent:
        return bool(agent.call("status")["enforcing"])


def entries(site: Scene) -> list[dict[str, Any]]:
    """Return the entries of canaries since :meth:`Scene.mark`."""
    return [entry for entry in site.news() if entry["kind"] == "canary"]


def rounds(site: Scene, count: int = 2) -> None:
    """Wait until *count* more proofs were seen."""
    for _ in range(count):
        before = seen(site)["at"]
        until(lambda before=before: seen(site)["at"] != before)


def take_mark_away(site: Scene, mask: int) -> None:
    """Remove the filesystem mark that asks about *mask*, as whoever has the rights of root can."""
    assert _change(site, fanotify.FAN_MARK_REMOVE | fanotify.FAN_MARK_FILESYSTEM, mask)


@contextmanager
def excepted(site: Scene) -> Iterator[None]:
    """Have nobody asked who comes through the mount of the volume, though its mark stays where it is."""
    ignoring = fanotify.FAN_MARK_MOUNT | fanotify.FAN_MARK_IGNORED_MASK | fanotify.FAN_MARK_IGNORED_SURV_MODIFY
    assert _change(site, fanotify.FAN_MARK_ADD | ignoring, OPEN)
    try:
        yield
    finally:
        mounting.unhide(str(site.plans))  # to reach the mount; the watcher sees a change and the agent looks again
        _change(site, fanotify.FAN_MARK_REMOVE | ignoring, OPEN)


def _change(site: Scene, flags: int, mask: int) -> int:
    """Change marks of the holder's groups, as whoever has the rights of root can; return in how many groups."""
    assert site.site.agent is not None
    changed = 0
    for group in groups(site.site.agent.pid):
        with suppress(OSError):  # ENOENT: no such mark; EINVAL: the other group, which asks about other things
            fanotify.mark(group, flags, mask, site.site.root)
            changed += 1
    return changed


def covered(site: Scene) -> bool:
    return mounting.hidden(str(site.plans))


@contextmanager
def mended(site: Scene, *whys: str) -> Iterator[list[dict[str, Any]]]:
    """Break the guard inside. Afterwards: the area was covered, there was an alarm, and it is guarded again.

    Yields a list that has, after the block, the alarms: a canary's for one of the reasons *whys*, or the notice that
    the mark was not there any more, whichever came first.
    """
    alarms: list[dict[str, Any]] = []
    with _covers(site) as came:
        yield alarms
        until(came.is_set)

        def told() -> bool:
            alarms[:] = [entry for entry in site.news() if entry["kind"] in ("canary", "volume") and entry.get("alarm")]
            return bool(alarms)

        until(told)
    assert not {entry.get("why") for entry in alarms} - {*whys, "unguarded", None}
    assert {entry["area"] for entry in alarms} == {"plans"}
    until(lambda: not covered(site))
    until(lambda: enforcing(site))
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).allowed
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"


@contextmanager
def _covers(site: Scene) -> Iterator[threading.Event]:
    """Notice a cover however soon it goes: the kernel tells of each change of the mount table."""
    came, end = threading.Event(), threading.Event()
    table = os.open("/proc/self/mountinfo", os.O_RDONLY)
    poll = select.poll()
    poll.register(table, select.POLLPRI)

    def watch() -> None:
        while not end.is_set():
            if covered(site):
                came.set()
            poll.poll(100)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield came
    finally:
        end.set()
        thread.join()
        os.close(table)


def canary_of(control: int) -> int | None:
    """Return the pid of a canary of the process *control* that lives now."""
    # By the lists of children alone: a canary is over within milliseconds, and psutil looks at every process there is.
    for pid in family({control}) - {control}:
        with suppress(OSError):
            if b"canary/opener.py\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return None


@contextmanager
def stopping(site: Scene) -> Iterator[set[int]]:
    """Stop each canary as soon as it is there; yields those that were."""
    over, stopped, control = threading.Event(), set[int](), site.site.process("control")

    def stop_them() -> None:
        while not over.wait(0.001):
            if (pid := canary_of(control)) and pid not in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    stopped.add(pid)

    stopper = threading.Thread(target=stop_them)
    stopper.start()
    try:
        yield stopped
    finally:
        over.set()
        stopper.join()


@contextmanager
def denying(site: Scene, uids: range) -> Iterator[None]:
    """Have another listener refuse whoever is one of *uids* on the volume, and let everybody else pass."""
    group = fanotify.init()
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            try:
                waiting = fanotify.events(os.read(group, 4096))
            except BlockingIOError:
                over.wait(0.001)
                continue
            for fd, tid in waiting:
                uid = -1
                with suppress(OSError, StopIteration):  # it was killed while it waited
                    status = Path(f"/proc/{tid}/status").read_bytes()
                    uid = int(next(line for line in status.splitlines() if line.startswith(b"Uid:")).split()[4])
                with suppress(OSError):
                    fanotify.respond(group, fd, fanotify.FAN_DENY if uid in uids else fanotify.FAN_ALLOW)
                os.close(fd)

    fanotify.mark(group, fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM, OPEN, site.site.root)
    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.close(group)
