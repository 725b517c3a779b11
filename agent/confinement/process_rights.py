"""Rights of each process of the agent, one row each: its capabilities with the reason, and the denied system calls.

Rules of this file: data only. A process that starts others cannot deny itself by a filter what they need, because
filters are inherited and never become wider: the holder and the control process therefore deny less than their
children. A capability that is not in a row is dropped before the process reads any foreign input
(:func:`agent.confinement.confine.confine`). ``doctor`` compares a row with the kernel's state of the process.

The processes that become a person (an attempt, a sweep, a letter) and the canary are not here: they inherit the filter
of a row, and lose their capabilities when they change their uids (capabilities(7), "Effect of user ID changes on
capabilities"); the canary keeps one.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.confinement.capabilities import (
    CAP_AUDIT_CONTROL,
    CAP_AUDIT_WRITE,
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_KILL,
    CAP_SETGID,
    CAP_SETPCAP,
    CAP_SETUID,
    CAP_SYS_ADMIN,
    CAP_SYS_PTRACE,
)
from agent.confinement.seccomp import DeniedCalls
from agent.confinement.syscalls import NOBODY

_HOST: Final = (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_INET, socket.AF_INET6, socket.AF_ALG)
_WIRES: Final = (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_INET, socket.AF_INET6)
_HERE: Final = (socket.AF_UNIX,)


@dataclass(frozen=True)
class ProcessRights:
    """One process. ``capabilities``: each with the reason; ``acting``: the effective ones, ``None``: all.

    ``denied``: groups of calls, and the allowed socket families. ``files``: the largest file it may write, in bytes;
    ``tasks``: how many threads its account may have; ``None``: unlimited.
    """

    name: str
    capabilities: Mapping[int, str]
    denied: DeniedCalls
    acting: tuple[int, ...] | None = None
    files: int | None = None
    tasks: int | None = None

    @property
    def mask(self) -> int:
        """The effective capabilities, as the kernel shows them in ``CapEff``."""
        return sum(1 << number for number in (self.capabilities if self.acting is None else self.acting))


_LOOKING: Final = {
    CAP_SYS_PTRACE: "/proc/TID of other people's processes",
    CAP_DAC_READ_SEARCH: "files and directories that root cannot read without it",
}

DECIDER: Final = ProcessRights(
    "decider",
    {
        CAP_SYS_ADMIN: "marks; trusted.* attributes; hiding the areas when the holder is gone",
        **_LOOKING,
    },
    DeniedCalls((*NOBODY, "keys", "rings", "namespaces", "programs", "tables"), _HERE),
)

LABEL_WORKER: Final = ProcessRights(
    "label worker",
    {
        CAP_SYS_ADMIN: "trusted.* attributes",
        **_LOOKING,
        CAP_SETUID: "taking on the refused person's identity, to remove the empty file that their open created",
        CAP_SETGID: "the same",
    },
    DeniedCalls((*NOBODY, "keys", "rings", "mounts", "namespaces", "programs", "marks", "handles", "tables"), _HERE),
)

WATCHER: Final = ProcessRights(
    "watcher",
    {
        CAP_SYS_ADMIN: "covers over directories; a detached mount of each guarded volume",
        **_LOOKING,
    },
    DeniedCalls((*NOBODY, "keys", "rings", "namespaces", "programs", "marks", "handles", "tables"), _HERE),
)

CONTROL: Final = ProcessRights(
    "control",
    {
        CAP_SYS_ADMIN: "marks, mounts, trusted.* attributes",
        CAP_DAC_READ_SEARCH: "every file of an area, for labels and proofs",
        CAP_DAC_OVERRIDE: "HR's spool, homes, spools, files that a leaver closed to everybody",
        CAP_FOWNER: "deny entries on files of others",
        CAP_FSETID: "… that leave the setgid bit of a shared directory alone",
        CAP_CHOWN: "files of a leaver; the control socket; answers for HR",
        CAP_KILL: "ending processes of a leaver",
        CAP_SETUID: "the leaver's identity for a sweep or an attempt, and nobody's for the doors",
        CAP_SETGID: "the same",
        CAP_SYS_PTRACE: "files held by other people's processes",
        CAP_AUDIT_CONTROL: "an attempt's login uid, where the agent inherited one from its starter",
        CAP_AUDIT_WRITE: "usermod's entries in the host's audit log",
    },
    # Allowed: mounts and keys for volumes (mount, cryptsetup), rings and tables for the files processes hold, programs
    # for usermod and its like, the network for the doors it starts and for a directory of accounts.
    DeniedCalls(NOBODY, _HOST),
)

DEPARTURES: Final = ProcessRights("departures", CONTROL.capabilities, DeniedCalls((*NOBODY, "handles"), _HOST))

VERIFIER: Final = ProcessRights(
    "verifier",
    {CAP_DAC_READ_SEARCH: "the record, whatever its owner"},
    DeniedCalls((*NOBODY, "keys", "rings", "mounts", "namespaces", "programs", "marks", "handles", "tables"), _HERE),
)

DOORS: Final = ProcessRights(
    "doors",
    {},
    DeniedCalls((*NOBODY, "keys", "rings", "mounts", "namespaces", "programs", "marks", "handles", "tables"), _WIRES),
    files=0,
    tasks=256,
)

HOLDER: Final = ProcessRights(
    "holder",
    {
        **CONTROL.capabilities,
        CAP_SETPCAP: "its children drop the rest from their bounding sets",
    },
    DeniedCalls(NOBODY, _HOST),
    acting=(CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE),  # groups, covers, its home; the rest is passed on
)

ALL: Final = (HOLDER, DECIDER, LABEL_WORKER, WATCHER, CONTROL, DEPARTURES, VERIFIER, DOORS)
