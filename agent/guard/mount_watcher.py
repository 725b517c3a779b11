"""The mount watcher: it immediately covers every path that shows an area without a guard (contract C11).

Started by the holder as ``python -I -m agent.guard.mount_watcher HOME HOLDER GROUP channel=FD life=FD``: HOLDER is a
process id and GROUP the number of the *open* group there, whose ``fdinfo`` tells which filesystems carry a mark. The
kernel wakes it when the mount table changes; besides, it checks every second.

Rules of this file: it covers and never uncovers; only the control process does that, when the marks are placed and a
canary was refused. It holds no group, so its death opens nothing and its life blocks nothing. It keeps a detached mount
of each guarded volume: the marks stay when the volume is unmounted and mounted again.
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

_SWEEP = 1000  # milliseconds between two checks when nothing changes
_MARKED = re.compile(r"^fanotify sdev:([0-9a-f]+) ", re.MULTILINE)


class MountWatcher:
    """The watcher of the agent at *home*. *fdinfo* is that of the open group."""

    def __init__(self, home: Home, fdinfo: Path) -> None:
        self._home = home
        self._fdinfo = fdinfo
        self._clones: dict[Device, int] = {}

    def cover_exposed(self) -> list[Exposure]:
        """Cover every exposed path; return what was covered. Never raises."""
        places = cover.read_list(self._home.covers)
        guarded = self._guarded()
        rows = mountinfo.table()
        exposed = exposures(rows, places, guarded)
        covered = [exposure for exposure in exposed if _cover(exposure, self._home)]
        self._keep(rows, places, guarded)
        return covered

    def close(self) -> None:
        """Release every volume."""
        for tree in self._clones.values():
            os.close(tree)
        self._clones.clear()

    def _guarded(self) -> frozenset[Device]:
        try:
            text = self._fdinfo.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):  # the holder is gone: nothing is guarded, and other processes hide it
            return frozenset()
        numbers = (int(device_hex, 16) for device_hex in _MARKED.findall(text))
        return frozenset((number >> 20, number & 0xFFFFF) for number in numbers)  # the kernel's own dev_t

    def _keep(self, rows: tuple[Mount, ...], places: tuple[GuardedPlace, ...], guarded: frozenset[Device]) -> None:
        guarded_rows = {device: row for row in reversed(mounting.uncovered(rows)) if (device := row.device) in guarded}
        released = {place.device for place in places if not place.hold} - {held.device for held in places if held.hold}
        for device in [*self._clones]:
            if device not in guarded or device in released:
                os.close(self._clones.pop(device))
        for device, row in guarded_rows.items():
            if device not in self._clones and device not in released:
                with contextlib.suppress(OSError):
                    if mountinfo.mount_id(row.point) == row.id:  # nothing is mounted over it
                        self._clones[device] = mount_clone.clone(row.point)


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
    """Cover every listed area that exists, as if nothing were guarded: the first act of a fresh holder."""
    with contextlib.suppress(OSError, ValueError):
        for exposure in exposures(mountinfo.table(), cover.read_list(home.covers), frozenset()):
            _cover(exposure, home)


def main(argv: list[str]) -> int:
    """Watch until the holder is gone; return the exit code."""
    home = Home(Path(argv[0]))
    fds = {name: int(fd) for name, _, fd in (argument.partition("=") for argument in argv[3:])}
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
        requests = list(iter(lambda: channel.receive(end), None))  # before the check, which then has the list
        try:
            covered = watcher.cover_exposed()
        except (OSError, ValueError) as error:
            say(f"shoumi: watcher: {error}")
            covered = []
        for exposure in covered:
            _tell(end, {"op": "covered", "path": exposure.path, "area": exposure.area, "why": exposure.why,
                        "device": list(exposure.device), "after_ms": (time.monotonic() - woken) * 1000})  # fmt: skip
        for message in requests:
            _tell(end, {"id": message.get("id"), "looked": True})
        ready = dict(poll.poll(_SWEEP))
        if fds["life"] in ready:
            watcher.close()
            end.close()
            return 0


def _tell(end: socket.socket, message: channel.Packet) -> None:
    with contextlib.suppress(OSError):  # a control process that does not read sees it in the mount table
        channel.send(end, message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
