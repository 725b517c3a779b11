"""The machine a measurement was made on: what a reader needs to compare, and nothing that names it.

Rules of this file: no host name, no path, no address.
"""

import os
import platform
import sysconfig
from collections.abc import Set as AbstractSet
from pathlib import Path

Cpus = AbstractSet[int]


def describe() -> dict[str, str]:
    """Return kernel, processor, memory and Python as words."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return {
        "kernel": platform.release(),
        "cpu": _model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory_gib": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f}",
        "python": f"{platform.python_version()} ({'with' if optimised else 'without'} --enable-optimizations)",
        "virtual": "yes" if "hypervisor" in _flags() else "no",
        "nice": str(os.getpriority(os.PRIO_PROCESS, 0)),
        "busy": f"{os.getloadavg()[0]:.1f}",
    }


def pinned_cpu() -> int:
    """Return the processor what is pinned runs on: the last one we may use."""
    return max(os.sched_getaffinity(0))


def other_cpus() -> set[int]:
    """Return the processors everything else may use while something is pinned; the same one if it is the only one."""
    return os.sched_getaffinity(0) - {pinned_cpu()} or {pinned_cpu()}


def _model() -> str:
    return _field("model name") or platform.machine()


def _flags() -> list[str]:
    return _field("flags").split()


def _field(name: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
