"""A trial: root's one hand, packs that only observe, and the one entry that ends it for good."""

import grp
import pwd
from typing import Any

import pytest

from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control.dispatch import HandlerRequest
from agent.control.handlers.areas import _observes
from agent.errors import RefusedError, UsageError
from tests.control.office import Office, office_of
from tests.control.site import Site
from tests.control.test_two_hands import Desk, alone  # noqa: F401 - a fixture

ROOT = Peer(1, 0, 0, frozenset({0}), None)


def by_root(office: Office, op: str, **given: Any) -> HandlerRequest:
    args = TABLE[op].read(given, None)
    return HandlerRequest(op, args, given, ROOT, CallerRole(Role.BOOTSTRAP), office.site.now(), office.services)


@pytest.mark.parametrize(("pack", "watches"), [("minimal", False), ("company", True), ("state", True)])
def test_what_a_new_area_does_in_a_trial_is_the_packs_unless_it_is_told(
    alone: Site,  # noqa: F811
    pack: str,
    watches: bool,
) -> None:
    new = {"path": "/srv/x", "name": "x", "level": "secret", "domain": "state"}
    with office_of(alone, pack) as office:
        assert _observes(by_root(office, "area.add", **new)) is watches
        assert not _observes(by_root(office, "area.add", **new, enforce=True))
        assert _observes(by_root(office, "area.add", **new, observe=True))
        with pytest.raises(UsageError):
            _observes(by_root(office, "area.add", **new, observe=True, enforce=True))
        Desk(office)
        assert not _observes(by_root(office, "area.add", **new)), "it is no trial any more"


def test_groups_by_which_no_two_people_could_act_do_not_end_it(alone: Site) -> None:  # noqa: F811
    empty = {"system": "62991", "security": "62992"}
    with office_of(alone) as office:
        with pytest.raises(RefusedError, match=r"control.role-group-empty.*common.system-administrator"):
            office.executor.execute(by_root(office, "role.set", **empty))
        daemon, other = pwd.getpwnam("daemon"), pwd.getpwnam("bin")  # every host has both, each in a group of its own
        with office.services.registry.change(office.site.now()) as change:
            for account in (daemon, other):
                change.accounts.add(account.pw_uid, "E5", allow_system=True)
        named = {"system": grp.getgrgid(daemon.pw_gid).gr_name, "security": grp.getgrgid(other.pw_gid).gr_name}
        with pytest.raises(RefusedError, match=r"control.officers-are-one-person"):
            office.executor.execute(by_root(office, "role.set", **named))
        with office.services.registry.change(office.site.now()) as change:
            change.accounts.remove(other.pw_uid)
            change.accounts.add(other.pw_uid, "E6", allow_system=True)
        assert office.executor.execute(by_root(office, "role.set", **named))["trial_ended"]
        assert office.site.role_groups().configured


def test_one_group_alone_does_not_end_it_and_one_that_is_not_there_never_does(alone: Site) -> None:  # noqa: F811
    with office_of(alone) as office:
        with pytest.raises(UsageError, match=r"control.two-role-groups-required"):
            office.executor.execute(by_root(office, "role.set", system="62991", anyway=True))
        with pytest.raises(RefusedError, match=r"control.group-not-found.*no-such"):
            office.executor.execute(by_root(office, "role.set", system="no-such", security="62992", anyway=True))
        assert office.executor.execute(by_root(office, "role.set", system="62991", security="62992", anyway=True))
