"""Durable before acted on: the agent is killed, or the power is cut, and every event is still acted on, in order."""

import contextlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from agent.errors import FatalError, RefusedError, UnreachableError
from agent.offboard import database
from agent.offboard.intake import inbox, pinned_keys
from agent.offboard.intake.inbox import Hooks, Inbox
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.spool import Spool
from agent.offboard.intake.store import Store, WantedNotice, arrived, awaiting, carried_out
from rules.text import Text
from tests import needs
from tests.offboard.intake.disk import agent, handed, line, make_image, mounted
from tests.offboard.intake.signing import departure, right, small
from tests.offboard.intake.site import KEYS, NOW, Site

PEOPLE = 50
AGO = timedelta(minutes=1)


def prepare(home):
    """Make a site nobody runs yet."""
    pinned_keys.path(home).write_bytes((KEYS / "hr-keys.json").read_bytes())
    Spool(home / "spool").close()
    return home


def drop(home, count, people=PEOPLE):
    """Drop *count* events, each person's in an order that the names of the files do not follow."""
    base = int(datetime.now(UTC).timestamp()) - 10_000
    for number in range(count):
        sub = {"format": "iss_sub", "iss": "https://idp.test-only.example", "sub": f"E{number % people}"}
        token = small(jti=f"{number:04d}", iat=base + number, sub_id=sub)
        (home / "spool/new/under way").write_text(token)
        (home / "spool/new/under way").rename(home / "spool/new" / f"{(number * 7919) % count:04d}.set")


def in_order(home):
    """Check each person's events by first handing over; return how many different events there were."""
    seen = {}
    for jti, subject in handed(home):
        if jti not in seen.setdefault(subject, []):
            seen[subject].append(jti)
    for jtis in seen.values():
        assert jtis == sorted(jtis)
    return sum(map(len, seen.values()))


def test_five_hundred_at_once_are_handed_over_in_order_of_each_person(tmp_path):
    prepare(tmp_path)
    drop(tmp_path, 500)
    with agent(tmp_path, "go") as process:
        assert line(process) == b"swept 500\n"
    assert len(handed(tmp_path)) == in_order(tmp_path) == 500
    assert len(list((tmp_path / "spool/accepted").glob("*.set"))) == 500


def test_five_hundred_at_once_and_a_kill_again_and_again_loses_none(tmp_path):
    prepare(tmp_path)
    drop(tmp_path, 500)
    for seconds in (0.3, 0.45, 0.6, 0.75, 0.9, 1.05):  # in the start, the verifying, the handing over, the filing
        with agent(tmp_path, "go") as process, contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with agent(tmp_path, "go") as process:
        while list((tmp_path / "spool/new").iterdir()):
            assert line(process).startswith(b"swept")
    assert in_order(tmp_path) == 500
    assert len(list((tmp_path / "spool/accepted").glob("*.set"))) == 500
    assert not list((tmp_path / "spool/rejected").iterdir())


def test_killed_between_durable_and_acted_on_it_is_acted_on_after_the_next_start(tmp_path):
    prepare(tmp_path)
    drop(tmp_path, 3, people=3)
    with agent(tmp_path, "stop") as process:
        assert line(process) == b"stopped\n"
    assert len(handed(tmp_path)) == 1
    for file in (tmp_path / "spool/new").iterdir():
        file.unlink()  # the store alone must be enough
    with Site(tmp_path) as site:
        site.sweep()
        assert [notice.jti for notice in site.handed] == ["0000", "0001", "0002"]


@pytest.mark.kernel
@needs.small_disk
def test_the_power_cut_between_durable_and_acted_on_loses_nothing(tmp_path):
    """The image is copied while the agent stands in its first act: what only memory held is not in the copy."""
    image, copy = tmp_path / "image", tmp_path / "copy"
    make_image(image)
    with mounted(image, tmp_path / "before") as home:
        prepare(home)
        drop(home, 20, people=5)
        with agent(home, "stop") as process:
            assert line(process) == b"stopped\n"
            shutil.copyfile(image, copy)
    with mounted(copy, tmp_path / "after") as home:
        for file in (home / "spool/new").glob("*"):
            file.unlink()
        with Site(home) as site:
            site.sweep()
            assert [notice.jti for notice in site.handed] == [f"{number:04d}" for number in range(20)]


