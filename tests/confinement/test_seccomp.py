"""The filter of system calls: the numbers are the kernel's, what is denied fails, what is not goes on, nobody dies."""

import errno
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.confinement import confine, seccomp, syscalls
from agent.confinement.process_rights import ALL, CONTROL, DECIDER, DOORS, VERIFIER, ProcessRights
from agent.confinement.syscalls import ARCHITECTURES, CLONE, CLONE3, GROUPS, SOCKET, Architecture, CallNumbers
from tests import needs

each_row = pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
each_architecture = pytest.mark.parametrize("arch", ARCHITECTURES.values(), ids=ARCHITECTURES)
_EVERY = {name: call for group in GROUPS.values() for name, call in group.items()} | {
    "socket": SOCKET,
    "clone": CLONE,
    "clone3": CLONE3,
}
_NEW_USER, _THREAD = 0x10000000, 0x003D0F00


def _meets(steps: tuple[seccomp.Instruction, ...], audit: int, number: int, argument: int = 0) -> int:
    """Run the program as the kernel does; return the error number it answers with, 0 for going on."""
    data, at, loaded = {0: number, 4: audit, 16: argument & 0xFFFFFFFF}, 0, 0
    while True:
        step = steps[at]
        at += 1
        if step.code == 0x20:
            loaded = data[step.k]
        elif step.code == 0x06:
            return 0 if step.k == 0x7FFF0000 else step.k & 0xFFFF
        else:
            holds = {0x15: loaded == step.k, 0x35: loaded >= step.k, 0x45: bool(loaded & step.k)}[step.code]
            at += step.holds if holds else step.fails


def _headers(*names: str) -> Iterator[tuple[str, int]]:
    for name in names:
        for found in Path("/usr/include").glob(f"**/{name}"):
            for line in found.read_text(encoding="utf-8").splitlines():
                if match := re.match(r"#define __NR(?:3264)?_(\w+)\s+(\d+)$", line):
                    yield match[1], int(match[2])
            break


@needs.needs(needs.tools("gcc"))
def test_the_numbers_are_those_of_the_kernels_headers() -> None:
    common = dict(_headers("asm-generic/unistd.h"))
    assert common["fanotify_init"] == 262
    for name, call in _EVERY.items():
        assert common.get(name) == call.common, name
    if platform.machine() == "x86_64":
        ours = dict(_headers("asm/unistd_64.h"))
        for name, call in _EVERY.items():
            assert ours[name] == call.x86_64, name


@each_row
@each_architecture
def test_a_row_denies_its_calls_and_those_of_another_table_and_no_other(row: ProcessRights, arch: Architecture) -> None:
    steps = seccomp.program(row.denied, arch)
    denied = {name for group in row.denied.groups for name in GROUPS[group]}
    for name, call in _EVERY.items():
        if name not in {"socket", "clone"} and (number := arch.number(call)) is not None:
            assert _meets(steps, arch.audit, number) == (errno.EPERM if name in denied else 0), name
    for other in ARCHITECTURES.values():
        if other != arch:
            assert _meets(steps, other.audit, 0) == errno.EPERM
    if arch.foreign_from is not None:
        assert _meets(steps, arch.audit, arch.foreign_from + 39) == errno.EPERM
    assert _meets(steps, arch.audit, 9999) == 0


@each_row
@each_architecture
def test_a_row_leaves_its_families_of_sockets_and_no_other(row: ProcessRights, arch: Architecture) -> None:
    steps, number = seccomp.program(row.denied, arch), arch.number(SOCKET)
    assert number is not None
    assert row.denied.families is not None
    left = {family for family in range(64) if _meets(steps, arch.audit, number, family) == 0}
    assert left == set(row.denied.families)
    assert _meets(steps, arch.audit, number, 17) == errno.EAFNOSUPPORT  # AF_PACKET


@each_architecture
def test_where_namespaces_are_denied_threads_are_not(arch: Architecture) -> None:
    steps, number, newer = seccomp.program(VERIFIER.denied, arch), arch.number(CLONE), arch.number(CLONE3)
    assert number is not None
    assert newer is not None
    assert _meets(steps, arch.audit, number, _NEW_USER) == errno.EPERM
    assert _meets(steps, arch.audit, number, _THREAD) == 0
    assert _meets(seccomp.absent(arch), arch.audit, newer) == errno.ENOSYS


def test_no_process_has_both_a_network_and_a_right_but_control_and_what_starts_it() -> None:
    wide = {row.name for row in ALL if row.capabilities and set(row.denied.families or ()) - {1}}
    assert wide == {"holder", "control", "departures"}


