"""Sessions of a real smbd end by person, not by address or connection: whoever shares the connection goes on.

Rules of this file: accounts are uids that nobody has; *ann* is the one it is about, *ben* everybody else. What somebody
has open is a handle on the server, and what comes of it is what the server answers.
"""

import os
import signal
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from smbprotocol import exceptions
from smbprotocol.open import Open
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from agent.offboard.context import AreaPath
from agent.offboard.guardrails import Process
from agent.offboard.steps import samba, samba_tools, tasks
from agent.offboard.steps.step import StepState
from rules.text import Text
from tests import needs
from tests.offboard.host import child, end
from tests.samba.clients import READ, WRITE, connection, log_in, refusal
from tests.samba.conftest import Desk, Place
from tests.samba.server import PASSWORD, required
from tests.sentences import en

pytestmark = [
    needs.needs(needs.is_root, required),
    pytest.mark.xdist_group("samba-sessions"),
]
GONE = "NETWORK_NAME_DELEGATED"  # 0xC00000C9, STATUS_NETWORK_NAME_DELETED, as the library calls it


def of(file: Open) -> str:
    """Return what comes of writing and reading: ``""``, or the status that refuses it."""
    try:
        file.write(b"plans", 0)
        return "" if file.read(0, 5) == b"plans" else "other"
    except exceptions.SMBException as error:
        return refusal(error)


def undisturbed(desk: Desk) -> None:
    assert (of(desk.ben), of(desk.ben_alone)) == ("", "")


def test_a_hold_closes_what_the_person_uses_and_nothing_of_who_shares_the_connection(place: Place, desk: Desk) -> None:
    before = place.lists()
    assert of(desk.ann) == of(desk.ann_alone) == ""
    [target] = samba.STAYING.find_targets(place.ann, place.here)
    assert en(target.label) == "share `plans`"
    done = samba.STAYING.run(place.ann, place.here, "H1")
    assert (done.state, done.facts) == (StepState.CONFIRMED, {"closed": 2, "left": 0})
    assert (of(desk.ann), of(desk.ann_alone)) == (GONE, GONE)
    undisturbed(desk)
    assert place.lists() == before  # nothing that would have to be taken away
    assert samba.STAYING.run(place.ann, place.here, "H1").state is StepState.CONFIRMED
    assert log_in(desk.both, "ann").get("doc") == b"plans"  # what she may, the decider says


def test_of_an_area_only_shares_that_lead_there_are_closed(place: Place, desk: Desk) -> None:
    elsewhere = log_in(desk.both, "ann", "public")
    elsewhere.put("doc", b"plans")
    kept = elsewhere.open("doc", READ | WRITE)
    some = replace(place.ann, areas=frozenset({"plans"}))
    assert samba.connected([some, place.ben, replace(some, areas=frozenset({"other"}))], place.here)[0]
    assert samba.STAYING.run(some, place.here, "L1").facts == {"closed": 2, "left": 0}
    assert (of(desk.ann), of(kept)) == (GONE, "")
    assert samba.connected([some], place.here) == [False]
    assert samba.STAYING.run(some, place.here, "L1").facts == {"closed": 0, "left": 0}
    undisturbed(desk)


def test_a_share_above_an_area_or_by_another_path_leads_there(place: Place, desk: Desk) -> None:
    plans = place.folder / "plans"
    (plans / "inner").mkdir()
    (place.folder / "way").symlink_to(plans)
    for area, leads in (("plans/inner", True), ("plans", True), ("way", True), ("public", False), ("none", True)):
        found = [AreaPath("a", str(place.folder / area))]
        here = replace(place.here, areas=partial(list, found), area_of=lambda _found: None)
        assert samba.connected([replace(place.ann, areas=frozenset({"a"}))], here) == [leads], area


