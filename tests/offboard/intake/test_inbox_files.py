"""Who and what may be dropped, and what happens to the rest: real files of every kind."""

import json
import os
import socket
import subprocess
import time
import tracemalloc

import pytest

from agent.kernel import rename
from agent.offboard.intake import quarantine
from tests import needs
from tests.offboard.intake.signing import departure, right, small
from tests.offboard.intake.site import KEYS, NOW, Site
from tests.sentences import en


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path) as made:
        yield made


def test_a_link_is_put_away_and_its_target_is_never_read(site, tmp_path):
    target = tmp_path / "shadow"
    target.write_text(right())
    (site.new / "link.set").symlink_to(target)
    [done] = site.sweep()
    assert (done.folder, done.reason) == ("rejected", "not-a-file")
    assert (tmp_path / "spool/rejected" / f"{done.filed_as}.set").is_symlink()
    assert target.exists()
    assert not site.handed


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "device"])
def test_what_is_no_file_is_put_away_without_being_opened(site, kind):
    path = site.new / "x.set"
    match kind:
        case "fifo":
            os.mkfifo(path)  # opening it for reading would wait for ever
        case "directory":
            path.mkdir()
            (path / "inside.set").write_text(right())
        case "socket":
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
        case "device":
            if reason := needs.is_root():
                needs.skip_or_fail(reason)
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 7))  # /dev/full
    [done] = site.sweep()
    assert (done.folder, done.reason) == ("rejected", "not-a-file")
    assert os.listdir(site.new) == []


@needs.root
def test_a_file_of_somebody_else_is_put_away(site):
    file = site.drop(right())
    os.chown(file, 12345, 12345)
    assert [done.reason for done in site.sweep()] == ["wrong-owner"]
    assert not site.handed


@needs.root
def test_the_drop_user_may_drop_and_the_directory_is_theirs(tmp_path):
    pinned = (KEYS / "hr-keys.json").read_bytes().replace(b"{", b'{"drop_uid": 61500,', 1)
    with Site(tmp_path, pinned=pinned) as site:
        assert not site.sweep()
        assert (site.new.stat().st_uid, site.new.stat().st_mode & 0o777) == (61500, 0o700)
        os.chown(site.drop(right()), 61500, 61500)
        assert [done.reason for done in site.sweep()] == ["accepted"]


def test_a_file_with_a_second_name_is_put_away(site, tmp_path):
    os.link(site.drop(right()), tmp_path / "kept by the sender")
    assert [done.reason for done in site.sweep()] == ["hard-linked"]


def test_a_giant_file_is_not_read(site):
    with open(site.new / "giant.set", "wb") as sink:
        sink.truncate(1 << 40)
    tracemalloc.start()
    try:
        assert [done.reason for done in site.sweep()] == ["too-large"]
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_other_names_are_deliveries_under_way_and_wait(site):
    for name in ("a.tmp", "b.SET", ".c.set.x7", "set"):
        (site.new / name).write_text(right())
    assert site.sweep() == []
    assert site.filed("new") == [".c.set.x7", "a.tmp", "b.SET", "set"]
    os.rename(site.new / "a.tmp", site.new / "a.set")
    assert [done.reason for done in site.sweep()] == ["accepted"]


def test_a_file_written_in_place_waits_until_it_is_whole_or_has_settled(tmp_path):
    token = right()
    with Site(tmp_path, settling=3600) as site:
        with open(site.new / "slow.set", "w") as sink:
            sink.write(token[:200])
            sink.flush()
            assert site.sweep() == []
            sink.write(token[200:])
        assert [done.reason for done in site.sweep()] == ["accepted"]
        (site.new / "stopped.set").write_text(token[:200])
        assert site.sweep() == []
        site.settling = 0.5
        site.reopen()
        deadline = time.monotonic() + 30
        while not (done := site.sweep()) and time.monotonic() < deadline:
            os.stat(site.new)
        assert [one.reason for one in done] == ["not-a-token"]


def test_names_with_control_bytes_and_foreign_bytes_are_shown_and_kept(site):
    for name in (b"a\nb\x1b[2J.set", b"\xff\xfe.set", "离职\u202e.set".encode()):
        with open(os.fsencode(site.new) + b"/" + name, "w") as sink:
            sink.write("nothing")
    assert sorted(done.name for done in site.sweep()) == [
        "\\xff\\xfe.set",
        "a\\nb\\x1b[2J.set".replace("\\n", "\\x0a"),
        "离职\\u202e.set",
    ]
    assert len(site.filed("rejected")) == 6


def test_files_of_one_name_never_replace_each_other(site):
    for number in range(3):
        site.drop(right(departure(jti=str(number))), "same name")
        assert [done.reason for done in site.sweep()] == ["accepted"]
        site.reopen()  # and on a clock that stands still
    assert (site.kept(), len(site.filed("accepted"))) == (3, 6)


