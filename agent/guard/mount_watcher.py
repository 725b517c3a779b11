"""The mount watcher: covers, at once, whatever shows an area and is not guarded (contract C11).

Started by the holder as ``python -I -m agent.guard.mount_watcher HOME HOLDER GROUP channel=FD life=FD``: HOLDER is a
process id and GROUP the number of the *open* group there, whose ``fdinfo`` tells which filesystems carry a mark. The
kernel wakes us when the mount table changes; besides, we look every second.

Rules of this file: it covers and never uncovers; only the control process does that, when the marks are placed and a
canary was refused. It holds no group, so its death opens nothing, and its life holds nobody. It keeps a detached mount
of each guarded volume: the marks stay when somebody unmounts it and mounts it again.
"""

import contextlib
import os
import re
import select
import socket
import sys
import time
from pathlib import Path

from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.kernel import cover, mount_clone, mountinfo, mounting, volume_lock
from agent.kernel.cover import GuardedPlace
from agent.kernel.exposure import Exposure, exposures
from agent.kernel.mountinfo import Device, Mount
from agent.runtime import channel
from agent.runtime.home import Home
from agent.runtime.saying import say

_SWEEP = 1000  # milliseconds between two looks when nothing changes
_MARKED = re.compile(r"^fanotify sdev:([0-9a-f]+) ", re.MULTILINE)


class MountWatcher:
    """One watcher of the agent at *home*. *fdinfo* is that of the open group."""

    def __init__(self, home: Home, fdinfo: Path) -> None:
        self._home = home
        self._fdinfo = fdinfo
        self._kept: dict[Device, int] = {}

    def look(self) -> list[Exposure]:
        """Cover what is exposed now; return what was covered. Never raises."""
        places = cover.read_list(self._home.covers)
        guarded = self._guarded()
        rows = mountinfo.table()
        found = exposures(rows, places, guarded)
        covered = [exposure for exposure in found if _cover(exposure, self._home)]
        self._keep(rows, places, guarded)
        return covered

    def close(self) -> None:
        """Let go of every volume."""
        for tree in self._kept.values():
            os.close(tree)
        self._kept.clear()

    def _guarded(self) -> frozenset[Device]:
        try:
            text = self._fdinfo.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):  # the holder is gone: nothing is guarded, and somebody else hides it
            return frozenset()
        numbers = (int(found, 16) for found in _MARKED.findall(text))
        return frozenset((number >> 20, number & 0xFFFFF) for number in numbers)  # the kernel's own dev_t

    def _keep(self, rows: tuple[Mount, ...], places: tuple[GuardedPlace, ...], guarded: frozenset[Device]) -> None:
        shown = {device: row for row in reversed(mounting.uncovered(rows)) if (device := row.device) in guarded}
        released = {place.device for place in places if not place.hold} - {one.device for one in places if one.hold}
        for device in [*self._kept]:
            if device not in guarded or device in released:
                os.close(self._kept.pop(device))
        for device, row in shown.items():
            if device not in self._kept and device not in released:
                with contextlib.suppress(OSError):
                    if mountinfo.mount_id(row.point) == row.id:  # nothing is mounted over it
                        self._kept[device] = mount_clone.clone(row.point)


def _cover(exposure: Exposure, home: Home) -> bool:
    try:
        if volume_lock.owner(exposure.device) not in (None, str(home.root)):
            return False  # another agent guards that filesystem
        if exposure.why == "beneath" and not _is_there(exposure.path):
            return False
        mounting.hide(exposure.path)
    except OSError as error:
        say(f"shoumi: watcher: `{exposure.path}` could not be covered: {error.strerror}")
        return False
    return True


def _is_there(path: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(path).is_dir()
    return False


def cover_exposed(home: Home) -> None:
    """Cover every listed area that is there, as if nothing were guarded: what a fresh holder does first."""
    with contextlib.suppress(OSError, ValueError):
        for exposure in exposures(mountinfo.table(), cover.read_list(home.covers), frozenset()):
            _cover(exposure, home)


def main(argv: list[str]) -> int:
    """Watch until the holder is gone; return the exit code."""
    home = Home(Path(argv[0]))
    fds = {name: int(fd) for name, _, fd in (word.partition("=") for word in argv[3:])}
    confine(process_rights.WATCHER, say)
    watcher = MountWatcher(home, Path(f"/proc/{int(argv[1])}/fdinfo/{int(argv[2])}"))
    end = socket.socket(fileno=fds["channel"])
    table = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
    poll = select.poll()
    poll.register(table, select.POLLPRI)
    for fd in (end.fileno(), fds["life"]):
        poll.register(fd, select.POLLIN)
    while True:
        woken = time.monotonic()
        asked = list(iter(lambda: channel.receive(end), None))  # before the look, so that the look has seen the list
        try:
            covered = watcher.look()
        except (OSError, ValueError) as error:
            say(f"shoumi: watcher: {error}")
            covered = []
        for exposure in covered:
            _tell(end, {"op": "covered", "path": exposure.path, "area": exposure.area, "why": exposure.why,
                        "device": list(exposure.device), "after_ms": (time.monotonic() - woken) * 1000})  # fmt: skip
        for message in asked:
            _tell(end, {"id": message.get("id"), "looked": True})
        ready = dict(poll.poll(_SWEEP))
        if fds["life"] in ready:
            watcher.close()
            end.close()
            return 0


def _tell(end: socket.socket, message: channel.Message) -> None:
    with contextlib.suppress(OSError):  # a control process that does not read learns it from the mount table
        channel.send(end, message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
