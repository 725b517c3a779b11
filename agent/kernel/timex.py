"""adjtimex(2) by ctypes, to read: whether the kernel calls its clock synchronised.

Rules of this file: nothing is set (``modes`` is 0), so no capability is needed. A daemon says that the clock is right
(chronyd with ``rtcsync``, ntpd, systemd-timesyncd); every setting of it by another hand, clock_settime(2) for one,
takes that word back (``ntp_clear`` in the kernel), and so do 16 s of estimated error. A kernel that does not answer is
not synchronised.
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
    """Return whether the kernel calls its clock synchronised. Never raises."""
    found = _Timex()
    state = _libc.adjtimex(ctypes.byref(found))
    return 0 <= state != _TIME_ERROR and not found.status & _STA_UNSYNC
