"""Whatever happens to a mount, an area is guarded, and seen to be, or closed (contract C11).

Each test does to the volume what an administrator, an automounter or an accident does, and then asks the only question
that counts: does somebody uncleared get in, and does the record name them?
"""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import Actor, acting, attempt, reading
from agent.kernel import mountinfo, mounting
from agent.simulator import volume_image
from tests.enforcement import canaries, syscalls
from tests.enforcement.scene import CLEARED, SIZE, TOO_LOW, UNKNOWN, Scene, error_of, scene, until, write, writing

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-volumes")]

MS_REMOUNT, MS_RDONLY = 32, 1
COVERED_WITHIN = 0.2  # seconds (docs/limits.md)


@pytest.fixture(params=["ext4", pytest.param("xfs", marks=pytest.mark.long)])
def site(able: None, request: pytest.FixtureRequest) -> Iterator[Scene]:
    size = {"ext4": 64, "xfs": 320}[request.param]
    with scene(volume=request.param, size=size << 20) as made:
        yield made


def mount_volume(site: Scene, at: Path | None = None, check: bool = True) -> bool:
    """Mount the volume where it was, or somewhere else: a loop device is found again while its filesystem lives."""
    volume = site.site.volume
    assert volume is not None
    return mount("-o", "loop", volume.folder / "image", at or volume.point, check=check)