def test_a_crash_before_the_file_was_put_away_is_no_replay(tmp_path, monkeypatch):
    class Crash(BaseException):
        pass

    def crash(*_args):
        raise Crash

    with Site(tmp_path) as site:
        site.drop(small())
        with monkeypatch.context() as patched:
            patched.setattr(inbox.Spool, "put_away", crash)
            with pytest.raises(Crash):
                site.sweep()
        assert len(site.handed) == 1
        site.reopen()
        assert [done.reason for done in site.sweep()] == ["accepted"]
        assert len(site.handed) == 1
        site.drop(small())
        assert [done.reason for done in site.sweep()] == ["replayed"]


def test_one_person_who_cannot_be_handed_over_keeps_nobody_else_back(tmp_path):
    with Site(tmp_path) as site:
        site.failing["E1"] = UnreachableError(Text("the decider does not answer", "判定进程无响应"))
        site.failing["E2"] = ZeroDivisionError()
        drop(tmp_path, 9, people=3)
        site.sweep(datetime.now(UTC))
        site.sweep(datetime.now(UTC))
        assert [notice.jti for notice in site.handed] == ["0000", "0003", "0006"]
        assert site.words() == ["hand-over", "hand-over"]
        site.failing.clear()
        site.sweep(datetime.now(UTC))
        assert [notice.jti for notice in site.handed[3:]] == ["0001", "0002", "0004", "0005", "0007", "0008"]


def test_while_nothing_can_be_noted_everybody_is_handed_over_and_no_reason_is_left_without_its_file(tmp_path):
    full, tried = RefusedError(Text("the disk of the log is full", "日志磁盘已满")), []

    def received(notice):
        tried.append(notice.subject)
        raise full

    def unwritable(*_anything):
        raise full

    with Site(tmp_path) as site:
        site.inbox.close()
        site.inbox = Inbox(tmp_path, Hooks(site.known, site.acts, lambda: 1, received, unwritable, unwritable))
        drop(tmp_path, 6, people=3)
        for _ in range(3):
            with pytest.raises(RefusedError):
                site.sweep(datetime.now(UTC))
        assert set(tried) == {"E0", "E1", "E2"}
        assert (site.filed("accepted"), len(site.filed("new"))) == ([], 6)


def test_a_notice_that_is_refused_for_what_it_says_keeps_no_later_one_of_that_person_back(tmp_path):
    with Site(tmp_path) as site:
        taken = site.received

        def received(one):
            if one.jti == "to nowhere":
                raise RefusedError(Text("a transfer leads somewhere", "调动须有去向"))
            taken(one)

        site.received = received
        site.drop(right(departure(jti="to nowhere")), "a")
        site.sweep()
        site.drop(right(departure(jti="later", toe=departure()["toe"] + 1)), "b")
        site.sweep()
        site.sweep()
        assert [notice.jti for notice in site.handed] == ["later"]
        assert site.words() == ["hand-over"]
        with Store(database.path(tmp_path)) as store:
            assert [one.notice.jti for one in store.open()] == ["to nowhere"]


def test_who_was_given_access_again_is_not_hit_by_what_was_before(tmp_path):
    with Site(tmp_path) as site:
        at = datetime.fromtimestamp(departure()["toe"], UTC)
        with Store(database.path(tmp_path)) as store:
            store.restored("E1001", at)
        site.drop(small(iat=departure()["toe"]))
        assert [(done.folder, done.reason) for done in site.sweep()] == [("quarantine", "superseded")]
        site.drop(small(jti="after", iat=departure()["toe"] + 1))
        assert [done.reason for done in site.sweep()] == ["accepted"]