def test_who_faces_the_wires_or_the_record_runs_no_program_and_makes_no_namespace() -> None:
    for row in (DOORS, VERIFIER):
        assert {"programs", "namespaces", "mounts", "rings"} <= set(row.denied.groups)
    assert "programs" not in CONTROL.denied.groups  # usermod and its like


def test_what_starts_others_denies_them_nothing_that_they_need() -> None:
    for starter, started in (
        ("holder", "control"),
        ("holder", "decider"),
        ("control", "departures"),
        ("control", "doors"),
    ):
        above, below = (next(row for row in ALL if row.name == name) for name in (starter, started))
        assert set(above.denied.groups) <= set(below.denied.groups), started
        assert set(above.denied.families or ()) >= set(below.denied.families or ()), started
        assert set(above.capabilities) >= set(below.capabilities), started


# Each row, taken on by a process that then tries every call it should be without, with arguments that would do nothing.
_PROBE = """
import ctypes, errno, json, os, signal, socket, subprocess, sys, threading
from agent.confinement import confine, process_rights, syscalls
row = next(one for one in process_rights.ALL if one.name == sys.argv[1])
confine.confine(row, lambda line: print(line, file=sys.stderr))
libc, arch, found = ctypes.CDLL(None, use_errno=True), syscalls.this_architecture(), {}
def call(number):
    ctypes.set_errno(0)
    libc.syscall(number, -1, -1, -1, -1, -1)
    return ctypes.get_errno()
def tried():
    for group in row.denied.groups:
        for name, one in syscalls.GROUPS[group].items():
            if (number := arch.number(one)) is not None:
                found[name] = call(number)
thread = threading.Thread(target=tried)
thread.start(); thread.join()
def outcome(work):
    try:
        work()
    except OSError as error:
        return error.errno
    return 0
found["program"] = outcome(lambda: subprocess.run(["true"], check=True))
found["internet"] = outcome(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close())
found["packet"] = outcome(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM).close())
found["unix"] = outcome(lambda: socket.socketpair())
found["gained"] = outcome(lambda: os.setuid(61999))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
json.dump([found, {name: value.strip() for name, value in status.items()}], sys.stdout)
"""


@needs.root
@each_row
def test_what_a_row_denies_fails_in_a_process_that_took_it_on(row: ProcessRights) -> None:
    import json

    done = subprocess.run([sys.executable, "-c", _PROBE, row.name], capture_output=True, text=True, check=True)
    found, status = json.loads(done.stdout)
    assert done.stderr == ""
    denied = {name for group in row.denied.groups for name in GROUPS[group]}
    here = syscalls.this_architecture()
    assert here is not None
    assert {name for name in denied if here.number(_EVERY[name]) is not None} <= found.keys()
    assert {found[name] for name in denied & found.keys()} == {errno.EPERM}
    families = set(row.denied.families or ())
    assert found["program"] == (errno.EPERM if "programs" in row.denied.groups else 0)
    assert found["internet"] == (0 if 2 in families else errno.EAFNOSUPPORT)
    assert found["packet"] == errno.EAFNOSUPPORT
    assert found["unix"] == 0
    assert found["gained"] == (0 if 7 in (row.capabilities if row.acting is None else row.acting) else errno.EPERM)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    changed = found["gained"] == 0  # it is somebody else now, who has nothing
    assert int(status["CapEff"], 16) == (0 if changed else row.mask)
    kept = sum(1 << number for number in row.capabilities)
    assert int(status["CapBnd"], 16) == kept


def test_without_numbers_for_this_processor_it_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert not confine.filter_calls(DECIDER, said.append)
    assert said == ["shoumi decider: no filter of system calls on s390x: it runs without one"]


def test_a_kernel_that_takes_no_filter_is_said_and_survived() -> None:
    """Of more instructions than it takes (BPF_MAXINSNS) the kernel says EINVAL, as one without seccomp does."""
    code = (
        "from agent.confinement import confine, process_rights, seccomp\n"
        "seccomp.program = lambda denied, arch: (seccomp.Instruction(6, 0x7FFF0000),) * 5000\n"
        "print(confine.filter_calls(process_rights.CONTROL, print))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "shoumi control: the kernel takes no filter of system calls (EINVAL): it runs without one\nFalse\n"
    )


def test_a_call_that_is_nowhere_is_left_out() -> None:
    assert ARCHITECTURES["aarch64"].number(GROUPS["kernel"]["iopl"]) is None
    assert CallNumbers(None, None) not in _EVERY.values()
