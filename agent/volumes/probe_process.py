"""The process behind ``probe``: it guards one file of its own and reports the behaviour of the kernel.

Run as ``python -m agent.volumes.probe_process PATH FOLDER SECONDS``; prints one JSON line ``[name, works, why]`` for
each result as soon as it is known. Rules of this file: alarm(2) with its default action ends the process in any case,
without Python; while a mark is in place this process opens nothing on the volume and answers every event; only the
probe's own file is ever denied.
"""

import contextlib
import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Literal, NamedTuple

from agent.kernel import fanotify, mark_flags, mounting, subject
from agent.kernel import labels as label
from agent.volumes import probe_opener

Group = Literal["open", "access"]

_PATIENCE = 5.0  # seconds for one command of the opener, once it is ready
_EVERYWHERE = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM
_OPENS = fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR
_READS = fanotify.FAN_ACCESS_PERM | fanotify.FAN_ONDIR


class OpenResult(NamedTuple):
    """The opener's answer (a number or an error), and the thread ids of the events of its file, by group."""

    number: int
    error: str
    event_tids: dict[Group, list[int]]

    def refused(self, group: Group) -> str:
        """Return ``""`` when *group* got an event and its denial reached the opener, else the reason."""
        if not self.event_tids[group]:
            return "no-event"
        return "" if self.error == "EPERM" else self.error or "not-refused"


