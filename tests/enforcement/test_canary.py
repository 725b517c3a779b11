"""Canaries see that enforcement works, on the real kernel; and what follows when it does not."""

import os
import select
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import acting, attempt, reading
from agent.kernel import mounting
from agent.volumes.canary.process import CanaryProcess
from agent.volumes.canary.uid import FIRST, LAST
from agent.volumes.canary.verdict import CanaryTry, judge
from tests.enforcement import canaries, syscalls
from tests.enforcement.canaries import ACCESS, OPEN, PERIOD, SETTING
from tests.enforcement.scene import CLEARED, TOO_LOW, Area, Scene, dead_man, error_of, scene, until

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-canary")]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("drafts")), settings=(SETTING,)) as made:
        yield made


@pytest.fixture
def broken(able: None) -> Iterator[Scene]:
    """A site of its own, to break."""
    with scene(settings=(SETTING,)) as made, dead_man(made.site):
        until(lambda: canaries.seen(made)["state"] == "seen")
        made.mark()
        yield made


# Seen -----------------------------------------------------------------------------------------------------------------


def test_the_guard_is_seen_to_refuse_a_listing_an_open_and_a_read_and_everything_says_when(site: Scene) -> None:
    looks: list[Any] = []

    def seen_by_all() -> bool:
        with site.asking() as agent:
            looks[:] = agent.call("status"), list(agent.stream("area.list")), agent.call("doctor")
        status, listed, found = looks
        states = [row["seen"]["state"] for row in listed]
        told = [finding["state"] for finding in found if finding["code"] == "seen"]
        return (status["enforcing"], states, told) == (True, ["seen", "seen"], ["good", "good"])

    until(seen_by_all)  # a guard that a busy machine has not tried for two seconds is unknown until its next canary
    status, _, found = looks
    assert [row["seen"]["what"] for row in status["areas"]] == ["read", "read"]
    assert status["seen"] == max(row["seen"]["at"] for row in status["areas"])
    assert "watchers" not in [finding["code"] for finding in found]  # the agent's own processes are not told of
    until(lambda: "guard last seen" in site.site.shoumi("area", "show", "plans").stdout)
    until(lambda: "证实于" in site.site.shoumi("status", language="zh").stdout)
    firsts = [e for e in site.site.entries() if e["kind"] == "canary" and e["outcome"] == "seen"]
    named = [(e, area) for e in firsts for area in e.get("areas", [e.get("area")])]
    assert {(e["own"], area, tuple(e["proven"])) for e, area in named} == {
        ("canary", name, ("list", "open", "read")) for name in ("plans", "drafts")
    }


def test_what_stays_as_it_is_writes_nothing_and_is_nobodys_denial(site: Scene) -> None:
    until(lambda: canaries.enforcing(site))
    site.mark()
    before = site.stats()
    canaries.rounds(site, 3)
    after = site.stats()
    assert [entry for entry in site.news() if entry.get("verdict") == "deny"] == []
    assert canaries.entries(site) == []
    assert after["own_denied"] >= before["own_denied"] + 6
    assert after["denied"] == before["denied"]


def test_a_file_that_grew_quiet_is_loud_for_the_canary(site: Scene) -> None:
    """Somebody cleared reads it again and again, so that an ignore mark would let the canary's read pass unasked."""
    site.grown_quiet()

    def reader(say: object) -> None:
        files = [os.open(entry.path, os.O_RDONLY) for entry in os.scandir(site.plans)]
        while True:
            for fd in files:
                os.pread(fd, 16, 0)

    with acting(CLEARED, reader):
        canaries.rounds(site, 4)
        assert canaries.seen(site)["what"] == "read"
    assert not [entry for entry in canaries.entries(site) if entry["outcome"] != "seen"]


def test_it_is_seen_below_our_own_cover_too(site: Scene) -> None:
    mounting.hide(str(site.site.root))
    try:
        canaries.rounds(site)
        until(lambda: canaries.seen(site)["state"] == "seen")
    finally:
        mounting.unhide(str(site.site.root))


