"""A hold, and a grant that ends by itself: whoever still holds classified data is ended, and nobody else (contract C6).

Rules of this file: the actors are real processes that read through a descriptor and a mapping, which no kernel asks
about; whether one has ended is what its pidfd says.
"""

import contextlib
import json
import mmap
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.demo.actors import Actor, ActorIdentity, acting, attempt, reading
from agent.offboard.receipt import receipt
from agent.offboard.receipt.verify import ReceiptReport, verify
from tests.enforcement.scene import BYSTANDER, NO_LOGIN, SIZE, Area, Scene, scene, until
from tests.enforcement.uring import FIXED_FILE, Ring

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-hold")]

Say = Callable[[object], None]
_PATIENCE = 30.0


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("ledger"))) as made:
        yield made


@pytest.fixture
def person(site: Scene, request: pytest.FixtureRequest) -> tuple[str, ActorIdentity]:
    """Somebody with an account, a level and grants for both areas, for this test alone."""
    number = 61_150 + request.session.items.index(request.node) % 40
    name, who = f"P{number}", ActorIdentity(number, NO_LOGIN)
    with site.asking() as agent:
        agent.call("person.add", person=name, level=["secret"], domain="state", account=[number])
        for area in ("plans", "ledger"):
            agent.call("grant.add", person=name, area=area, reason="测试")
    assert attempt(who, reading(site.plans / "doc.txt")) == (SIZE, "")
    return name, who


def holding(path: Path) -> Callable[[Say], None]:
    """Return an act that holds *path* by a mapping alone, and reads it until it is killed."""

    def act(say: Say) -> None:
        fd = os.open(path, os.O_RDONLY)
        mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        os.close(fd)
        say(len(bytes(mapped)))
        while mapped[:1]:
            time.sleep(0.01)

    return act


def reading_in_a_ring(path: Path) -> Callable[[Say], None]:
    """Return an act that keeps *path* in the table of an io_uring alone, and reads it there without a pause."""

    def act(say: Say) -> None:
        ring, fd = Ring(), os.open(path, os.O_RDONLY)
        ring.register([fd])
        os.close(fd)
        say(len(ring.read(0, SIZE, FIXED_FILE)))
        while True:
            with contextlib.suppress(PermissionError):
                ring.read(0, 1 << 16, FIXED_FILE)

    return act


def idle(say: Say) -> None:
    """Hold nothing, for as long as it takes."""
    say("idle")
    while True:
        signal.pause()


@contextmanager
def alive(who: ActorIdentity, act: Callable[[Say], None]) -> Iterator[tuple[Actor, int]]:
    """An actor that has begun, and its pidfd."""
    with acting(who, act) as actor:
        assert actor.next().allowed
        process = os.pidfd_open(actor.pid)
        try:
            yield actor, process
        finally:
            os.close(process)


def ended(process: int, patience: float = _PATIENCE) -> bool:
    return bool(select.select([process], [], [], patience)[0])


def proven(site: Scene, name: str) -> ReceiptReport:
    """Wait for the receipt of the run *name*, and return what it says, verified."""
    folder = receipt.receipts_folder(site.site.home.root)
    public = site.site.shoumi("keys", "show").stdout.encode()

    def last() -> ReceiptReport:
        return verify(receipt.kept(folder, name)[-1].read_bytes(), public)

    until(lambda: receipt.kept(folder, name), _PATIENCE)
    until(lambda: last().complete)  # what could not be proven at first, on a busy machine, is tried again
    return last()


def test_a_hold_ends_what_holds_classified_data_and_nothing_else(
    site: Scene, person: tuple[str, ActorIdentity]
) -> None:
    name, who = person
    with (
        alive(who, holding(site.plans / "doc.txt")) as (_, mapped),
        alive(who, holding(site.site.root / "ledger" / "doc1.txt")) as (_, other),
        alive(who, holding(site.public / "doc.txt")) as (_, outside),
        alive(who, idle) as (_, harmless),
        alive(BYSTANDER, holding(site.plans / "doc.txt")) as (_, neighbour),
    ):
        plan = json.loads(site.site.shoumi("hold", "plan", name, "--json").stdout)
        [holders] = [step for step in plan["steps"] if step["id"] == "holders"]
        assert (plan["cause"], len(holders["targets"]), bool(holders["lasting"])) == ("hold", 2, True)
        assert not ended(mapped, 0)

        said = site.site.shoumi("hold", "add", name, "--reason", "测试").stdout
        assert " ms" in said or "毫秒" in said
        assert attempt(who, reading(site.plans / "doc.txt")).error == "EPERM"
        assert ended(mapped)
        assert ended(other)
        hold = site_hold(site, name)
        report = proven(site, hold)
        assert not ended(outside, 0)
        assert not ended(harmless, 0)
        assert not ended(neighbour, 0)
    assert report.problems == ()
    assert report.left == ()
    assert report.complete
    assert report.payload
    assert (report.payload["cause"], report.payload["person"], report.payload["case"]) == ("hold", name, hold)
    steps = {step["id"]: step for step in report.payload["steps"]}
    assert (steps["holders"]["state"], steps["holders"]["facts"]["killed"]) == ("confirmed", 2)
    assert tried(report) == {area["name"] for area in site.ask("area.list")}
    marks = {row["mark"]: row["after_us"] for row in report.payload["timeline"] if row["at"]}
    assert marks.keys() >= {"denied", "last-read", "last-gone"}
    assert marks["last-read"] < marks["denied"] <= marks["last-gone"]
    shown = json.loads(site.site.shoumi("hold", "receipt", name, "--json").stdout)
    assert (shown["case"], shown["ok"], shown["complete"]) == (hold, True, True)
    site.site.shoumi("hold", "lift", name, "--reason", "测试")
    assert attempt(who, reading(site.plans / "doc.txt")).allowed


