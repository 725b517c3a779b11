"""The answer to HR, and the sender that makes a site's first token: verified the way HR would, without our code."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import get_args

import jwt
import pytest

from agent.errors import RefusedError
from agent.offboard.intake import answers, outbox, pinned_keys
from agent.offboard.intake.notice import EVENTS, HrEvent
from agent.offboard.intake.outbox import Completion
from agent.offboard.intake.reasons import BadTokenError
from agent.simulator import hr_sender
from tests import ROOT, needs
from tests.offboard.intake.signing import departure, right
from tests.offboard.intake.site import NOW, Site
from tests.sentences import en

DOCUMENT = ROOT / "docs/hr-integration.md"
SITE = "urn:shoumi:agent:site-a"
HR = "https://hr.example"


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path) as made:
        yield made


@pytest.fixture
def own_keys(tmp_path):
    """A site with keys made for trying, pinned."""
    folder = tmp_path / "keys"
    approvers = [("personnel", "E0007"), ("secrecy-office", "E0008")]
    pinned = hr_sender.make_keys(folder, audience=SITE, iss=HR, approvers=approvers)
    with Site(tmp_path, pinned=pinned.read_bytes()) as made:
        yield made, folder


def notice(site):
    site.drop(right())
    site.sweep()
    return site.handed[-1]


def test_the_answer_is_what_the_document_says_and_verifies_with_the_public_key(site, tmp_path):
    times = {"received": NOW + timedelta(milliseconds=3), "last_read": NOW + timedelta(milliseconds=7)}
    asked = notice(site)
    file = outbox.complete(tmp_path, SITE, asked, Completion("done", times), NOW + timedelta(seconds=1))
    [key] = jwt.PyJWKSet.from_json(outbox.public_jwks(tmp_path)).keys
    found = jwt.decode_complete(
        file.read_text(), key, algorithms=["EdDSA"], audience=asked.iss, issuer=SITE, options={"verify_iat": False}
    )
    assert found["header"] == {"typ": "secevent+jwt", "alg": "EdDSA", "kid": key.key_id}
    claims = found["payload"]
    assert (claims["txn"], claims["sub_id"]["sub"]) == ("HR-2026-0042", "E1001")
    assert claims["toe"] == (NOW + timedelta(milliseconds=7)).timestamp()
    [(uri, event)] = claims["events"].items()
    assert uri == "urn:shoumi:event:departure-completed"
    assert (event["answers"], event["state"], event["pending"]) == (asked.jti, "done", [])
    assert list(event["times"]) == ["approved", "received", "last_read"]
    assert event["times"]["last_read"] == "2026-12-01T00:00:00.007000+00:00"
    shown = json.loads(
        re.search(r"## The answer to a departure\n.*?```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL).group(1)
    )
    assert shown.keys() == claims.keys()
    assert shown["events"][uri].keys() == event.keys()


def test_the_name_of_the_agents_key_is_its_thumbprint(tmp_path):
    """RFC 7638 section 3: SHA-256 of the required members, in order, without white space."""
    [key] = json.loads(outbox.public_jwks(tmp_path))["keys"]
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{key["x"]}"}}'
    assert base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode().rstrip("=") == key["kid"]


def test_answering_again_changes_nothing_and_another_state_is_another_answer(site, tmp_path):
    asked = notice(site)
    first = outbox.complete(tmp_path, SITE, asked, Completion("pending", {}, ("door-1",)), NOW)
    text = first.read_bytes()
    assert outbox.complete(tmp_path, SITE, asked, Completion("pending", {}), NOW + timedelta(1)) == first
    assert first.read_bytes() == text
    assert outbox.complete(tmp_path, SITE, asked, Completion("done", {}), NOW) != first
    assert len(os.listdir(tmp_path / "outbox")) == 4  # beside what is said of the delivery, and ``by-name``


def test_an_answer_that_was_cut_off_is_written_anew(site, tmp_path):
    asked = notice(site)
    target = outbox.complete(tmp_path, SITE, asked, Completion("done", {}), NOW)
    target.unlink()
    target.with_suffix(".tmp").write_text("half")
    assert outbox.complete(tmp_path, SITE, asked, Completion("done", {}), NOW).read_bytes().count(b".") == 2
    assert not [name for name in os.listdir(tmp_path / "outbox") if name.endswith(".tmp")]


def test_the_agents_key_is_made_once_for_nobody_else_to_read(tmp_path):
    public = outbox.public_jwks(tmp_path)
    file = tmp_path / "agent-key.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert outbox.public_jwks(tmp_path) == public
    file.chmod(0o640)
    with pytest.raises(RefusedError, match=r"hr.file-unusable.*agent-key\.pem.*receipt.key-file-readable"):
        outbox.public_jwks(tmp_path)
    file.chmod(0o600)
    file.write_text("not a key")
    with pytest.raises(RefusedError):
        outbox.public_jwks(tmp_path)
    file.unlink()
    (tmp_path / "another site").mkdir()
    outbox.public_jwks(tmp_path / "another site")
    file.symlink_to(tmp_path / "another site" / file.name)
    with pytest.raises(RefusedError):
        outbox.public_jwks(tmp_path)


@needs.root
def test_the_answer_can_be_read_by_the_drop_user_and_nobody_else(site, tmp_path):
    file = outbox.complete(tmp_path, SITE, notice(site), Completion("done", {}), NOW, reader=61500)
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (61500, 0o400)


@pytest.mark.parametrize("event", list(HrEvent))
def test_a_test_token_is_taken_like_any_other(own_keys, event):
    site, folder = own_keys
    now = datetime.now(UTC)
    sent = hr_sender.send_test(site.home, "E1001", folder, now, txn="T-1", event=event, last_day=now.date())
    assert [done.reason for done in site.sweep(now)] == ["accepted"]
    if event is HrEvent.VERIFICATION:  # nothing is to be done about it
        assert (site.handed, sent.notice.subject) == ([], "")
        return
    assert [(one.event, one.txn, one.subject) for one in site.handed] == [(event, "T-1", "E1001")]
    assert site.handed[0] == sent.notice


def test_a_test_token_that_would_be_refused_is_not_dropped(own_keys):
    site, folder = own_keys
    (folder / f"E0008{hr_sender.PRIVATE}").unlink()
    with pytest.raises(BadTokenError) as caught:
        hr_sender.send_test(site.home, "E1001", folder, datetime.now(UTC))
    assert caught.value.reason == "approvals-missing"
    assert caught.value.hint
    assert "hr-keys.json" in en(caught.value.hint)
    assert os.listdir(site.new) == []
    (folder / f"sender{hr_sender.PRIVATE}").unlink()
    with pytest.raises(RefusedError, match=r"simulator.sender-key-count"):
        hr_sender.send_test(site.home, "E1001", folder, datetime.now(UTC))


def test_keys_made_for_trying_replace_nothing_and_are_secret(own_keys):
    _site, folder = own_keys
    assert {file.stat().st_mode & 0o777 for file in folder.glob("*.private.jwk.json")} == {0o600}
    assert '"d"' not in (folder / "hr-keys.json").read_text()
    with pytest.raises(RefusedError):
        hr_sender.make_keys(folder, audience=SITE, iss=HR)


def test_the_sender_of_the_document_is_fifteen_lines_and_works(own_keys, tmp_path):
    site, folder = own_keys
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 15
    script = tmp_path / "sender.py"
    script.write_text(code)
    files = [folder / f"{name}{hr_sender.PRIVATE}" for name in ("sender", "E0007", "E0008")]
    command = [sys.executable, script, "E1001", "HR-7", SITE, site.new, *files]
    subprocess.run(command, check=True, timeout=60)
    assert [done.reason for done in site.sweep(datetime.now(UTC))] == ["accepted"]
    assert [(one.subject, one.txn, len(one.approvals)) for one in site.handed] == [("E1001", "HR-7", 2)]


def test_the_document_names_every_member_that_is_read():
    text = DOCUMENT.read_text()
    for word in (
        *departure(),
        *departure()["events"]["urn:shoumi:event:departure-approved"],
        *(e.uri for e in HrEvent),
    ):
        assert f"`{word}`" in text, word
    for setting in pinned_keys.SETTINGS - {"keys"}:
        assert f"| `{setting}` |" in text, setting
    for uri in EVENTS.keys() - {e.uri for e in HrEvent}:
        assert uri.rpartition("/")[2].rpartition(":")[2] in text, uri


def test_the_document_says_what_stands_in_an_answer_and_every_state_it_can_have(site):
    site.drop(right(departure("X1")), "NAME")
    site.sweep()
    said = outbox.payload(outbox.by_name(site.home) / "NAME.set")
    text = DOCUMENT.read_text()
    shown = json.loads(re.search(r"## The answers\n.*?```json\n(.*?)```", text, re.DOTALL).group(1))
    assert shown.keys() == said.keys()
    assert shown["events"][outbox.ANSWERED].keys() == said["events"][outbox.ANSWERED].keys()
    assert shown["events"][outbox.ANSWERED]["reason"] == "unknown-person"
    for state in get_args(answers.State):
        assert f"`{state}`" in text, state
