"""The process behind ``probe``: it plays guard for one file of its own and reports what the kernel does.

Run as ``python -m agent.volumes.probe_process PATH FOLDER SECONDS``; prints one JSON line ``[name, works, why]`` for
each finding as soon as it is known. Rules of this file: alarm(2) with its default action is the dead-man's handle and
needs no Python to work; while a mark is in place this process opens nothing on the volume and answers every event; only
the probe's own file is ever denied.
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

_PATIENCE = 5.0  # seconds for one command of the opener, once it is up
_EVERYWHERE = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM
_OPENS = fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR
_READS = fanotify.FAN_ACCESS_PERM | fanotify.FAN_ONDIR


class OpenResult(NamedTuple):
    """What the opener answered (``ok`` and a number, or an error) and which events of its file came, as thread ids."""

    number: int
    error: str
    asked: dict[Group, list[int]]

    def refused(self, group: Group) -> str:
        """Return ``""`` when the denial in *group* was asked for and reached the opener, else what went wrong."""
        if not self.asked[group]:
            return "no-event"
        return "" if self.error == "EPERM" else self.error or "not-refused"


class Guard:
    """Two groups, one opener, one file in a folder of our own."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.identities = {(found.st_dev, found.st_ino) for found in map(os.stat, (file, os.path.dirname(file)))}
        self.groups: dict[Group, int] = {"open": fanotify.init(), "access": fanotify.init()}
        command = [sys.executable, "-I", "-S", probe_opener.__file__, file]
        self.opener = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.opener.stdin is not None
        assert self.opener.stdout is not None
        self.commands, self.answers = self.opener.stdin.fileno(), self.opener.stdout.fileno()
        os.read(self.answers, 256)  # it is up

    def close(self) -> None:
        """Let go of everything. Closing a group answers whatever still waits."""
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
        """Have the file's accesses ignored; return ``""`` or the ``errno`` name."""
        known = mark_flags.known()
        flags = fanotify.FAN_MARK_ADD | (fanotify.FAN_MARK_EVICTABLE if known.evictable else 0)
        try:
            mark_flags.ignore_access(self.groups["access"], flags, known.access, self.file)
        except OSError as error:
            return _name(error)
        return ""

    def ask(self, command: str, deny: Group | None = None) -> OpenResult:
        """Let the opener do *command* and answer the kernel meanwhile; *deny* refuses the file's events in a group."""
        os.write(self.commands, f"{command}\n".encode())
        asked: dict[Group, list[int]] = {"open": [], "access": []}
        deadline = time.monotonic() + _PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([*self.groups.values(), self.answers], [], [], left)
            for group, descriptor in self.groups.items():
                if descriptor in ready:
                    for fd, tid in _events(descriptor):
                        if fd >= 0 and self._answer(descriptor, fd, denied=deny == group):
                            asked[group].append(tid)
            if self.answers in ready:
                said = os.read(self.answers, 256).decode("ascii", "replace").split()
                if said[:1] == ["ok"]:
                    return OpenResult(int(said[1]), "", asked)
                return OpenResult(0, said[0] if said else "opener-died", asked)
        return OpenResult(0, "timeout", asked)

    def _answer(self, group: int, descriptor: int, *, denied: bool) -> bool:
        try:
            found = os.fstat(descriptor)
            ours = (found.st_dev, found.st_ino) in self.identities
            with contextlib.suppress(FileNotFoundError):  # the opener was killed meanwhile
                fanotify.respond(group, descriptor, fanotify.FAN_DENY if ours and denied else fanotify.FAN_ALLOW)
            return ours
        finally:
            os.close(descriptor)


def labels(file: str) -> str:
    """Try to label and to unlabel the file."""
    try:
        label.write(file, "probe")
        kept = label.read(file) == "probe"
        os.removexattr(file, label.ATTRIBUTE)
    except OSError as error:
        return _name(error)
    return "" if kept else "not-kept"


def opens(guard: Guard) -> None:
    """Deny an open, and see which thread asks. Marks the file only."""
    trouble = guard.mark("open", fanotify.FAN_MARK_ADD, fanotify.FAN_OPEN_PERM)
    say("open", trouble or guard.ask("open", deny="open").refused("open"))
    seen = guard.ask("thread")
    right = seen.asked["open"] == [seen.number] and seen.number != guard.opener.pid
    say("thread", "" if right else seen.error or "other-thread")


def uses(guard: Guard) -> None:
    """Deny each use of a descriptor that is already open, where the kernel asks about all. Marks the file only."""
    trouble = guard.mark("access", fanotify.FAN_MARK_ADD, fanotify.FAN_PRE_ACCESS) or guard.ask("open").error
    say("pre-access", trouble)
    for use in ("read", "write", "map", "truncate"):
        say(use, trouble or guard.ask(use, deny="access").refused("access"))
    forget(guard)
    _quiet_and_flush(guard, fanotify.FAN_PRE_ACCESS, ("quiet", "flush"))


def reads(guard: Guard) -> None:
    """Deny reads where the kernel asks about these only. The filesystem is marked, as for the guard."""
    older = guard.ask("open").error  # before the mark: the kernel may decide at an open whether it will ever ask
    trouble = guard.mark("access", _EVERYWHERE, _READS)
    say("access", trouble)
    say("older", older or trouble or guard.ask("read", deny="access").refused("access"))
    guard.ask("open")
    say("access-read", trouble or guard.ask("read", deny="access").refused("access"))
    say("list", trouble or guard.ask("list", deny="access").refused("access"))
    forget(guard)
    _quiet_and_flush(guard, _READS, ("access-quiet", "access-flush"))


def _quiet_and_flush(guard: Guard, mask: int, names: tuple[str, str]) -> None:
    """Mark as the guard does: quiet while ignored, cut when flushed."""
    trouble = guard.mark("access", _EVERYWHERE, mask) or guard.ask("open").error or guard.ignore()
    silence = guard.ask("read")
    say(names[0], trouble or silence.error or ("event" if silence.asked["access"] else ""))
    if not trouble:
        fanotify.flush_ignored(guard.groups["access"])
    say(names[1], trouble or guard.ask("read", deny="access").refused("access"))
    forget(guard)


def namespaces(guard: Guard) -> None:
    """Mark as the guard does, and deny an open from another namespace."""
    blind = guard.mark("open", _EVERYWHERE, _OPENS)
    left = guard.ask("leave")
    say("namespaces", blind or left.error or guard.ask("open", deny="open").refused("open"))


def forget(guard: Guard) -> None:
    """Take all marks away."""
    for group in guard.groups.values():
        for kind in (0, fanotify.FAN_MARK_FILESYSTEM):
            fanotify.mark(group, fanotify.FAN_MARK_FLUSH | kind, 0, "/")


def say(name: str, trouble: str) -> None:
    """Report one finding."""
    print(json.dumps([name, not trouble, trouble]), flush=True)


def main() -> None:
    """Probe the volume of PATH in a folder of our own."""
    path, folder, seconds = sys.argv[1:4]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds))
    if mounting.hidden(path):
        mounting.lift_for_this_thread(path)
    place = os.path.join(path, folder)
    file = os.path.join(place, "probe")
    os.mkdir(place, 0o700)
    with open(file, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as made:
        made.write(bytes(8192))
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
    except (BlockingIOError, fanotify.UnreadableEventError):  # there was one, and the kernel has denied it
        return []


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "EIO")


if __name__ == "__main__":
    main()
