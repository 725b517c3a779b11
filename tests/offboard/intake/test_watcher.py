"""What arrives is taken up at once, and without a watcher within a second; a watched directory may be replaced."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

from agent.errors import RefusedError
from agent.offboard.intake import watcher
from agent.offboard.intake.watcher import SpoolWatcher, serve
from agent.simulator.hr_sender import drop
from rules.text import Text
from tests.offboard.intake.signing import departure, right
from tests.offboard.intake.site import NOW, Site


@contextmanager
def serving(site: Site) -> Iterator[threading.Condition]:
    """Run the real loop; the condition is told of every handing over."""
    handed = threading.Condition()
    stop = threading.Event()
    take = site.received

    def received(notice):
        with handed:
            take(notice)
            handed.notify_all()

    site.received = received
    site.reopen()
    thread = threading.Thread(target=serve, args=(site.inbox, lambda: NOW, stop, lambda *_: None))
    thread.start()
    try:
        yield handed
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def wait_for(site, handed, count):
    with handed:
        assert handed.wait_for(lambda: len(site.handed) >= count, 10)


def test_what_lay_there_before_the_start_is_taken_up(tmp_path):
    with Site(tmp_path) as site:
        site.drop(right())
        with serving(site) as handed:
            wait_for(site, handed, 1)


@pytest.mark.parametrize("way", ["renamed", "moved in", "written in place"])
def test_every_way_of_arriving_wakes(tmp_path, way):
    """The sweep is not what finds it: it comes once an hour here. It may well meet a file of which nothing is there."""
    with Site(tmp_path, settling=60.0) as site, pytest.MonkeyPatch.context() as patched:
        patched.setattr(watcher, "SWEEP_SECONDS", 3600.0)
        site.drop(right(departure("E1000", jti="to know that it runs")), "first")
        (site.new / "under way").write_text(right())
        with serving(site) as handed:
            wait_for(site, handed, 1)
            match way:
                case "renamed":
                    os.rename(site.new / "under way", site.new / "x.set")
                case "moved in":
                    (tmp_path / "outside").write_text(right())
                    os.rename(tmp_path / "outside", site.new / "x.set")
                case "written in place":
                    (site.new / "x.set").write_text(right())
            wait_for(site, handed, 2)
            patched.setattr(watcher, "SWEEP_SECONDS", 0.0)
            site.drop(right(departure("E1002", jti="to wake it for the end")), "last")


def test_without_a_watcher_the_sweep_finds_it(tmp_path, monkeypatch):
    assert watcher.SWEEP_SECONDS <= 1
    monkeypatch.setattr(SpoolWatcher, "follow", lambda *_: None)
    with Site(tmp_path) as site, serving(site) as handed:
        site.drop(right())
        wait_for(site, handed, 1)


def test_a_replaced_directory_is_swept_and_watched(tmp_path):
    """While sweeps are frequent one of them meets the exchange; then there are none, and only the new one can wake."""
    other, away = tmp_path / "other", tmp_path / "moved away"
    with Site(tmp_path) as site, pytest.MonkeyPatch.context() as patched:
        patched.setattr(watcher, "SWEEP_SECONDS", 0.05)
        site.drop(right(departure(jti="1")))
        with serving(site) as handed:
            wait_for(site, handed, 1)
            other.mkdir()
            drop(other, right(departure("E1002", jti="2")), "lay there before")
            site.new.rename(away)
            other.rename(site.new)
            wait_for(site, handed, 2)
            patched.setattr(watcher, "SWEEP_SECONDS", 3600.0)
            site.drop(right(departure("E1003", jti="3")))
            wait_for(site, handed, 3)  # perhaps by the sweep that was due; the next one is heard or lost
            site.drop(right(departure("E1004", jti="4")))
            wait_for(site, handed, 4)
            assert site.words() == ["spool-replaced"]
            patched.setattr(watcher, "SWEEP_SECONDS", 0.0)
            site.drop(right(departure("E1005", jti="to wake it for the end")), "last")


def test_the_inboxs_own_reading_and_filing_does_not_wake_it(tmp_path):
    with Site(tmp_path) as site:
        site.drop("wrong")
        woken = threading.Event()
        watching = SpoolWatcher(woken.set)
        watching.follow(*site.inbox.folder)
        try:
            (tmp_path / "mark").touch()
            os.rename(tmp_path / "mark", site.new / "mark")  # one event; when it is heard, the watcher listens
            assert woken.wait(30)
            woken.clear()
            for _ in range(20):
                os.listdir(site.new)
                (site.new / "one.set").read_bytes()
            os.unlink(site.new / "mark")
            assert not woken.wait(0.3)
        finally:
            watching.stop()


@pytest.mark.parametrize("written", ["in place", "elsewhere"])
def test_what_was_moved_away_holds_up_no_delivery(tmp_path, monkeypatch, written):
    """News of a move is kept back to be paired, half a second long and here four."""
    monkeypatch.setattr(InotifyMoveEventGrouper, "delay", 4.0)
    woken = threading.Event()
    with Site(tmp_path) as site:
        (site.new / "filed").touch()
        watching = SpoolWatcher(woken.set)
        watching.follow(*site.inbox.folder)
        try:
            os.rename(site.new / "filed", tmp_path / "filed")
            draft = (site.new if written == "in place" else tmp_path) / "one.tmp"
            draft.write_text(right())
            os.rename(draft, site.new / "one.set")
            assert woken.wait(3.0)
        finally:
            watching.stop()


def test_a_watcher_that_cannot_start_leaves_nothing_behind(tmp_path):
    watching = SpoolWatcher(lambda: None)
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        watching.follow(tmp_path / "nowhere", (0, 0))
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_a_sweep_that_fails_is_said_once_and_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(watcher, "SWEEP_SECONDS", 0.01)
    failing, stop, sweeps = RefusedError(Text("busy", "忙")), threading.Event(), []
    said = []

    def sweep(_now):
        sweeps.append(None)
        if len(sweeps) == 5:
            stop.set()
        raise failing

    def trouble(word, text):
        said.append((word, text))
        if len(said) == 1:
            raise failing  # the log cannot be written either

    with Site(tmp_path) as site:
        monkeypatch.setattr(site.inbox, "sweep", sweep)
        serve(site.inbox, lambda: NOW, stop, trouble)
    assert said == [("sweep", failing.text)] * 2