def test_a_token_renamed_over_the_one_just_read_is_not_lost(site):
    first, second = right(departure(jti="first")), right(departure("E1002", jti="second"))
    site.drop(first, "fixed name")

    def meanwhile(employee):
        if employee == "E1001":
            site.drop(second, "fixed name")
        return True

    site.known = meanwhile
    site.reopen()
    assert [done.name for done in site.sweep()] == ["fixed name.set"]
    assert [done.name for done in site.sweep()] == ["fixed name.set"]
    assert [notice.jti for notice in site.handed] == ["first", "second"]
    assert site.filed("new") == []


def test_a_spool_directory_replaced_while_running_is_noticed_and_nothing_in_either_is_lost(site):
    site.drop(right(departure(jti="in the old one")), "old")
    site.new.rename(site.new.with_name("moved away"))
    site.new.mkdir()
    site.drop(right(departure("E1002", jti="in the new one")), "new")
    assert sorted(done.name for done in site.sweep()) == ["new.set", "old.set"]  # as HR named them, wherever they were
    assert site.words() == ["spool-replaced"]
    assert {notice.jti for notice in site.handed} == {"in the old one", "in the new one"}
    site.drop(right(departure("E1003", jti="later")))
    assert [done.reason for done in site.sweep()] == ["accepted"]
    assert site.words() == ["spool-replaced"]


@pytest.mark.parametrize("able", [True, False], ids=["", "a kernel that cannot rename without replacing"])
def test_of_two_deliveries_of_one_name_in_the_old_and_the_new_directory_both_are_taken(site, monkeypatch, able):
    if not able:
        monkeypatch.setattr(rename, "_RENAMEAT2", None)
    names = ["same.set", "名" * 83 + ".set"]  # the second is as long as a name can be
    for name in names:
        (site.new / name).write_text(right(departure(jti=f"old {name[:4]}")))
    site.new.rename(site.new.with_name("moved away"))
    site.new.mkdir()
    for number, name in enumerate(names):
        (site.new / name).write_text(right(departure(f"E200{number}", jti=f"new {name[:4]}")))
    shown = [done.name for done in site.sweep()]
    assert len(shown) == len({notice.jti for notice in site.handed}) == 4
    assert sum(name in names for name in shown) == 2
    assert sum(name.endswith("-same.set") for name in shown) == 1


def test_of_a_replaced_directory_with_thousands_of_deliveries_none_is_left_behind(site):
    for number in range(1500):
        (site.new / f"heap {number:04d}.set").write_text("nothing")
    site.drop(right(), "the last of all")
    site.new.rename(site.new.with_name("moved away"))
    while site.sweep() or site.inbox.more:
        pass
    assert [notice.subject for notice in site.handed] == ["E1001"]
    assert os.listdir(site.new.with_name("moved away")) == []
    assert len(site.filed("rejected")) == 2 * 1500


def test_a_right_token_is_taken_up_before_a_heap_of_wrong_ones_is_put_away(site):
    site.filing = 0.01
    site.reopen()
    for number in range(3000):
        (site.new / f"heap {number:04d}.set").write_text("nothing")
    site.drop(right(), "the last of all")
    for _ in range(4):
        site.sweep()
    assert [notice.subject for notice in site.handed] == ["E1001"]
    assert site.inbox.more
    assert len(site.filed("new")) > 2500


def test_wrong_files_that_are_written_again_and_again_keep_no_right_one_waiting(tmp_path):
    with Site(tmp_path, settling=3600) as site:
        for number in range(2500):
            (site.new / f"heap {number:04d}.set").write_text("nothing")
        grown = site.new / "written in place.set"
        grown.write_text(right()[:100])
        for _ in range(3):
            site.sweep()
        grown.write_text(right())
        for _ in range(3):
            site.sweep()
        assert [notice.subject for notice in site.handed] == ["E1001"]
        assert not site.inbox.more


@pytest.mark.parametrize("name", ["new", "accepted", "."])
def test_a_directory_that_was_removed_is_made_again(site, name):
    (site.home / "spool" / name).resolve().rename(site.home / "elsewhere")
    site.sweep()
    site.drop(right())
    assert [done.reason for done in site.sweep()] == ["accepted"]
    assert site.words() == ["spool-replaced"]
    assert len(site.filed("accepted")) == 2


def test_a_link_in_place_of_the_directory_is_not_followed_and_is_said_once(site, tmp_path):
    site.new.rename(tmp_path / "elsewhere")
    site.new.symlink_to(tmp_path / "elsewhere")
    site.drop(right())
    site.sweep()
    site.sweep()
    assert site.words() == ["spool-replaced", "spool-unusable"]
    assert [notice.subject for notice in site.handed] == ["E1001"]  # the directory that was open is still swept
    site.new.unlink()
    site.sweep()
    site.drop(right(departure("E1002", jti="after")))
    assert [done.reason for done in site.sweep()] == ["accepted"]


