"""The canary process: it runs under an unassigned uid with read access to everything, so only the guard can refuse it.

Run as ``python -I -S opener.py UID``. It prints ``0`` when it has that uid, otherwise an error number; then it reads
one command a line on stdin and prints one error number a line on stdout, ``0`` when access was allowed:

    list N   open the directory behind descriptor N      open N   open the file      read N   read through descriptor N

Rules of this file: standard library only and no import of the agent, so that it starts in a few milliseconds. It keeps
CAP_DAC_READ_SEARCH and nothing else, so that no permission and no ACL stops it. It keeps nothing that it reads; it ends
with its starter, and by itself after a timeout. Sources: capabilities(7), prctl(2), proc_pid_loginuid(5).
"""

import contextlib
import ctypes
import errno
import os
import signal
import struct
import sys

CAP_DAC_READ_SEARCH = 2
NO_LOGIN = 0xFFFFFFFF
LASTS = 60  # seconds: the longest lifetime

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS = 1, 8
_VERSION_3 = 0x20080522
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def become(uid: int) -> None:
    """Change to *uid* permanently, without a login uid and without any other right. Raises ``OSError``."""
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(OSError):  # immutable on this host: then it keeps the login uid of the agent
        login = os.open("/proc/self/loginuid", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(login, b"%d" % NO_LOGIN)
        finally:
            os.close(login)
    os.setgroups([])
    _checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    capability = 1 << CAP_DAC_READ_SEARCH
    _checked(libc.capset(struct.pack("=Ii", _VERSION_3, 0), struct.pack("=6I", capability, capability, 0, 0, 0, 0)))
    _checked(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))  # last: changing the uid takes it away


def attempt(kind: str, fd: int) -> None:
    """Carry out one command. Raises ``OSError`` when it is refused, ``ValueError`` for an unknown command."""
    if kind == "list":
        os.close(os.open(f"/proc/self/fd/{fd}/.", _FLAGS | os.O_DIRECTORY))
    elif kind == "open":
        os.close(os.open(f"/proc/self/fd/{fd}", _FLAGS))
    elif kind == "read":
        os.pread(fd, 1, 0)
    else:
        raise ValueError(kind)


def main() -> None:
    """Serve commands until stdin ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LASTS)
    try:
        become(int(sys.argv[1]))
    except OSError as error:
        print(error.errno or errno.EIO, flush=True)
        return
    print(0, flush=True)
    for line in sys.stdin:
        kind, _, number = line.partition(" ")
        try:
            attempt(kind, int(number))
        except OSError as error:
            print(error.errno or errno.EIO, flush=True)
        else:
            print(0, flush=True)


def _checked(status: int) -> None:
    if status < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main()
