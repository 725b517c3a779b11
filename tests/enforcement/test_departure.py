"""A departure that HR approves: from the drop of a file to nothing left of the person, proven (contract C6).

The tokens are signed with real keys and dropped as a personnel system drops them; the readers are real processes; the
control process is killed for good at any moment of it. What the leaver's processes do is seen from outside of them.
"""

import contextlib
import json
import os
import select
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.control.offboarding.worker_supervisor import MODULE
from agent.demo.actors import ActorIdentity, acting, attempt, reading
from agent.demo.leaving import leaving
from agent.demo.personnel import HrDepartment
from agent.offboard import database
from agent.offboard.receipt import receipt
from agent.offboard.receipt.verify import ReceiptReport, verify
from agent.offboard.steps.tasks import family
from tests.enforcement.scene import BYSTANDER, NO_LOGIN, SIZE, Scene, scene, until

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-departure")]

Say = Callable[[object], None]
_NUMBERS = count(1)
_CHAIN_SECONDS = 40  # a chain that nobody ends is over by itself


class Leaver(NamedTuple):
    """Somebody who has a grant for the area, and is about to lose it."""

    id: str
    who: ActorIdentity


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene() as made:
        yield made


@pytest.fixture(scope="module")
def personnel(site: Scene) -> HrDepartment:
    office = HrDepartment(site.site.home.root.parent / "personnel", site.site.home, "E2")
    office.pin()
    office.listening()
    return office


@pytest.fixture
def leaver(site: Scene) -> Leaver:
    number = next(_NUMBERS)
    made = Leaver(f"L{number}", ActorIdentity(61100 + number, NO_LOGIN))
    with site.asking() as agent:
        agent.call("person.add", person=made.id, level=["secret"], domain="state", account=[made.who.uid])
        agent.call("grant.add", person=made.id, area="plans", reason="测试")
    assert attempt(made.who, reading(site.plans / "doc.txt")) == (SIZE, "")
    return made


def proven(site: Scene, leaver: Leaver) -> ReceiptReport:
    """Wait until nothing of the departure is open, and return what its last receipt says, verified."""

    def last() -> ReceiptReport:
        with site.asking() as agent:
            found = agent.call("case.receipt", person=leaver.id)
        return verify(found["receipt"].encode(), found["public_key"].encode())

    until(lambda: receipts(site, leaver), 30)
    until(lambda: last().complete)  # what could not be proven at first, on a busy machine, is tried again
    return last()


def receipts(site: Scene, leaver: Leaver) -> list[Path]:
    folder = receipt.receipts_folder(site.site.home.root)
    return [
        file for file in receipt.kept(folder) if json.loads(file.read_bytes().split(b"\n")[0])["person"] == leaver.id
    ]


def acts(site: Scene, leaver: Leaver) -> list[dict[str, Any]]:
    """Return the entries of the approval."""
    return [one for one in site.news() if one.get("act") == "case.notice" and one["args"]["person"] == leaver.id]


def filed(site: Scene, folder: str, notice: Path) -> list[dict[str, Any]]:
    """Return what is written beside the deliveries that were dropped under the name of *notice*."""
    put_away = (site.site.home.root / "spool" / folder).glob("*.json")
    return [about for about in (json.loads(file.read_bytes()) for file in put_away) if about["file"] == notice.name]


