"""HR's host and the agent: a notice dropped by the command, and by the file that runs alone; the answers read back."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import hr_drop
from agent.errors import RefusedError
from agent.simulator import hr_sender
from tests import ROOT, needs
from tests.cli.said import Shoumi
from tests.control.site import Site
from tests.sentences import en

SITE = "urn:shoumi:agent:test"


@pytest.fixture
def home(site: Site) -> Path:
    return site.home.root


@pytest.fixture
def keys(shoumi: Shoumi, home: Path, tmp_path: Path) -> Path:
    """Pinned test keys of a sender and of the approver `E0007`, and the agent's own public ones."""
    folder = tmp_path / "keys"
    assert shoumi("keys", "make-test", str(folder), "--approver", "E0007", "--pin").code == 0
    (folder / "agent.jwks").write_text(shoumi("keys", "show", "--jwks").out)
    hr_sender.wait_for_spool(home)
    return folder


def notice(folder: Path, subject: str = "E1001", **claims: object) -> Path:
    """Write a notice as HR's software would, without number, issuer and time."""
    now = time.time()
    event = {"kind": "resignation", "approvers": [{"role": "personnel", "by": "E0007", "at": int(now)}]}
    iss = json.loads((folder / "sender.private.jwk.json").read_text())["iss"]
    said = {"txn": "HR-7", "toe": now, "sub_id": {"format": "iss_sub", "iss": iss, "sub": subject}, "aud": SITE}
    said |= {"events": {"urn:shoumi:event:departure-approved": event}} | claims
    file = folder / "notice.json"
    file.write_text(json.dumps(said))
    return file


def signing(folder: Path) -> list[str]:
    private = [str(folder / f"{name}.private.jwk.json") for name in ("sender", "E0007")]
    return ["--key", private[0], "--approver", private[1], "--jwks", str(folder / "agent.jwks")]


def test_a_departure_dropped_by_the_command_is_done_when_it_returns(shoumi: Shoumi, keys: Path) -> None:
    shoumi("person", "add", "E1001")
    said = shoumi("hr", "drop", str(notice(keys)), *signing(keys), "--name", "leaver 1")
    assert (said.code, said.out.strip()) == (0, "leaver 1.set"), said.err
    assert "done" in said.err
    listed = shoumi("hr", "answers", "list", language="zh")
    assert "leaver 1.set" in listed.out
    assert "HR-7" in listed.out
    [event] = json.loads(shoumi("hr", "answers", "show", "leaver 1").out)["events"].values()
    assert event["state"] == "done"
    missing = shoumi("hr", "answers", "show", "nothing")
    assert (missing.code, "there is no answer to `nothing`" in missing.err) == (1, True)


def test_who_is_nobody_here_is_told_and_how_the_site_names_people_helps(shoumi: Shoumi, keys: Path) -> None:
    shoumi("person", "add", "E1001")
    said = shoumi("hr", "drop", str(notice(keys, "guid-77")), *signing(keys), "--name", "a")
    assert (said.code, "QUARANTINED: this site has no person with this name or number: `guid-77`" in said.err) == (
        1,
        True,
    )
    assert "`guid-77` names `E1001` now" in shoumi("hr", "subject", "add", "E1001", "--number", "guid-77").out
    assert "guid-77" in shoumi("hr", "subject", "list").out
    assert shoumi("case", "release", "guid-77").code == 0
    deadline = time.monotonic() + 30
    while "done" not in shoumi("hr", "answers", "list").out:
        assert time.monotonic() < deadline
    assert "resignation" in shoumi("case", "list").out


def test_a_token_that_is_wrong_is_refused_with_the_reason_on_both_sides(shoumi: Shoumi, keys: Path) -> None:
    (keys / "forged").write_text("a.b.c")
    said = shoumi("hr", "drop", str(keys / "forged"), "--jwks", str(keys / "agent.jwks"), language="zh")
    assert (said.code, "已拒收：" in said.err) == (1, True)
    assert "人事系统" not in said.out
    status = shoumi("status", language="zh").out
    assert "未执行" in status
    assert "hr-rejected" in shoumi("doctor", "--json").out
    listed = [json.loads(line) for line in shoumi("alarm", "list", "--json").out.splitlines()]
    [alarm] = [one["id"] for one in listed if one["kind"] == "hr-rejected"]
    assert shoumi("alarm", "ack", alarm, "--note", "a test").code == 0
    assert "未执行" not in shoumi("status", language="zh").out
    assert "hr-rejected" not in shoumi("doctor", "--json").out
    assert shoumi("hr", "drop", str(keys / "nowhere")).code == 1
    assert shoumi("hr", "drop", str(notice(keys))).code == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_status_says_what_troubles_the_channel_and_nothing_when_nothing_does(
    shoumi: Shoumi, site: Site, home: Path, keys: Path, language: str
) -> None:
    words = {
        "en": (": no token received for too long", ": 1 notice waits in quarantine", f": {home}"),
        "zh": ("：过久未收到令牌", "：隔离区有 1 份通知待处理", f"：{home}"),
    }[language]
    title = {"en": "personnel system", "zh": "人事系统"}[language]
    assert title not in shoumi("status", language=language).out
    assert shoumi("hr", "drop", str(notice(keys, "X1")), *signing(keys)).code == 1
    site.stop_control()
    config = site.home.config
    config.write_text(config.read_text().replace("hr_silence_seconds = 0.0", "hr_silence_seconds = 0.1"))
    site.start_control()
    pinned = home / "hr-keys.json"
    twice = json.loads(pinned.read_text())
    pinned.write_text(json.dumps(twice | {"keys": twice["keys"] * 2}))
    time.sleep(0.2)  # the silence itself
    said = shoumi("status", language=language).out
    for word in words:
        assert f"{title}{word}" in said
    assert {"en": "occurs twice", "zh": "出现两次"}[language] in said


