"""System calls to deny, in groups, and their numbers.

Rules of this file: data only. A group is denied as a whole; :mod:`agent.confinement.process_rights` says to which
process. A call is listed because it reaches beyond the rights given to its caller: into other processes, the kernel,
another namespace, another program. A call that is missing here is allowed.

The numbers are those of x86-64 and of the architectures that use the kernel's common table (arm64, loongarch64,
riscv64); from 424 on both are the same.
Sources: asm/unistd_64.h, asm-generic/unistd.h, linux/audit.h; a test compares them with the headers.
"""

import platform
from typing import Final, Literal, NamedTuple, get_args


class CallNumbers(NamedTuple):
    """The number of one call: on x86-64, in the common table; ``None`` where it does not exist."""

    x86_64: int | None
    common: int | None


Group = Literal["kernel", "others", "keys", "rings", "mounts", "namespaces", "programs", "marks", "handles", "tables"]

NOBODY: Final[tuple[Group, ...]] = ("kernel", "others")
"""The groups that every process of the agent is denied."""

GROUPS: Final[dict[Group, dict[str, CallNumbers]]] = {
    # Another kernel, a module, a program inside it, its clock, its name, its swap: equal to kernel rights.
    "kernel": {
        "acct": CallNumbers(163, 89),
        "bpf": CallNumbers(321, 280),
        "clock_settime": CallNumbers(227, 112),
        "delete_module": CallNumbers(176, 106),
        "finit_module": CallNumbers(313, 273),
        "init_module": CallNumbers(175, 105),
        "ioperm": CallNumbers(173, None),
        "iopl": CallNumbers(172, None),
        "kexec_file_load": CallNumbers(320, 294),
        "kexec_load": CallNumbers(246, 104),
        "lookup_dcookie": CallNumbers(212, 18),
        "modify_ldt": CallNumbers(154, None),
        "nfsservctl": CallNumbers(180, 42),
        "perf_event_open": CallNumbers(298, 241),
        "pivot_root": CallNumbers(155, 41),
        "quotactl": CallNumbers(179, 60),
        "quotactl_fd": CallNumbers(443, 443),
        "reboot": CallNumbers(169, 142),
        "setdomainname": CallNumbers(171, 162),
        "sethostname": CallNumbers(170, 161),
        "settimeofday": CallNumbers(164, 170),
        "swapoff": CallNumbers(168, 225),
        "swapon": CallNumbers(167, 224),
        "syslog": CallNumbers(103, 116),
        "uselib": CallNumbers(134, None),
        "userfaultfd": CallNumbers(323, 282),
        "vhangup": CallNumbers(153, 58),
    },
    # The memory and the registers of other processes. Reading /proc needs none of these.
    "others": {
        "migrate_pages": CallNumbers(256, 238),
        "move_pages": CallNumbers(279, 239),
        "process_madvise": CallNumbers(440, 440),
        "process_vm_readv": CallNumbers(310, 270),
        "process_vm_writev": CallNumbers(311, 271),
        "ptrace": CallNumbers(101, 117),
    },
    "keys": {"add_key": CallNumbers(248, 217), "keyctl": CallNumbers(250, 219), "request_key": CallNumbers(249, 218)},
    # A ring performs operations that bypass the filter.
    "rings": {
        "io_uring_enter": CallNumbers(426, 426),
        "io_uring_register": CallNumbers(427, 427),
        "io_uring_setup": CallNumbers(425, 425),
    },
    "mounts": {
        "fsconfig": CallNumbers(431, 431),
        "fsmount": CallNumbers(432, 432),
        "fsopen": CallNumbers(430, 430),
        "fspick": CallNumbers(433, 433),
        "mount": CallNumbers(165, 40),
        "mount_setattr": CallNumbers(442, 442),
        "move_mount": CallNumbers(429, 429),
        "open_tree": CallNumbers(428, 428),
        "umount2": CallNumbers(166, 39),
    },
    # Includes clone(2) of a namespace; clone3(2), whose flags a filter cannot inspect, is then hidden.
    "namespaces": {"chroot": CallNumbers(161, 51), "setns": CallNumbers(308, 268), "unshare": CallNumbers(272, 97)},
    "programs": {"execve": CallNumbers(59, 221), "execveat": CallNumbers(322, 281)},
    "marks": {"fanotify_init": CallNumbers(300, 262), "fanotify_mark": CallNumbers(301, 263)},
    "handles": {"open_by_handle_at": CallNumbers(304, 265), "pidfd_getfd": CallNumbers(438, 438)},
    "tables": {"kcmp": CallNumbers(312, 272)},
}

SOCKET: Final = CallNumbers(41, 198)
CLONE: Final = CallNumbers(56, 220)
CLONE3: Final = CallNumbers(435, 435)


class Architecture(NamedTuple):
    """A processor for a filter: its audit number, its table, and where calls of another ABI begin."""

    audit: int
    x86_64: bool
    foreign_from: int | None = None

    def number(self, call: CallNumbers) -> int | None:
        """Return the number of *call* here, ``None`` when there is no such call."""
        return call.x86_64 if self.x86_64 else call.common


ARCHITECTURES: Final = {
    "x86_64": Architecture(0xC000003E, x86_64=True, foreign_from=0x40000000),  # x32
    "aarch64": Architecture(0xC00000B7, x86_64=False),
    "loongarch64": Architecture(0xC0000102, x86_64=False),
    "riscv64": Architecture(0xC00000F3, x86_64=False),
}


def this_architecture() -> Architecture | None:
    """Return the architecture of this machine, ``None`` when its numbers are not listed here."""
    return ARCHITECTURES.get(platform.machine())


assert set(GROUPS) == set(get_args(Group))
