"""The agent knows by itself how far its record is whole, and says so when it is not."""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.control.site import Site, running
from tests.sentences import en


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log_of(site: Site) -> dict[str, Any]:
    with site.client() as client:
        return dict(client.call("status")["log"])


def newest(site: Site) -> int:
    with site.client() as client:
        return int(client.call("status")["decider"]["next_seq"]) - 1


def verifier(site: Site) -> psutil.Process:
    (found,) = [child for child in psutil.Process(site.control.pid).children() if verifies(child)]
    return found


def verifies(child: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # another child, which ends at this moment
        return any("log.verifier" in word for word in child.cmdline())
    return False


@pytest.fixture
def site(tmp_path: Path):
    with running(tmp_path / "home") as started:
        yield started


def test_what_was_just_recorded_is_verified_soon(site: Site) -> None:
    with site.client() as client:
        client.call("person.add", person="E1", name="甲")
    before = newest(site)
    until(lambda: (log_of(site)["verified_to"] or 0) >= before)
    known = log_of(site)
    assert known["verify_trouble"] is None
    assert known["verified_at"]


def test_a_changed_number_is_an_alarm_once_and_stands_in_status_and_doctor(site: Site) -> None:
    with site.client() as client:
        client.call("person.add", person="E1", name="甲")
    until(lambda: (log_of(site)["verified_to"] or 0) >= 2)
    (file,) = site.home.log.glob("*.jsonl")
    raw = file.read_bytes()
    at = raw.index(b'"seq":2')
    with file.open("r+b") as record:
        record.seek(at)
        record.write(b'"seq":7')
    verifier(site).kill()  # it is past that; its successor reads from the first byte on
    until(lambda: log_of(site)["verify_trouble"])
    until(lambda: site.entries(kind="log-damaged"))
    assert "are missing" in en(log_of(site)["verify_trouble"])
    with site.client() as client:
        found = [one for one in client.call("doctor") if one["code"] == "log"]
    assert [one["state"] for one in found] == ["serious"]
    seen = newest(site)
    until(lambda: (log_of(site)["verified_to"] or 0) >= seen)
    (alarm,) = site.entries(kind="log-damaged")
    assert alarm["alarm"] is True


def test_the_verifier_has_no_right_but_to_read_and_yields_to_everybody(site: Site) -> None:
    until(lambda: log_of(site)["verified_to"])
    process = verifier(site)
    status = Path(f"/proc/{process.pid}/status").read_text()
    rights = {line.split()[0]: int(line.split()[1], 16) for line in status.splitlines() if line.startswith("Cap")}
    assert rights["CapEff:"] in (0, 1 << 2)  # CAP_DAC_READ_SEARCH, where this test has it to give
    assert process.nice() == 19


def test_it_ends_with_the_agent_however_that_ends(site: Site) -> None:
    until(lambda: log_of(site)["verified_to"])
    gone = os.pidfd_open(verifier(site).pid)
    try:
        os.kill(site.control.pid, signal.SIGKILL)
        site.control.wait()
        assert select.select([gone], [], [], 30)[0]
    finally:
        os.close(gone)
    site.start_control()


def test_a_question_about_the_whole_log_is_answered_from_its_bytes(site: Site) -> None:
    with site.client() as client:
        assert client.call("log.verify")["ok"]
        (file,) = site.home.log.glob("*.jsonl")
        with file.open("r+b") as record:
            record.write(b"[")
        report = client.call("log.verify")
    assert not report["ok"]
    assert report["problems"][0]["kind"] == "form"
