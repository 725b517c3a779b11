"""The break-glass: a sealed code, used once, by root, for an hour, loudly; and it opens no file by itself."""

from datetime import timedelta
from typing import Any

import pytest

from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role, standing
from agent.control.dispatch import HandlerRequest
from agent.control.reception.requests import permission
from agent.errors import ForbiddenError, RefusedError
from agent.runtime.config import RoleGroups
from tests.control.test_two_hands import SECURITY, SYSTEM, Desk, alone, desk  # noqa: F401 - fixtures

ROOT = Peer(1, 0, 0, frozenset({0}), None)


def as_root(desk: Desk, op: str, **given: Any) -> Any:  # noqa: F811
    """Call as root, with the role that the server would find."""
    office = desk.office
    role = standing(ROOT, office.site.role_groups(), lambda _name: None, broken=office.site.glass_is_broken())
    args = TABLE[op].read(given, None)
    request = HandlerRequest(op, args, given, ROOT, role, office.site.now(), office.services)
    found = permission(TABLE[op], given, role, frozenset())
    if isinstance(found, ForbiddenError):
        raise found
    return office.executor.execute(request) if TABLE[op].act else office.handlers.reads[op](request)


def sealed(desk: Desk) -> str:  # noqa: F811
    first = desk.call("breakglass.seal", SECURITY)
    assert first["waiting"]
    done = desk.call("proposal.confirm", SYSTEM, proposal=first["proposal"])
    return str(done["code"])


def test_the_code_is_made_by_two_officers_and_is_in_no_entry(desk: Desk) -> None:  # noqa: F811
    code = sealed(desk)
    assert code not in str(desk.site_entries())
    assert desk.call("breakglass.show")["sealed_by"] == "E7"


def test_root_alone_restores_an_office_and_nothing_else(desk: Desk) -> None:  # noqa: F811
    code = sealed(desk)
    with pytest.raises(ForbiddenError):
        as_root(desk, "hold.lift", person="E7", reason="x")
    desk.call("hold.add", SECURITY, person="E7", reason="x")
    assert as_root(desk, "breakglass.open", code=code.lower().replace("-", " "), reason="nobody is left")["until"]
    assert as_root(desk, "hold.lift", person="E7", reason="back")["holds"]
    for op, given in (
        ("grant.add", {"person": "E2", "area": "plans", "reason": "x"}),
        ("area.observe", {"area": "plans"}),
        ("person.set", {"person": "E2", "level": ["state=top-secret"]}),
        ("log.list", {}),
    ):
        with pytest.raises(ForbiddenError):
            as_root(desk, op, **given)
    lifted = desk.entry(act="hold.lift", outcome="done")
    assert (lifted["hands"], lifted["alarm"]) == ("break-glass", True)
    opened = desk.entry(act="breakglass.open")
    assert opened["args"]["code"] == "…"
    assert opened["args"]["alarm"]
    assert [row["kind"] for row in desk.call("alarm.list", SECURITY)] == ["break-glass"]


def test_the_code_is_used_up_and_another_one_never_fits(desk: Desk) -> None:  # noqa: F811
    code = sealed(desk)
    with pytest.raises(RefusedError, match=r"registry.sealed-code-mismatch"):
        as_root(desk, "breakglass.open", code="2222-2222-2222-2222-2222", reason="x")
    as_root(desk, "breakglass.open", code=code, reason="x")
    as_root(desk, "breakglass.close", reason="done")
    with pytest.raises(RefusedError, match=r"registry.sealed-code-mismatch"):
        as_root(desk, "breakglass.open", code=code, reason="again")


def test_only_root_breaks_it(desk: Desk) -> None:  # noqa: F811
    code = sealed(desk)
    with pytest.raises(ForbiddenError, match=r"control.break-glass-needs-root"):
        desk.call("breakglass.open", SYSTEM, code=code, reason="x")
    assert not desk.office.site.glass_is_broken()


def test_it_is_over_by_itself(desk: Desk) -> None:  # noqa: F811
    code, office = sealed(desk), desk.office
    as_root(desk, "breakglass.open", code=code, reason="x")
    until = office.site.facts.break_glass().broken_until
    assert until
    assert until - office.site.now() <= timedelta(hours=1)
    office.later(hours=1)
    assert not office.site.glass_is_broken()
    with pytest.raises(ForbiddenError):
        as_root(desk, "hold.lift", person="E7", reason="x")


def test_a_broken_glass_gives_no_other_account_anything() -> None:
    named = RoleGroups(system=62_991, security=62_992, auditor=62_993)
    other = Peer(1, 62_050, 62_050, frozenset({62_050}), None)
    assert standing(other, named, lambda _name: None, broken=True).role is None
    assert standing(ROOT, named, lambda _name: None, broken=True) == CallerRole(Role.BREAK_GLASS)
    assert standing(ROOT, named, lambda _name: None).role is None


def test_an_account_of_somebody_who_may_open_something_is_bound_by_two(desk: Desk) -> None:  # noqa: F811
    as_root(desk, "breakglass.open", code=sealed(desk), reason="nobody is left")
    with pytest.raises(ForbiddenError, match=r"control.break-glass-grants-nothing.*E1"):
        as_root(desk, "account.add", person="E1", uid=62_077)
    assert as_root(desk, "account.add", person="N1", uid=62_077)["person"] == "N1"
    desk.call("hold.add", SECURITY, person="E1", reason="x")
    with pytest.raises(ForbiddenError, match=r"control.break-glass-grants-nothing.*E1"):
        as_root(desk, "hold.lift", person="E1", reason="x")
