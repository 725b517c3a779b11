"""The agent below its unit: it passes the demo with doors of their own unit, and what it covers the host does not see.

It stands in for systemd, which no test can be below (tests/confinement/under_unit.py); all of it is played by the long
tests, here the scenes with a volume that goes and comes, and with doors.
"""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from agent.demo import stage as staging
from agent.demo.rights import lacking
from agent.demo.stage import stage
from agent.kernel import mountinfo, mounting
from tests import ROOT, needs
from tests.confinement import demo_under_units, under_unit
from tests.confinement.unit_file import MAIN, Unit
from tests.sentences import en

pytestmark = [pytest.mark.kernel, needs.needs(needs.tools("systemd-analyze"))]


@pytest.fixture(autouse=True)
def able() -> None:
    if lacks := lacking():
        needs.skip_or_fail("; ".join(en(lack.text) for lack in lacks))
    if ctypes.util.find_library("seccomp") is None:
        needs.skip_or_fail("`libseccomp.so.2` is not installed (package libseccomp2)")


def _plays(*scenes: int) -> str:
    words = [sys.executable, "-m", "tests.confinement.demo_under_units", *map(str, scenes)]
    done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_confined_agent_guards_a_volume_that_comes_back_and_two_doors() -> None:
    assert "9 of 9 lines held" in _plays(9, 10)


@pytest.mark.long
def test_the_confined_agent_passes_the_whole_demo() -> None:
    out = _plays()
    assert "54 of 54 lines held" in out


def _covered_for_process_1(point: Path) -> bool:
    table = mountinfo.parse(Path("/proc/1/mountinfo").read_bytes())
    return any(mounting.is_cover(mount) and mount.point == str(point) for mount in table)


def test_what_the_agent_below_its_unit_covers_is_covered_for_process_1() -> None:
    with mock.patch.object(staging, "python", demo_under_units.confined), stage() as site:
        area = site.root / "plans"
        area.mkdir()
        (area / "doc.txt").write_text("x")
        site.start()
        site.shoumi("area", "add", str(area), "--name", "plans", "--level", "secret", "--domain", "state")
        assert site.agent is not None
        for pid in (site.agent.pid, *(site.process(name) for name in ("decider", "control", "watcher"))):
            assert os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
            text = Path(f"/proc/{pid}/status").read_text()
            assert int(text.partition("Seccomp_filters:")[2].split()[0]) > 8, "those of the unit, and its own"
        assert not _covered_for_process_1(site.root)
        site.stop()
        assert _covered_for_process_1(site.root)  # a volume of its own is covered as a whole
        assert not area.exists()


def test_an_option_nobody_knows_the_effect_of_is_no_part_of_the_main_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit(MAIN)
    unit.lines = (("ProtectSystem", "strict"),)
    monkeypatch.setattr(under_unit, "_calls", lambda _: None)
    with pytest.raises(AssertionError, match="ProtectSystem"):
        under_unit.confine(unit)