def tried(report: ReceiptReport) -> set[str]:
    """Return the areas at which the person was tried, and denied, as himself and as root."""
    assert report.payload
    attempts = report.payload["proof"]["attempts"]
    assert {one["answer"] for one in attempts} <= {"denied"}
    assert {one["area"] for one in attempts if one["uid"] == 0} == {one["area"] for one in attempts if one["uid"]}
    return {one["area"] for one in attempts}


def test_a_hold_ends_a_ring_that_never_stops_reading(site: Scene, person: tuple[str, ActorIdentity]) -> None:
    """Its table is the only place the file is in, and the kernel shows nothing of it while the ring is at work."""
    name, who = person
    with alive(who, reading_in_a_ring(site.plans / "doc.txt")) as (_, process):
        plan = json.loads(site.site.shoumi("hold", "plan", name, "--json").stdout)
        [holders] = [step for step in plan["steps"] if step["id"] == "holders"]
        assert len(holders["targets"]) == 1
        assert not ended(process, 0)
        site.site.shoumi("hold", "add", name, "--reason", "测试")
        assert ended(process)
    report = proven(site, site_hold(site, name))
    assert (report.problems, report.complete) == ((), True)
    assert report.payload
    steps = {step["id"]: step for step in report.payload["steps"]}
    assert steps["holders"]["facts"]["killed"] == 1


def test_who_is_transferred_is_tried_where_a_grant_ended_with_it(
    site: Scene, person: tuple[str, ActorIdentity]
) -> None:
    name, who = person
    with site.asking() as agent:
        agent.call("grant.end", grant=name, area="ledger", reason="x")
        agent.call("case.open", person=name, last_day="2099-12-31", kind="transfer", post="archivist")
        case = agent.call("case.approve", person=name)["case"]
    report = proven(site, case)
    assert report.complete
    assert report.payload
    assert (report.payload["cause"], tried(report)) == ("transfer", {"plans"})
    assert attempt(who, reading(site.plans / "doc.txt")).error == "EPERM"


def site_hold(site: Scene, name: str) -> str:
    [hold] = [row["id"] for row in site.ask("hold.list") if row["person"] == name]
    return str(hold)


def test_a_hold_is_carried_out_though_the_control_process_dies_right_after_it(
    site: Scene, person: tuple[str, ActorIdentity]
) -> None:
    name, who = person
    with alive(who, holding(site.plans / "doc.txt")) as (_, mapped):
        with site.asking() as agent:
            agent.call("hold.add", person=name, reason="测试")
        os.kill(site.site.process("control"), signal.SIGKILL)
        assert ended(mapped, 60)
    until(site.answers)
    assert proven(site, site_hold(site, name)).complete


def test_when_a_grant_ends_by_itself_what_it_opened_is_closed_and_nothing_else(
    site: Scene, person: tuple[str, ActorIdentity]
) -> None:
    name, who = person
    ledger = site.site.root / "ledger" / "doc.txt"
    with site.asking() as agent:
        agent.call("grant.end", grant=name, area="ledger", reason="x")
        until_then = (datetime.now(UTC) + timedelta(seconds=8)).isoformat()  # whoever opens it takes a while
        grant = agent.call("grant.add", person=name, area="ledger", reason="临时", until=until_then)["grant"]
    with (
        alive(who, holding(ledger)) as (_, lapsing),
        alive(who, holding(site.plans / "doc.txt")) as (_, lasting),
        alive(BYSTANDER, holding(ledger)) as (_, neighbour),
    ):
        assert ended(lapsing)
        assert datetime.now(UTC).isoformat() >= until_then
        report = proven(site, grant)
        assert not ended(lasting, 0)
        assert not ended(neighbour, 0)
    assert report.complete
    assert report.payload
    assert (report.payload["cause"], report.payload["person"], tried(report)) == ("expiry", name, {"ledger"})
    marks = {row["mark"]: row["at"] for row in report.payload["timeline"]}
    assert marks["denied"] >= marks["approved"]
    assert attempt(who, reading(ledger)).error == "EPERM"
    assert attempt(who, reading(site.plans / "doc.txt")).allowed


def test_a_grant_that_ends_beside_another_one_ends_nobody(site: Scene, person: tuple[str, ActorIdentity]) -> None:
    name, who = person
    with site.asking() as agent:
        soon = datetime.now(UTC) + timedelta(seconds=6)
        agent.call("grant.add", person=name, area="plans", reason="临时", until=soon.isoformat())
        other = agent.call("grant.add", person=name, area="ledger", reason="临时", until=soon.isoformat())["grant"]
        agent.call("grant.end", grant=name, area="ledger", reason="x")
        after = soon + timedelta(seconds=2)
        last = agent.call("grant.add", person=name, area="ledger", reason="临时", until=after.isoformat())["grant"]
    with (
        alive(who, holding(site.plans / "doc.txt")) as (_, kept),
        alive(who, holding(site.site.root / "ledger" / "doc.txt")) as (_, lost),
    ):
        assert ended(lost)  # by then the end of the first grants was looked into, and kept its process alive
        assert proven(site, last).complete
        assert not ended(kept, 0)
    runs = {entry["case"] for entry in site.news() if entry["kind"] == "revocation"}
    assert last in runs
    assert other not in runs
