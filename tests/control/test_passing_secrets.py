"""A PIN that waits for a second officer is in no file of the home, whenever somebody looks."""

import os
import signal

import pytest

from agent.control.passing_secrets import PassingSecrets
from agent.errors import RefusedError
from tests.control.office import office_of
from tests.control.site import Site
from tests.control.test_two_hands import SECURITY, SYSTEM, Desk, alone  # noqa: F401 - fixtures
from tests.sentences import en

PIN, DURESS = "82719364", "55501234"


def found(site: Site) -> list[str]:
    """Return the files of the home that hold one of the PINs, and see that a name is found the same way."""
    files = {path: path.read_bytes() for path in site.home.root.rglob("*") if path.is_file()}
    assert any(b"nobody yet" in data for data in files.values()), "nothing was looked at"
    return [path.name for path, data in files.items() if PIN.encode() in data or DURESS.encode() in data]


def proposed(desk: Desk) -> str:
    return str(desk.call("pin.set", SYSTEM, person="E1", pin=PIN, duress=DURESS)["proposal"])


def test_it_is_in_no_file_before_and_after_it_is_confirmed(alone: Site) -> None:  # noqa: F811
    with office_of(alone) as office:
        desk = Desk(office)
        number = proposed(desk)
        assert found(alone) == []
        assert desk.call("proposal.show", SECURITY, proposal=number)["because"] is None
        desk.call("proposal.confirm", SECURITY, proposal=number)
        assert found(alone) == []
        assert [office.site.facts.check_pin("E1", digits) for digits in (PIN, DURESS)] == ["ok", "duress"]
    assert found(alone) == []


def test_it_is_in_no_entry_of_a_proposal_for_which_there_is_no_place(
    alone: Site,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.registry.repositories.proposals.MOST_OF_ONE", 0)
    with office_of(alone) as office:
        desk = Desk(office)
        with pytest.raises(RefusedError, match=r"registry.too-many-proposals"):
            proposed(desk)
        assert desk.entry(act="proposal.add")["outcome"] == "refused"
        assert found(alone) == []


def test_it_is_lost_with_the_process_and_whoever_confirms_is_told(alone: Site) -> None:  # noqa: F811
    alone.stop_control()
    said, say = os.pipe()
    child = os.fork()
    if not child:
        try:
            with office_of(alone) as office:
                os.write(say, proposed(Desk(office)).encode())
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.close(say)
    with open(said, encoding="ascii") as lines:
        number = lines.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert number
    assert found(alone) == []
    with office_of(alone, again=True) as office:
        desk = Desk(office, again=True)
        because = desk.call("proposal.show", SECURITY, proposal=number)["because"]
        assert "keeps no secret across a restart" in en(because)
        with pytest.raises(RefusedError, match=r"control.proposal-secret-lost"):
            desk.call("proposal.confirm", SECURITY, proposal=number)
        assert desk.call("proposal.refuse", SYSTEM, proposal=number, reason="x")["outcome"] == "withdrawn"
    assert found(alone) == []


def test_what_was_not_hidden_here_is_not_shown() -> None:
    given = {"person": "E1", "pin": PIN, "duress": DURESS}
    one, other = PassingSecrets(), PassingSecrets()
    hidden = one.hidden("pin.set", given)
    assert (hidden["person"], PIN in str(hidden), one.revealed("pin.set", hidden)) == ("E1", False, given)
    for stored in (other.hidden("pin.set", given), given, {"pin": "密码"}):
        with pytest.raises(RefusedError, match=r"control.proposal-secret-lost"):
            one.revealed("pin.set", stored)
