"""What a kernel must do for the tier it gives, tried inside a guest: ``python -m tests.long.guest_checks [--short]``.

It says ``CHECK name ok|failed what was seen`` as it goes, and ``RESULT`` with everything as JSON at its end.

Rules of this file: everything runs as root on volumes of its own, through the demo's own site: a real agent, real
people. It is made for a machine on which Python is twenty times slower, so it starts one agent, waits for events and
never for time, and is patient. A check that goes wrong is told, and the next one follows.
"""

import json
import os
import sys
import threading
import time
from contextlib import suppress
from ctypes import CDLL
from pathlib import Path

from agent.demo import cast, cutting, stage, story, traffic
from agent.demo.cast import DRAWINGS
from agent.demo.live import Live, playing
from agent.demo.narrate import Printer
from agent.demo.scene import perform
from agent.doctor import offline_checks
from agent.kernel import fanotify, mark_flags
from agent.kernel.subject import Tasks, pidfd_info_works
from agent.simulator import volume_image
from agent.volumes import probe
from tests.long.guest_logins import immutable
from tests.long.guest_losses import cut, hold, kill, remount
from tests.long.guest_seen import Checks, Seen

PATIENCE = 400.0
_SETTINGS = ("heartbeat_seconds = 120",)
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
_UID = 61_780


def main(argv: list[str]) -> int:
    """Make all checks; 0: each held."""
    short = "--short" in argv
    _be_patient()
    checks = Checks()
    checks.result |= {"flags": _flags(), "short": short}
    with checks.guarded("doctor"):
        _doctor(checks)
    with checks.guarded("thread"):
        _thread(checks)
    if not short:
        with checks.guarded("probe"):
            _probe(checks)
    with checks.guarded("site"), stage.stage(cast.PACK, settings=_SETTINGS) as made, playing(made, doors=False) as site:
        tier = site.tiers[DRAWINGS.id]
        checks.result["tier"] = tier
        checks.check("site", held=made.ready.startswith("ready "), seen=made.ready)
        for name, act in (("scenes", _scenes), ("cut", cut), ("hold", hold), ("kill", kill), ("remount", remount)):
            with checks.guarded(name):
                act(checks, made, site)
    with checks.guarded("immutable"):
        immutable(checks)  # for good: nobody can play another login in this guest afterwards
    print("RESULT", json.dumps(checks.result), flush=True)
    return int("failed" in checks.result["checks"].values())


def _be_patient() -> None:
    for module, name in (
        *((stage, "START_SECONDS"), (traffic, "PATIENCE"), (cutting, "PATIENCE"), (probe, "SECONDS")),
    ):
        assert hasattr(module, name)
        setattr(module, name, PATIENCE)
    story.AUTHORISED_SECONDS = 12.0
    traffic._KILLS, traffic._BETWEEN, traffic._PACE = 2, 20, 0.05  # noqa: SLF001 - less traffic for a slow machine
    cutting.ENOUGH = 30


def _flags() -> Seen:
    """Return which of the younger flags and calls this kernel has."""
    known = mark_flags.known()
    try:
        os.close(fanotify.init(fanotify.GROUP_FLAGS | fanotify.OPTIONAL_FLAGS, 0))
        fd_error = True
    except OSError:
        fd_error = False
    return {
        "FAN_REPORT_FD_ERROR": fd_error,
        "FAN_MARK_EVICTABLE": known.evictable,
        "FAN_ACCESS_PERM": bool(known.access & fanotify.FAN_ACCESS_PERM),
        "FAN_PRE_ACCESS": bool(known.access & fanotify.FAN_PRE_ACCESS),
        "PIDFD_GET_INFO": pidfd_info_works(),
    }


def _doctor(checks: Checks) -> None:
    """What ``shoumi doctor`` says of the host: nothing that is needed is missing."""
    lacks = [finding.code for finding in offline_checks.host() if finding.state == "serious"]
    checks.check("doctor", held=not lacks, seen=", ".join(lacks))


def _thread(checks: Checks) -> None:
    """A thread is told from its successor under the same number, which a new thread is made to get."""
    tasks = Tasks(pidfd_info=pidfd_info_works())
    for _ in range(100):
        first = _Worker(_UID)
        old = os.open(f"/proc/{first.tid}", os.O_PATH | os.O_DIRECTORY)
        before = tasks.identify(first.tid).fsuid
        first.end()
        _LAST_PID.write_text(str(first.tid - 1))
        second = _Worker(_UID + 1)
        try:
            if second.tid == first.tid:
                after, stale = tasks.identify(second.tid).fsuid, _reads(old)
                seen = f"{before}, then {after}; the older descriptor {'reads' if stale else 'is dead'}"
                checks.check("thread", held=(before, after, stale) == (_UID, _UID + 1, False), seen=seen)
                return
        finally:
            second.end()
            os.close(old)
    checks.check("thread", held=False, seen="no number was given twice")


class _Worker:
    """A thread with a filesystem uid of its own, until :meth:`end`."""

    def __init__(self, uid: int) -> None:
        self._told, self._ended = threading.Event(), threading.Event()
        self.tid = 0
        self._thread = threading.Thread(target=self._run, args=(uid,))
        self._thread.start()
        self._told.wait()

    def _run(self, uid: int) -> None:
        CDLL(None).setfsuid(uid)
        self.tid = threading.get_native_id()
        self._told.set()
        self._ended.wait()

    def end(self) -> None:
        """End it, and wait until the kernel has forgotten its number."""
        self._ended.set()
        self._thread.join()
        while Path(f"/proc/self/task/{self.tid}").exists():
            time.sleep(0.001)


def _reads(directory: int) -> bool:
    with suppress(OSError):
        fd = os.open("status", os.O_RDONLY, dir_fd=directory)
        with open(fd, "rb") as file:
            return bool(file.read())
    return False


def _probe(checks: Checks) -> None:
    for fstype in ("ext4", "xfs"):
        with volume_image.volume(fstype) as volume:
            found = probe.probe(str(volume.point), int(PATIENCE))
        checks.result.setdefault("works", {})[fstype] = {item.name: item.works for item in found.items}
        tier = probe.tier_of(found, "dedicated")
        lacks = ", ".join(f"{item.name} ({item.reason})" for item in found.items if not item.works)
        checks.check(f"probe-{fstype}", held=tier not in ("none", "C"), seen=f"tier {tier}; not: {lacks or 'nothing'}")


def _scenes(checks: Checks, _made: stage.DemoStage, site: Live) -> None:
    printer = Printer(sys.stdout, "en", story.FILE_SCENES, colour=False, rehearsal=False)
    failures = perform(story.FILE_SCENES, site, printer)
    lines = sum(len(scene.steps) for scene in story.FILE_SCENES)
    checks.check("scenes", held=not failures, seen=f"{lines - failures} of {lines} lines held")
    denials = [entry for entry in site.entries() if entry.get("verdict") == "deny"]
    allows = [entry for entry in site.entries() if entry.get("verdict") == "allow" and entry["kind"] == "access"]
    checks.check("denial", held=bool(denials), seen=f"{len(denials)} entries")
    checks.check("allow", held=bool(allows), seen=f"{len(allows)} entries")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
