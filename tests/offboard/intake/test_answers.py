"""Whatever HR drops, it is answered: signed, by the name it gave, readable to it and nobody else."""

import os
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from agent.errors import ForbiddenError, RefusedError, UsageError
from agent.offboard import database
from agent.offboard.intake import outbox, quarantine
from agent.offboard.intake.store import Store
from rules.text import Text
from tests import needs
from tests.offboard.intake.signing import VERIFICATION, departure, details, right, small
from tests.offboard.intake.site import KEYS, NOW, Site
from tests.sentences import en, zh

DROP, OTHER = 61_500, 61_501


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path) as made:
        yield made


def said(site, name="one"):
    """Return the answer about a name as HR reads it: the claims, with the agent's signature checked."""
    [key] = jwt.PyJWKSet.from_json(outbox.public_jwks(site.home)).keys
    token = (site.home / "outbox" / "by-name" / f"{name}.set").read_text()
    options = {"verify_aud": False, "verify_iat": False}
    return jwt.decode(token, key, algorithms=["EdDSA"], options=options)


def event(site, name="one"):
    [found] = said(site, name)["events"].values()
    return found


def test_every_outcome_is_answered_with_its_reason_in_both_languages(site):
    newer = departure(jti="newer", toe=NOW.timestamp() - 3, iat=NOW.timestamp() - 2)
    drops = {
        "in time": (right(newer), "received", "accepted"),
        "too late": (right(), "quarantined", "superseded"),
        "nobody": (right(departure("X1")), "quarantined", "unknown-person"),
        "nothing": ("nothing", "rejected", "not-a-token"),
        "forged": (right()[:-8] + "AAAAAAAA", "rejected", "signature"),
        "early": (right(departure("E2", iat=NOW.timestamp() + 600)), "waiting", "ahead"),
        "alive": (small(VERIFICATION, events={VERIFICATION: {"state": "s1"}}), "done", "accepted"),
    }
    for name, (token, state, reason) in drops.items():
        site.drop(token, name)
        site.sweep()
        found = event(site, name)
        assert (found["state"], found["reason"], found["file"]) == (state, reason, f"{name}.set")
        assert en(found["text"]) != zh(found["text"])
        assert len(found["sha256"]) == 64
    assert event(site, "alive")["verification"] == "s1"
    assert said(site, "nobody")["sub_id"]["sub"] == "X1"
    assert "aud" not in said(site, "forged")  # nobody knows whose it is
    assert [name for name, _ in outbox.newest(site.home)] == sorted(f"{name}.set" for name in drops)
    assert not site.words()


def test_what_was_said_of_the_delivery_never_covers_what_is_done(site):
    site.drop(right())
    site.sweep()
    [notice] = site.handed
    done = outbox.Completion("done", {"denied": NOW})
    outbox.complete(site.home, "urn:x", notice, done, NOW, files=("one.set",))
    site.drop(right(), "one")
    site.drop(right(), "two")
    site.sweep()
    assert event(site)["state"] == "done"
    assert (event(site, "two")["state"], event(site, "two")["reason"]) == ("received", "replayed")
    with Store(site.home / "offboard.db") as store:
        assert store.files(notice) == ("one.set", "two.set")


def test_a_name_that_is_used_for_another_notice_has_that_one_s_answer_and_the_first_is_kept(site):
    site.drop(right())
    site.sweep()
    first = said(site)["jti"]
    outbox.complete(site.home, "urn:x", site.handed[0], outbox.Completion("done", {}), NOW, files=("one.set",))
    site.drop("nothing", "one")
    site.sweep()
    assert event(site)["state"] == "rejected"
    assert (site.home / "outbox" / f"{first}.set").exists()


def test_what_is_released_is_answered_anew(site):
    site.drop(right(departure("X1")))
    site.sweep()
    assert event(site)["state"] == "quarantined"
    site.known = lambda _person: True
    [aside] = quarantine.quarantined(site.home / "spool")
    quarantine.release(site.home / "spool", aside.name)
    site.sweep()
    assert event(site)["state"] == "received"


def test_what_cannot_be_begun_is_answered_so_and_not_as_received(site):
    site.failing["E1001"] = RefusedError(Text("not now", "暂不"))
    site.drop(right())
    site.sweep()
    assert (event(site)["state"], event(site)["reason"]) == ("waiting", "not-begun")
    assert "not now" in en(event(site)["text"])


@pytest.mark.parametrize("error", [UsageError, ForbiddenError])
def test_what_is_not_understood_goes_into_quarantine_and_keeps_no_later_one_of_the_person_back(site, error):
    site.drop(right(departure(txn="HR-1")))
    site.drop(right(departure(txn="HR-2", toe=departure()["toe"] + 1)), "two")

    def received(notice):
        if notice.txn == "HR-1" and "E1001" in site.failing:
            raise site.failing["E1001"]
        site.handed.append(notice)

    site.received = received
    site.failing["E1001"] = error(Text("that is no `x`", "不是 `x`"))
    assert sorted((done.folder, done.reason) for done in site.sweep()) == [
        ("accepted", "accepted"),
        ("quarantine", "refused"),
    ]
    assert [notice.txn for notice in site.handed] == ["HR-2"]
    assert (event(site)["state"], event(site)["reason"]) == ("quarantined", "refused")
    assert en(event(site)["text"]) == "the agent refuses the request: that is no `x`"
    assert [done.alarm for done in site.noted if done.reason == "refused"] == [True]
    site.reopen()
    assert site.sweep() == []
    assert [notice.txn for notice in site.handed] == ["HR-2"]
    site.failing.clear()
    [aside] = quarantine.quarantined(site.home / "spool")
    quarantine.release(site.home / "spool", aside.name)
    assert [done.reason for done in site.sweep()] == ["superseded"]  # by the one that came after it
    with Store(database.path(site.home)) as known:
        known.release(aside.key, NOW)
    [aside] = quarantine.quarantined(site.home / "spool")
    quarantine.release(site.home / "spool", aside.name)
    assert [done.reason for done in site.sweep()] == ["accepted"]


