"""PIN digests: scrypt (RFC 7914) with a salt for each person.

Rules of this file: standard library only. Equal PINs of two people are not visible, and one run checks both PINs of a
person in constant time. This slows guessing down; it does not protect a few digits from a reader of the file, so only
root can read the file.
"""

import hashlib

_COST = {"n": 1 << 14, "r": 8, "p": 1, "maxmem": 1 << 26, "dklen": 32}  # 16 MiB and some 50 ms a try


def digest(digits: str, salt: bytes) -> bytes:
    """Return the stored digest of *digits*. Takes some 50 ms, on purpose."""
    return hashlib.scrypt(digits.encode(), salt=salt, **_COST)
