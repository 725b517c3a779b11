"""The tier is what the kernel was seen to do on this very volume, and never more than that."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel import mounting
from agent.simulator import volume_image
from agent.volumes import host_abilities, probe
from rules.tiers import ORDER
from tests.sentences import en, zh

pytest_plugins = ("tests.volumes.fixture",)

NAMES = (*probe.NEEDED, *probe.CUTTING, *probe.READING, *probe.USEFUL)


def report(missing: frozenset[str]) -> probe.ProbeReport:
    return probe.ProbeReport("/x", tuple(probe.ProbeItem(name, name not in missing) for name in NAMES))


@given(st.frozensets(st.sampled_from(NAMES)), st.sampled_from(["dedicated", "shared"]))
def test_a_tier_is_only_as_good_as_what_works(missing: frozenset[str], sharing: str) -> None:
    tier = probe.tier_of(report(missing), sharing)  # type: ignore[arg-type]
    if missing & probe.NEEDED.keys():
        assert tier == "none"
    elif missing & probe.CUTTING.keys():
        read = "A-read" if sharing == "dedicated" else "B-read"
        assert tier == ("C" if missing & probe.READING.keys() else read)
    else:
        assert tier == ("A" if sharing == "dedicated" else "B")


@given(st.frozensets(st.sampled_from(NAMES)), st.sampled_from(NAMES))
def test_losing_one_more_thing_never_raises_the_tier(missing: frozenset[str], lost: str) -> None:
    before, after = (probe.tier_of(report(lack), "dedicated") for lack in (missing, missing | {lost}))
    assert ORDER.index(after) >= ORDER.index(before)


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b'["open", 1, ""]', b'["open", "true", ""]']))))
def test_damaged_reports_prove_nothing(lines: list[bytes]) -> None:
    said = probe.parse("/x", b"\n".join(lines), "exit-1")
    assert probe.tier_of(said, "dedicated") == "none"


@pytest.mark.parametrize("works", [b"1", b'"true"', b"null", b"[]"])
def test_only_a_plain_yes_is_a_yes(works: bytes) -> None:
    assert not probe.parse("/x", b'["open", %s, ""]' % works, "").works("open")


def test_what_was_not_said_does_not_work_and_says_why() -> None:
    said = probe.parse("/x", json.dumps(["open", True, ""]).encode() + b'\n["thr', "timeout")
    assert said.works("open")
    assert [item.reason for item in said.missing(probe.NEEDED)] == ["timeout"] * 3


@pytest.mark.kernel
def test_a_journalled_volume_reaches_tier_a_and_is_left_as_it_was(volume: volume_image.Volume) -> None:
    before = set(os.listdir(volume.point))
    found = probe.probe(str(volume.point))
    assert found.missing(probe.NEEDED | probe.CUTTING) == ()
    assert probe.tier_of(found, "dedicated") == "A"
    assert probe.tier_of(found, "shared") == "B"
    assert set(os.listdir(volume.point)) == before


@pytest.mark.kernel
def test_of_a_memory_filesystem_open_descriptors_are_asked_about_at_reads_only(tmpfs: Path) -> None:
    found = probe.probe(str(tmpfs))
    assert found.missing(probe.NEEDED | probe.READING) == ()
    assert probe.tier_of(found, "dedicated") == "A-read"
    assert probe.tier_of(found, "shared") == "B-read"
    assert {item.reason for item in found.missing(probe.CUTTING)} == {"ENOTSUP"}


@pytest.mark.kernel
def test_a_hidden_volume_is_probed_below_its_cover(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    mounting.hide(str(ext4.point))
    assert probe.tier_of(probe.probe(str(area)), "dedicated") == "A"
    assert mounting.hidden(str(area))
    mounting.unhide(str(area))
    assert os.listdir(area) == []


@pytest.mark.kernel
def test_a_place_that_cannot_be_written_has_no_tier(ext4: volume_image.Volume) -> None:
    assert probe.tier_of(probe.probe(str(ext4.point / "missing")), "dedicated") == "none"


@pytest.mark.kernel
def test_bystanders_are_let_through_while_the_volume_is_probed(ext4: volume_image.Volume) -> None:
    file = ext4.point / "bystander"
    file.write_text("x")
    reader = (
        "import sys, itertools\n"
        "for n in itertools.count():\n"
        "    assert open(sys.argv[1]).read() == 'x'\n"
        "    if n % 1000 == 0: print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", reader, file], stdout=subprocess.PIPE) as bystander:
        try:
            assert bystander.stdout is not None
            bystander.stdout.readline()
            assert probe.tier_of(probe.probe(str(ext4.point)), "dedicated") == "A"
            assert bystander.poll() is None
        finally:
            bystander.kill()


@pytest.mark.kernel
def test_a_frozen_probe_is_ended_and_lets_everybody_go(ext4: volume_image.Volume) -> None:
    with ThreadPoolExecutor(1) as pool:
        probing = pool.submit(probe.probe, str(ext4.point), 1)
        while not (children := [child for child in psutil.Process().children() if _probes(child)]):
            assert not probing.done()
        children[0].send_signal(signal.SIGSTOP)
        found = probing.result(30)
    assert probe.tier_of(found, "dedicated") == "none"
    (ext4.point / "free").write_text("x")
    assert (ext4.point / "free").read_text() == "x"
    assert not list(ext4.point.glob(".shoumi-probe-*"))


def _probes(child: psutil.Process) -> bool:
    """Whether it is the one: tests before this one may have left children of their own here."""
    with contextlib.suppress(psutil.Error):
        return "agent.volumes.probe_process" in child.cmdline()
    return False


@pytest.mark.kernel
def test_the_probing_process_dies_by_itself_when_nobody_watches_it(ext4: volume_image.Volume) -> None:
    """Its parent gone, its opener frozen: the alarm still ends it, and with it every mark."""
    command = [sys.executable, "-I", "-m", "agent.volumes.probe_process", str(ext4.point), ".probe", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as probing:
        while not (openers := [child for child in psutil.Process(probing.pid).children() if _opens(child)]):
            assert probing.poll() is None
        openers[0].suspend()
        try:
            assert probing.wait(30) == -signal.SIGALRM
        finally:
            openers[0].kill()
    (ext4.point / "free").write_text("x")


def test_every_ability_is_told_in_both_languages_and_every_gap_has_a_remedy() -> None:
    found = host_abilities.abilities()
    assert len({ability.name for ability in found}) == len(found)
    for ability in found:
        assert en(ability.detail)
        assert zh(ability.detail)
        assert ability.ok or ability.remedy
    assert [ability.needed for ability in found] == sorted((ability.needed for ability in found), reverse=True)


def _opens(process: psutil.Process) -> bool:
    """Whether it is the opener already, and not still a copy of its parent about to start it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(word.endswith("opener.py") for word in process.cmdline())
    return False


@pytest.mark.parametrize(("value", "ok"), [("0", False), ("1", True), ("2", True)])
def test_whether_anybody_may_use_io_uring_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, ok: bool
) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "io_uring_disabled").write_text(f"{value}\n")
    monkeypatch.setattr(host_abilities, "_SYSCTL", tmp_path)
    [found] = [one for one in host_abilities.abilities() if one.name == "io_uring"]
    assert found.ok is ok
    assert ok or (found.remedy and "io_uring_disabled=2" in en(found.remedy))
