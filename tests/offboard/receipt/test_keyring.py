"""Public keys outlive the private ones: an old receipt is checked with the key that signed it, and with no other."""

from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.receipt import issue, receipts_folder
from agent.offboard.receipt.signing import Signer, fingerprint_of, key_path
from agent.offboard.receipt.trends import trends
from agent.offboard.receipt.verify import verify
from tests.offboard import proof_kit as kit


def test_a_receipt_of_a_lost_key_is_still_checked(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    old = issue(tmp_path, kit.ending(), kit.ISSUED)
    first = Signer.at(key_path(tmp_path)).fingerprint
    key_path(tmp_path).unlink()
    new = issue(tmp_path, kit.ending(case="C000002"), kit.ISSUED)
    second = Signer.at(key_path(tmp_path)).fingerprint
    assert first != second
    assert ring.fingerprints() == sorted((first, second))
    for path, key in ((old, first), (new, second)):
        data = path.read_bytes()
        public = ring.public_of(data)
        assert fingerprint_of(public) == key
        assert verify(data, public).complete
    assert trends(receipts_folder(tmp_path), ring.public_of).bad == 0


def test_a_receipt_that_names_a_key_that_was_never_ours_is_checked_with_ours(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    forged = issue(elsewhere, kit.ending(), kit.ISSUED).read_bytes()
    issue(tmp_path, kit.ending(), kit.ISSUED)
    assert not verify(forged, ring.public_of(forged)).genuine
    for junk in (b"", b"{}\n[]\n", b'x\n{"key":"../../etc/passwd"}\n', b'x\n{"key":7}\n'):
        assert ring.public_of(junk) == Signer.at(key_path(tmp_path)).public_pem()


def test_a_file_that_holds_another_key_than_its_name_says_is_not_used(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    issue(tmp_path, kit.ending(), kit.ISSUED)
    mine = Signer.at(key_path(tmp_path))
    other = Signer.at(tmp_path / "other")
    (receipts_folder(tmp_path) / "keys" / f"{mine.fingerprint}.pem").write_bytes(other.public_pem())
    assert ring.public(mine.fingerprint) is None


def test_what_signs_is_noted_and_a_first_key_is_told_from_another(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert (ring.current, ring.present(), ring.fingerprints()) == (None, None, [])
    signer = Signer.at(key_path(tmp_path))
    ring.adopt(signer)
    assert ring.current == signer.fingerprint
    key_path(tmp_path).unlink()
    assert (ring.current, ring.present()) == (signer.fingerprint, None)
    assert not key_path(tmp_path).exists()


def test_keys_that_cannot_be_kept_refuse(tmp_path: Path) -> None:
    (tmp_path / "receipts").write_text("in the way")
    with pytest.raises(RefusedError):
        KeyRing(tmp_path).adopt(Signer.at(key_path(tmp_path)))
