"""On a site that asks for logins Samba's server needs no registration: it is known by its inode, and runs as root."""

from collections.abc import Iterator

import pytest

from agent.demo.actors import attempt, reading
from tests import needs
from tests.enforcement.scene import CLEARED, Scene, scene
from tests.samba.held import ACCOUNTS
from tests.samba.server import FileServer, required, serving

pytestmark = [pytest.mark.kernel, needs.kernel, needs.needs(required), pytest.mark.xdist_group("samba")]


@pytest.fixture
def site() -> Iterator[Scene]:
    with scene() as made, made.asking() as agent:
        agent.call("role.set", system="62991", security="62992", auditor="62993", anyway=True)
        yield made


@pytest.fixture
def server(site: Scene) -> Iterator[FileServer]:
    with serving(site.site.home.root.parent / "smb", ACCOUNTS, {"plans": site.plans}, []) as made:
        yield made


def test_whom_samba_serves_needs_no_login_uid_and_whoever_comes_otherwise_does(site: Scene, server: FileServer) -> None:
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
    done = server.smbclient("alice", "get doc.txt /dev/null", "put /etc/hostname new.txt")
    assert not done.returncode, done.stdout + done.stderr
    accesses = site.accesses(CLEARED)
    assert {(one["verdict"], one["person"]) for one in accesses if one["comm"].startswith("smbd")} == {("allow", "E1")}