def test_deciders_that_are_killed_again_and_again_close_nothing(site: Scene) -> None:
    site.mark()
    for _ in range(4):
        site.replace_decider()
        time.sleep(PERIOD / 3)  # the span itself: a round falls into another part of a decider's life each time
    canaries.rounds(site)
    assert not [entry for entry in canaries.entries(site) if entry["outcome"] == "missing"]
    assert not canaries.covered(site)


def test_an_attempt_of_a_departure_is_marked_as_the_agents_own_and_can_be_left_out(site: Scene) -> None:
    site.mark()
    with site.on_hold("E2"):
        until(lambda: any(entry["kind"] == "receipt" for entry in site.news()))
    tried = [entry for entry in site.news() if entry.get("own") == "departure"]
    assert {entry["verdict"] for entry in tried} == {"deny"}
    assert {entry["person"] or entry["login_person"] for entry in tried} == {"E2"}
    theirs = [entry for entry in site.denials() if "E2" in (entry["person"], entry["login_person"])]
    assert [entry for entry in theirs if "own" not in entry] == []
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"

    def listed(*words: str) -> set[object]:
        done = site.site.ask("log", "list", "--person", "E2", "--verdict", "deny", "--limit", "1", *words)
        return {done["seq"]}

    [last] = [entry["seq"] for entry in site.denials(TOO_LOW) if "own" not in entry]
    assert listed("--own", "no") == {last}
    assert listed("--own", "yes") == {max(entry["seq"] for entry in tried)}


def test_where_an_area_is_only_observed_the_record_is_the_proof_and_once_it_is_enforced_only_a_refusal() -> None:
    with scene((Area("plans", options=("--observe",)),), settings=(SETTING,)) as site, dead_man(site.site):
        until(lambda: canaries.seen(site)["what"] == "record")
        assert not canaries.enforcing(site)
        with site.asking() as agent:
            agent.call("area.enforce", area="plans")
        until(lambda: canaries.seen(site)["what"] == "read")
        until(lambda: canaries.enforcing(site))
        with site.asking() as agent:
            agent.call("area.observe", area="plans")
        until(lambda: canaries.seen(site)["what"] == "record")
        site.mark()
        canaries.take_mark_away(site, OPEN)
        until(lambda: any(entry.get("alarm") for entry in site.news()))
        alarms = [entry for entry in site.news() if entry.get("alarm")]  # a canary's, or that the mark was not there
        assert {(alarm["kind"], alarm["why"]) for alarm in alarms} <= {("canary", "unwatched"), ("volume", "unguarded")}
        assert not canaries.covered(site)


def test_an_area_is_tried_at_once_when_it_is_added_and_when_it_is_enforced() -> None:
    with (
        scene((Area("plans", options=("--observe",)),), settings=("canary_seconds = 300",)) as site,
        dead_man(site.site),
    ):
        assert canaries.seen(site)["what"] == "record"
        with site.asking() as agent:
            agent.call("area.enforce", area="plans")
        until(lambda: canaries.seen(site)["what"] == "read", 60)  # long before its period is over


# Not seen -------------------------------------------------------------------------------------------------------------


def test_marks_that_are_gone_are_noticed_the_area_is_covered_with_an_alarm_and_guarded_again(broken: Scene) -> None:
    with canaries.mended(broken, "let-in") as alarms:
        canaries.take_mark_away(broken, OPEN)
    assert alarms

    def told() -> list[str]:
        with broken.asking() as agent:
            return [finding["state"] for finding in agent.call("doctor") if finding["code"] == "seen"]

    until(lambda: told() == ["good"])


def test_a_read_that_is_not_refused_is_noticed_as_well(broken: Scene) -> None:
    with canaries.mended(broken, "let-in") as alarms:
        canaries.take_mark_away(broken, ACCESS)
    assert alarms[0]["proven"] == ["list", "open"]


