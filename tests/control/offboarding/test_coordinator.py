"""The process of departures: how it asks and is told, and that it is there again after any death but ours."""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from agent import shipped_packs
from agent.confinement import process_rights
from agent.control.offboarding.channel import Answering, ControlClient, answer
from agent.control.offboarding.walker import AreaWalker
from agent.control.offboarding.worker_supervisor import MODULE
from agent.errors import RefusedError, UnreachableError
from agent.kernel import fanotify, private_mount
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.walk import WalkFailure
from agent.offboard import database
from agent.runtime import channel
from agent.runtime.pack_cache import PackCache
from agent.simulator import volume_image
from rules.text import Text
from tests import needs
from tests.control.site import Site

PATIENCE = 30.0
T = TypeVar("T")


def until(come: Callable[[], T]) -> T:
    """Ask again and again, and return what came."""
    deadline = time.monotonic() + PATIENCE
    while not (found := come()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


# --- asking and being told ------------------------------------------------------------------------


@contextmanager
def conversation(answering: Answering) -> Iterator[tuple[ControlClient, socket.socket]]:
    """Yield who asks, and the socket by which it is told; a thread answers from it."""
    ours, theirs = channel.pair()
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            if select.select([ours], [], [], 0.05)[0] and (message := channel.receive(ours)):
                channel.send(ours, answer(message, answering))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with closing(ours), closing(theirs):
            try:
                yield ControlClient(theirs), ours
            finally:
                over.set()
                thread.join()
    finally:
        over.set()


def test_what_is_asked_is_answered_and_what_fails_is_an_error() -> None:
    epochs: list[int] = []

    def fails(_asked: channel.Packet) -> channel.Packet:
        raise UnreachableError(Text("the decider does not answer", "判定进程没有应答"))

    def epoch(asked: channel.Packet) -> channel.Packet:
        epochs.append(asked["epoch"])
        return {}

    with conversation({"append": lambda asked: {"seq": len(asked["fields"])}, "epoch": epoch, "cut": fails}) as (it, _):
        assert it.append({"kind": "receipt", "file": "x"}) == 2
        assert it.acknowledged == (0, 0.0)
        it.epoch(7)
        assert (epochs, it.acknowledged[0]) == ([7], 7)
        with pytest.raises(RefusedError, match="the decider does not answer"):
            it.cut("C1")
        with pytest.raises(RefusedError):
            it.fresh()  # nobody here knows the word


def test_what_is_told_is_heard_once_each_and_in_order() -> None:
    with conversation({"append": lambda _asked: {"seq": 1}}) as (it, teller):
        for case in ("C2", "C1", "C2"):
            channel.send(teller, {"op": "finish", "case": case})
        it.append({})  # what is told while it asks is not lost
        assert it.cases_to_finish(PATIENCE) == ["C2", "C1"]
        assert it.cases_to_finish(0) == []


def test_a_message_that_is_too_large_is_refused_at_once_and_nothing_else_waits_behind_it() -> None:
    with conversation({"append": lambda asked: {"seq": len(asked["fields"])}}) as (it, _):
        with pytest.raises(RefusedError, match=r"runtime.message-too-large.*256"):
            it.append({"attempts": "x" * channel.MAX_MESSAGE})
        assert it.append({"kind": "next"}) == 1


# --- its life -------------------------------------------------------------------------------------


def departures_of(site: Site) -> list[int]:
    """Return the pids of the process of departures that the control process of *site* has now."""
    found = []
    for task in Path(f"/proc/{site.control.pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [pid for pid in map(int, (task / "children").read_text().split()) if is_departures(pid)]
    return found


def is_departures(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False


def test_it_is_started_again_after_it_was_killed(fresh: Site) -> None:
    [first] = until(lambda: departures_of(fresh))
    os.kill(first, signal.SIGKILL)
    until(lambda: (found := departures_of(fresh)) and found != [first])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_it_is_gone_with_the_control_process(fresh: Site, number: signal.Signals) -> None:
    [child] = until(lambda: departures_of(fresh))
    gone = os.pidfd_open(child)
    try:
        fresh.control.send_signal(number)
        fresh.control.wait(PATIENCE)
        assert select.select([gone], [], [], PATIENCE)[0]
    finally:
        os.close(gone)


@needs.root
def test_control_and_what_it_starts_keep_twelve_rights_of_root_and_gain_none(fresh: Site) -> None:
    [departures] = until(lambda: departures_of(fresh))
    wanted = sum(1 << number for number in process_rights.CONTROL.capabilities)
    assert wanted.bit_count() == 12
    assert not wanted & sum(1 << number for number in NEVER)
    for pid in (fresh.control.pid, departures):
        statuses = list(thread_statuses(pid))
        assert statuses
        for status in statuses:  # each thread has its own
            assert {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {
                "CapEff": wanted, "CapPrm": wanted, "CapBnd": wanted, "CapInh": 0,
            }  # fmt: skip
            assert status["NoNewPrivs"] == "1"


def thread_statuses(pid: int) -> Iterator[dict[str, str]]:
    """Yield what the kernel says of every thread of *pid*; one that ends meanwhile has none."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield dict(line.split(":\t") for line in (task / "status").read_text().splitlines())


NEVER = (12, 13, 16, 17, 22, 25, 33, 39)  # network, modules, raw I/O, reboot, clock, policy of the kernel, BPF


# --- what it works with ---------------------------------------------------------------------------


def test_a_pack_is_parsed_again_only_when_its_file_is_another_one(tmp_path: Path) -> None:
    file, fresh = tmp_path / "pack.toml", tmp_path / "pack.toml.new"
    file.write_text(shipped_packs.text("minimal"))
    packs = PackCache(file)
    assert packs.read() is packs.read()
    fresh.write_text(shipped_packs.text("company"))
    fresh.replace(file)
    assert packs.read().name == "company"
    fresh.write_text("no = pack")
    fresh.replace(file)
    with pytest.raises(RefusedError):
        packs.read()
    file.unlink()
    with pytest.raises(RefusedError):
        packs.read()


def test_who_must_not_wait_never_carries_pages_over(tmp_path: Path) -> None:
    file = tmp_path / "offboard.db"
    pages = []
    for checkpoints in (True, False):
        with closing(database.open_database(file, checkpoints=checkpoints)) as db:
            pages += db.execute("PRAGMA wal_autocheckpoint").fetchone()
    assert pages[0] > 0
    assert pages[1] == 0


@pytest.mark.kernel
@needs.kernel
def test_one_way_leads_into_all_areas_of_a_volume_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = private_mount.doorway

    def counted(open_group: int, access_group: int, path: str) -> contextlib.AbstractContextManager[str]:
        opened.append(path)
        return real(open_group, access_group, path)

    monkeypatch.setattr("agent.control.offboarding.walker.doorway", counted)
    with volume_image.volume() as volume:
        names = ["a", "b", "b/c"]
        for name in names:
            (volume.point / name).mkdir()
            (volume.point / name / "计划.txt").write_text("x")
        group = fanotify.init()
        dead_man = threading.Timer(PATIENCE, os.close, (group,))  # whoever waits is let go then
        dead_man.start()
        try:
            fanotify.mark(
                group,
                fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM,
                fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR,
                volume.point,
            )
            ways = AreaWalker(FanotifyGroups(group, -1))
            for name in (*names, ""):  # the volume itself is an area, too
                found = list(ways.walk(str(volume.point / name)))  # nobody answers: an open that asks would hang
                assert not any(isinstance(one, WalkFailure) for one in found)
                assert any(one.path.endswith("计划.txt") for one in found)
            ways.close()
            assert opened == [str(volume.point)]
        finally:
            if dead_man.is_alive():
                dead_man.cancel()
                os.close(group)