def test_a_refusing_registry_loses_nothing(tmp_path):
    def known(_employee):
        raise RefusedError(Text("the registry is busy", "登记库忙"))

    with Site(tmp_path) as site:
        site.drop(small())
        site.known = known
        with pytest.raises(RefusedError):
            site.sweep()
        assert not site.handed
        del site.known
        assert [done.reason for done in site.sweep()] == ["accepted"]


def test_what_is_durable_is_acted_on_even_when_the_keys_cannot_be_read_any_more(tmp_path):
    with Site(tmp_path) as site:
        site.failing["E1001"] = RefusedError(Text("not now", "暂时不行"))
        site.drop(small())
        site.sweep()
        site.failing.clear()
        pinned_keys.path(tmp_path).unlink()
        site.reopen()
        site.sweep()
        assert [notice.jti for notice in site.handed] == ["idp-1"]


def test_a_database_with_a_damaged_page_stops_the_agent(tmp_path):
    with Site(tmp_path) as site:
        drop(tmp_path, 60)
        site.sweep(datetime.now(UTC))
    file = database.path(tmp_path)
    whole = bytearray(file.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 4096] = b"\xa5" * 4096
    (tmp_path / "restored").write_bytes(whole)
    (tmp_path / "restored").rename(file)  # another file: a process looks through each one once
    with pytest.raises(FatalError):
        Site(tmp_path)


def test_a_damaged_database_stops_the_agent(tmp_path):
    database.path(tmp_path).write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(FatalError):
        Site(tmp_path)


@pytest.mark.kernel
@needs.small_disk
def test_on_a_full_disk_everything_waits_and_goes_on_when_there_is_space(tmp_path):
    make_image(tmp_path / "image")
    with mounted(tmp_path / "image", tmp_path / "point") as home, Site(home) as site:
        drop(home, 40)
        with open(home / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))
        with pytest.raises(RefusedError):
            site.sweep(datetime.now(UTC))
        assert (site.handed, len(site.filed("new"))) == ([], 40)
        (home / "ballast").unlink()
        site.sweep(datetime.now(UTC))
        assert (len(site.handed), len(site.filed("accepted"))) == (40, 80)


def test_every_departure_that_was_asked_for_is_found_again_after_a_restart(tmp_path):
    first = departure()["toe"]
    with Site(tmp_path) as site:
        site.drop(right(departure(jti="1", txn="HR-1")), "a")
        site.drop(right(departure(jti="2", txn="HR-1", toe=first + 1)), "b")
        site.drop(small(jti="3", txn="HR-2", iat=first + 2), "c")
        site.drop(right(departure(jti="4", txn="HR-3", toe=first + 3)), "d")
        site.sweep()
        site.reopen()
        file, departed = database.path(tmp_path), HrEvent.DEPARTURE_APPROVED
        found = arrived(file, "E1001", WantedNotice(departed, "HR-1"), NOW)
        assert found
        assert found.notice.jti == "2"
        assert arrived(file, "E1001", WantedNotice(departed, "HR-4"), NOW) is None
        assert arrived(file, "E1001", WantedNotice(departed, "HR-2"), NOW) is None  # of another event
        assert arrived(file, "E1001", WantedNotice(departed, "HR-1"), NOW - AGO) is None  # both came later
        by_number = {"C000001": "HR-1", "C000002": "HR-3"}
        assert [one.notice.jti for one in awaiting(file, "E1001", by_number)] == ["1", "2", "4"]
        assert awaiting(file, "E1002", by_number) == []
        carried_out(file, found.notice, "C000002")
        assert [one.notice.jti for one in awaiting(file, "E1001", {"C000001": "HR-1"})] == ["1"]
        assert [one.notice.jti for one in awaiting(file, "E1001", {"C000002": ""})] == ["2"]
        with Store(database.path(tmp_path)) as store:
            store.restored("E1001", datetime.fromtimestamp(first + 2, UTC))
        assert [one.notice.jti for one in awaiting(file, "E1001", by_number)] == ["4"]
