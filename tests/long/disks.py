"""Disks that hang, break and vanish, in a guest: a device that hangs can need a reboot."""

from tests.long.guest_program import GuestProgram

_PROGRAM = GuestProgram("tests.long.guest_disks", ("6.12", "6.1"), 170.0, ("dmsetup", "e2fsprogs", "util-linux"))
PART = _PROGRAM.part("disks", "hung, broken and pulled disks in QEMU")
