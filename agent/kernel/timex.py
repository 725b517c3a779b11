"""adjtimex(2) through ctypes, for reading: whether the kernel's clock is synchronised.

Rules of this file: nothing is set (``modes`` is 0), so no capability is needed. A daemon declares the clock right
(chronyd with ``rtcsync``, ntpd, systemd-timesyncd); any other setting of it, such as clock_settime(2), revokes that
(``ntp_clear`` in the kernel), and so do 16 s of estimated error. A kernel that does not answer is not synchronised.
"""

import ctypes

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """``struct timex``, as far as it is read, and room for the rest (208 bytes on 64 bits)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


_libc = ctypes.CDLL(None, use_errno=True)
_libc.adjtimex.argtypes = (ctypes.POINTER(_Timex),)


def synchronised() -> bool:
    """Return whether the kernel's clock is synchronised. Never raises."""
    clock_state = _Timex()
    state = _libc.adjtimex(ctypes.byref(clock_state))
    return 0 <= state != _TIME_ERROR and not clock_state.status & _STA_UNSYNC
