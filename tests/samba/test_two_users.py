"""Two users in one connection to the distribution's smbd: the right person at every open, read and entry.

Each holds a file of their own in the same server process, whose pool threads carry the identity of whoever was current
when they were made. ``make test-long-samba`` does this with 2,000 reads each, twenty times.
"""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.enforcement.scene import Scene, scene, until
from tests.samba.clients import READ, WRITE, answered, closing, connection, log_in, refused
from tests.samba.held import ACCOUNTS, ALICE, BOB, both, hold_while_reading, wrong_names
from tests.samba.server import FileServer, required, serving

pytestmark = [pytest.mark.kernel, needs.kernel, needs.needs(required), pytest.mark.xdist_group("samba")]


@pytest.fixture(scope="module")
def site() -> Iterator[Scene]:
    with scene() as made:
        made.settled()
        yield made


@pytest.fixture(scope="module", params=["", "vfs objects = io_uring", "vfs objects = aio_pthread"])
def server(request: pytest.FixtureRequest, site: Scene) -> Iterator[FileServer]:
    """smbd with its pool of threads, with an io_uring, and with opens in threads as well."""
    folder = site.site.home.root.parent / f"smb{request.param_index}"
    with serving(folder, ACCOUNTS, {"plans": site.plans}, [request.param] if request.param else []) as made:
        yield made


def _told(site: Scene, server: FileServer) -> set[tuple[str, str, str, int, str, str]]:
    pids = {process.pid for process in server.sessions()}
    return {
        (one["action"], one["verdict"], Path(one["path"]).name, one["fsuid"], one["identity"], one["client"])
        for one in site.accesses()
        if one.get("pid") in pids and one["action"] != "list"
    }


def test_a_hold_of_one_cuts_that_ones_handles_and_nothing_of_the_other(site: Scene, server: FileServer) -> None:
    site.mark()
    with connection(server) as made:
        alice, bob = both(made)
        try:
            done = hold_while_reading(site, alice, bob, 200)
            assert done.alice.data_after(done.held) == 0
            assert done.alice.refusals == {"AccessDenied"}
            assert done.alice.refused() > 0
            assert (done.bob.refused(), done.bob.refusals) == (0, set())
            assert wrong_names(site, server, site.plans) == []
            until(lambda: ("access", "deny", "doc.txt", ALICE, "opener", "127.0.0.1") in _told(site, server))
            assert ("open", "allow", "doc1.txt", BOB, "thread", "127.0.0.1") in _told(site, server)
            assert refused(lambda: alice.get("doc2.txt")) == "ACCESS_DENIED"
            assert bob.get("doc2.txt")
        finally:
            site.site.shoumi("hold", "lift", "E1", "--reason", "测试")


def test_the_client_of_each_connection_is_in_its_entries(site: Scene, server: FileServer) -> None:
    with connection(server) as one, connection(server, "::1") as other:
        alice, bob = log_in(one, "alice"), log_in(other, "bob")
        site.mark()
        alice.put("hers.txt", b"x")
        bob.put("his.txt", b"y")
        bob.rename("his.txt", "renamed.txt", replace=True)
        assert bob.get("renamed.txt") == b"y"
        told = {(name, uid, client) for _, verdict, name, uid, _, client in _told(site, server) if verdict == "allow"}
    assert told == {("hers.txt", ALICE, "127.0.0.1"), ("his.txt", BOB, "::1"), ("renamed.txt", BOB, "::1")}


def test_a_client_that_comes_from_several_places_is_named_with_all_of_them(site: Scene, server: FileServer) -> None:
    """A second connection of the same client goes to the same process, whoever logs in over it and wherever from."""
    client = uuid.uuid4()
    with connection(server, client=client) as one:
        alice = log_in(one, "alice")
        with connection(server, "::1", client=client) as other:
            bob = log_in(other, "bob")
            processes = server.sessions()
            time.sleep(1.1)  # what was seen counts for a second
            site.mark()
            assert alice.get("doc.txt")
            assert bob.get("doc1.txt")
            told = {client for *_, client in _told(site, server)}
            assert told == ({"127.0.0.1 ::1"} if len(processes) == 1 else {"127.0.0.1", "::1"})


def test_what_both_have_open_is_refused_to_both_until_one_has_let_go(site: Scene, server: FileServer) -> None:
    with connection(server) as made:
        alice, bob = both(made)
        his, hers = bob.open("doc3.txt", READ | WRITE), alice.open("doc3.txt")
        with closing(hers), site.below("E3"):
            assert refused(lambda: hers.read(0, 512)) == "ACCESS_DENIED"
            assert refused(lambda: his.read(0, 512)) == "ACCESS_DENIED"
            assert refused(lambda: his.write(b"x", 0)) == "ACCESS_DENIED"
            his.close(get_attributes=False)
            until(lambda: not answered(lambda: hers.read(0, 512)), 5)
