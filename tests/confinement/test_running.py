"""A running agent, seen by the kernel: each of its processes is confined, and ``doctor`` says so by the same look."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agent.confinement.process_rights import CONTROL, DECIDER, VERIFIER
from agent.doctor import process_checks
from agent.doctor.process_checks import SeenProcess
from agent.presentation.terms import PROCESSES
from tests.enforcement.scene import Scene, dead_man, scene, until
from tests.sentences import en

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def site() -> Iterator[Scene]:
    with scene() as made, dead_man(made.site):
        yield made


def _pids(site: Scene) -> frozenset[int]:
    assert site.site.agent is not None
    holder = psutil.Process(site.site.agent.pid)
    return frozenset({holder.pid, *(child.pid for child in holder.children(recursive=True))})


def _seen(site: Scene) -> dict[str, SeenProcess]:
    assert site.site.agent is not None
    return {one.rights.name: one for one in process_checks.look(_pids(site), site.site.agent.pid)}


_LASTING = {"holder", "decider", "label worker", "watcher", "control", "departures", "verifier"}


def test_every_process_of_a_running_agent_is_confined(site: Scene) -> None:
    until(lambda: _seen(site).keys() >= _LASTING)
    for one in _seen(site).values():
        status = one.status
        assert int(status["CapEff"], 16) == one.rights.mask, one.rights.name
        assert int(status["CapPrm"], 16) == sum(1 << number for number in one.rights.capabilities)
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1"), one.rights.name


def test_every_thread_of_them_is(site: Scene) -> None:
    until(lambda: _seen(site).keys() >= _LASTING)
    for one in _seen(site).values():
        for task in Path(f"/proc/{one.pid}/task").iterdir():
            try:
                text = (task / "status").read_text()
            except FileNotFoundError:
                continue
            found = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            assert not int(found["CapEff"], 16) & ~one.rights.mask, (one.rights.name, task.name)
            assert (found["Seccomp"], found["NoNewPrivs"]) == ("2", "1"), (one.rights.name, task.name)


def test_no_core_of_them_is_ever_written(site: Scene) -> None:
    until(lambda: _seen(site).keys() >= _LASTING)
    for one in _seen(site).values():
        limits = Path(f"/proc/{one.pid}/limits").read_text().splitlines()
        [core] = [line.split()[4:6] for line in limits if line.startswith("Max core file size")]
        assert core == ["0", "0"], one.rights.name


def test_doctor_names_every_confined_process_as_the_kernel_shows_it(site: Scene) -> None:
    until(lambda: _seen(site).keys() >= _LASTING)
    found = [json.loads(line) for line in site.site.shoumi("doctor", "--json", check=False).stdout.splitlines()]
    [said] = [one for one in found if one["code"] == "confinement"]
    assert said["state"] == "good"
    assert all(en(PROCESSES[name]) in en(said["text"]) for name in _LASTING)


def test_doctor_says_what_a_process_has_too_much_of_and_what_cannot_be_seen() -> None:
    good = {"CapEff": f"{CONTROL.mask:x}", "NoNewPrivs": "1", "Seccomp": "2"}
    seen = (
        SeenProcess(2, CONTROL, good),
        SeenProcess(3, VERIFIER, {"CapEff": "3", "NoNewPrivs": "0", "Seccomp": "0"}),
        SeenProcess(4, DECIDER, {}),
    )
    found = list(process_checks.confined(seen))
    assert [one.state for one in found] == ["warning"] * 4 + ["good"]
    said = [en(one.text) for one in found]
    assert said[0] == "log verifier: it holds 2 capabilities that it does not need"
    assert said[1] == "log verifier: programs it starts could gain privileges"
    assert said[2] == "log verifier: no system call filter is set"
    assert said[3] == "decider: its rights could not be read"
    assert said[4] == "confined, according to the kernel: control process"


def test_a_kernel_that_cannot_filter_counts_as_one_without_a_filter() -> None:
    [warning] = process_checks.confined([SeenProcess(2, CONTROL, {"CapEff": "0", "NoNewPrivs": "1"})])
    assert "no system call filter is set" in en(warning.text)


def test_a_process_that_is_not_the_agents_has_no_row() -> None:
    assert list(process_checks.look([os.getpid()], 1)) == []
