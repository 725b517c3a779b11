"""Samba's tools that fail, or do not answer: what they do not say is unknown and never none, and others do not wait."""

import time

import pytest

from agent.errors import RefusedError
from agent.offboard.steps import commands, samba
from agent.offboard.steps.step import StepState
from tests import needs
from tests.samba.conftest import Desk, Place
from tests.samba.server import required
from tests.sentences import en

pytestmark = [
    needs.needs(needs.is_root, required),
    pytest.mark.xdist_group("samba-sessions"),
]


def broken(place: Place, monkeypatch: pytest.MonkeyPatch, name: str, how: str = "exit 1") -> None:
    """Have the tool *name* of Samba's do *how*, a line of a shell."""
    tool = place.folder / "tools" / name
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{how}\n")
    tool.chmod(0o755)
    monkeypatch.setitem(commands.ENVIRONMENT, "PATH", f"{tool.parent}:{commands.ENVIRONMENT['PATH']}")


def test_tools_that_do_not_answer_are_not_asked_again_for_a_while(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cuts of other people wait behind this step."""
    broken(place, monkeypatch, "smbstatus", "exec sleep 100")
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(RefusedError):
            samba.STAYING.run(place.ann, place.here, "H1")
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("tool", ["testparm", "pdbedit"])
def test_passwords_that_are_not_told_leave_the_step_open_and_the_connections_end(
    place: Place, desk: Desk, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    broken(place, monkeypatch, tool)
    came = samba.STEP.run(place.ann, place.here, "C1")
    assert came.state is StepState.PENDING
    assert tool in en(came.detail)
    assert came.facts["disabled"] == 0
    assert came.facts["sessions"]
    with pytest.raises(RefusedError):
        samba.STEP.find_targets(place.ann, place.here)


def test_denials_that_are_not_told_are_not_taken_for_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(place, monkeypatch, "sharesec")
    with pytest.raises(RefusedError):
        samba.take_back(place.here)


def test_a_server_that_does_not_say_leaves_the_step_open(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(place, monkeypatch, "smbstatus", "echo nothing")
    assert samba.connected([place.ann], place.here) == [True]
    with pytest.raises(RefusedError):
        samba.STEP.find_targets(place.ann, place.here)
    with pytest.raises(RefusedError):
        samba.STAYING.run(place.ann, place.here, "H1")
