"""Each fixture is an office under one rule pack; the control process of its site is the test itself."""

import pwd
from collections.abc import Iterator

import pytest

from agent.registry.rows.settings import ROLES
from agent.runtime import os_groups
from agent.runtime.config import RoleGroups
from agent.site.role_groups import stored
from tests.control.conftest import folder
from tests.control.office import OFFICERS, Office, office_of
from tests.control.site import Site, running


@pytest.fixture
def fresh() -> Iterator[Site]:
    """A site whose control process is the test."""
    with folder() as root, running(root / "home", control=False) as site:
        yield site


@pytest.fixture
def office(fresh: Site) -> Iterator[Office]:
    with office_of(fresh) as found:
        yield found


@pytest.fixture
def company(fresh: Site) -> Iterator[Office]:
    with office_of(fresh, "company") as found:
        yield found


@pytest.fixture
def administrator(last_officer: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The same, where `E9` is in that group as well: no test gives an account of this host a group."""
    accounts = frozenset({pwd.getpwnam("daemon").pw_uid, OFFICERS["E9"]})
    monkeypatch.setattr(os_groups, "members", lambda *_how: accounts)
    return last_officer


@pytest.fixture
def last_officer(fresh: Site) -> Iterator[Office]:
    """A site where `E1` has an account in the group of the security officers, and the pack asks HR for one approver."""
    account = pwd.getpwnam("daemon")  # every host has one; nothing of it is touched
    with office_of(fresh) as office:
        with office.services.registry.change(office.site.now()) as change:
            change.settings.set(ROLES, stored(RoleGroups(security=account.pw_gid)))
            change.accounts.add(account.pw_uid, "E1", allow_system=True)
        yield office
