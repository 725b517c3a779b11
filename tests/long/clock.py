"""The clock of a real kernel, set by ten years and back under a running agent: in a guest, never on this machine."""

from tests.long.guest_program import GuestProgram

PART = GuestProgram("tests.long.guest_clock", ("6.18",), 130.0, ()).part("clock", "clock steps in QEMU")