class Guard:
    """The probe's guard: two groups, one opener, one file in a directory of its own."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.identities = {(status.st_dev, status.st_ino) for status in map(os.stat, (file, os.path.dirname(file)))}
        self.groups: dict[Group, int] = {"open": fanotify.init(), "access": fanotify.init()}
        command = [sys.executable, "-I", "-S", probe_opener.__file__, file]
        self.opener = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.opener.stdin is not None
        assert self.opener.stdout is not None
        self.commands, self.answers = self.opener.stdin.fileno(), self.opener.stdout.fileno()
        os.read(self.answers, 256)  # it is ready

    def close(self) -> None:
        """Close everything. Closing a group answers the events that still wait."""
        for group in self.groups.values():
            os.close(group)
        self.opener.kill()
        self.opener.communicate()

    def mark(self, group: Group, flags: int, mask: int) -> str:
        """Place a mark on the file, or on its filesystem; return ``""`` or the ``errno`` name."""
        try:
            fanotify.mark(self.groups[group], flags, mask, self.file)
        except OSError as error:
            return _name(error)
        return ""

    def ignore(self) -> str:
        """Ignore the accesses of the file; return ``""`` or the ``errno`` name."""
        flags_known = mark_flags.known()
        flags = fanotify.FAN_MARK_ADD | (fanotify.FAN_MARK_EVICTABLE if flags_known.evictable else 0)
        try:
            mark_flags.ignore_access(self.groups["access"], flags, flags_known.access, self.file)
        except OSError as error:
            return _name(error)
        return ""

    def ask(self, command: str, deny: Group | None = None) -> OpenResult:
        """Send *command* to the opener and answer events meanwhile; *deny*: the group whose file events are denied."""
        os.write(self.commands, f"{command}\n".encode())
        tids: dict[Group, list[int]] = {"open": [], "access": []}
        deadline = time.monotonic() + _PATIENCE
        while (remaining := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([*self.groups.values(), self.answers], [], [], remaining)
            for group, descriptor in self.groups.items():
                if descriptor in ready:
                    for fd, tid in _events(descriptor):
                        if fd >= 0 and self._answer(descriptor, fd, denied=deny == group):
                            tids[group].append(tid)
            if self.answers in ready:
                answer = os.read(self.answers, 256).decode("ascii", "replace").split()
                if answer[:1] == ["ok"]:
                    return OpenResult(int(answer[1]), "", tids)
                return OpenResult(0, answer[0] if answer else "opener-died", tids)
        return OpenResult(0, "timeout", tids)

    def _answer(self, group: int, descriptor: int, *, denied: bool) -> bool:
        try:
            status = os.fstat(descriptor)
            ours = (status.st_dev, status.st_ino) in self.identities
            with contextlib.suppress(FileNotFoundError):  # the opener was killed in the meantime
                fanotify.respond(group, descriptor, fanotify.FAN_DENY if ours and denied else fanotify.FAN_ALLOW)
            return ours
        finally:
            os.close(descriptor)


def labels(file: str) -> str:
    """Try to label the file and to remove the label."""
    try:
        label.write(file, "probe")
        is_kept = label.read(file) == "probe"
        os.removexattr(file, label.ATTRIBUTE)
    except OSError as error:
        return _name(error)
    return "" if is_kept else "not-kept"


def opens(guard: Guard) -> None:
    """Deny an open, and check the reported thread. Marks the file only."""
    trouble = guard.mark("open", fanotify.FAN_MARK_ADD, fanotify.FAN_OPEN_PERM)
    say("open", trouble or guard.ask("open", deny="open").refused("open"))
    opened = guard.ask("thread")
    right = opened.event_tids["open"] == [opened.number] and opened.number != guard.opener.pid
    say("thread", "" if right else opened.error or "other-thread")


def uses(guard: Guard) -> None:
    """Deny each use of an open descriptor, where the kernel supports all uses. Marks the file only."""
    trouble = guard.mark("access", fanotify.FAN_MARK_ADD, fanotify.FAN_PRE_ACCESS) or guard.ask("open").error
    say("pre-access", trouble)
    for use in ("read", "write", "map", "truncate"):
        say(use, trouble or guard.ask(use, deny="access").refused("access"))
    forget(guard)
    _quiet_and_flush(guard, fanotify.FAN_PRE_ACCESS, ("quiet", "flush"))


def reads(guard: Guard) -> None:
    """Deny reads, where the kernel supports these only. Marks the filesystem, as the guard does."""
    older = guard.ask("open").error  # before the mark: the kernel may decide at the open whether reads are checked
    trouble = guard.mark("access", _EVERYWHERE, _READS)
    say("access", trouble)
    say("older", older or trouble or guard.ask("read", deny="access").refused("access"))
    guard.ask("open")
    say("access-read", trouble or guard.ask("read", deny="access").refused("access"))
    say("list", trouble or guard.ask("list", deny="access").refused("access"))
    forget(guard)
    _quiet_and_flush(guard, _READS, ("access-quiet", "access-flush"))


def _quiet_and_flush(guard: Guard, mask: int, names: tuple[str, str]) -> None:
    """Mark as the guard does: no event while ignored, denied after a flush."""
    trouble = guard.mark("access", _EVERYWHERE, mask) or guard.ask("open").error or guard.ignore()
    silence = guard.ask("read")
    say(names[0], trouble or silence.error or ("event" if silence.event_tids["access"] else ""))
    if not trouble:
        fanotify.flush_ignored(guard.groups["access"])
    say(names[1], trouble or guard.ask("read", deny="access").refused("access"))
    forget(guard)


def namespaces(guard: Guard) -> None:
    """Mark as the guard does, and deny an open from another namespace."""
    blind = guard.mark("open", _EVERYWHERE, _OPENS)
    unshared = guard.ask("leave")
    say("namespaces", blind or unshared.error or guard.ask("open", deny="open").refused("open"))


def forget(guard: Guard) -> None:
    """Remove all marks."""
    for group in guard.groups.values():
        for kind in (0, fanotify.FAN_MARK_FILESYSTEM):
            fanotify.mark(group, fanotify.FAN_MARK_FLUSH | kind, 0, "/")


def say(name: str, trouble: str) -> None:
    """Report one result."""
    print(json.dumps([name, not trouble, trouble]), flush=True)


def main() -> None:
    """Probe the volume of PATH in a directory of its own."""
    path, folder, seconds = sys.argv[1:4]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds))
    if mounting.hidden(path):
        mounting.lift_for_this_thread(path)
    place = os.path.join(path, folder)
    file = os.path.join(place, "probe")
    os.mkdir(place, 0o700)
    with open(file, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as probe_file:
        probe_file.write(bytes(8192))
    say("pidfd-info", "" if subject.pidfd_info_works() else "ENOTTY")
    say("label", labels(file))
    guard = Guard(file)
    try:
        opens(guard)
        forget(guard)
        uses(guard)
        reads(guard)
        namespaces(guard)
    finally:
        guard.close()


def _events(group: int) -> list[fanotify.Event]:
    try:
        return fanotify.events(fanotify.read(group, 4096))
    except (BlockingIOError, fanotify.UnreadableEventError):  # there was an event, which the kernel has denied
        return []


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "EIO")


if __name__ == "__main__":
    main()
