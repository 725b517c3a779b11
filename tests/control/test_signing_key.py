"""A key of the receipts that is lost, exchanged or open to others is an entry and an alarm, and old receipts stay."""

from typing import Any

from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.signing import Signer, key_path
from tests.control.offboarding.test_hr_intake import until
from tests.control.site import Site
from tests.sentences import en


def held(site: Site, person: str) -> Any:
    """Put *person* on hold and return the receipt of that, as it is checked by the agent."""
    with site.client() as client:
        client.call("person.add", person=person)
        client.call("hold.add", person=person, reason="inquiry")
        until(lambda: site.entries(kind="receipt", person=person))
        return client.call("hold.receipt", person=person)


def alarms(site: Site) -> list[Any]:
    with site.client() as client:
        return [one for one in client.stream("alarm.list") if one["kind"] == "signing-key"]


def test_a_lost_key_is_an_entry_and_an_alarm_and_its_receipts_are_still_checked(fresh: Site) -> None:
    old, ring = held(fresh, "E1"), KeyRing(fresh.home.root)
    until(lambda: ring.current)
    key_path(fresh.home.root).unlink()
    [entry] = until(lambda: fresh.entries(kind="signing-key"))
    assert (entry["alarm"], entry["former_key"]) == (True, old["fingerprint"])
    new = until(lambda: ring.current != old["fingerprint"] and ring.current)
    assert entry["signing_key"] == new == Signer.at(key_path(fresh.home.root)).fingerprint
    [alarm] = until(lambda: alarms(fresh))
    assert old["fingerprint"][:16] in en(alarm["text"])
    with fresh.client() as client:
        again = client.call("hold.receipt", person="E1")
        assert (again["receipt"], again["fingerprint"]) == (old["receipt"], old["fingerprint"])
        assert "genuine" in en(again["page"]).splitlines()[0]
        assert "signing-key" in [finding["code"] for finding in client.call("doctor")]
        assert client.call("keys.show")["earlier"] == [old["fingerprint"]]
        assert client.call("keys.show", fingerprint=old["fingerprint"][:8])["pem"] == old["public_key"]
        assert client.call("case.trends")["bad"] == 0
    assert held(fresh, "E2")["fingerprint"] == new
    assert len(fresh.entries(kind="signing-key")) == 1


def test_a_key_that_others_may_read_is_an_alarm_once_and_is_not_replaced(fresh: Site) -> None:
    held(fresh, "E1")
    ring, path = KeyRing(fresh.home.root), key_path(fresh.home.root)
    before = until(lambda: ring.current)
    path.chmod(0o644)
    [entry] = until(lambda: fresh.entries(kind="signing-key"))
    assert (entry["former_key"], entry["signing_key"]) == (before, None)
    reason = entry["reason"]
    assert isinstance(reason, dict)
    assert en(reason).endswith("other users can read the file")
    path.chmod(0o600)
    assert ring.current == before
