"""A dedicated volume where every inode has a label: one without is closed to everybody, found, and mended by hand.

Whoever strips a label here is the test itself, as root in the initial namespace: the only one who can.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import attempt, reading
from agent.kernel import labels
from agent.kernel.labels import ATTRIBUTE, PUBLIC
from tests.enforcement.scene import CLEARED, ROOT, SIZE, TOO_LOW, UNKNOWN, Area, Scene, scene, until, writing
from tests.sentences import en

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-sealed")]

_SCAN = "label_scan_seconds = 1.0"


@pytest.fixture(scope="module", params=["ext4", "xfs"])
def site(able: None, request: pytest.FixtureRequest) -> Iterator[Scene]:
    size = {"ext4": 64, "xfs": 320}[request.param]
    with scene(settings=(_SCAN,), volume=request.param, size=size << 20) as made:
        until(lambda: shown(made)["sealed"])
        yield made


def shown(site: Scene, area: str = "plans") -> dict[str, Any]:
    return site.shown(area)


def codes(site: Scene) -> list[str]:
    """Return what was found out about the volume: it stands with one of its areas."""
    names = [row["name"] for row in site.ask("area.list")]
    return [finding["code"] for name in names for finding in shown(site, str(name))["findings"]]


def strip(path: Path) -> Path:
    os.removexattr(path, ATTRIBUTE)
    return path


def closed(site: Scene, path: Path, rule: str) -> None:
    """Check that nobody gets in, and that the record says by which rule."""
    site.mark()
    for who in (CLEARED, TOO_LOW, ROOT):
        assert attempt(who, reading(path)) == (None, "EPERM")
    found = site.denials(CLEARED, TOO_LOW, ROOT)
    assert [(entry["rule"], entry["path"]) for entry in found] == [(rule, str(path))] * 3


def scans(site: Scene) -> list[dict[str, Any]]:
    return [entry for entry in site.news() if entry["kind"] == "labels" and entry["state"] == "scanned"]


def relabel(site: Scene, path: Path) -> Any:
    return site.site.ask("area", "relabel", str(path), "--yes")


def test_a_volume_is_sealed_by_an_act_of_the_agent_when_every_inode_has_a_label(site: Scene) -> None:
    [act] = [entry for entry in site.site.entries() if entry.get("act") == "area.seal"]
    assert (act["outcome"], act["args"]) == ("done", {"area": "plans", "by": "labels"})
    listed = site.site.shoumi("log", "list", "--area", "plans", "--kind", "act", "--json").stdout.splitlines()
    assert act["seq"] in [json.loads(line)["seq"] for line in listed]
    for folder, label in ((site.plans, "plans"), (site.public, PUBLIC)):
        for path in (folder, *(folder / name for name in ("doc.txt", "doc1.txt", "doc2.txt", "doc3.txt"))):
            assert labels.read(str(path)) == label
    assert labels.read(str(site.site.root)) == PUBLIC
    assert attempt(TOO_LOW, reading(site.public / "doc.txt")).value == SIZE
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    again = site.site.shoumi("area", "seal", "plans", check=False)
    assert again.returncode == 1


def test_root_that_strips_a_label_and_moves_the_file_out_gets_nothing_and_is_found(site: Scene) -> None:
    stolen = site.public / "stolen.txt"
    os.rename(strip(site.plans / "doc1.txt"), stolen)
    closed(site, stolen, "unlabelled")
    until(lambda: any(scan.get("alarm") for scan in scans(site)))
    scan = next(scan for scan in scans(site) if scan.get("alarm"))
    assert (scan["unlabelled"], scan["first"]) == (1, [{"kind": "unlabelled", "path": str(stolen)}])
    until(lambda: "stripped" in codes(site))  # each scan says it anew
    assert labels.read(str(stolen)) is None  # a scan gives nobody anything
    site.site.stop()
    site.site.start()
    closed(site, stolen, "unlabelled")
    os.unlink(stolen)


def test_a_stripped_file_in_its_place_is_closed_until_an_officer_labels_it_again(site: Scene) -> None:
    path = strip(site.plans / "doc2.txt")
    closed(site, path, "unlabelled")
    said = site.site.ask("explain", "E1", str(path))
    assert (said["verdict"], said["rule"]) == ("deny", "unlabelled")
    assert f"shoumi area relabel {path}" in en(said["change"])
    plan = site.site.shoumi("area", "relabel", str(site.plans), check=False)
    assert plan.returncode == 1
    assert str(path) in plan.stdout
    assert labels.read(str(path)) is None
    done = relabel(site, site.plans)
    assert (done["unlabelled"], done["foreign"], done["ended"]) == (1, 0, True)
    assert attempt(CLEARED, reading(path)).value == SIZE
    assert attempt(TOO_LOW, reading(path)).error == "EPERM"
    [entry] = [entry for entry in site.news() if entry.get("state") == "relabelled"]
    assert (entry["path"], entry["unlabelled"], entry["kept"] > 0) == (str(site.plans), 1, True)
    until(lambda: "stripped" not in codes(site))


def test_a_damaged_or_foreign_label_lets_nobody_in_and_stops_nothing(site: Scene) -> None:
    decider = site.site.process("decider")
    inside, outside = site.plans / "doc3.txt", site.public / "doc3.txt"
    for label in (b"", b"\xff\xfe", b"x" * 900, b"gone", b"/damaged", b"a\0b"):
        for path in (inside, outside):
            os.setxattr(path, ATTRIBUTE, label)
            site.mark()
            for who in (CLEARED, TOO_LOW, ROOT):
                assert attempt(who, reading(path)) == (None, "EPERM"), label
            assert [entry["rule"] for entry in site.denials(CLEARED, TOO_LOW, ROOT)] == ["unknown-resource"] * 3
    for path in (inside, outside):
        said = site.site.ask("explain", "E1", str(path))
        assert (said["verdict"], said["rule"]) == ("deny", "unknown-resource")
        assert "area relabel" in en(said["change"])
    until(lambda: "foreign-labels" in codes(site))
    assert relabel(site, site.site.root)["foreign"] == 2
    assert attempt(CLEARED, reading(inside)).value == SIZE
    assert attempt(TOO_LOW, reading(inside)).error == "EPERM"
    assert attempt(TOO_LOW, reading(outside)).value == SIZE
    assert site.site.process("decider") == decider


def test_what_is_new_has_a_label_before_anybody_gets_it(site: Scene) -> None:
    made = site.public / "new.txt"
    assert attempt(TOO_LOW, lambda: writing(made, b"x")).allowed
    assert labels.read(str(made)) == PUBLIC
    assert attempt(TOO_LOW, reading(made)).value == 1
    folder = site.public / "folder"
    assert attempt(TOO_LOW, lambda: (os.mkdir(folder), os.listdir(folder))).allowed
    assert labels.read(str(folder)) == PUBLIC

    def unnamed() -> int:
        fd = os.open(site.public, os.O_TMPFILE | os.O_RDWR, 0o600)
        os.write(fd, b"y")
        again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
        os.link(str(fd), site.public / "named.txt", src_dir_fd=os.open("/proc/self/fd", os.O_RDONLY))
        return len(os.read(again, 10))

    assert attempt(TOO_LOW, unnamed).value == 1
    assert labels.read(str(site.public / "named.txt")) == PUBLIC
    aside = site.public / "aside"  # a folder of the area that was moved out of it
    assert attempt(CLEARED, lambda: os.mkdir(site.plans / "aside")).allowed
    assert attempt(CLEARED, lambda: os.listdir(site.plans / "aside")).allowed
    os.rename(site.plans / "aside", aside)
    assert attempt(CLEARED, lambda: writing(aside / "in.txt", b"z")).allowed
    assert labels.read(str(aside / "in.txt")) == "plans"
    assert attempt(TOO_LOW, reading(aside / "in.txt")).error == "EPERM"


def test_the_public_label_gives_way_to_the_area_a_file_comes_into(site: Scene) -> None:
    moved = site.plans / "moved.txt"
    os.rename(site.public / "doc1.txt", moved)
    assert attempt(TOO_LOW, reading(moved)).error == "EPERM"
    assert labels.read(str(moved)) == "plans"
    assert attempt(CLEARED, reading(moved)).value == SIZE
    os.rename(moved, site.public / "doc1.txt")
    assert attempt(TOO_LOW, reading(site.public / "doc1.txt")).error == "EPERM"
    os.rename(site.public / "doc2.txt", site.plans / "unopened.txt")
    until(lambda: labels.read(str(site.plans / "unopened.txt")) == "plans")  # by a scan


def test_a_second_area_takes_the_public_and_leaves_the_stripped_and_goes_without_a_trace(site: Scene) -> None:
    stripped = strip(site.public / "doc3.txt")
    assert attempt(TOO_LOW, lambda: writing(site.public / "fresh.txt")).allowed
    site.area(Area("second"), site.public)
    assert shown(site, "second")["sealed"]
    until(lambda: "stripped" in codes(site))  # a scan that began before the file was stripped says once more: none
    assert labels.read(str(site.public / "doc.txt")) == "second"
    closed(site, stripped, "unlabelled")
    assert attempt(CLEARED, reading(site.public / "doc.txt")).value == SIZE
    out = site.site.root / "out.txt"
    os.rename(site.public / "fresh.txt", out)
    site.site.shoumi("area", "remove", "second")
    for path in (site.public, site.public / "doc.txt", out):
        assert labels.read(str(path)) == PUBLIC
        assert path.is_dir() or attempt(TOO_LOW, reading(path)).value == SIZE
    closed(site, stripped, "unlabelled")
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    site.site.shoumi("area", "remove", "plans")
    for path in (site.site.root, site.public / "doc.txt", site.plans / "doc.txt", out):
        assert labels.read(str(path)) is None
    assert attempt(TOO_LOW, reading(stripped)).value == SIZE


def test_a_deleted_file_that_somebody_held_when_the_volume_was_sealed_is_read_on(able: None) -> None:
    with scene((), settings=(_SCAN,)) as site:
        path = site.public / "held.txt"
        fd = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            os.write(fd, b"content")
            os.unlink(path)
            assert labels.read(fd) is None
            site.plans.mkdir()
            site.area(Area("plans"), site.plans)
            until(lambda: shown(site)["sealed"])
            assert labels.read(fd) == PUBLIC
        finally:
            os.close(fd)


def test_an_area_in_observe_mode_opens_nothing_that_has_no_label(able: None) -> None:
    """Making one takes one hand, and giving a label back two: whose file it was, nobody knows."""
    with scene(settings=(_SCAN,)) as site:
        until(lambda: shown(site)["sealed"])
        restored, drafts = site.site.root / "restored", site.site.root / "drafts"
        for number, made in enumerate((restored, drafts), 1):
            made.mkdir()
            made.chmod(0o777)
            os.rename(strip(site.public / f"doc{number}.txt"), made / "doc.txt")
        closed(site, restored / "doc.txt", "unlabelled")
        site.area(Area("restored", "internal", ("--observe",)), restored)
        site.area(Area("drafts", "internal"), drafts)
        site.site.shoumi("area", "observe", "drafts")
        for path in (restored / "doc.txt", drafts / "doc.txt"):
            closed(site, path, "unlabelled")
            assert [(one["area"], one["enforced"]) for one in site.denials(TOO_LOW)] == [(path.parent.name, True)]
            assert labels.read(str(path)) is None
        fresh = restored / "fresh.txt"
        assert attempt(UNKNOWN, lambda: writing(fresh)).allowed
        assert attempt(UNKNOWN, reading(fresh)).value == SIZE  # what has a label is only watched
        relabel(site, restored)
        assert attempt(UNKNOWN, reading(restored / "doc.txt")).value == SIZE


def test_where_an_area_only_observes_nothing_is_denied(able: None) -> None:
    with scene((Area("plans", options=("--observe",)),), settings=(_SCAN,)) as site:
        until(lambda: shown(site)["sealed"])
        strip(site.plans / "doc1.txt")
        strip(site.public / "doc1.txt")
        for path in (site.plans / "doc1.txt", site.public / "doc1.txt"):
            assert attempt(TOO_LOW, reading(path)).value == SIZE
