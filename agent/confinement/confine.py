"""Confinement of a process to its row of :mod:`agent.confinement.process_rights`, before it reads any input.

Rules of this file: it only removes. Capabilities that cannot be dropped end the process, because a right believed gone
is worse than no process. A filter that cannot be set (a kernel without seccomp, an unknown processor) is reported on
standard error and the process continues, because the agent enforces on such kernels, too; ``doctor`` detects from
outside that there is none (:mod:`agent.doctor.process_checks`).
Sources: prctl(2) PR_SET_DUMPABLE, setrlimit(2), :mod:`agent.confinement.seccomp`.
"""

import ctypes
import platform
import resource
from collections.abc import Callable

from agent.confinement import capabilities, seccomp, syscalls
from agent.confinement.process_rights import ProcessRights

_PR_SET_DUMPABLE = 4

Say = Callable[[str], object]


def confine(rights: ProcessRights, say: Say) -> None:
    """Keep *rights* and nothing else, permanently; *say* reports what this kernel does not offer.

    Raises ``OSError`` when capabilities could not be dropped.

    To be called before there is a second thread: each has capabilities of its own.
    """
    capabilities.keep_only(rights.capabilities, rights.acting)
    limit(rights)
    filter_calls(rights, say)


def limit(rights: ProcessRights) -> None:
    """Prevent core dumps, and limit file sizes and tasks to *rights*."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for which, most in ((resource.RLIMIT_FSIZE, rights.files), (resource.RLIMIT_NPROC, rights.tasks)):
        if most is not None:
            hard = resource.getrlimit(which)[1]
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (bound, bound))


def filter_calls(rights: ProcessRights, say: Say) -> bool:
    """Deny the calls outside *rights*; return whether the kernel took the filter, and report if not."""
    arch = syscalls.this_architecture()
    if arch is None:
        say(f"shoumi {rights.name}: no filter of system calls on {platform.machine()}: it runs without one")
        return False
    try:
        if "namespaces" in rights.denied.groups:
            seccomp.install(seccomp.absent(arch), arch, logged=False)
        seccomp.install(seccomp.program(rights.denied, arch), arch)
    except seccomp.SeccompError as error:
        say(f"shoumi {rights.name}: the kernel takes no filter of system calls ({error}): it runs without one")
        return False
    return True