def test_the_file_that_runs_alone_needs_nothing_of_the_agent(
    shoumi: Shoumi, home: Path, keys: Path, tmp_path: Path
) -> None:
    shoumi("person", "add", "E1001")
    alone = shutil.copy(ROOT / "agent/hr_drop.py", tmp_path)
    words = [str(notice(keys)), "--to", str(home), *signing(keys), "--name", "n1"]
    environment = {"PATH": os.environ["PATH"], "SHOUMI_LANG": "zh"}
    done = subprocess.run(
        [sys.executable, "-I", alone, *words], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answer"]["state"] == "done"
    assert "已接收" in done.stderr
    wrong = [word.replace("sender.private", "E0007.private") for word in words]
    refused = subprocess.run([sys.executable, "-I", alone, *wrong[:-1], "n2"], capture_output=True, text=True, env={})
    assert (refused.returncode, json.loads(refused.stdout)["answer"]["reason"]) == (1, "key-purpose")


def test_an_answer_about_another_notice_or_by_another_key_is_none(
    shoumi: Shoumi, home: Path, keys: Path, tmp_path: Path
) -> None:
    shoumi("person", "add", "E1001")
    assert shoumi("hr", "drop", str(notice(keys)), *signing(keys), "--name", "same").code == 0
    other = hr_drop.Delivered("same.set", hr_drop.token_of("x.y.z", None, [], 0))
    assert hr_drop.answer(home, other) is None
    stranger = hr_sender.make_keys(tmp_path / "other", audience=SITE, iss="x")
    with pytest.raises(hr_drop.DropError, match="not signed by the agent"):
        hr_drop.answer(home, other, hr_drop.read_keys(stranger))


@needs.root
def test_who_may_not_write_there_and_who_waits_in_vain_are_told_by_the_exit_code(
    open_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token, new = open_folder / "token", open_folder / "spool" / "new"
    token.write_text("a.b.c")
    new.mkdir(parents=True)
    to = ["--to", str(open_folder), "--name", "one"]
    assert _as_nobody(lambda: hr_drop.main([str(token), *to])) == 3
    assert list(new.iterdir()) == []
    assert hr_drop.main([str(token), *to, "--wait", "0.1"]) == 4
    assert json.loads(capsys.readouterr().out) == {"name": "one.set", "answer": None}
    assert hr_drop.main([str(open_folder / "no file"), *to]) == 2


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder other users may pass through and read, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _as_nobody(act: Callable[[], int]) -> int:
    """Return the exit code of *act* in a process of a user nobody is."""
    if not (pid := os.fork()):
        os.setgroups([])
        os.setresgid(61_501, 61_501, 61_501)
        os.setresuid(61_501, 61_501, 61_501)
        os._exit(act())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_notice_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = tmp_path / "spool" / "new"
    new.mkdir(parents=True)
    synced: list[tuple[Path, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), (new / "one.set").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    hr_drop.deliver("a.b.c", tmp_path, "one")
    (file, early), folder = synced
    assert (file.suffix, early, folder) == (".tmp", False, (new, True))


def test_nothing_answers_while_no_agent_runs_and_that_is_said(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    hr_sender.make_keys(keys, audience=SITE, iss="https://hr.example", approvers=[("a", "E2")])
    (tmp_path / "spool" / "new").mkdir(parents=True)
    sent = hr_drop.deliver("a.b.c", tmp_path, "one")
    code, last = hr_drop.wait(tmp_path, sent, 0.2, None, lambda _event: None)
    assert (code, last) == (hr_drop.WAITING, None)
    with pytest.raises(hr_drop.DropError, match="is already waiting in the spool"):
        hr_drop.deliver("a.b.c", tmp_path, "one")
    with pytest.raises(hr_drop.DropError, match=r"no spool at `.*nowhere`; check that the keys are pinned") as error:
        hr_drop.deliver("a.b.c", tmp_path / "nowhere", "one")
    assert error.value.code == hr_drop.WAITING


def test_before_keys_are_pinned_both_senders_say_so_and_what_helps(
    shoumi: Shoumi,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, token = tmp_path / "keys", tmp_path / "token"
    token.write_text("a.b.c")
    said = shoumi("hr", "drop", str(token))
    assert (said.code, f"no spool at `{home}`; check that the keys are pinned" in said.err) == (4, True)
    assert "hint: `--to` must be the agent's home" in said.err
    assert "中没有投递目录；请检查是否已固定密钥" in shoumi("hr", "drop", str(token), language="zh").err
    monkeypatch.setenv("SHOUMI_LANG", "en")
    assert hr_drop.main([str(token), "--to", str(tmp_path)]) == 4
    assert "hint: `--to` must be the agent's home" in capsys.readouterr().err
    made = hr_sender.make_keys(folder, audience=SITE, iss="https://hr.example", approvers=[("a", "E2")])
    with pytest.raises(RefusedError, match=r"simulator.spool-not-found") as error:
        hr_sender.drop(tmp_path / "spool" / "new", "a.b.c", "one")
    assert made.exists()
    assert error.value.hint
    assert "shoumi run" in en(error.value.hint)


def test_who_waits_in_vain_is_told_by_which_name_to_look(shoumi: Shoumi, site: Site, keys: Path) -> None:
    site.stop_control()
    said = shoumi("hr", "drop", str(notice(keys)), *signing(keys), "--name", "n 1", "--wait", "1")
    assert (said.code, "no final answer yet: shoumi hr answers show 'n 1.set'" in said.err) == (4, True), said.err
