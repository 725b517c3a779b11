"""Accounts, login sessions and Samba: with the host's real tools where it has them, and with what they are told."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusedError, UnreachableError
from agent.offboard.context import Account, DenialAck, RevocationSubject
from agent.offboard.journal import RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner, survey
from agent.offboard.steps import account, commands, deny, samba, samba_tools, sessions
from agent.offboard.steps.samba_status import SmbStatus, parse
from agent.offboard.steps.step import StepState
from rules.text import Text
from tests import needs
from tests.offboard.host import context, furnish, leaver
from tests.offboard.runs import states
from tests.sentences import en


@pytest.fixture
def home(tmp_path: Path, uid: int) -> Path:
    furnish(tmp_path, uid)
    return tmp_path


# --- deny -----------------------------------------------------------------------------------------


def test_the_deny_is_confirmed_with_its_epoch_and_the_instant_of_the_acknowledgement(tmp_path: Path) -> None:
    at = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
    here = context(tmp_path, deny={"C1": DenialAck(42, at)}.__getitem__)
    result = deny.run(RevocationSubject("E1001"), here, "C1")
    assert (result.state, result.facts) == (StepState.CONFIRMED, {"epoch": 42, "at": at.isoformat()})


def test_a_silent_decider_leaves_the_deny_pending_with_its_reason(tmp_path: Path) -> None:
    def silent(_person: str) -> DenialAck:
        raise UnreachableError(Text("the decider does not answer", "判定进程无应答"))

    result = deny.run(RevocationSubject("E1001"), context(tmp_path, deny=silent), "C1")
    assert (result.state, en(result.detail)) == (StepState.PENDING, "the decider does not answer")


# --- the account ----------------------------------------------------------------------------------

needs_usermod = needs.needs(needs.is_root, needs.tools("usermod"))


@needs_usermod
def test_usermod_locks_and_expires_the_account_and_no_other(home: Path, uid: int) -> None:
    who, here = leaver(home, uid), context(home)
    shadow = home / "host/etc/shadow"
    assert account.probe(who, here) is None
    assert len(account.find_targets(who, here)) == 1
    result = account.run(who, here, "C1")
    assert (result.state, result.facts["closed"]) == (StepState.CONFIRMED, ["zhang"])
    lines = {line.split(":")[0]: line.split(":") for line in shadow.read_text().splitlines()}
    assert lines["zhang"][1].startswith("!$6$")
    assert lines["zhang"][7] == "1"
    assert (lines["li"][1], lines["li"][7]) == ("$6$x$y", "")
    first = shadow.read_bytes()
    assert account.run(who, here, "C1").state is StepState.CONFIRMED
    assert shadow.read_bytes() == first
    assert account.find_targets(who, here) == ()


@needs_usermod
def test_what_the_limits_name_opens_a_closed_account_again(home: Path, uid: int) -> None:
    shadow = home / "host/etc/shadow"
    before = {line.split(":")[0]: line.split(":") for line in shadow.read_text().splitlines()}
    account.run(leaver(home, uid), context(home), "C1")
    words = ("usermod", "--prefix", str(home / "host"), "--unlock", "--expiredate", "", "zhang")
    subprocess.run(words, check=True, capture_output=True)
    after = {line.split(":")[0]: line.split(":") for line in shadow.read_text().splitlines()}
    assert (after["zhang"][1], after["zhang"][7]) == (before["zhang"][1], before["zhang"][7]) == ("$6$x$y", "")


@needs_usermod
def test_every_name_of_a_uid_is_closed(home: Path, uid: int) -> None:
    """Two logins that share a uid are one account, and each of them lets somebody in."""
    for path, line in {
        "etc/passwd": f"zhang2:x:{uid}:{uid}::/home/zhang:/bin/sh\n",
        "etc/shadow": "zhang2:$6$x$z:19000:0:99999:7:::\n",
    }.items():
        with (home / "host" / path).open("a") as file:
            file.write(line)
    result = account.run(leaver(home, uid), context(home), "C1")
    assert (result.state, result.facts["closed"]) == (StepState.CONFIRMED, ["zhang", "zhang2"])


def test_accounts_the_host_does_not_know_are_skipped(tmp_path: Path, uid: int) -> None:
    assert account.probe(RevocationSubject("E1001", (Account(uid),)), context(tmp_path)) is not None
    assert account.probe(RevocationSubject("E1001"), context(tmp_path)) is not None


@needs_usermod
def test_an_account_of_a_directory_service_is_pending_until_it_is_closed_there(home: Path, uid: int) -> None:
    who = RevocationSubject("E1001", (Account(uid, ("zhang", "zhang.ldap"), "/home/zhang"),))
    result = account.run(who, context(home), "C1")
    assert result.state is StepState.PENDING
    assert "zhang.ldap" in en(result.detail)
    assert result.facts["closed"] == ["zhang"]


def test_a_name_that_is_another_uid_s_by_now_is_not_closed(home: Path, uid: int) -> None:
    passwd = home / "host/etc/passwd"
    passwd.write_text(passwd.read_text().replace(f"zhang:x:{uid}:", f"zhang:x:{uid + 1}:"))
    who = RevocationSubject("E1001", (Account(uid, ("zhang",), "/home/zhang"),))
    before = (home / "host/etc/shadow").read_bytes()
    assert account.run(who, context(home), "C1").state is StepState.PENDING
    assert (home / "host/etc/shadow").read_bytes() == before


def test_a_login_that_looks_like_an_option_stays_a_login() -> None:
    assert account.command_for("-rf", Path("/")) == ("usermod", "--lock", "--expiredate", "1", "--", "-rf")


@pytest.mark.parametrize(
    ("line", "closed"),
    [
        ("zhang:!$6$x:1:0:9:7::1:", True),
        ("zhang:!:1:0:9:7::1:", True),
        ("zhang:$6$x:1:0:9:7::1:", False),  # expired, not locked
        ("zhang:!$6$x:1:0:9:7:::", False),  # locked, not expired: keys still work
        ("zhang:!$6$x:1:0:9:7::0:", False),  # 0 is ambiguous
        ("zhang2:!$6$x:1:0:9:7::1:", False),
        ("zhang:!$6$x:1", False),
        ("", False),
    ],
)
def test_closed_means_locked_and_expired(line: str, closed: bool) -> None:
    assert account.closed(line, "zhang") is closed


# --- sessions -------------------------------------------------------------------------------------


def test_without_systemd_sessions_are_skipped_with_the_reason(home: Path, uid: int) -> None:
    reason = sessions.probe(leaver(home, uid), context(home))
    assert reason is not None
    assert "systemd" in en(reason)


def test_of_who_stays_sessions_end_only_where_the_pack_says_so(home: Path, uid: int) -> None:
    here = context(home)
    for asked in (True, False):
        found = survey(leaver(home, uid), replace(here, end_sessions=lambda asked=asked: asked), Cause.HOLD)
        assert ("sessions" in [step.id for step in found.steps]) == asked
    assert sessions.commands_for(62400, leaves=False) == (("loginctl", "terminate-user", "62400"),)


def test_where_the_pack_cannot_be_read_sessions_of_who_stays_are_asked_about_again(
    home: Path, uid: int, journal: RevocationJournal
) -> None:
    def unreadable() -> bool:
        raise RefusedError(Text("the pack in force cannot be read", "无法读取现行规则包"))

    (home / "host/run/systemd/system").mkdir(parents=True)
    runner = Runner(journal, context(home, end_sessions=unreadable))
    runner.begin("H1", leaver(home, uid), Cause.HOLD, ("E8",))
    runner.cut("H1")  # which waits for nothing
    asked = StepState.SKIPPED if sessions.probe(leaver(home, uid), context(home)) else StepState.PENDING
    assert states(runner.advance("H1"))["sessions"] is asked
    found = sessions.run_staying(leaver(home, uid), context(home), "H1")
    assert (found.state, found.facts) == (StepState.SKIPPED, {"not_wanted": True})


def test_lingering_ends_before_the_sessions_do() -> None:
    assert sessions.commands_for(62400) == (
        ("loginctl", "disable-linger", "62400"),
        ("loginctl", "terminate-user", "62400"),
    )


@needs.needs(needs.tools("loginctl"))
def test_a_logind_that_does_not_answer_leaves_the_step_pending(
    home: Path, uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(commands.ENVIRONMENT, "DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={home}/no-such-bus")
    (home / "host/run/systemd/system").mkdir(parents=True)
    (home / f"host/run/systemd/users/{uid}").mkdir(parents=True)
    who, here = leaver(home, uid), context(home)
    assert sessions.probe(who, here) is None
    assert len(sessions.find_targets(who, here)) == 1
    result = sessions.run(who, here, "C1")
    assert result.state is StepState.PENDING
    assert "loginctl" in en(result.detail)


# --- Samba ----------------------------------------------------------------------------------------


def status(*rows: tuple[str, int, int], trees: tuple[tuple[str, str], ...] = ()) -> str:
    """Return what ``smbstatus --json`` writes, cut down to what matters (smbstatus(1), Samba 4.17).

    *rows* are sessions: their number, process and uid. *trees*: a session's number and a share.
    """
    process = {number: {"pid": str(pid)} for number, pid, _ in rows}
    return json.dumps(
        {
            "version": "4.17.12",
            "sessions": {
                number: {"session_id": number, "uid": uid, "username": "zhang", "server_id": process[number]}
                for number, _, uid in rows
            },
            "tcons": {
                str(at): {"service": share, "session_id": number, "tcon_id": str(at), "server_id": process[number]}
                for at, (number, share) in enumerate(trees)
            },
        }
    )


def test_sessions_are_a_person_s_by_uid_and_whatever_they_are_called() -> None:
    found = parse(
        status(("1", 10, 62400), ("2", 10, 62401), ("3", 11, 62400), trees=(("1", "plans"), ("2", "plans"), ("3", "x")))
    )
    assert [one.id for one in found.sessions_of({62400})] == ["1", "3"]
    mine = found.trees_of({62400})
    assert [(tree.pid, tree.share) for tree in mine] == [(10, "plans"), (11, "x")]
    assert found.alone({62400}) == {11}
    assert [found.sole(tree, {62400}) for tree in mine] == [False, True]
    assert parse('{"sessions": {}, "tcons": {}}') == SmbStatus()


UIDS = st.sampled_from([62400, 62401, 62402])
ROWS = st.lists(st.tuples(st.integers(1, 3), UIDS, st.sampled_from(["a", "b"])), max_size=6)


@given(ROWS, st.frozensets(UIDS, max_size=2))
def test_what_somebody_else_uses_too_is_never_ended_as_a_whole(
    rows: list[tuple[int, int, str]], uids: frozenset[int]
) -> None:
    found = parse(
        status(
            *((str(n), pid, uid) for n, (pid, uid, _) in enumerate(rows)),
            trees=tuple((str(n), share) for n, (_, _, share) in enumerate(rows)),
        )
    )
    others = [(pid, share) for pid, uid, share in rows if uid not in uids]
    assert not found.alone(uids) & {pid for pid, _ in others}
    for tree in found.trees_of(uids):
        assert (tree.pid, tree.share) not in others or not found.sole(tree, uids)
    assert {tree.session for tree in found.trees_of(uids)} == {
        str(n) for n, (_, uid, _) in enumerate(rows) if uid in uids
    }


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", '{"sessions": []}', '{"sessions": {"1": 2}}', '{"tcons": 1}'),
        *('{"sessions": {"1": {"session_id": "1", "uid": 1}}}', '{"open_files": {"a": {"opens": []}}}'),
        '{"sessions": {"1": {"session_id": "1", "uid": 1, "server_id": 7}}}',
    ],
)
def test_a_status_that_is_none_is_an_error_and_not_an_empty_answer(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_without_samba_the_step_is_skipped_and_would_stay_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(commands.ENVIRONMENT, "PATH", str(tmp_path))
    who, here = RevocationSubject("E1001"), context(tmp_path)
    assert samba.probe(who, here) is not None
    assert samba.connected([who], here) == [False]
    # uninstalled between the two, while something that may be Samba's runs
    monkeypatch.setattr(samba_tools, "serves", lambda: True)
    for step in (samba.STEP, samba.STAYING):
        with pytest.raises(RefusedError):  # that is not known, and no "nothing"
            step.find_targets(who, here)
        with pytest.raises(RefusedError):  # which leaves it pending, as the runner has it
            step.run(who, here, "C1")


def test_where_no_server_runs_nobody_is_connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(commands.ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setattr(samba_tools, "serves", lambda: False)
    for step in (samba.STEP, samba.STAYING):
        assert step.find_targets(RevocationSubject("E1001"), context(tmp_path)) == ()
        assert step.run(RevocationSubject("E1001"), context(tmp_path), "C1").state is StepState.CONFIRMED


# --- commands -------------------------------------------------------------------------------------


def test_a_command_says_what_it_said_and_why_it_failed() -> None:
    assert commands.call(("echo", "a")).output == "a\n"
    assert commands.call(("echo", "a")).error is None
    failed = commands.call(("sh", "-c", "printf 'no\\033[2J' >&2; exit 3"))
    assert failed.error is not None
    assert "\\x1b" in en(failed.error)
    assert commands.call(("shoumi-no-such-tool",)).error is not None
