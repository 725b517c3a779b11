"""Seeding of libosdp, which draws the nonces of its Secure Channels from libc ``rand`` and never seeds it.

Without it, every process of a panel would start with the same nonce, RND.A; and because the session keys depend on
RND.A and the reader's key alone (IEC 60839-11-5 annex D), a recording from the wire would be accepted again later.
Rules of this file: every creation and every step of a panel is preceded by seeding; a missing seed is an error and is
never skipped. Thirty-two bits prevent the repetition. They do not make ``rand`` a cryptographic generator.
"""

import ctypes
import secrets

from agent.errors import RefusedError
from rules.text import Message

_LIBC = ctypes.CDLL(None, use_errno=False)  # the C library this process is linked with: rand(3)
_LIBC.srand.argtypes = (ctypes.c_uint,)
_LIBC.srand.restype = None


def reseed() -> None:
    """Seed libc's generator from the operating system. Raises :class:`RefusedError`: then no panel may be stepped."""
    try:
        seed = secrets.randbits(32)
    except (OSError, NotImplementedError) as error:
        raise RefusedError(
            Message("doors.no-random-numbers"),
        ) from error
    _LIBC.srand(seed)


def reaches(library: str) -> bool:
    """Return whether seeding determines the random numbers of the libosdp in the file *library*.

    It is false when the extension has a generator of its own; then :func:`reseed` protects nothing.
    """
    draw = ctypes.CDLL(library).osdp_fill_random
    draw.argtypes = (ctypes.c_char_p, ctypes.c_int)
    draw.restype = None

    def drawn(seed: int) -> bytes:
        numbers = ctypes.create_string_buffer(8)
        _LIBC.srand(seed)
        draw(numbers, len(numbers))
        return numbers.raw

    try:
        return drawn(1) == drawn(1) != drawn(2)
    finally:
        reseed()
