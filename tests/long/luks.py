"""A LUKS volume in a guest: this machine's own device mapper is left alone."""

from tests.long.guest_program import GuestProgram

_PROGRAM = GuestProgram("tests.long.guest_luks", ("6.12", "6.1"), 170.0, ("cryptsetup-bin", "e2fsprogs", "util-linux"))
PART = _PROGRAM.part("luks", "a LUKS volume in QEMU")