def test_while_the_guard_is_not_seen_the_area_stays_covered_and_everything_says_so(broken: Scene) -> None:
    """An exception somebody made on the mount, which no mark of ours takes away."""
    with canaries.excepted(broken):
        until(lambda: canaries.seen(broken)["state"] == "missing")
        until(lambda: canaries.covered(broken))
        time.sleep(3 * PERIOD)  # the span itself: rounds go on, and nothing is uncovered by them
        assert canaries.covered(broken)
        assert not canaries.enforcing(broken)
        assert attempt(CLEARED, reading(broken.plans / "doc.txt")).error == "EACCES"
        assert "NOT SEEN" in broken.site.shoumi("area", "show", "plans").stdout
        with broken.asking() as agent:
            found = agent.call("doctor")
        assert [finding["state"] for finding in found if finding["code"] == "not-seen"] == ["serious"]
    broken.site.stop()
    broken.site.start()
    until(lambda: canaries.enforcing(broken))


def test_somebody_elses_eperm_is_no_proof(broken: Scene) -> None:
    # Once the other listener has gone nobody refuses any more, until the mark is back.
    with canaries.mended(broken, "unrecorded", "let-in"), canaries.denying(broken, range(FIRST, LAST)):
        canaries.take_mark_away(broken, OPEN)
        path = broken.plans / "doc.txt"
        let_in = attempt(TOO_LOW, lambda: error_of(lambda: os.close(os.open(path, os.O_RDONLY)))).value == ""
        assert let_in or canaries.covered(broken)  # the other listener lets everybody in but the canary
        until(lambda: canaries.covered(broken))


def test_canaries_that_are_stopped_leave_what_was_seen_unknown_since_then_and_close_nothing(broken: Scene) -> None:
    with canaries.stopping(broken):
        # One may be over before it is stopped: then it was seen once more, and is unknown again after two periods.
        views: list[dict[str, Any]] = []

        def unknown() -> bool:
            views.append(canaries.seen(broken))
            return views[-1]["state"] == "unknown"

        until(unknown)
        assert views[-1]["since"] == views[-1]["at"]
        until(lambda: not canaries.enforcing(broken))
        until(lambda: "UNKNOWN since" in broken.site.shoumi("area", "list").stdout)
        until(lambda: "未知，自" in broken.site.shoumi("status", language="zh").stdout)
    until(lambda: canaries.enforcing(broken))
    assert not canaries.covered(broken)
    assert not [entry for entry in canaries.entries(broken) if entry["outcome"] == "missing"]


# The attempt itself ---------------------------------------------------------------------------------------------------


def test_no_permission_stands_in_its_way_and_eacces_is_no_proof(able: None, tmp_path: object) -> None:
    folder = f"{tmp_path}/closed"
    os.mkdir(folder, 0o700)
    with open(f"{folder}/file", "w") as file:
        os.fchmod(file.fileno(), 0)
        file.write("x")
    syscalls.mount("tmpfs", folder, "tmpfs", 4)  # MS_NODEV
    try:
        os.mknod(f"{folder}/device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        device, top = os.open(f"{folder}/device", os.O_PATH), os.open(folder, os.O_PATH)
    finally:
        syscalls.unmount(folder)
    file, older = os.open(f"{folder}/file", os.O_PATH), os.open(f"{folder}/file", os.O_RDONLY)
    try:
        with CanaryProcess(FIRST, (device, top, file, older), 10.0) as canary:
            assert [canary.attempt(*one) for one in (("list", top), ("open", file), ("read", older))] == [0, 0, 0]
            status = dict(line.split(":", 1) for line in Path(f"/proc/{canary.pid}/status").read_text().splitlines())
            assert status["Uid"].split() == [str(FIRST)] * 4
            assert {status[name].strip() for name in ("CapEff", "CapPrm")} == {"0000000000000004"}
            assert status["CapInh"].strip() == status["CapAmb"].strip() == "0000000000000000"
            error = canary.attempt("open", device)
    finally:
        for fd in (device, top, file, older):
            os.close(fd)
    assert judge([CanaryTry("open", (0, 0), error)], (), over=False, enforced=True)[::3] == ("unknown", "EACCES")


def test_a_canary_ends_with_whoever_started_it_though_it_is_stopped() -> None:
    program = f"""if True:
        import signal, os, time
        from agent.volumes.canary.process import CanaryProcess
        canary = CanaryProcess({FIRST}, (), 20.0)
        os.kill(canary.pid, signal.SIGSTOP)
        print(canary.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        canary = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
        assert select.select([canary], [], [], 10)[0]
        os.close(canary)
