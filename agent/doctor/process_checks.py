"""Whether the agent's own processes are as confined as they should be, by what the kernel says of them now.

Rules of this file: what a process has given up is read from ``/proc/PID/status``, never remembered; what cannot be
read is unknown. Which process a pid is, is told by its command line and its parent's, which only root could have
forged. Sources: proc_pid_status(5) CapEff, NoNewPrivs, Seccomp.
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
from rules.text import Text

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
    """One process as the kernel shows it. ``rights`` is its row; ``status`` is empty where it could not be read."""

    pid: int
    rights: ProcessRights
    status: Mapping[str, str]


def look(pids: Collection[int], holder: int) -> Iterator[SeenProcess]:
    """Yield those of *pids* that have a row. *holder* is the process that started the others."""
    for pid in sorted(pids):
        rights = HOLDER if pid == holder else _row(pid)
        if rights is not None:
            yield SeenProcess(pid, rights, _status(pid))


def confined(seen: Collection[SeenProcess]) -> Iterator[Finding]:
    """Say of each process what it has and should not have, and of the others together that they are confined."""
    good: list[SeenProcess] = []
    for one in seen:
        troubles = list(_troubles(one))
        if not troubles:
            good.append(one)
        for trouble, hint in troubles:
            name = word(PROCESSES, one.rights.name)
            said = Text(f"process {name.en}: {trouble.en}", f"{name.zh}：{trouble.zh}")
            yield Finding("warning", "confinement", said, hint)
    if good:
        named = [word(PROCESSES, name) for name in sorted(one.rights.name for one in good)]
        en, zh = ", ".join(name.en for name in named), "、".join(name.zh for name in named)
        yield Finding(
            "good",
            "confinement",
            Text(f"confined, as the kernel says: {en}", f"经内核证实已受限的进程：{zh}"),
        )


def _troubles(one: SeenProcess) -> Iterator[tuple[Text, Text]]:
    status, again = one.status, Text("shoumi doctor", "shoumi doctor")
    if not {"CapEff", "NoNewPrivs"} <= status.keys():
        yield Text("what it may do could not be seen", "无法查看其权限"), again
        return
    if more := int(status["CapEff"], 16) & ~one.rights.mask:
        count = more.bit_count()
        restart = Text("stop the agent and start it anew", "请停止代理并重新启动")
        yield (
            Text(
                f"it holds {count} capabilities that it does not need",
                f"持有其不需要的权能 {count} 项",
            ),
            restart,
        )
    if status["NoNewPrivs"] != "1":
        restart = Text("stop the agent and start it anew", "请停止代理并重新启动")
        yield Text("a program it runs could gain privileges", "其运行的程序可能获得特权"), restart
    if status.get("Seccomp") != _FILTERED:
        yield (
            Text("no filter of system calls is set", "未设置系统调用过滤器"),
            Text("use a kernel with CONFIG_SECCOMP_FILTER", "请使用启用 CONFIG_SECCOMP_FILTER 的内核"),
        )


def _row(pid: int) -> ProcessRights | None:
    words = _command(pid)
    rights = next((_MODULES[word] for word in words if word in _MODULES), None)
    if rights is DECIDER and words == _command(int(_status(pid).get("PPid", "0"))):
        return LABEL_WORKER  # a fork of it
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
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}