def test_who_leaves_is_in_no_connection_of_their_own_and_has_no_share_in_others(place: Place, desk: Desk) -> None:
    before = place.lists()
    planned = [en(target.label) for target in samba.STEP.find_targets(place.ann, place.here)]
    assert planned == ["Samba password of `ann`", "2 Samba sessions", "share `plans`"]
    done = samba.STEP.run(place.ann, place.here, "C1")
    assert (done.state, done.facts) == (StepState.PENDING, {"sessions": 2, "left": 1, "disabled": 1})
    assert "connection that others use" in en(done.detail)
    assert of(desk.ann) == GONE
    with pytest.raises(exceptions.SMBConnectionClosed):
        desk.ann_alone.read(0, 5)
    undisturbed(desk)
    assert place.lists() == before
    with connection(place.server) as fresh:
        for at in (desk.both, fresh):
            with pytest.raises(exceptions.SMBResponseException) as caught:
                Session(at, "ann", PASSWORD).connect()
            assert caught.value.status == 0xC0000072  # ACCOUNT_DISABLED
        assert log_in(fresh, "ben").get("doc") == b"plans"
    TreeConnect(desk.of_ann.session, r"\\127.0.0.1\plans").connect()  # in the session that is left
    assert samba.STEP.run(place.ann, place.here, "C1").state is StepState.PENDING
    assert not samba_tools.status().trees_of(place.ann.uids)
    desk.of_ann.session.disconnect(close=False)
    done = samba.STEP.run(place.ann, place.here, "C1")
    assert (done.state, done.facts) == (StepState.CONFIRMED, {"sessions": 0, "left": 0, "disabled": 0})
    undisturbed(desk)


def test_a_process_of_smbd_that_worked_for_the_leaver_last_is_not_ended(place: Place, desk: Desk) -> None:
    """It has the uid of its last request, as its real one, until somebody else asks for something."""
    [uid] = place.ann.uids
    assert of(desk.ann) == ""
    processes = [process.pid for process in place.server.sessions()]
    working = [pid for pid in processes if (found := tasks.leader(pid)) and found.ruid == uid]
    assert working
    with child(uid) as one:
        ended = end(uid)
        assert (ended.sure, set(ended.killed)) == (True, {one.pid})
    assert of(desk.ann) == ""
    undisturbed(desk)
    assert [process.pid for process in place.server.sessions()] == processes


def test_of_several_people_each_hears_of_their_own(place: Place, desk: Desk) -> None:
    done = samba.STEP.together([(place.ann, "C1"), (place.ben, "C2")], place.here) if samba.STEP.together else []
    assert [one.state for one in done] == [StepState.CONFIRMED] * 2  # nobody else is in their connections
    assert [one.facts for one in done] == [{"sessions": 2, "left": 0, "disabled": 1}] * 2
    assert not place.server.sessions()


