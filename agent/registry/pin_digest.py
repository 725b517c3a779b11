"""How a PIN is stored: scrypt (RFC 7914) under a salt of its person.

Rules of this file: standard library only. Two people with one PIN do not show, and one run answers for both PINs of a
person in the same time. That slows guessing down; it does not make a few digits a secret from somebody who holds the
file, which is why only root can read it.
"""

import hashlib

_COST = {"n": 1 << 14, "r": 8, "p": 1, "maxmem": 1 << 26, "dklen": 32}  # 16 MiB and some 50 ms a try


def digest(digits: str, salt: bytes) -> bytes:
    """Return what is stored of *digits*. Takes some 50 ms, on purpose."""
    return hashlib.scrypt(digits.encode(), salt=salt, **_COST)
