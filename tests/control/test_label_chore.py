"""A volume is sealed for what was walked over, and never for what stands in its place since."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.control.label_chore import LabelChore
from agent.kernel.labels import LabelReport
from agent.volumes.labelling import LabelSweeps

_WALKED, _OTHER = 1793, 1794


@pytest.fixture
def protection(tmp_path: Path) -> SimpleNamespace:
    """What the chore asks of the protection, with real sweeps and one area whose volume the test exchanges."""
    sweeps = LabelSweeps(tmp_path / "swept")
    sweeps.swept("plans", "/srv/plans", _WALKED, LabelReport())
    plan = SimpleNamespace(path="/srv/plans", st_dev=_WALKED)
    return SimpleNamespace(plans={"plans": plan}, sweeps=sweeps, groups=None, sweep_waiting=lambda: None)


@pytest.fixture
def chore(protection: SimpleNamespace) -> LabelChore:
    made = LabelChore(cast("Any", None), cast("Any", None), cast("Any", protection), 60.0)
    made._sealable["plans"] = _WALKED  # noqa: SLF001 - what a walk over the whole volume ends with
    assert made.sealable() == ("plans",)
    return made


def test_the_walk_counts_for_nothing_once_another_volume_has_come(
    chore: LabelChore, protection: SimpleNamespace
) -> None:
    protection.plans["plans"].st_dev = _OTHER
    assert chore.sealable() == ()
    chore.step()
    protection.plans["plans"].st_dev = _WALKED
    assert chore.sealable() == ()  # it was forgotten: the volume that came back is walked over again


def test_nor_once_another_volume_has_the_same_number(chore: LabelChore, protection: SimpleNamespace) -> None:
    protection.sweeps.want("plans", "/srv/plans", _WALKED, swept_anew=True)  # as for every volume without marks
    assert chore.sealable() == ()
    chore.step()
    protection.sweeps.swept("plans", "/srv/plans", _WALKED, LabelReport())
    assert chore.sealable() == ()


def test_nor_once_the_area_is_gone(chore: LabelChore, protection: SimpleNamespace) -> None:
    protection.plans.clear()
    assert chore.sealable() == ()


def test_every_area_of_a_volume_is_sealed_with_any_of_them_and_none_of_another_volume(
    chore: LabelChore, protection: SimpleNamespace
) -> None:
    for name, device in (("ledger", _WALKED), ("elsewhere", _OTHER), ("moved", _WALKED)):
        protection.sweeps.swept(name, f"/srv/{name}", device, LabelReport())
        protection.plans[name] = SimpleNamespace(path=f"/srv/{name}", st_dev=device)
        chore._sealable[name] = device  # noqa: SLF001 - as above
    protection.plans["moved"].st_dev = _OTHER
    assert chore.sealable_with("plans") == chore.sealable_with("ledger") == {"plans", "ledger"}
    assert chore.sealable_with("public") == frozenset()
    chore.sealed(chore.sealable_with("plans"))
    assert chore.sealable() == ("elsewhere",)


def test_it_runs_at_whatever_low_priority_the_agent_was_started_with(protection: SimpleNamespace) -> None:
    """A thread of this process for each: what has given way stays low, and may not be able to come back."""
    made = LabelChore(cast("Any", None), cast("Any", None), cast("Any", protection), 60.0)

    def steps(nice: int) -> int:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, nice)
        made.step()
        return os.getpriority(os.PRIO_PROCESS, thread)

    found = {}
    for nice in (max(0, os.getpriority(os.PRIO_PROCESS, 0)), 15, 19):
        with ThreadPoolExecutor(1) as thread:
            found[nice] = thread.submit(steps, nice).result()
    assert found == {nice: max(nice, 10) for nice in found}