def mount(*words: object, check: bool = True) -> bool:
    """Mount; return whether that went well, which it must unless it need not be checked."""
    done = subprocess.run(["mount", *map(str, words)], check=False, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return not done.returncode


def umount(*words: object) -> None:
    """Unmount; an open that is just being decided keeps a mount busy for a moment."""
    until(lambda: subprocess.run(["umount", *map(str, words)], check=False, capture_output=True).returncode == 0, 20)


def clear(point: Path) -> None:
    """Unmount whatever stands at *point*: a cover goes first, and may come back before what it covers has gone."""
    while any(mount.point == str(point) for mount in mounting.uncovered(mountinfo.table())):
        subprocess.run(["umount", "-l", str(point)], check=False, capture_output=True)


def guarded(site: Scene) -> None:
    """Check that the uncleared are refused with an entry and the cleared get in, once the area is open again."""
    # What was just mounted lets the cleared in before it is covered, too: then nothing is guarded yet.
    until(lambda: area(site)["tier"] != "none" and attempt(CLEARED, reading(site.plans / "doc.txt")).allowed)
    site.mark()
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")) == (None, "EPERM")
    assert [entry["rule"] for entry in site.denials(TOO_LOW)] == ["level"]


def nobody_gets_in(site: Scene) -> None:
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error in ("EPERM", "EACCES", "ENOENT")


def area(site: Scene) -> dict[str, Any]:
    return site.shown()


class Outcomes(list[str]):
    """What came of somebody's tries: each change, as far as it was heard."""

    def __init__(self, actor: Actor) -> None:
        super().__init__([actor.next().value])
        self._actor = actor

    def hear(self) -> None:
        self += [reply.value for reply in self._actor.heard()]

    def until(self, last: str) -> None:
        """Wait until *last* is what comes of it."""

        def came() -> bool:
            self.hear()
            return self[-1] == last

        until(came)


@contextlib.contextmanager
def trying(path: Path) -> Iterator[Outcomes]:
    """Have a stranger try to open *path* all the time; yields what came of it, complete after the block."""

    def opening(say: Callable[[object], None]) -> None:
        said = ""
        while True:
            came = error_of(lambda: os.close(os.open(path, os.O_RDONLY))) or "opened"
            if came != said:
                said = came
                say(came)

    with acting(UNKNOWN, opening) as actor:
        outcomes = Outcomes(actor)
        yield outcomes
        outcomes.hear()


def test_a_guarded_volume_that_is_unmounted_and_mounted_again_is_never_open(site: Scene) -> None:
    with trying(site.plans / "doc.txt") as outcomes:
        for _ in range(5):
            umount(site.site.root)
            clear(site.site.root)
            mount_volume(site)
        time.sleep(0.3)  # the span itself: longer than any cover takes
    assert "opened" not in outcomes
    guarded(site)


def test_a_volume_mounted_after_the_agent_is_covered_at_once_and_then_guarded(site: Scene) -> None:
    site.site.stop()
    mounting.unmount_below(str(site.site.root))
    site.site.start()
    assert area(site)["tier"] == "none"
    nobody_gets_in(site)

    def holding(say: Callable[[object], None]) -> None:
        path, opened = site.plans / "doc.txt", []
        while True:
            with contextlib.suppress(OSError):
                opened.append(os.open(path, os.O_RDONLY))
                say("opened")

    before = len(site.site.entries())
    with acting(UNKNOWN, holding) as thief:
        mount_volume(site)
        until(lambda: area(site)["tier"] in ("A", "B"))
        guarded(site)
        said = thief.heard()
        if said:  # they were faster than the cover: named, and ended
            until(lambda: not Path(f"/proc/{thief.pid}").exists() or "Z" in Path(f"/proc/{thief.pid}/stat").read_text())
            named = [entry for entry in site.site.entries() if entry["kind"] == "held-before"]
            assert thief.pid in [holder["pid"] for entry in named for holder in entry["holders"]]
    covered = [entry for entry in site.site.entries()[before:] if entry.get("state") == "covered"]
    assert covered  # who finds it mounted after having read a table without it covers the area alone, as one beneath
    assert {(entry["area"], entry["why"] in ("unguarded", "beneath")) for entry in covered} == {("plans", True)}
    assert all(entry["after_ms"] < COVERED_WITHIN * 1000 for entry in covered)


def test_another_image_in_its_place_is_closed_then_guarded_told_and_read_when_it_is_labelled(site: Scene) -> None:
    until(lambda: area(site)["sealed"])  # so a file without a label is refused to everybody, until an officer says more
    with volume_image.volume(size=64 << 20) as other:
        (other.point / "plans").mkdir()
        (other.point / "plans").chmod(0o777)
        write(other.point / "plans" / "doc.txt")
        umount(site.site.root)
        with trying(site.plans / "doc.txt") as outcomes:
            mount("--bind", other.point, site.site.root)
            until(lambda: "volume-other" in [finding["code"] for finding in area(site)["findings"]])
            until(lambda: attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM")
            assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
            site.site.ask("area", "relabel", str(site.plans), "--yes")
            until(lambda: attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE)
            outcomes.until("EPERM")
        guarded(site)
        assert "volume-other" in [finding["code"] for finding in area(site)["findings"]]
        umount(site.site.root)
        until(lambda: area(site)["tier"] == "none")


def test_a_guard_that_could_not_be_tried_when_its_volume_came_is_tried_again_soon(site: Scene) -> None:
    with volume_image.volume(size=64 << 20) as other:
        (other.point / "plans").mkdir()
        (other.point / "plans").chmod(0o777)

        def untried() -> bool:
            seen = area(site)
            return seen["closed"] and "not-tried" in [finding["code"] for finding in seen["findings"]]

        def arrived() -> bool:
            """Have the volume come again; return whether its canary was stopped before it had tried everything."""
            closed = False

            def over() -> bool:
                nonlocal closed
                closed = closed or untried()
                return closed or area(site)["tier"] != "none"

            umount(site.site.root)
            until(lambda: area(site)["tier"] == "none")
            mount("--bind", other.point, site.site.root)
            until(over)
            return closed

        with canaries.stopping(site):
            until(arrived, 25)
        until(lambda: area(site)["tier"] != "none", 20)  # sooner than the look that comes every half a minute
        umount(site.site.root)
        until(lambda: area(site)["tier"] == "none")


def test_a_filesystem_mounted_over_the_area_that_cannot_be_guarded_stays_covered(site: Scene) -> None:
    mount("-t", "ramfs", "ramfs", site.plans)
    try:
        until(lambda: mounting.hidden(str(site.plans)))
        nobody_gets_in(site)
        until(lambda: area(site)["closed"])
        nobody_gets_in(site)
    finally:
        clear(site.plans)
    guarded(site)


def test_a_filesystem_mounted_over_the_area_is_guarded_in_its_place_and_told(site: Scene) -> None:
    with trying(site.plans / "doc.txt") as outcomes:
        mount("-t", "tmpfs", "-o", "mode=777", "tmpfs", site.plans)
        try:
            until(lambda: "volume-other" in [finding["code"] for finding in area(site)["findings"]])
            until(lambda: attempt(CLEARED, lambda: writing(site.plans / "doc.txt")).value == SIZE)  # uncovered by now
            assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
        finally:
            clear(site.plans)
        guarded(site)
    assert "opened" not in outcomes
    assert "volume-older" not in [finding["code"] for finding in area(site)["findings"]]


def test_a_filesystem_mounted_inside_the_area_is_covered(site: Scene) -> None:
    inside = site.plans / "inside"
    assert attempt(CLEARED, lambda: os.mkdir(inside)).allowed
    mount("-t", "tmpfs", "tmpfs", inside)
    until(lambda: mounting.hidden(str(inside)))
    assert attempt(UNKNOWN, lambda: writing(inside / "x")).error in ("EACCES", "ENOENT", "EROFS")
    guarded(site)
    clear(inside)


def test_a_volume_remounted_read_only_is_guarded_and_told(site: Scene) -> None:
    # Whoever is just writing a label keeps it busy.
    until(lambda: mount("-o", "remount,ro", site.site.root, check=False))
    until(lambda: "read-only" in [finding["code"] for finding in area(site)["findings"]])
    guarded(site)
    mount("-o", "remount,rw", site.site.root)
    until(lambda: "read-only" not in [finding["code"] for finding in area(site)["findings"]])
    guarded(site)


def test_a_second_mount_of_the_volume_is_guarded_and_covered_when_the_agent_ends(site: Scene) -> None:
    again = site.site.volume.folder / "again"  # type: ignore[union-attr]
    again.mkdir()
    mount_volume(site, again)
    try:
        assert attempt(TOO_LOW, reading(again / "plans" / "doc.txt")).error == "EPERM"
        until(lambda: str(again) in (site.site.home.run / "areas").read_text())
        site.site.stop()
        assert mounting.hidden(str(again))
        assert mounting.hidden(str(site.site.root))
        site.site.start()

        def refused() -> bool:
            came = attempt(TOO_LOW, reading(again / "plans" / "doc.txt"))
            assert not came.allowed
            return came.error == "EPERM"

        until(refused)  # no cover stands there any more
        guarded(site)
    finally:
        umount("-l", again)


def test_a_volume_that_is_moved_is_guarded_where_it_is(site: Scene) -> None:
    there = site.site.volume.folder / "there"  # type: ignore[union-attr]
    there.mkdir()
    mount("--bind", site.site.root, there)  # and not --move, which a shared parent refuses
    umount(site.site.root)
    try:
        until(lambda: area(site)["tier"] == "none")
        assert attempt(TOO_LOW, reading(there / "plans" / "doc.txt")).error == "EPERM"
        assert attempt(CLEARED, reading(there / "plans" / "doc.txt")).value == SIZE
        mount("--bind", there, site.site.root)
        guarded(site)
    finally:
        umount("-l", there)


def test_a_storm_of_mounts_leaves_the_area_guarded_and_the_watcher_alive(site: Scene) -> None:
    ended = threading.Event()
    storm_at = site.site.volume.folder / "storm"  # type: ignore[union-attr]
    storm_at.mkdir()

    def storm() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                syscalls.mount("tmpfs", str(storm_at), "tmpfs")
                syscalls.unmount(str(storm_at))
            ended.wait(0.02)

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        with trying(site.plans / "doc.txt") as outcomes:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError):  # the cover, or the volume
                    syscalls.unmount(str(site.site.root))
                mount_volume(site, check=False)
                assert attempt(CLEARED, reading(site.public / "doc.txt")).error != "timeout"
        assert "opened" not in outcomes
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(OSError):
            syscalls.unmount(str(storm_at))

    def stands() -> bool:
        return any(row.point == str(site.site.root) for row in mounting.uncovered(mountinfo.table()))

    until(lambda: stands() or mount_volume(site, check=False))  # the last one of the storm may have failed
    guarded(site)


def test_a_volume_whose_area_is_missing_at_the_start_is_covered_and_guarded_when_it_comes(site: Scene) -> None:
    aside = site.site.root / "aside"
    site.site.stop()
    mounting.unhide(str(site.site.root))
    os.rename(site.plans, aside)
    site.site.start()
    found = area(site)
    assert (found["tier"], found["closed"]) == ("none", True)
    assert "unprotected" in [finding["code"] for finding in found["findings"]]
    assert attempt(TOO_LOW, reading(aside / "doc.txt")).error in ("EACCES", "ENOENT")
    elsewhere = site.site.volume.folder / "elsewhere"  # type: ignore[union-attr]
    elsewhere.mkdir()
    mount_volume(site, elsewhere)
    os.rename(elsewhere / "aside", elsewhere / "plans")
    umount(elsewhere)
    guarded(site)
