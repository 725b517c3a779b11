"""System units that run as the person: what systemctl says of them, and what it is told, by a systemctl made here."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.context import Account, RevocationSubject
from agent.offboard.steps import commands, units
from agent.offboard.steps.step import StepState
from agent.offboard.steps.units import ServiceUnit
from tests import needs
from tests.offboard.host import context
from tests.sentences import en

SHOWN = """Id=report.service
User=zhang
UID=62400
ActiveState=active
UnitFileState=enabled

Id=by-number.service
User=62400
UID=[not set]
ActiveState=activating
UnitFileState=disabled

Id=done.service
User=zhang
UID=[not set]
ActiveState=inactive
UnitFileState=enabled-runtime

Id=dynamic.service
User=
UID=62400
ActiveState=active
UnitFileState=static

Id=user@62400.service
User=62400
UID=62400
ActiveState=active
UnitFileState=static

Id=other.service
User=li
UID=62401
ActiveState=active
UnitFileState=enabled

Id=root.service
User=
UID=0
ActiveState=active
UnitFileState=enabled
"""

WHO = RevocationSubject("E1001", (Account(62400, ("zhang",), "/home/zhang"),))


def test_only_units_that_run_as_the_person_are_theirs() -> None:
    found = units.units(SHOWN, (62400,), ("zhang",))
    assert found == (
        ServiceUnit("by-number.service", True, False),
        ServiceUnit("done.service", False, True),
        ServiceUnit("dynamic.service", True, False),
        ServiceUnit("report.service", True, True),
    )
    assert units.commands_for(found) == (
        ("systemctl", "stop", "--", "by-number.service"),
        ("systemctl", "stop", "--", "dynamic.service"),
        ("systemctl", "stop", "--", "report.service"),
    )


@given(st.text(), st.frozensets(st.integers(), max_size=2), st.frozensets(st.text(), max_size=2))
def test_whatever_systemctl_says_it_is_units_or_none(text: str, uids: frozenset[int], names: frozenset[str]) -> None:
    units.units(text, uids, names)
    assert units.units("Id=x.service\nUser=\nUID=\n", uids, ()) == ()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with a systemctl that keeps its units in a file and writes down what it is told."""
    state, tool = tmp_path / "state", tmp_path / "bin" / "systemctl"
    state.write_text(SHOWN)
    tool.parent.mkdir()
    tool.write_text(
        f"""#!/bin/sh
echo "$@" >> {tmp_path}/told
case $1 in
show) cat {state} ;;
stop) [ -e {tmp_path}/stuck ] && {{ echo "Job failed" >&2; exit 1; }}
    sed -i "/^Id=$3\\$/,/^\\$/s/^ActiveState=.*/ActiveState=inactive/" {state} ;;
esac
"""
    )
    tool.chmod(0o755)
    (tmp_path / "host/run/systemd/system").mkdir(parents=True)
    monkeypatch.setitem(commands.ENVIRONMENT, "PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    return tmp_path


def told(home: Path) -> list[str]:
    return [line for line in (home / "told").read_text().splitlines() if not line.startswith("show")]


def test_without_the_pack_s_word_they_are_named_and_left(systemd: Path) -> None:
    here = context(systemd)
    assert units.probe(WHO, here) is None
    targets = units.find_targets(WHO, here)
    assert en(targets[0].label) == "system unit `by-number.service`, to be stopped by hand"
    result = units.run(WHO, here, "C1")
    assert result.state is StepState.PENDING
    for name in ("report.service", "by-number.service", "dynamic.service"):
        assert name in en(result.detail)
    assert "other.service" not in en(result.detail)
    assert told(systemd) == []


def test_where_the_pack_says_so_they_are_stopped_and_those_that_come_back_with_the_host_are_named(
    systemd: Path,
) -> None:
    here = context(systemd, stop_units=lambda: True)
    result = units.run(WHO, here, "C1")
    assert result.state is StepState.DONE
    assert "report.service" in en(result.detail)
    assert "by-number.service" not in en(result.detail)
    assert told(systemd) == [
        "stop -- by-number.service",
        "stop -- dynamic.service",
        "stop -- report.service",
    ]
    assert units.run(WHO, here, "C1").state is StepState.DONE  # nothing runs: nothing is stopped a second time
    assert len(told(systemd)) == 3
    state = systemd / "state"
    state.write_text(state.read_text().replace("=enabled", "=disabled"))
    assert units.run(WHO, here, "C1").state is StepState.CONFIRMED


def test_one_that_cannot_be_stopped_leaves_the_step_pending_with_the_reason(systemd: Path) -> None:
    (systemd / "stuck").touch()
    result = units.run(WHO, context(systemd, stop_units=lambda: True), "C1")
    assert result.state is StepState.PENDING
    assert "Job failed" in en(result.detail)


def test_a_host_without_systemd_skips_the_step(tmp_path: Path) -> None:
    reason = units.probe(WHO, context(tmp_path))
    assert reason is not None
    assert "systemd" in en(reason)


@needs.needs(needs.tools("systemctl"))
def test_a_systemctl_that_reaches_no_systemd_leaves_the_step_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(commands.ENVIRONMENT, "DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-such-bus")
    (tmp_path / "host/run/systemd/system").mkdir(parents=True)
    here = context(tmp_path)
    assert units.find_targets(WHO, here) == ()
    result = units.run(WHO, here, "C1")
    assert result.state is StepState.PENDING
    assert "systemctl" in en(result.detail)