def test_what_is_refused_only_after_it_was_put_away_is_said_too_and_judged_again_when_it_comes_again(site):
    site.failing["E1001"] = RefusedError(Text("not now", "暂不"))
    token = right()
    site.drop(token)
    assert [done.reason for done in site.sweep()] == ["accepted"]
    site.failing["E1001"] = UsageError(Text("that is no `x`", "不是 `x`"))
    assert site.sweep() == []
    assert (event(site)["state"], site.words()) == ("quarantined", ["hand-over", "refused"])
    site.failing.clear()
    site.drop(token)
    assert [done.reason for done in site.sweep()] == ["accepted"]
    assert [notice.txn for notice in site.handed] == ["HR-2026-0042"]


def test_an_answer_that_cannot_be_given_is_trouble_and_keeps_nothing_back(site):
    (site.home / "outbox").write_text("in the way")
    site.drop(right())
    site.drop(right(departure("E2", txn="2")), "two")
    assert [done.reason for done in site.sweep()] == ["accepted", "accepted"]
    assert site.words() == ["answers"]
    (site.home / "outbox").unlink()
    site.drop("nothing", "three")
    site.sweep()
    assert event(site, "three")["state"] == "rejected"


def test_names_of_every_kind_are_answered_under_a_name_that_can_be_told_beforehand(site):
    for name in ("离职 1", "a" * 251, "x\x1b[2J"):
        site.drop("nothing", name) if len(name) < 200 else (site.new / f"{name}.set").write_text("nothing")
        site.sweep()
    assert event(site, "离职 1")["state"] == "rejected"
    assert event(site, "a" * 251)["state"] == "rejected"
    assert event(site, "x\\x1b[2J")["state"] == "rejected"
    assert outbox.name_of("\\x1b" * 80) == outbox.name_of("\\x1b" * 80)
    assert len(outbox.name_of("\\x1b" * 80)) == 68


@needs.root
def test_the_drop_user_lists_and_reads_the_answers_and_nobody_else_does():
    pinned = (KEYS / "hr-keys.json").read_bytes().replace(b"{", b'{"drop_uid": %d,' % DROP, 1)

    def run(uid, script):
        done = subprocess.run(["sh", "-c", script], user=uid, group=uid, extra_groups=[], capture_output=True)
        return done.stdout.decode(), done.returncode

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        with Site(Path(folder), pinned=pinned) as site:
            os.chown(site.drop(right()), DROP, DROP)
            site.sweep()
        names, answer = f"{folder}/outbox/by-name", f"{folder}/outbox/by-name/one.set"
        assert run(DROP, f"ls {names}") == ("one.set\n", 0)
        assert run(DROP, f"cat {answer}")[0].count(".") == 2
        assert run(OTHER, f"ls {names} || cat {answer}") == ("", 1)
        assert run(DROP, f"echo x >{names}/x || rm -f {answer}")[1]


def test_a_notice_that_is_early_waits_where_it_is_is_said_once_and_taken_up_in_its_time(site):
    token = right(departure(iat=NOW.timestamp() + 3600, toe=NOW.timestamp() + 3590))
    site.drop(token)
    [waiting] = site.sweep()
    assert (waiting.folder, waiting.reason, waiting.alarm) == ("new", "ahead", True)
    assert waiting.until == NOW + timedelta(seconds=3540)  # by then it is within the leeway
    assert site.sweep(NOW + timedelta(minutes=30)) == []
    assert len(site.noted) == 1
    assert event(site)["until"] == "2026-12-01T00:59:00+00:00"
    assert [done.reason for done in site.sweep(NOW + timedelta(minutes=59))] == ["accepted"]
    assert event(site)["state"] == "received"
    assert [notice.subject for notice in site.handed] == ["E1001"]


def test_early_is_said_only_of_what_is_right_in_everything_else(site):
    claims = departure(iat=NOW.timestamp() + 3600, events=details(kind="promotion"))
    site.drop(right(claims))
    assert [done.reason for done in site.sweep()] == ["event-wrong"]
    site.drop(right(departure(iat=NOW.timestamp() + 86_461)), "far")
    assert [done.reason for done in site.sweep()] == ["from-the-future"]


def test_an_early_file_that_is_replaced_is_judged_at_once(site):
    site.drop(right(departure(iat=NOW.timestamp() + 3600)))
    site.sweep()
    site.drop(right())
    assert [done.reason for done in site.sweep()] == ["accepted"]
