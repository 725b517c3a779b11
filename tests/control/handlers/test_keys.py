"""The commands about keys: the agent's public one by itself, and a personnel system's for trying."""

import json
from pathlib import Path
from typing import NamedTuple

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.cli.__main__ import main
from agent.offboard.intake import pinned_keys
from agent.offboard.intake.answers import COMPLETED
from agent.offboard.receipt.verify import verify
from agent.simulator import hr_sender
from tests.control.offboarding.test_hr_intake import until
from tests.control.site import Site


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Shoumi:
    """The command line of a site."""

    def __init__(self, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = site
        self._capsys = capsys

    def __call__(self, *words: str) -> Said:
        code = main(["--home", str(self.site.home.root), *words])
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)


@pytest.fixture
def shoumi(fresh: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shoumi:
    monkeypatch.setenv("SHOUMI_LANG", "en")
    return Shoumi(fresh, capsys)


@pytest.fixture
def folder(fresh: Site) -> Path:
    return fresh.home.root.parent / "keys"


def test_from_test_keys_to_a_receipt_that_the_shown_key_verifies(shoumi: Shoumi, folder: Path) -> None:
    shoumi("person", "add", "E1")
    assert shoumi("keys", "make-test", str(folder), "--approver", "E2", "--pin").code == 0
    assert shoumi("case", "send-test", "E1", "--keys", str(folder)).code == 0
    saved = folder / "E1.receipt"
    page = shoumi("case", "receipt", "E1", "--wait", "--save", str(saved))
    assert (page.code, page.err) == (0, f"receipt saved to `{saved}`\n")
    shown = shoumi("keys", "show")
    assert (shown.code, shown.err) == (0, "")
    pem = folder / "agent.pem"
    pem.write_text(shown.out)
    assert shoumi("case", "receipt", "--verify", str(saved), "--key", str(pem)).code == 0
    other = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert shoumi("case", "receipt", "--verify", str(saved), "--key", str(pem)).code == 1
    report = verify(saved.read_bytes(), shown.out.encode())
    assert report.genuine
    assert report.complete
    jwks = json.loads(shoumi("keys", "show", "--jwks").out)
    outbox = shoumi.site.home.root / "outbox"

    def completed() -> list[Path]:
        said = {
            file: jwt.decode(file.read_text(), options={"verify_signature": False}) for file in outbox.glob("*.set")
        }
        return [file for file, claims in said.items() if COMPLETED in claims["events"]]

    [answer] = until(completed)
    key = jwt.PyJWKSet.from_dict(jwks).keys[0]
    told = jwt.decode(answer.read_bytes(), key, algorithms=["EdDSA"], audience="https://hr.test.invalid")
    assert told["sub_id"]["sub"] == "E1"
    assert json.loads(shoumi("keys", "show", "--json").out)["pem"] == shown.out


def test_keys_that_are_not_pinned_count_for_nothing(shoumi: Shoumi, folder: Path) -> None:
    said = shoumi(
        "keys", "make-test", str(folder), "--approver", "secrecy=E2", "--approver", "E3", "--iss", "https://x"
    )
    assert (said.code, said.err) == (0, "")
    assert str(folder / "hr-keys.json") in said.out
    assert not pinned_keys.path(shoumi.site.home.root).exists()
    pinned = pinned_keys.load(folder / "hr-keys.json")
    assert (pinned.audience, pinned.approvals_needed) == ("urn:shoumi:agent:test", 2)
    _, approvers = hr_sender.read_keys(folder)
    assert {(key["role"], key["person"], key["iss"]) for key in approvers} == {
        ("secrecy", "E2", "https://x"), ("personnel", "E3", "https://x"),
    }  # fmt: skip
    assert {file.stat().st_mode & 0o777 for file in folder.glob("*.private.jwk.json")} == {0o600}


def test_test_keys_never_replace_pinned_ones_and_a_second_set_needs_a_place_of_its_own(
    shoumi: Shoumi, folder: Path
) -> None:
    assert shoumi("keys", "make-test", str(folder), "--approver", "E2", "--pin").code == 0
    before = pinned_keys.path(shoumi.site.home.root).read_bytes()
    refused = shoumi("keys", "make-test", str(folder) + "2", "--approver", "E3", "--pin")
    assert (refused.code, refused.out) == (1, "")
    assert "keys are pinned already" in refused.err
    assert not Path(str(folder) + "2").exists()
    again = shoumi("keys", "make-test", str(folder), "--approver", "E3")
    assert (again.code, "cannot be used: `file exists`" in again.err) == (1, True)
    assert pinned_keys.path(shoumi.site.home.root).read_bytes() == before


def test_a_name_that_no_key_may_have_is_said_before_anything_is_pinned(shoumi: Shoumi, folder: Path) -> None:
    refused = shoumi("keys", "make-test", str(folder), "--approver", "", "--pin")
    assert (refused.code, refused.out) == (1, "")
    assert not pinned_keys.path(shoumi.site.home.root).exists()


def test_nobody_is_told_a_receipt_that_cannot_be_kept(shoumi: Shoumi, folder: Path) -> None:
    shoumi("person", "add", "E1")
    shoumi("case", "open", "E1", "--last-day", "2099-12-31")
    shoumi("case", "approve", "E1")
    refused = shoumi("case", "receipt", "E1", "--wait", "--save", str(folder / "nowhere" / "E1.receipt"))
    assert (refused.code, refused.out) == (1, "")
    assert "cannot be written" in refused.err


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_said_is_said_in_the_language_asked_for(
    shoumi: Shoumi, folder: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("SHOUMI_LANG", language)
    said = shoumi("keys", "make-test", str(folder), "--approver", "E2", "--pin").out
    assert (
        said
        == {
            "en": f"test keys are in `{folder}`; the agent trusts them\n",
            "zh": f"测试密钥在 `{folder}` 中，守护服务已信任这些密钥\n",
        }[language]
    )