def test_without_readable_keys_everything_waits_and_it_is_said_once(site):
    pinned = (site.home / "hr-keys.json").read_bytes()
    site.drop(right())
    for broken in (b"", b"{}", b"not json"):
        (site.home / "hr-keys.json").write_bytes(broken)
        assert site.sweep() == []
    os.chmod(site.home / "hr-keys.json", 0o666)
    (site.home / "hr-keys.json").write_bytes(pinned)
    assert site.sweep() == []
    assert site.words() == ["keys"]
    os.chmod(site.home / "hr-keys.json", 0o600)
    assert [done.reason for done in site.sweep()] == ["accepted"]


def test_a_withdrawn_key_counts_at_the_next_sweep(site):
    keys = site.home / "hr-keys.json"
    keys.write_bytes(keys.read_bytes().replace(b'"test-only-idp-es256"', b'"another"'))
    site.drop(small())
    assert [done.reason for done in site.sweep()] == ["key-unknown"]


@pytest.mark.kernel
@needs.root
def test_what_cannot_be_moved_is_said_and_keeps_nothing_else_back(site):
    stuck = site.new / "a mount point.set"
    stuck.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "shoumi-test", stuck], check=True)
    try:
        site.drop(right(), "b")
        assert [done.reason for done in site.sweep()] == ["accepted", "not-a-file"]
        assert site.sweep() == []
        assert site.words() == ["filing"]
        assert os.listdir(site.new) == [stuck.name]
    finally:
        subprocess.run(["umount", stuck], check=True)
    site.again = 0
    site.reopen()
    assert [done.reason for done in site.sweep()] == ["not-a-file"]
    assert os.listdir(site.new) == []


def test_an_unknown_employee_is_kept_and_can_be_released_when_known(site):
    site.drop(right(departure("X9999")))
    [done] = site.sweep()
    assert (done.folder, done.alarm) == ("quarantine", True)
    assert [one.person for one in quarantine.quarantined(site.home / "spool")] == ["X9999"]
    assert not site.handed
    site.known = lambda _employee: True
    site.reopen()
    assert not site.sweep()
    quarantine.release(site.home / "spool", done.filed_as)
    assert [(one.reason, one.name) for one in site.sweep()] == [("accepted", "one.set")]
    assert [notice.subject for notice in site.handed] == ["X9999"]


def test_what_is_released_replaces_nothing_and_what_its_reason_says_of_its_name_leads_nowhere_else(site):
    for name in ("one", "two", "three"):
        site.drop(right(departure("X9999", jti=name)), name)
    filed = {done.name: done.filed_as for done in site.sweep()}
    for name, wrong in (("two.set", "../accepted/two.set"), ("three.set", 3)):
        reason = site.home / "spool/quarantine" / f"{filed[name]}.json"
        reason.write_text(json.dumps(json.loads(reason.read_text()) | {"file": wrong}))
    site.drop(right(departure("E1002", jti="four")), "one")
    site.known = lambda _employee: True
    site.reopen()
    for stem in filed.values():
        quarantine.release(site.home / "spool", stem)
    wanted = ["one.set", f"{filed['one.set']}-one.set", f"{filed['two.set']}.set", f"{filed['three.set']}.set"]
    assert site.filed("new") == sorted(wanted)
    assert len({notice.jti for _ in site.sweep() for notice in site.handed}) == 4


def test_an_approver_who_may_not_act_does_not_count_and_the_token_waits_until_somebody_releases_it(site):
    site.absent = {"E0008"}
    site.drop(right())
    [done] = site.sweep()
    assert (done.folder, done.reason, done.alarm, done.ignored) == ("quarantine", "approver-out", True, ("E0008",))
    assert "`E0008`" in en(done.text)
    assert not site.handed
    quarantine.release(site.home / "spool", done.filed_as)
    assert [one.reason for one in site.sweep()] == ["approver-out"]
    site.absent.clear()
    [waiting] = quarantine.quarantined(site.home / "spool")
    quarantine.release(site.home / "spool", waiting.name)
    assert [one.reason for one in site.sweep()] == ["accepted"]
    [notice] = site.handed
    assert [one.person for one in notice.approvals] == ["E0007", "E0008"]


@pytest.mark.parametrize(("wanted", "outcome"), [(1, "accepted"), (2, "approver-out")])
def test_where_enough_approvers_are_left_the_departure_is_not_held_up_and_somebody_has_a_look(site, wanted, outcome):
    pinned = site.home / "hr-keys.json"
    pinned.write_bytes(pinned.read_bytes().replace(b'"approvals_needed": 2', b'"approvals_needed": 1'))
    site.absent, site.wanted = {"E0008"}, wanted
    site.drop(right())
    [done] = site.sweep()
    assert (done.reason, done.alarm, done.ignored) == (outcome, True, ("E0008",))
    assert [[one.person for one in notice.approvals] for notice in site.handed] == [["E0007"]] * (wanted == 1)


def test_alarm_is_for_everything_but_the_ordinary(site):
    site.drop(right(), "a")
    site.drop(right(), "b")
    site.drop("nonsense", "c")
    assert {done.reason: done.alarm for done in site.sweep()} == {
        "accepted": False,
        "replayed": False,
        "not-a-token": True,
    }
    assert NOW.isoformat()[:10] in (site.home / "spool/rejected" / site.filed("rejected")[0]).read_text()
