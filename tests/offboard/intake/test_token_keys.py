"""The pinned keys: what is not understood, or could make one hand two, is an error that names the place."""

import json
import os

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from agent.errors import RefusedError
from agent.offboard.intake import pinned_keys
from tests.offboard.intake.signing import private
from tests.offboard.intake.site import KEYS


def pinned():
    return json.loads((KEYS / "hr-keys.json").read_text())


def parse(**changes):
    return pinned_keys.parse(json.dumps(pinned() | changes).encode())


def key(**changes):
    first = pinned()["keys"][0] | changes
    return [{name: value for name, value in first.items() if value is not None}]


def public(algorithm, made):
    return {**algorithm.to_jwk(made.public_key(), as_dict=True), "kid": "k", "iss": "i", "key_ops": ["verify"]}


def test_the_settings_and_their_defaults():
    found = parse()
    assert (found.audience, found.approvals_needed, found.drop_uid) == ("urn:shoumi:agent:test-only", 2, 0)
    assert (found.leeway.total_seconds(), found.late_after.total_seconds()) == (60, 3600)
    assert found.by_kid["test-only-personnel"].approves
    assert not found.by_kid["test-only-hr-rs256"].approves


WRONG = {
    "no keys": {"keys": []},
    "keys is no list": {"keys": {}},
    "a key is no object": {"keys": ["x"]},
    "no audience": {"audience": ""},
    "audience is a list": {"audience": ["a"]},
    "misspelt setting": {"aproval_needed": 1},
    "approvals as text": {"approvals_needed": "2"},
    "approvals true": {"approvals_needed": True},
    "approvals below zero": {"approvals_needed": -1},
    "nine approvals": {"approvals_needed": 9},
    "a giant leeway": {"leeway_seconds": 86_400},
    "nobody's uid": {"drop_uid": (1 << 32) - 1},
    "no alg": {"keys": key(alg=None)},
    "alg none": {"keys": key(alg="none")},
    "alg HS256": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "k", "iss": "i"}]},
    "alg ES384": {"keys": key(alg="ES384")},
    "alg of another kind of key": {"keys": key(alg="RS256")},
    "no kid": {"keys": key(kid=None)},
    "an empty kid": {"keys": key(kid="")},
    "no issuer": {"keys": key(iss=None)},
    "invisible issuer": {"keys": key(iss="https://hr\u200b.example")},
    "role without person": {"keys": key(role="personnel")},
    "person without role": {"keys": key(person="E0007")},
    "misspelt member": {"keys": key(rolle="personnel")},
    "for encryption": {"keys": key(use="enc")},
    "for signing": {"keys": key(key_ops=["sign"])},
    "a broken key": {"keys": key(x="AAAA")},
    "one kid for two keys": {"keys": [*key(), pinned()["keys"][1] | {"kid": key()[0]["kid"]}]},
    "one key under two names": {"keys": [*key(), *key(kid="other", role="r", person="p")]},
    "a private key": {"keys": [private("test-only-hr-es256")]},
    "RSA of 1024 bits": {"keys": [public(RSAAlgorithm, rsa.generate_private_key(65537, 1024)) | {"alg": "RS256"}]},
    "P-384 as ES256": {"keys": [public(ECAlgorithm, ec.generate_private_key(ec.SECP384R1())) | {"alg": "ES256"}]},
    "Ed448": {"keys": [public(OKPAlgorithm, ed448.Ed448PrivateKey.generate()) | {"alg": "EdDSA"}]},
}


@pytest.mark.parametrize("needed", [0, 8])
def test_a_site_may_need_from_none_to_eight_approvers(needed):
    assert parse(approvals_needed=needed).approvals_needed == needed


@pytest.mark.parametrize("what", WRONG)
def test_it_is_refused(what):
    with pytest.raises(RefusedError, match=r"hr-keys\.json"):
        parse(**WRONG[what])


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff", b'{"audience": "a", "audience": "b"}', b"[" * 100, b" " * (2 << 20)]
)
def test_a_file_that_is_no_jwk_set_is_refused(text):
    with pytest.raises(RefusedError):
        pinned_keys.parse(text)


def test_a_private_key_is_called_one():
    with pytest.raises(RefusedError, match=r"hr.private-key-present"):
        parse(keys=[private("test-only-hr-ed25519")])


def test_a_key_may_come_with_its_certificate_as_identity_providers_publish_it():
    assert parse(keys=key(x5c=["MIIB"], x5t="abc", **{"x5t#S256": "abc"})).by_kid


def test_a_file_others_could_have_written_is_not_read(tmp_path):
    file = tmp_path / "hr-keys.json"
    file.write_text(json.dumps(pinned()))
    assert pinned_keys.load(file)
    file.chmod(0o664)
    with pytest.raises(RefusedError, match=r"runtime.file-writable-by-others.*mode='0664'"):
        pinned_keys.load(file)
    file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(file, 12345, -1)
        with pytest.raises(RefusedError, match=r"runtime.file-writable-by-others.*owner=12345"):
            pinned_keys.load(file)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match=r"hr.pinned-keys-unreadable"):
        pinned_keys.load(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(RefusedError):
        pinned_keys.load(file)


def test_the_test_keys_are_what_they_say():
    for file in KEYS.glob("*.private.jwk.json"):
        found = json.loads(file.read_text())
        assert file.name.startswith("test-only-")
        assert "TEST ONLY" in found["note"]
        assert jwt.PyJWK(found).algorithm_name == found["alg"]
