"""Fresh randomness for libosdp, which draws the nonces of its Secure Channels from libc ``rand`` and never seeds it.

Left alone, every process of a panel would begin with the same nonce, RND.A; and since the session keys are made of
RND.A and the reader's key alone (IEC 60839-11-5 annex D), what was recorded on the wire yesterday would be accepted
today. Rules of this file: whoever builds a panel or lets it go on by one step seeds first; a seed that cannot be had
is an error and never skipped. Thirty-two bits end the repetition. They do not make ``rand`` a cryptographic generator.
"""

import ctypes
import secrets

from agent.errors import RefusedError
from rules.text import Text

_LIBC = ctypes.CDLL(None, use_errno=False)  # the C library this process is linked with: rand(3)
_LIBC.srand.argtypes = (ctypes.c_uint,)
_LIBC.srand.restype = None


def reseed() -> None:
    """Seed libc's generator from the operating system. Raises :class:`RefusedError`: then no panel may go on."""
    try:
        seed = secrets.randbits(32)
    except (OSError, NotImplementedError) as error:
        raise RefusedError(
            Text(
                "the operating system gives no random numbers, so no reader is talked to",
                "系统无法提供随机数，因此不与任何读卡器通信",
            ),
        ) from error
    _LIBC.srand(seed)


def reaches(library: str) -> bool:
    """Return whether seeding decides what the libosdp in the file *library* draws: same seed, same numbers.

    It is false when the extension brings a generator of its own; then :func:`reseed` protects nothing.
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
