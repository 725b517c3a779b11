"""Checks of the confinement of the agent's own processes, from the kernel's current data.

Rules of this file: the rights that a process has dropped are read from ``/proc/PID/status``, never cached; unreadable
data is unknown. A process is identified by its command line and its parent's, which only root could forge. Sources:
proc_pid_status(5) CapEff, NoNewPrivs, Seccomp.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from agent.api.findings import Finding
from agent.confinement.process_rights import (
    CONTROL,
    DECIDER,
    DEPARTURES,
    DOORS,
    HOLDER,
    LABEL_WORKER,
    VERIFIER,
    WATCHER,
    ProcessRights,
)
from agent.presentation.terms import PROCESSES, word
from rules.text import Message, Sentence

_PROC = Path("/proc")
_FILTERED = "2"  # SECCOMP_MODE_FILTER
_MODULES: Mapping[str, ProcessRights] = {
    "agent.guard.decider": DECIDER,
    "agent.guard.mount_watcher": WATCHER,
    "agent.control": CONTROL,
    "agent.control.offboarding.worker": DEPARTURES,
    "agent.log.verifier": VERIFIER,
    "agent.doors": DOORS,
}


class SeenProcess(NamedTuple):
    """One process. ``rights`` are those it should have; ``status`` is empty where it could not be read."""

    pid: int
    rights: ProcessRights
    status: Mapping[str, str]


def look(pids: Collection[int], holder: int) -> Iterator[SeenProcess]:
    """Yield the known processes of *pids*. *holder* is the process that started the others."""
    for pid in sorted(pids):
        rights = HOLDER if pid == holder else _row(pid)
        if rights is not None:
            yield SeenProcess(pid, rights, _status(pid))


def confined(processes: Collection[SeenProcess]) -> Iterator[Finding]:
    """Yield the excess rights of each process, and one finding for all confined processes."""
    good: list[SeenProcess] = []
    for process in processes:
        troubles = list(_troubles(process))
        if not troubles:
            good.append(process)
        for trouble, hint in troubles:
            name = word(PROCESSES, process.rights.name)
            text = Message("doctor.of-process", name=name, trouble=trouble)
            yield Finding("warning", "confinement", text, hint)
    if good:
        named = [word(PROCESSES, name) for name in sorted(process.rights.name for process in good)]
        yield Finding(
            "good",
            "confinement",
            Message("doctor.processes-confined", processes=named),
        )


def _troubles(process: SeenProcess) -> Iterator[tuple[Sentence, Sentence]]:
    status, look_again = process.status, Message("doctor.shoumi-doctor")
    if not {"CapEff", "NoNewPrivs"} <= status.keys():
        yield Message("doctor.rights-unknown"), look_again
        return
    if more := int(status["CapEff"], 16) & ~process.rights.mask:
        count = more.bit_count()
        restart = Message("doctor.restart-agent")
        yield (
            Message("doctor.excess-capabilities", count=count),
            restart,
        )
    if status["NoNewPrivs"] != "1":
        restart = Message("doctor.restart-agent")
        yield Message("doctor.privileges-gainable"), restart
    if status.get("Seccomp") != _FILTERED:
        yield (
            Message("doctor.no-seccomp-filter"),
            Message("doctor.use-kernel-with-seccomp"),
        )


def _row(pid: int) -> ProcessRights | None:
    arguments = _command(pid)
    rights = next((_MODULES[argument] for argument in arguments if argument in _MODULES), None)
    if rights is DECIDER and arguments == _command(int(_status(pid).get("PPid", "0"))):
        return LABEL_WORKER  # a fork of the decider
    return rights


def _command(pid: int) -> tuple[str, ...]:
    try:
        return tuple((_PROC / str(pid) / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0"))
    except OSError:
        return ()


def _status(pid: int) -> dict[str, str]:
    try:
        text = (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {name: content.strip() for name, _, content in (line.partition(":") for line in text.splitlines())}
