"""What only a look at all holders can find is looked for at once, however many other acts there are."""

import sys
from pathlib import Path

import pytest

from agent.control import losses
from tests.control.office import Office, office_of
from tests.control.site import Site

_PROGRAM = str(Path(sys.executable).resolve())


def asked(office: Office) -> bool:
    """Whether a look is due that waits for nothing."""
    return office.services.quiet_scan._times.due(0.0, cutting=True)  # noqa: SLF001


def test_what_a_removed_service_holds_is_looked_for_at_once(fresh: Site) -> None:
    with office_of(fresh) as office:
        office.do("service.add", None, service="index", uid=61_590, executable=_PROGRAM, area=["plans"])
        office.do("grant.end", None, grant=office.grant, reason="x")
        assert not asked(office)  # whom that act cuts has a run
        office.do("service.remove", None, service="index")
        assert asked(office)


def test_so_is_what_anybody_holds_where_nothing_could_be_compared(fresh: Site) -> None:
    with office_of(fresh) as office:
        pack = fresh.home.pack.read_bytes()
        try:
            fresh.home.pack.write_bytes(b"broken =")
            office.do("grant.end", None, grant=office.grant, reason="x")
        finally:
            fresh.home.pack.write_bytes(pack)
        assert asked(office)


def test_and_where_there_was_too_much_to_compare(fresh: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "MOST", 0)
    with office_of(fresh) as office:
        office.do("grant.end", None, grant=office.grant, reason="x")
        assert asked(office)
