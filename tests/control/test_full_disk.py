"""The disk of the home is full to the last block, in blocks of 1 KiB: what takes away works, also after a kill."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.doors.messages import Contact, Released
from tests import needs
from tests.control.offboarding.test_hr_intake import until
from tests.control.site import running
from tests.log.disk import filled, loop_mounted, make_image
from tests.rooms.site import kit

pytestmark = [pytest.mark.kernel, needs.small_disk, pytest.mark.xdist_group("control full disk")]
ACTS = 12


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    make_image(tmp_path / "image", "64M", "-b", "1024")
    with loop_mounted(tmp_path / "image", tmp_path / "disk") as folder:
        (folder / "homes").mkdir()
        yield folder / "homes"


def leave(ballast: Path, share: int) -> None:
    """Make *ballast* so large that one part in *share* of its disk is free."""
    with ballast.open("ab") as sink:
        found = os.statvfs(ballast)
        length = (found.f_bavail - found.f_blocks // share) * found.f_frsize
        os.posix_fallocate(sink.fileno(), sink.tell(), length)


def test_holds_and_lockdowns_work_on_a_full_disk_and_the_process_dies_of_nothing(disk: Path) -> None:
    with running(disk / "home") as site:
        with site.client() as client:
            for number in range(2 * ACTS):
                client.call("person.add", person=f"E{number}")
        filled(disk)
        with site.client() as client:
            for number in range(ACTS):
                client.call("hold.add", person=f"E{number}", reason="x")
            client.call("lockdown.on", reason="x")
        assert site.control
        assert site.control.poll() is None
        os.kill(site.control.pid, signal.SIGKILL)
        site.control.wait(30)
        filled(disk)
        site.start_control()  # nothing is free, and nothing that is mapped is without a block
        with site.client() as client:
            for number in range(ACTS, 2 * ACTS):
                client.call("hold.add", person=f"E{number}", reason="x")
            assert len(list(client.stream("lockdown.list"))) == 1
            assert len(list(client.stream("hold.list"))) == 2 * ACTS
        assert site.control.poll() is None


def test_ways_out_open_on_a_full_disk_and_are_recorded(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    with kit() as site:
        for person in ("E1", "E2", "E3"):
            site.enter(person)
        filled(disk)
        for person in ("E1", "E2", "E3"):
            [release] = site.swipe(person, side="out")
            site.rooms.answered(Released(release.id, ok=True))
            site.rooms.heard("vault", Contact("vault", open=True))
            site.rooms.heard("vault", Contact("vault", open=False))
        assert site.building.reader.presence() == ()
        assert [entry["person"] for entry in site.entries(kind="door", side="out")] == ["E1", "E2", "E3"]


def test_little_room_is_an_entry_and_an_alarm_before_there_is_none_and_room_is_an_entry(disk: Path) -> None:
    with running(disk / "home") as site:
        ballast = disk / "ballast"
        assert not site.entries(kind="disk-low")
        leave(ballast, 16)
        until(lambda: site.entries(kind="disk-low", state="low"))
        with site.client() as client:  # the entry comes first
            alarm = until(lambda: [row for row in client.stream("alarm.list") if row["kind"] == "disk-low"])
        leave(ballast, 50)
        until(lambda: site.entries(kind="disk-low", state="urgent"))
        ballast.unlink()
        until(lambda: site.entries(kind="disk-low", state="good"))
        told = site.entries(kind="disk-low")
        assert [(entry["state"], entry.get("alarm")) for entry in told] == [
            ("low", True),
            ("urgent", True),
            ("good", None),
        ]
        assert told[0]["path"] == str(site.home.log)
        assert len(alarm) == 1
