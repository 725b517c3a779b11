"""A receipt that was issued and not told of, because whoever issued it was killed in between, gets its entry, once."""

import os
import signal
from collections import Counter
from datetime import UTC, datetime

import pytest

from agent.control import decider_client
from agent.control.offboarding.untold_receipts import UntoldReceipts
from agent.errors import UnreachableError
from agent.offboard.receipt import receipt
from tests.control.offboarding.test_hr_intake import until
from tests.control.office import office_of
from tests.control.site import Site
from tests.offboard.proof_kit import ending


def hold(site: Site, person: str) -> None:
    """Have somebody stopped, and wait until the receipt of it is told of: the process of departures has been round."""
    with site.client() as client:
        client.call("person.add", person=person)
        client.call("hold.add", person=person, reason="inquiry")
    until(lambda: site.entries(kind="receipt", person=person))


def test_whoever_comes_next_tells_of_it_and_never_again(fresh: Site) -> None:
    hold(fresh, "E1")
    fresh.stop_control()
    lost = ending(case="H000001", cause="hold", person="E1")
    path = receipt.issue(fresh.home.root, lost, datetime.now(UTC))
    for person in ("E2", "E3"):
        fresh.start_control()
        hold(fresh, person)
        until(lambda: fresh.entries(kind="receipt", file=path.name))
        fresh.stop_control()
    told = Counter(str(entry["file"]) for entry in fresh.entries(kind="receipt"))
    kept = [one.name for one in receipt.kept(receipt.receipts_folder(fresh.home.root))]
    assert told == Counter(kept)
    assert len(kept) == 4


def test_nothing_is_untold_of_while_the_index_lacks_entries(fresh: Site) -> None:
    with office_of(fresh) as office:
        path = receipt.issue(fresh.home.root, ending(), office.site.now())
        untold = UntoldReceipts(office.site, office.services.decider.settled, lambda: None)
        fresh.tell_peer("tried E1")  # an entry that nobody has indexed
        assert untold.find() == []
        office.services.indexer.fresh()
        assert untold.find() == [path]
        untold.mark_recorded(path)
        assert untold.find() == []


def test_nothing_is_untold_of_while_an_entry_of_it_may_still_come(fresh: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider_client, "_APPEND_SECONDS", 0.2)
    monkeypatch.setattr(decider_client, "_TRY_SECONDS", 0.2)
    with office_of(fresh) as office:
        path, decider = receipt.issue(fresh.home.root, ending(), office.site.now()), office.services.decider
        untold = UntoldReceipts(office.site, decider.settled, office.services.indexer.fresh)
        assert untold.find() == [path]
        os.kill(fresh.peer.pid, signal.SIGSTOP)
        try:
            with pytest.raises(UnreachableError):
                decider.append({"kind": "receipt", "case": "H000001", "person": "E1", "file": path.name})
            with pytest.raises(UnreachableError):
                untold.find()
        finally:
            os.kill(fresh.peer.pid, signal.SIGCONT)
        monkeypatch.setattr(decider_client, "_TRY_SECONDS", 30.0)
        assert untold.find() == []