def test_somebody_who_comes_into_a_connection_meanwhile_keeps_it(
    place: Place, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look finds *ann* alone; *ben* comes before the second."""
    asked = samba_tools.status
    came: list[Open] = []

    def status() -> object:
        found = asked()
        if not came:
            came.append(log_in(desk.ann_alone.connection, "ben").open("doc", READ | WRITE))
        return found

    monkeypatch.setattr(samba_tools, "status", status)
    assert samba.STEP.run(place.ann, place.here, "C1").facts["left"] == 2
    assert (of(desk.ann_alone), of(came[0])) == (GONE, "")
    undisturbed(desk)


def test_what_a_killed_run_left_denied_is_taken_back_by_the_next(place: Place, desk: Desk) -> None:
    before = place.lists()
    assert samba_tools.deny("plans", place.ann.uids, samba_tools.HARMLESS) is None
    later = log_in(desk.both, "ann").open("doc", READ | WRITE)
    assert samba.STAYING.run(place.ann, place.here, "H1").state is StepState.CONFIRMED
    assert (of(desk.ann), of(later)) == (GONE, GONE)
    assert place.lists() == before
    assert samba_tools.deny("public", place.ann.uids, samba_tools.EVERYTHING) is None  # with nothing open there
    assert samba.STAYING.run(place.ann, place.here, "H1").state is StepState.CONFIRMED
    assert place.lists() == before
    undisturbed(desk)


@pytest.mark.parametrize("rights", [samba_tools.HARMLESS, samba_tools.EVERYTHING])
def test_what_a_killed_run_left_denied_is_taken_back_at_the_next_start(place: Place, desk: Desk, rights: str) -> None:
    before = place.lists()
    for share, who in (("plans", place.ann), ("public", place.ben)):
        assert samba_tools.deny(share, who.uids, rights) is None
    samba.take_back(place.here)
    assert place.lists() == before
    undisturbed(desk)


def test_an_administrator_s_own_denial_stays(place: Place, desk: Desk) -> None:
    [uid] = place.ann.uids
    place.server.tool("sharesec", "public", f"--add=S-1-22-1-{uid}:DENIED/0x0/FULL")
    before = place.lists()
    assert samba.STAYING.run(place.ann, place.here, "H1").facts == {"closed": 2, "left": 0}
    assert place.lists() == before


def test_whoever_comes_back_meanwhile_has_all_rights_in_the_end(
    place: Place, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client connects again the moment it is closed out, while a right is still denied: it does so once more."""
    back: list[Open] = []

    def allow(share: str, uids: Collection[int]) -> Text | None:
        back.append(log_in(desk.both, "ann").open("doc", READ | WRITE))
        assert of(back[0]) == ""  # it is a right that nobody misses
        return given(share, uids)

    given = samba_tools.allow
    monkeypatch.setattr(samba_tools, "allow", allow)
    assert samba.STAYING.run(place.ann, place.here, "H1").facts == {"closed": 2, "left": 0}
    assert [of(file) for file in back] == [GONE]
    undisturbed(desk)


def test_who_may_only_read_a_share_is_closed_out_of_it_as_well(place: Place) -> None:
    place.server.tool("sharesec", "plans", "--replace=S-1-1-0:ALLOWED/0x0/READ")
    (place.folder / "plans/doc").write_bytes(b"plans")
    before = place.lists()
    with connection(place.server) as both:
        hers, his = (log_in(both, name).open("doc") for name in ("ann", "ben"))
        assert samba.STAYING.run(place.ann, place.here, "H1").state is StepState.CONFIRMED
        with pytest.raises(exceptions.SMBResponseException) as caught:
            hers.read(0, 5)
        assert refusal(caught.value) == GONE
        assert his.read(0, 5) == b"plans"
    assert place.lists() == before


@pytest.mark.parametrize("name", ["机密 资料", "-v", "Plans $x"])
def test_a_share_is_closed_whatever_it_is_called(place: Place, name: str) -> None:
    with place.server.configuration.open("a") as file:
        file.write(f"[{name}]\npath = {place.folder}/plans\nread only = no\n")
    place.server.tool("smbcontrol", "smbd", "reload-config")
    before = place.lists()
    with connection(place.server) as both:
        log_in(both, "ann", name).put("doc", b"plans")
        (place.folder / "plans/doc").chmod(0o666)
        hers, his = (log_in(both, who, name).open("doc", READ | WRITE) for who in ("ann", "ben"))
        some = replace(place.ann, areas=frozenset({"plans"}))
        done = samba.STAYING.run(some, place.here, "H1")
        assert (done.state, done.facts) == (StepState.CONFIRMED, {"closed": 2, "left": 0})
        assert (of(hers), of(his)) == (GONE, "")
    assert place.lists() == before


def test_a_share_under_another_name_is_closed_where_nobody_else_uses_it(place: Place) -> None:
    """Everybody is *ben* there to the server, so that nothing denied to *ann* changes her access."""
    with place.server.configuration.open("a") as file:
        file.write(f"[forced]\npath = {place.folder}/public\nread only = no\nforce user = ben\n")
    place.server.tool("smbcontrol", "smbd", "reload-config")
    with connection(place.server) as both, connection(place.server) as alone:
        log_in(both, "ben", "forced").put("doc", b"plans")
        hers, his, own = (log_in(at, name, "forced").open("doc", READ | WRITE)
                          for at, name in ((both, "ann"), (both, "ben"), (alone, "ann")))  # fmt: skip
        done = samba.STAYING.run(place.ann, place.here, "H1")
        assert (done.state, done.facts) == (StepState.PENDING, {"closed": 1, "left": 1})
        assert "`forced`" in en(done.detail)
        assert (of(hers), of(his), of(own)) == ("", "", GONE)


def test_a_process_serves_others_alone_when_nothing_in_it_is_open_for_the_person(place: Place, desk: Desk) -> None:
    pids = {one.pid for one in samba_tools.status().sessions_of(place.ann.uids)}
    acting = [Process(pid, 0, 0, 0, 0, None, name="smbd[127.0.0.1]") for pid in (*pids, os.getpid())]
    assert not samba.served_elsewhere(place.ann, place.here, acting)
    samba.STAYING.run(place.ann, place.here, "H1")
    assert samba.served_elsewhere(place.ann, place.here, acting) == pids  # and not ours, which Samba does not know
    unnamed = [one._replace(name="ftpd") for one in acting]
    assert not samba.served_elsewhere(place.ann, place.here, unnamed)
    log_in(desk.both, "ann")
    assert len(samba.served_elsewhere(place.ann, place.here, acting)) == 1


def test_nothing_that_is_only_called_smbd_is_told_or_signalled(place: Place, desk: Desk) -> None:
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            Path("/proc/self/comm").write_text("smbd")
            os.write(telling, b"!")
            signal.alarm(120)
            while True:
                signal.pause()
        finally:
            os._exit(0)
    try:
        assert os.read(told, 1) == b"!"
        samba_tools.shut_down(pid)
        samba_tools.close_all(pid, "plans")
        samba.STEP.run(place.ann, place.here, "C1")
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(told)
        os.close(telling)