def done_steps(site: Scene, leaver: Leaver) -> set[str]:
    """Return the steps of the leaver's run that have a result."""
    with closing(sqlite3.connect(f"file:{database.path(site.site.home.root)}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT step FROM steps JOIN runs ON number = run WHERE person = ? AND tries > 0", (leaver.id,)
        ).fetchall()
    return {step for (step,) in rows}


def departures(site: Scene) -> int:
    """Return the pid of the process of departures, 0 while there is none."""
    for pid in family([site.site.process("control")]):
        with contextlib.suppress(OSError):
            if MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
    return 0


def of_uid(uid: int) -> list[str]:
    """Return the processes that run as *uid*, those that are only to be reaped apart.

    One that is half gone has no uids any more, and one of another test may have any bytes for a name.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(
                line.split(":\t", 1)
                for line in (process / "status").read_text(errors="replace").split("\n")
                if ":\t" in line
            )
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(uid) in status.get("Uid", "").split() and not status["State"].startswith("Z"):
            found.append(process.name)
    return found


def reading_on(path: Path) -> Callable[[Say], None]:
    """Return an act that reads through one descriptor until it is killed, whatever the answer is."""

    def act(say: Say) -> None:
        fd = os.open(path, os.O_RDONLY)
        say("open")
        while True:
            try:
                os.pread(fd, 64, 0)
            except PermissionError:
                time.sleep(0.001)

    return act


def test_from_the_drop_on_everything_of_the_leaver_ends_and_nothing_of_a_bystander(
    site: Scene, personnel: HrDepartment, leaver: Leaver
) -> None:
    notice = personnel.sign(leaver.id)
    left = leaving(
        site.plans / "doc.txt",
        leaver.who,
        BYSTANDER,
        lambda: personnel.drop(notice),
        lambda: bool(site.stats()["quiet"]),
    )
    assert left.ended_after is not None
    assert max(left.last, left.mapped_last) <= left.ended_after
    assert left.bystander_reads > 0
    assert left.bystander_errors == 0

    report = proven(site, leaver)
    assert report.problems == ()
    assert report.left == ()
    assert report.complete
    assert report.payload
    after = {
        row["mark"]: row["after_us"] for row in report.payload["timeline"] if row["at"] and row["mark"] != "approved"
    }
    assert after.keys() >= {"received", "durable", "denied", "last-read", "last-gone"}
    assert of_uid(leaver.who.uid) == []

    site.mark()
    assert attempt(leaver.who, reading(site.plans / "doc.txt")).error == "EACCES"  # by the filesystem: nobody is asked
    assert site.accesses(leaver.who) == []
    assert attempt(ActorIdentity(0, leaver.who.uid), reading(site.plans / "doc.txt")).error == "EPERM"
    theirs = [entry for entry in site.denials() if leaver.id in (entry["person"], entry["login_person"])]
    assert theirs[-1]["rule"] == "departure"
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")).allowed


@pytest.mark.parametrize("delay", [0, 0.01, 0.03, 0.06, 0.1], ids=lambda delay: f"after {delay * 1000:.0f} ms")
def test_a_departure_is_carried_out_though_control_is_killed_right_after_the_drop(
    site: Scene, personnel: HrDepartment, leaver: Leaver, delay: float
) -> None:
    notice = personnel.sign(leaver.id)
    with acting(leaver.who, reading_on(site.plans / "doc.txt")) as reader:
        assert reader.next().allowed
        process, control = os.pidfd_open(reader.pid), site.site.process("control")
        personnel.drop(notice)
        time.sleep(delay)  # so that death comes at another point of its work
        os.kill(control, signal.SIGKILL)
        ended = select.select([process], [], [], 40)[0]
        os.close(process)
    assert ended
    until(site.answers)
    assert proven(site, leaver).complete
    assert len([entry for entry in acts(site, leaver) if entry["outcome"] == "done"]) >= 1
    until(lambda: filed(site, "accepted", notice))
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")).allowed
    assert site.site.shoumi("log", "verify").returncode == 0


@pytest.mark.parametrize("step", ["processes", "account", "processes-again", "acl", "proof"])
def test_a_departure_is_proven_though_the_process_of_departures_is_killed_right_after_a_step(
    site: Scene, personnel: HrDepartment, leaver: Leaver, step: str
) -> None:
    notice = personnel.sign(leaver.id)
    with acting(leaver.who, reading_on(site.plans / "doc.txt")) as reader:
        assert reader.next().allowed
        personnel.drop(notice)
        until(lambda: step in done_steps(site, leaver), 30)
        found: list[int] = []  # 0, while there is none, would be whoever runs this test
        until(lambda: found.extend(filter(None, [departures(site)])) or found)
        os.kill(found[-1], signal.SIGKILL)
        until(lambda: departures(site))
    report = proven(site, leaver)
    assert report.complete
    assert report.problems == ()
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")).allowed


def test_a_token_of_a_forger_ends_nothing_and_is_put_aside_with_the_reason(
    site: Scene, personnel: HrDepartment, leaver: Leaver
) -> None:
    forger = HrDepartment(site.site.home.root.parent / "forger", site.site.home, "E2")  # the same names, other keys
    forged = forger.sign(leaver.id)
    with acting(leaver.who, reading_on(site.plans / "doc.txt")) as reader:
        assert reader.next().allowed
        forger.drop(forged)
        until(lambda: filed(site, "rejected", forged))
        [why] = filed(site, "rejected", forged)
        assert why["reason"] == "signature"
        assert acts(site, leaver) == []
        assert of_uid(leaver.who.uid) == [str(reader.pid)]
    assert attempt(leaver.who, reading(site.plans / "doc.txt")).allowed
    [entry] = [entry for entry in site.news() if entry["kind"] == "hr-event" and entry["file"] == forged.name]
    assert (entry["folder"], entry["outcome"], entry["alarm"]) == ("rejected", "signature", True)


def test_a_chain_of_processes_that_replace_each_other_does_not_survive(
    site: Scene, personnel: HrDepartment, leaver: Leaver
) -> None:
    def chain(say: Say) -> None:
        over = time.monotonic() + _CHAIN_SECONDS
        say("begun")
        while time.monotonic() < over:
            if os.fork():
                os._exit(0)
            time.sleep(0.0005)

    notice = personnel.sign(leaver.id)
    with acting(leaver.who, chain) as first:
        assert first.next().allowed
        dropped = time.monotonic()
        personnel.drop(notice)
        assert first.next(_CHAIN_SECONDS / 2).error == "ended"  # nobody has the pipe any more
        assert time.monotonic() - dropped < _CHAIN_SECONDS / 2
    assert proven(site, leaver).complete
    assert of_uid(leaver.who.uid) == []  # by now without the agent's own attempts under that uid
