"""The log of a running agent loses its file or its disk: denied at once, told, and well again by itself.

The decider stays the same one throughout: nothing of this is a reason to die. Each test has a site of its own, because
each leaves a log in which something is missing.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import attempt, reading
from tests import needs
from tests.enforcement import syscalls
from tests.enforcement.scene import CLEARED, TOO_LOW, Scene, scene, until
from tests.log.disk import filled, make_image, run
from tests.log.test_append_trouble import shut_down
from tests.sentences import en
from tests.stopped import stopped

pytestmark = [pytest.mark.kernel, needs.small_disk, pytest.mark.xdist_group("kernel-log-trouble")]


@pytest.fixture
def site(able: None) -> Iterator[Scene]:
    with scene() as made:
        made.settled()
        yield made


def allowed(site: Scene) -> bool:
    return attempt(CLEARED, reading(site.plans / "doc.txt")).allowed


def test_logging_is_on_record_from_its_start_to_its_end(site: Scene) -> None:
    assert allowed(site)
    site.site.stop()
    site.site.start()
    entries = site.site.entries()
    kinds = [entry["kind"] for entry in entries]
    assert kinds.count("started") == 2
    assert kinds.count("stopped") == 1
    assert kinds.index("stopped") < len(kinds) - 1 - kinds[::-1].index("started")
    assert entries[kinds.index("stopped") + 1]["kind"] == "started"  # nothing was recorded in between
    started = entries[0]
    assert started["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert (started["kernel"], started["durability"]) == (os.uname().release, "power")
    assert started["version"]
    assert {entry["boot"] for entry in entries} == {started["boot_id"][:8]}
    monos = [entry["mono"] for entry in entries]
    assert monos == sorted(monos)
    site.replace_decider()
    until(lambda: allowed(site))
    assert [entry["kind"] for entry in site.site.entries()].count("started") == 2  # another decider is no start


def newest_gap(site: Scene) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the entry that says something is missing, and what follows it; the agent's own entries among it."""
    entries = site.site.entries()
    place = max(place for place, entry in enumerate(entries) if entry["kind"] == "gap")
    return entries[place], entries[place + 1 :]


def test_a_deleted_segment_is_denied_on_told_and_gone_on_without(site: Scene) -> None:
    decider = site.site.process("decider")
    assert allowed(site)
    before = site.site.entries()[-1]["seq"]
    with stopped(site.site.process("control")):  # an entry of its own would be the one that meets the loss
        max(site.site.home.log.glob("*.jsonl")).unlink()
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
        assert allowed(site)
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    gap, after = newest_gap(site)
    assert (gap["missing_from"], gap["missing_to"], gap["count"]) == (1, gap["seq"] - 1, 1)
    assert gap["missing_to"] >= before
    assert "deleted" in en(gap["why"])
    assert next(entry["verdict"] for entry in after if entry["kind"] == "access") == "allow"
    found = site.site.shoumi("log", "verify", check=False)
    assert found.returncode == 1
    assert f"1 to {gap['missing_to']} are missing" in found.stdout
    assert site.site.process("decider") == decider


def test_a_log_disk_that_is_pulled_and_mounted_again_is_denied_on_meanwhile(site: Scene, tmp_path: Path) -> None:
    log, point = site.site.home.log, tmp_path / "disk"
    make_image(tmp_path / "image", "24M")
    point.mkdir()
    site.site.stop()

    def plug() -> None:
        run("mount", "-o", "loop", tmp_path / "image", point)
        (point / "log").mkdir(mode=0o700, exist_ok=True)
        syscalls.mount(str(point / "log"), str(log), flags=syscalls.MS_BIND)

    def unplug() -> None:
        until(lambda: _unmounted(log))
        until(lambda: _unmounted(point))

    older = tmp_path / "older"
    shutil.copytree(log, older)
    plug()
    shutil.copytree(older, log, dirs_exist_ok=True)
    try:
        site.site.start()
        decider = site.site.process("decider")
        assert allowed(site)
        entries = len(site.site.entries())
        shut_down(log)
        for _ in range(3):
            assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
        refused = site.site.shoumi("hold", "add", "E1", "--reason", "x", check=False)
        assert refused.returncode == 1
        unplug()
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"  # an older log lies there now
        assert not list(log.glob("*.new"))
        plug()
        until(lambda: allowed(site))
        assert site.site.process("decider") == decider
        # An entry that nobody was told of, a canary's say, may not have come back with that disk, or stand before it.
        gap, after = newest_gap(site)
        assert len(after) < len(site.site.entries()) - entries + 2
        assert next(entry["verdict"] for entry in after if entry.get("fsuid") == CLEARED.uid) == "allow"
        assert gap["count"] >= 4
        assert "missing_from" not in gap
        assert "Input/output error" in en(gap["why"])
        assert site.site.shoumi("log", "verify").returncode == 0
    finally:
        site.site.stop()
        unplug()


def test_on_a_full_disk_every_open_is_denied_and_a_hold_is_done(site: Scene, tmp_path: Path) -> None:
    log, point, older = site.site.home.log, tmp_path / "disk", tmp_path / "older"
    make_image(tmp_path / "image", "6M", "-b", "1024")
    point.mkdir()
    site.site.stop()
    shutil.copytree(log, older)
    run("mount", "-o", "loop", tmp_path / "image", point)
    (point / "log").mkdir(mode=0o700)
    syscalls.mount(str(point / "log"), str(log), flags=syscalls.MS_BIND)
    shutil.copytree(older, log, dirs_exist_ok=True)
    try:
        site.site.start()
        decider, control = site.site.process("decider"), site.site.process("control")
        assert allowed(site)
        ballast = filled(point / "log")
        until(lambda: not allowed(site))
        before = len(site.site.entries())
        for _ in range(20):
            assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
        with site.on_hold("E1"):
            assert [entry["act"] for entry in site.site.entries()[before:] if entry["kind"] == "act"] == ["hold.add"]
        assert (site.site.process("decider"), site.site.process("control")) == (decider, control)
        ballast.unlink()
        until(lambda: allowed(site))
        gap, _ = newest_gap(site)
        assert "No space left" in en(gap["why"])
        assert site.site.shoumi("log", "verify").returncode == 0
    finally:
        site.site.stop()
        until(lambda: _unmounted(log))
        until(lambda: _unmounted(point))


def _unmounted(point: Path) -> bool:
    """Whether it could be unmounted: whoever reads the log (the verifier, the index) is done in a moment."""
    if not os.path.ismount(point):
        return True
    try:
        syscalls.unmount(str(point))
    except OSError:
        return False
    return True
